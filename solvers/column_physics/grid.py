"""The grid of the columns: a finite-volume cubed sphere and hybrid pressure levels.

With the default sizes both are those of ClimSim's low resolution (E3SM's ne4pg2 and its 60
levels), to the last digits: the cubed sphere by its formula, the levels by the published
pressures of their interfaces.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.column_physics.constants import GRAVITY, REFERENCE_PRESSURE

Array = NDArray[np.float64]

# fmt: off
INTERFACES = (
    5.58810705093752e-05, 0.000100814552167886, 0.000181402084780916, 0.000324444509109767,
    0.000574056761227557, 0.000998635561714419, 0.00169607595882108, 0.00279347861497933,
    0.00443938435107222, 0.00679228849960247, 0.0100142179401044, 0.0142747607640282,
    0.0197588952845778, 0.0266627009476223, 0.0351659915763684, 0.0453891697495387,
    0.0573600949457766, 0.0710183618821167, 0.0862609533405065, 0.102999230663768,
    0.121183316415993, 0.140772291162763, 0.161670345028262, 0.183677464275724,
    0.206497955363532, 0.22981391415923, 0.253386843865229, 0.277130186708468,
    0.301114457749967, 0.325509716470936, 0.350504282002828, 0.376242701556206,
    0.402803975000676, 0.43021186865577, 0.458450955368974, 0.487463457384899,
    0.517120376451482, 0.547184169865207, 0.577294615062595, 0.607003937052429,
    0.635861745179183, 0.663518049086127, 0.689794920124081, 0.714689455447758,
    0.738307723550082, 0.760767567023784, 0.782122867312722, 0.802345652594237,
    0.821367697668429, 0.839151588726086, 0.85574971740158, 0.871322086613481,
    0.886109662594657, 0.900382373353092, 0.914388051822296, 0.928320743144069,
    0.942312691189993, 0.956443421225162, 0.970755777578981, 0.985271087185043,
    1,
)
"""Reference pressure at the interfaces of the 60 levels, relative to 1000 hPa [1]."""
# fmt: on

TERRAIN_TOP = 0.182305
"""Reference pressure, relative to 1000 hPa, above which levels do not feel the ground [1]."""
INERT_PRESSURE = 2000.0
"""Reference pressure above which only radiation acts, as in ClimSim's upper twelve levels [Pa]."""


@dataclass(frozen=True)
class Grid:
    """Columns on the sphere and hybrid levels, model top first.

    The pressure at an interface is hyai p0 + hybi ps.

    Parameters
    ----------
    area
        Area of each column ``(n_column,)`` [sr].
    lat, lon
        Latitude and longitude ``(n_column,)`` [degrees].
    hyai, hybi
        Hybrid coefficients at layer interfaces ``(n_level + 1,)`` [1].
    """

    area: Array
    lat: Array
    lon: Array
    hyai: Array
    hybi: Array

    @property
    def hyam(self) -> Array:
        """Hybrid coefficient a at layer midpoints ``(n_level,)`` [1]."""
        middle: Array = (self.hyai[1:] + self.hyai[:-1]) / 2
        return middle

    @property
    def hybm(self) -> Array:
        """Hybrid coefficient b at layer midpoints ``(n_level,)`` [1]."""
        middle: Array = (self.hybi[1:] + self.hybi[:-1]) / 2
        return middle

    @property
    def n_column(self) -> int:
        """Number of columns."""
        return self.lat.size

    @property
    def n_level(self) -> int:
        """Number of levels."""
        return self.hyai.size - 1

    @property
    def reference_pressure(self) -> Array:
        """Midpoint pressure where the surface pressure is 1000 hPa, ``(n_level,)`` [Pa]."""
        pressure: Array = (self.hyam + self.hybm) * REFERENCE_PRESSURE
        return pressure

    @property
    def n_inert(self) -> int:
        """Number of uppermost levels where only radiation acts."""
        return int(np.count_nonzero(self.reference_pressure < INERT_PRESSURE))

    def midpoint_pressure(self, surface_pressure: Array) -> Array:
        """Return p [Pa], ``(n_column, n_level)``, of ps ``(n_column,)`` [Pa]."""
        return self.hyam * REFERENCE_PRESSURE + self.hybm * surface_pressure[:, None]

    def interface_pressure(self, surface_pressure: Array) -> Array:
        """Return p at interfaces [Pa], ``(n_column, n_level + 1)``, of ps [Pa]."""
        return self.hyai * REFERENCE_PRESSURE + self.hybi * surface_pressure[:, None]

    def layer_mass(self, surface_pressure: Array) -> Array:
        """Return the mass of each layer [kg m-2], ``(n_column, n_level)``, of ps [Pa]."""
        return np.diff(self.interface_pressure(surface_pressure), axis=1) / GRAVITY


def hybrid_levels(n_level: int = 60) -> tuple[Array, Array]:
    """Return hyai, hybi at the interfaces [1].

    Parameters
    ----------
    n_level
        Number of layers; 60 gives the published ones, others are interpolated between them.

    Examples
    --------
    >>> hyai, hybi = hybrid_levels()
    >>> bool(hyai[-1] == 0.0), float(hybi[-1])
    (True, 1.0)
    """
    if n_level < 10:
        raise ValueError(f"levels: expected at least 10, got {n_level}: too few for clouds")
    eta = np.array(INTERFACES)
    if n_level != eta.size - 1:
        places = np.linspace(0.0, eta.size - 1, n_level + 1)
        eta = np.exp(np.interp(places, np.arange(eta.size), np.log(eta)))
    hybi = np.maximum(eta - TERRAIN_TOP, 0.0) / (1.0 - TERRAIN_TOP)
    return eta - hybi, hybi


def cubed_sphere(n_element: int = 4) -> tuple[Array, Array, Array]:
    """Return area [sr], latitude and longitude [degrees] of the columns of a cubed sphere.

    Parameters
    ----------
    n_element
        Spectral elements along the edge of a face; each holds two by two columns.

    References
    ----------
    Hannah et al. 2021, Separating physics and dynamics grids for improved computational
    efficiency in spectral element earth system models, J. Adv. Model. Earth Syst. 13.

    Examples
    --------
    >>> area, lat, lon = cubed_sphere()
    >>> area.size, round(float(area.sum()) / np.pi, 12)
    (384, 4.0)
    """
    angle = np.linspace(-np.pi / 4, np.pi / 4, n_element + 1)
    areas, centres = [], []
    for face in _faces(*np.meshgrid(np.tan(angle), np.tan(angle))):
        corner = _unit(face)
        lower, upper = corner[:, :-1], corner[:, 1:]
        quarters = [[_inside(lower, upper, x / 2, y / 2) for x in range(3)] for y in range(3)]
        for row in range(2):
            for column in range(2):
                around = [
                    quarters[row + j][column + i] for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))
                ]
                areas.append(_triangle(*around[:3]) + _triangle(around[0], *around[2:]))
                centres.append(_unit(sum(around[1:], around[0])))
    x, y, z = (_element_order(part, n_element) for part in np.moveaxis(np.array(centres), 1, 0))
    lat = np.degrees(np.arctan2(z, np.hypot(x, y)))
    lon = np.degrees(np.arctan2(y, x)) % 360.0
    return _element_order(np.array(areas), n_element), lat, lon


def generated_grid(n_level: int = 60, n_element: int = 4) -> Grid:
    """Return the grid of ClimSim's low resolution, or one like it of another size."""
    return Grid(*cubed_sphere(n_element), *hybrid_levels(n_level))


def _faces(a: Array, b: Array) -> list[Array]:
    """Position on each face of the cube by its two coordinates."""
    one = np.ones_like(a)
    faces = [(one, a, b), (-a, one, b), (-one, -a, b), (a, -one, b), (b, a, -one), (-b, a, one)]
    return [np.stack(face) for face in faces]


def _unit(vector: Array) -> Array:
    unit: Array = vector / np.linalg.norm(vector, axis=0)
    return unit


def _inside(lower: Array, upper: Array, x: float, y: float) -> Array:
    """Point at (x, y) of every element, bilinear between the corners, on the sphere."""
    south = (1.0 - x) * lower[..., :-1] + x * lower[..., 1:]
    north = (1.0 - x) * upper[..., :-1] + x * upper[..., 1:]
    return _unit((1.0 - y) * south + y * north)


def _triangle(a: Array, b: Array, c: Array) -> Array:
    """Solid angle of spherical triangles (van Oosterom and Strackee 1983)."""
    volume = np.abs(np.sum(a * np.cross(b, c, axis=0), axis=0))
    sides = np.sum(a * b, axis=0) + np.sum(b * c, axis=0) + np.sum(c * a, axis=0)
    solid: Array = 2.0 * np.arctan2(volume, 1.0 + sides)
    return solid


def _element_order(values: Array, n_element: int) -> Array:
    """From (face and quarter, row, column) to columns: face, row, column, quarter."""
    parts = values.reshape(6, 4, n_element, n_element)
    return np.ascontiguousarray(parts.transpose(0, 2, 3, 1)).ravel()
