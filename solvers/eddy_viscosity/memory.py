"""What the compiled time loop knows of an eddy viscosity: numbers, filters and work space."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.eddy_viscosity.settings import (
    CLIPPINGS,
    N_INVARIANT,
    SCALES,
    Backscatter,
    DynamicEddyViscosity,
    EddyViscosity,
    LinearPolicy,
    Viscosity,
)
from solvers.spectral import SpectralGrid, empty_fields

Field = NDArray[Any]

NONE, GIVEN, DYNAMIC_GLOBAL, DYNAMIC_LOCAL, BACKSCATTER, POLICY = range(6)
"""Rules by which the viscosities are set."""
UNIFORM, SMAGORINSKY, LEITH = range(len(SCALES))
KEEP_NEGATIVE, CLIP_COEFFICIENT, CLIP_NUMERATOR = range(len(CLIPPINGS))

WX, WY, PX, PY, SN, SS, NU2, NU4 = range(8)
"""Places in `Eddy.fields`."""
N_FIELD = 8
N_TEST_FIELD = 11

_POWERS = {"uniform": None, "smagorinsky": 2, "leith": 3}
# Width of the Gaussian of local means, in filter widths.
_LOCAL_MEAN = 4.0


class Eddy(NamedTuple):
    """An eddy viscosity in the model's memory, member first, in its precision.

    Parameters
    ----------
    rule, scale, clipping
        Numbers of names, see above.
    unit2, unit4
        Powers of the filter width that c2 and c4 are multiples of; 1 where the scale is uniform.
    hyper
        Whether c4 is anything but 0; where it is not, no hyperviscosity is computed.
    coefficients
        c2 and c4, shape ``(n_member, 2, y, x)``: given, or found by the dynamic rule.
    fields
        Gradient of the vorticity, gradient of its Laplacian, the two strains, and the two
        viscosities, shape ``(n_member, 8, y, x)``.
    test
        The same on the grid of the hat, and fluxes, shape ``(n_member, 11, y, x)``; only the
        dynamic rule has any.
    test_filter, mean_filter
        Transfer functions of the hat and of the local mean, shape ``(l, k)``.
    test_unit
        What the unit of c2 is multiplied by on the grid of the hat [1].
    margin
        Net dissipation that the limiter keeps [1]; negative: no limiter.
    returned
        Part of the energy that comes back [1].
    weights, bounds
        Of a linear policy, shapes ``(n_member, 2, 6)`` and ``(2, 2)``.
    update_interval
        Steps from one time that its coefficients are found to the next.
    found
        Whether a member holds coefficients that were found, 1 or 0, shape ``(n_member,)``.
    """

    rule: int
    scale: int
    clipping: int
    unit2: Any
    unit4: Any
    hyper: bool
    coefficients: Field
    fields: Field
    test: Field
    test_filter: Field
    mean_filter: Field
    test_unit: float
    margin: float
    returned: float
    weights: NDArray[np.float64]
    bounds: NDArray[np.float64]
    update_interval: int
    found: NDArray[np.int64]


def allocate(viscosity: Viscosity | None, grid: SpectralGrid, n_member: int, dtype: str) -> Eddy:
    """Return the memory of an eddy viscosity; it is empty where there is none."""
    kind = np.dtype(dtype).type
    rule, scale = _rule(viscosity), getattr(viscosity, "scale", "leith")
    width = filter_width(viscosity, grid)
    power = _POWERS[scale]
    dynamic = isinstance(viscosity, DynamicEddyViscosity)
    margin = getattr(viscosity, "net_dissipation", None)
    counts = (2, N_FIELD) if rule else (0, 0)
    coefficients, fields, test = (
        empty_fields((n_member, count), grid.shape, dtype)[0]
        for count in (*counts, N_TEST_FIELD if dynamic else 0)
    )
    if isinstance(viscosity, EddyViscosity | Backscatter):
        coefficients[:, 0] = getattr(viscosity, "c2", 0.0)
        coefficients[:, 1] = viscosity.c4
    test_filter, mean_filter = _filters(grid, width)
    return Eddy(
        rule=rule,
        scale=SCALES.index(scale),
        clipping=CLIPPINGS.index(getattr(viscosity, "clipping", "none")),
        unit2=kind(1.0 if power is None else width**power),
        unit4=kind(1.0 if power is None else width ** (power + 2)),
        hyper=_has_hyperviscosity(viscosity),
        coefficients=coefficients,
        fields=fields,
        test=test,
        test_filter=test_filter.astype(dtype),
        mean_filter=mean_filter.astype(dtype),
        test_unit=1.0 if power is None else 2.0**power,
        margin=-1.0 if margin is None else margin,
        returned=viscosity.returned if isinstance(viscosity, Backscatter) else 0.0,
        weights=_weights(viscosity, n_member),
        bounds=_bounds(viscosity),
        update_interval=getattr(viscosity, "update_interval", 1),
        found=np.zeros(n_member, dtype=np.int64),
    )


def filter_width(viscosity: Viscosity | None, grid: SpectralGrid) -> float:
    """Return the filter width D [length]: as chosen, or that of the shortest wave kept."""
    if viscosity is None or viscosity.filter_width is None:
        return 1.5 * float(np.sqrt(grid.dx * grid.dy))
    return viscosity.filter_width


def _rule(viscosity: Viscosity | None) -> int:
    if viscosity is None:
        return NONE
    if isinstance(viscosity, DynamicEddyViscosity):
        return DYNAMIC_GLOBAL if viscosity.average == "global" else DYNAMIC_LOCAL
    if isinstance(viscosity, LinearPolicy):
        return POLICY
    return BACKSCATTER if isinstance(viscosity, Backscatter) else GIVEN


def _has_hyperviscosity(viscosity: Viscosity | None) -> bool:
    if isinstance(viscosity, LinearPolicy):
        return viscosity.bounds4 != (0.0, 0.0)
    return isinstance(viscosity, EddyViscosity | Backscatter) and viscosity.c4 != 0.0


def _weights(viscosity: Viscosity | None, n_member: int) -> NDArray[np.float64]:
    if not isinstance(viscosity, LinearPolicy):
        return np.zeros((n_member, 0, N_INVARIANT))
    weights = np.array([viscosity.weights2, viscosity.weights4], dtype=np.float64)
    return np.repeat(weights[np.newaxis], n_member, axis=0)


def _bounds(viscosity: Viscosity | None) -> NDArray[np.float64]:
    if not isinstance(viscosity, LinearPolicy):
        return np.zeros((2, 2))
    return np.array([viscosity.bounds2, viscosity.bounds4], dtype=np.float64)


def _filters(grid: SpectralGrid, width: float) -> tuple[Field, Field]:
    """Return the sharp filter to half of the waves kept and the Gaussian of local means."""
    x = np.abs(np.fft.rfftfreq(grid.n_x)) < 1.0 / 6.0
    y = np.abs(np.fft.fftfreq(grid.n_y)) < 1.0 / 6.0
    gaussian = np.exp(-grid.wavenumber_squared * (_LOCAL_MEAN * width) ** 2 / 24.0)
    return (x & y[:, np.newaxis]).astype(np.float64), gaussian
