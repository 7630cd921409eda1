"""Rotating shallow water over topography on the Arakawa C grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from solvers import shallow_water_kernel as kernel
from solvers.c_grid import CGrid
from solvers.fft import aligned_zeros
from solvers.integration import Integration
from solvers.model import Model
from solvers.shallow_water_jet import BalancedJet
from solvers.tendency_source import GridField, closure_sizes
from solvers.time_stepping import RUNGE_KUTTA_4

#: Dims of thickness, velocities and vorticity: each has its own points of a cell.
_DIMS = {"h": ("y", "x"), "u": ("y", "x_u"), "v": ("y_v", "x"), "vorticity": ("y_v", "x_u")}
_UNITS = {"h": "m", "u": "m s-1", "v": "m s-1"}
_TENDENCY_UNITS = ("m s-1", "m s-2", "m s-2")
_SMALLEST = 4
_WATER_DENSITY = 1000.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ShallowWater(Model):
    r"""Rotating shallow water over topography, in a channel or on a torus.

    .. math::
        \partial_t u &= q h v - \partial_x B - r u + \nu \nabla^2 u + \tau(y) / (\rho H), \\
        \partial_t v &= -q h u - \partial_y B - r v + \nu \nabla^2 v, \\
        \partial_t h &= -\partial_x (h u) - \partial_y (h v), \\
        q &= (f + \partial_x v - \partial_y u) / h, \quad
        B = g (h + b) + (u^2 + v^2) / 2, \quad f = f_0 + \beta (y - L_y / 2),

    for the thickness h of the layer above the bottom b. Second-order finite differences in vector
    invariant form; classical Runge-Kutta steps of fourth order. Thickness stands at the centres
    of the cells, u at their west faces, v at their south faces, vorticity at their south-west
    corners. Walls are at y = 0, where v[0] is, and at y = ly; the flow slips along them freely.

    The scheme of the vorticity term conserves, but for the time step, mass and

    - ``"energy-enstrophy"`` (Arakawa and Lamb 1981): energy and, without walls, potential
      enstrophy. The default, because noise of the size of a cell can then grow at the expense of
      neither, and long runs need little viscosity;
    - ``"energy"`` (Sadourny 1975): energy;
    - ``"enstrophy"`` (Sadourny 1975): potential enstrophy, without walls.

    Parameters
    ----------
    nx, ny
        Cells, at least 4; default `ny`: square cells.
    length_x, length_y
        Size of the domain [m].
    dt
        Time step [s].
    depth
        Thickness of the layer at rest above a bottom at 0, H [m].
    gravity
        Acceleration g [m s-2].
    coriolis
        Coriolis parameter in the middle of the domain f_0 [s-1].
    beta
        Its gradient [m-1 s-1]; 0 without walls.
    walls
        Walls at the south and the north; else periodic. The domain is periodic along x.
    topography
        Height of the bottom b: ``"ridge"``, a Gaussian ridge along y in the middle; ``"flat"``;
        or an array of shape ``(ny, nx)`` [m].
    ridge_height, ridge_width
        Height of the ridge, and the distance from its crest at which it is exp(-1/2) of that [m].
    drag
        Linear drag r [s-1].
    viscosity
        Horizontal viscosity nu [m2 s-1].
    wind_stress
        Largest zonal wind stress; tau = `wind_stress` sin^2(pi y / ly) [Pa].
    scheme
        What the scheme conserves: see above.
    jet_speed, jet_width
        Of the jet, u = `jet_speed` sech^2((y - ly/2) / `jet_width`), that runs begin with by
        default [m s-1, m].
    dtype
        ``"float64"`` or ``"float32"``.

    Raises
    ------
    ValueError
        If the grid is tiny, a parameter that must be positive is not, the bottom does not fit,
        or the Coriolis parameter would jump where the domain closes.

    References
    ----------
    Arakawa and Lamb (1981), Mon. Wea. Rev. 109, 18, equations 3.5, 3.6, 3.34. Sadourny (1975),
    J. Atmos. Sci. 32, 680. The setting, flow over a ridge in a channel, is similar to that of
    Kloewer et al. (2020), J. Adv. Model. Earth Syst. 12, e2020MS002246.

    Examples
    --------
    >>> run = ShallowWater(nx=32, dt=300).run(days=1, save_every=0.5)
    >>> dict(run.u.sizes)
    {'time': 3, 'member': 1, 'y': 16, 'x_u': 32}
    """

    title: ClassVar[str] = "rotating shallow water"
    time_units: ClassVar[str] = "s"
    order: ClassVar[int] = RUNGE_KUTTA_4.order

    nx: int = 128
    ny: int | None = None
    length_x: float = 2e6
    length_y: float = 1e6
    dt: float = 100.0
    depth: float = 500.0
    gravity: float = 9.81
    coriolis: float = 1e-4
    beta: float = 1.6e-11
    walls: bool = True
    topography: str | ArrayLike = "ridge"
    ridge_height: float = 50.0
    ridge_width: float = 1e5
    drag: float = 1e-7
    viscosity: float = 100.0
    wind_stress: float = 0.05
    scheme: str = "energy-enstrophy"
    jet_speed: float = 1.0
    jet_width: float = 1e5
    dtype: str = "float64"

    def __post_init__(self) -> None:
        if self.ny is None:
            object.__setattr__(self, "ny", round(self.nx * self.length_y / self.length_x))
        for name in ("nx", "ny"):
            if getattr(self, name) < _SMALLEST:
                raise ValueError(f"{name}: expected at least 4 cells, got {getattr(self, name)}")
        self._check_numbers()
        for name, values in (("dtype", ("float64", "float32")), ("scheme", kernel.SCHEMES)):
            if getattr(self, name) not in values:
                known, got = ", ".join(values), getattr(self, name)
                raise ValueError(f"{name}: expected one of {known}, got {got}")
        self._check_bottom()

    def _check_numbers(self) -> None:
        positive = ("length_x", "length_y", "dt", "depth", "gravity", "ridge_width", "jet_width")
        for name in positive:
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}: expected a positive number, got {getattr(self, name)}")
        for name in ("drag", "viscosity"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name}: expected no negative number, got {getattr(self, name)}")
        if self.beta != 0.0 and not self.walls:
            raise ValueError(
                f"beta: expected 0 without walls, got {self.beta:g}: the Coriolis parameter would "
                "jump where the domain closes; use walls=True"
            )

    def _check_bottom(self) -> None:
        if isinstance(self.topography, str) and self.topography not in ("ridge", "flat"):
            raise ValueError(
                f"topography: expected ridge, flat or an array, got {self.topography!r}"
            )
        if self.bottom.shape != self.grid.shape:
            raise ValueError(
                f"topography: expected shape (ny, nx) = {self.grid.shape}, got {self.bottom.shape}"
            )
        if not (self.bottom < self.depth).all():
            raise ValueError(
                f"topography: expected heights below the surface at depth = {self.depth:g} m, "
                f"got up to {self.bottom.max():g} m; use a greater depth"
            )

    @cached_property
    def grid(self) -> CGrid:
        """Cells of the domain."""
        return CGrid(self.nx, self.ny or 0, self.length_x, self.length_y, self.walls)

    @property
    def state_shape(self) -> tuple[int, ...]:
        """Field (h, u, v), y, x."""
        return 3, *self.grid.shape

    @property
    def dx(self) -> float:
        """Width of a cell along x [m]."""
        return self.grid.dx

    @property
    def dy(self) -> float:
        """Width of a cell along y [m]."""
        return self.grid.dy

    @cached_property
    def bottom(self) -> NDArray[np.float64]:
        """Height of the bottom at the centres, shape ``(ny, nx)`` [m]."""
        if not isinstance(self.topography, str):
            return np.array(self.topography, dtype=np.float64)
        x = (np.arange(self.nx) + 0.5) * self.dx - 0.5 * self.length_x
        height = self.ridge_height if self.topography == "ridge" else 0.0
        ridge = height * np.exp(-0.5 * (x / self.ridge_width) ** 2)
        return np.tile(ridge, (self.grid.n_y, 1))

    @cached_property
    def coriolis_of_rows(self) -> NDArray[np.float64]:
        """Coriolis parameter f at the corners, from y = 0 to y = ly, shape ``(ny + 1,)`` [s-1]."""
        y = np.arange(self.grid.n_y + 1) * self.dy
        return np.asarray(self.coriolis + self.beta * (y - 0.5 * self.length_y))

    @cached_property
    def wind_acceleration(self) -> NDArray[np.float64]:
        """What the wind gives each row of u, shape ``(ny,)`` [m s-2]."""
        profile = np.sin(np.pi * self.grid.row_centres / self.length_y) ** 2
        return np.asarray(self.wind_stress / (_WATER_DENSITY * self.depth) * profile)

    def coordinates(self) -> dict[str, xr.Variable]:
        """Return where the centres and the faces of the cells are, and the bottom."""
        bottom = xr.Variable(
            _DIMS["h"], self.bottom, {"units": "m", "long_name": "height of the bottom"}
        )
        return {**self.grid.coordinates(), "bottom": bottom}

    def attributes(self) -> dict[str, Any]:
        """Return parameters and versions as attributes; an array of heights is a coordinate."""
        given = {} if isinstance(self.topography, str) else {"topography": "array"}
        return {**super().attributes(), **given}

    def random_state(self, n_member: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draw the jet with eddies of a hundredth of it, see `shallow_water_jet`."""
        jet = BalancedJet(
            grid=self.grid,
            speed=self.jet_speed,
            width=self.jet_width,
            depth=self.depth,
            gravity=self.gravity,
            coriolis=self.coriolis_of_rows,
            bottom=self.bottom,
        )
        return jet.draw(n_member, rng)

    def tendency(self, state: ArrayLike) -> NDArray[np.float64]:
        """Return d(h, u, v)/dt, in float64.

        Parameters
        ----------
        state
            Thickness and velocities, shape ``(..., 3, ny, nx)`` [m, m s-1, m s-1].

        Returns
        -------
        ndarray
            Their tendencies, same shape [m s-1, m s-2, m s-2].
        """
        values, precise = np.array(state, dtype=np.float64), replace(self, dtype="float64")
        states = values.reshape(-1, *self.state_shape)
        return kernel.tendency(states, _basin(precise), _parameters(precise)).reshape(values.shape)

    def energy(self, state: ArrayLike) -> NDArray[np.float64]:
        """Return total energy for each unit of density, the sum that the scheme conserves.

        Parameters
        ----------
        state
            Thickness and velocities, shape ``(..., 3, ny, nx)`` [m, m s-1, m s-1].

        Returns
        -------
        ndarray
            Integral of ``h (u^2 + v^2) / 2 + g h (h / 2 + b)``, shape ``(...)`` [m5 s-2].
        """
        h, u, v = _fields(state)
        kinetic = 0.25 * ((h + self.grid.west(h)) * u**2 + (h + np.roll(h, 1, axis=-2)) * v**2)
        potential = self.gravity * h * (0.5 * h + self.bottom)
        return np.asarray((kinetic + potential).sum(axis=(-2, -1)) * self.dx * self.dy)

    def potential_enstrophy(self, state: ArrayLike) -> NDArray[np.float64]:
        """Return potential enstrophy, the sum that the scheme conserves on a torus.

        Parameters
        ----------
        state
            Thickness and velocities, shape ``(..., 3, ny, nx)`` [m, m s-1, m s-1].

        Returns
        -------
        ndarray
            Integral of ``h q^2 / 2``, the corners of the north wall left out, [m s-2].
        """
        h, u, v = _fields(state)
        absolute = self.coriolis_of_rows[:-1, None] + self.vorticity(u, v)
        west, south = self.grid.west, self.grid.south(h)
        thickness = 0.25 * (h + west(h) + south + west(south))
        return np.asarray((0.5 * absolute**2 / thickness).sum(axis=(-2, -1)) * self.dx * self.dy)

    def vorticity(self, u: NDArray[Any], v: NDArray[Any]) -> NDArray[Any]:
        """Return relative vorticity [s-1] at the south-west corners, 0 on a wall."""
        return self.grid.vorticity(u, v)

    def set_state(self, integration: Integration, state: NDArray[Any]) -> None:
        """Put thickness and velocities, shape ``(n_member, 3, ny, nx)``, into an integration.

        Raises
        ------
        ValueError
            If the thickness is not positive everywhere, or something flows through a wall.
        """
        assert isinstance(integration, ShallowWaterIntegration)
        if not state[:, 0].min() > 0.0:
            raise ValueError(
                f"initial: expected a positive thickness h everywhere, got {state[:, 0].min():g} m"
            )
        if self.walls and state[:, 2, 0].any():
            raise ValueError(
                "initial: expected v[0] = 0, because the south wall is there, got up to "
                f"{np.abs(state[:, 2, 0]).max():g} m s-1"
            )
        integration.state[...] = state

    def stability_limit(self, integration: Integration) -> float:
        """Return a time step that gravity waves, flow, rotation, drag and viscosity bear.

        The shortest waves have the frequency ``2 sqrt(g h (1/dx^2 + 1/dy^2))``.
        """
        assert isinstance(integration, ShallowWaterIntegration)
        h, u, v = _fields(integration.state)
        per_area = self.dx**-2 + self.dy**-2
        rotation = np.abs(self.coriolis_of_rows).max()
        waves = np.sqrt(4.0 * self.gravity * h * per_area + rotation**2)
        flow = np.abs(u) / self.dx + np.abs(v) / self.dy
        decay = self.drag + 4.0 * self.viscosity * per_area
        # The triangle between the ends of the stability region on both axes lies inside it.
        rate = (waves + flow).max() / RUNGE_KUTTA_4.imaginary_limit
        return float(1.0 / (rate + decay / RUNGE_KUTTA_4.real_limit))

    def _integration(self, n_member: int, n_thread: int) -> "ShallowWaterIntegration":
        return ShallowWaterIntegration(self, n_member, n_thread)


class ShallowWaterIntegration(Integration):
    """Ensemble of shallow-water runs.

    Attributes
    ----------
    state : ndarray
        Thickness and velocities, shape ``(n_member, 3, ny, nx)`` [m, m s-1, m s-1]; within a step
        what the stage is computed from, which is what a closure reads.
    """

    model: ShallowWater

    def __init__(self, model: ShallowWater, n_member: int, n_thread: int = 1) -> None:
        super().__init__(model, n_member, n_thread)
        shape, dtype = (n_member, *model.state_shape), model.dtype
        self.state = aligned_zeros(shape, dtype)
        self._before, self._increment = aligned_zeros(shape, dtype), aligned_zeros(shape, dtype)
        self._closure_tendency = aligned_zeros(shape, dtype)
        self.coupling.sizes[:] = closure_sizes(
            dtype, n_field=3, shape=(1, *model.grid.shape), n_tendency=3, n_stage=kernel.N_STAGE
        )
        self._strip = kernel.strip(n_member, model.grid.shape, dtype)
        self._basin, self._parameters = _basin(model), _parameters(model)

    @property
    def prognostic(self) -> Mapping[str, NDArray[Any]]:
        """Thickness and velocities."""
        return {name: self.state[:, i] for i, name in enumerate(_UNITS)}

    @property
    def restart_arrays(self) -> Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]:
        """Thickness and velocities."""
        return {name: (("member", *_DIMS[name]), a) for name, a in self.prognostic.items()}

    def fields(self) -> dict[str, xr.Variable]:
        """Return thickness, velocities, surface height and vorticity, each at its points."""
        h, u, v = (np.array(array) for array in self.prognostic.values())
        described = {
            "h": (h, "h", "m", "cell_thickness", "thickness of the layer"),
            "u": (u, "u", "m s-1", "sea_water_x_velocity", "velocity along x at west faces"),
            "v": (v, "v", "m s-1", "sea_water_y_velocity", "velocity along y at south faces"),
            "eta": (
                h + (self.model.bottom - self.model.depth),
                *("h", "m", "sea_surface_height_above_geoid", "height of the surface above rest"),
            ),
            "vorticity": (
                self.model.vorticity(u, v),
                *("vorticity", "s-1", "ocean_relative_vorticity"),
                "relative vorticity at south-west corners",
            ),
        }
        return {
            name: xr.Variable(
                ("member", *_DIMS[where]),
                array.astype(self.model.dtype),
                {"units": units, "standard_name": standard_name, "long_name": long_name},
            )
            for name, (array, where, units, standard_name, long_name) in described.items()
        }

    def courant_number(self) -> float:
        """Return the largest of ``dt ((|u| + c) / dx + (|v| + c) / dy)``, ``c = sqrt(g h)``."""
        h, u, v = _fields(self.state)
        wave = np.sqrt(self.model.gravity * np.maximum(h, 0.0))
        rate = (np.abs(u) + wave) / self.model.dx + (np.abs(v) + wave) / self.model.dy
        return float(self.model.dt * rate.max())

    def closure_inputs(self, member: int) -> Sequence[GridField]:
        """Thickness and velocities [m, m s-1, m s-1], each at its own points."""
        return [
            self._grid_field(name, name, units, self.state[member, i])
            for i, (name, units) in enumerate(_UNITS.items())
        ]

    def closure_outputs(self, member: int) -> Sequence[GridField]:
        """Their tendencies at the same points [m s-1, m s-2, m s-2]; a wall takes none."""
        return [
            self._grid_field(name, f"{name}_tendency", units, self._closure_tendency[member, i])
            for i, (name, units) in enumerate(zip(_UNITS, _TENDENCY_UNITS, strict=True))
        ]

    def _grid_field(self, where: str, name: str, units: str, array: NDArray[Any]) -> GridField:
        dims, model = _DIMS[where], self.model
        spacing = {dim: model.dx if dim.startswith("x") else model.dy for dim in dims}
        return GridField(name, units, dims, array, spacing)

    def _advance(self, n_step: int) -> None:
        kernel.advance_members(
            self.n_thread,
            self.n_member,
            self.state,
            self._before,
            self._increment,
            self._closure_tendency,
            self._strip,
            self._basin,
            self._parameters,
            self.step,
            n_step,
            self.coupling,
        )


def _fields(state: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    values = np.asarray(state, dtype=np.float64)
    return values[..., 0, :, :], values[..., 1, :, :], values[..., 2, :, :]


def _basin(model: ShallowWater) -> kernel.Basin:
    """Return the arrays that the time loop reads, in the precision of the model."""
    arrays = (model.coriolis_of_rows, model.bottom, model.wind_acceleration)
    return kernel.Basin(*(np.ascontiguousarray(array, dtype=model.dtype) for array in arrays))


def _parameters(model: ShallowWater) -> kernel.Parameters:
    """Return the numbers that the time loop reads."""
    number = np.dtype(model.dtype).type
    return kernel.Parameters(
        gravity=number(model.gravity),
        per_dx=number(1.0 / model.dx),
        per_dy=number(1.0 / model.dy),
        drag=number(model.drag),
        viscosity=number(model.viscosity),
        half=number(1.0 / 2.0),
        quarter=number(1.0 / 4.0),
        eighth=number(1.0 / 8.0),
        twenty_fourth=number(1.0 / 24.0),
        # Arakawa and Lamb have square cells; where dx and dy differ, these two terms, between
        # faces one behind the other, take their ratio.
        epsilon=number(model.dy / model.dx / 24.0),
        phi=number(model.dx / model.dy / 24.0),
        weights=(model.dt * RUNGE_KUTTA_4.weights).astype(model.dtype),
        reaches=(model.dt * np.append(RUNGE_KUTTA_4.matrix.diagonal(-1), 0.0)).astype(model.dtype),
        walls=model.walls,
        scheme=kernel.SCHEMES.index(model.scheme),
    )
