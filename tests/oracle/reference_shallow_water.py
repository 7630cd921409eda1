"""Rotating shallow water over topography on the Arakawa C grid, in plain numpy.

du/dt = +q h v - d/dx (g (h + b) + K) - r u,
dv/dt = -q h u - d/dy (g (h + b) + K) - r v,
dh/dt = -d(h u)/dx - d(h v)/dy,
K = (u^2 + v^2)/2, q = (f + dv/dx - du/dy)/h, f = f_0 + beta (y - ly/2).

Conventions
-----------
- All fields have shape (ny, nx), index [j, i]. Cell (j, i) has its centre at
  ((i + 1/2) dx, (j + 1/2) dy); there h and b. u[j, i] is at its west face (i dx, (j + 1/2) dy),
  v[j, i] at its south face ((i + 1/2) dx, j dy), q at its south-west corner (i dx, j dy).
- h is the thickness of the water, b the height of the bottom, h + b the surface.
- An overbar is the mean of the two neighbours in x or y, d the difference of them over the spacing,
  each half a cell beside. U = mean_x(h) u and V = mean_y(h) v are the mass fluxes,
  K = (mean_x(u^2) + mean_y(v^2))/2 at centres, q = (f + d_x v - d_y u)/mean_xy(h) at corners.
- Sadourny (1975). "energy" conserves total energy: du/dt = mean_y(q mean_x(V)) - ...,
  dv/dt = -mean_x(q mean_y(U)) - .... "enstrophy" conserves potential enstrophy:
  du/dt = mean_y(q) mean_xy(V) - ..., dv/dt = -mean_x(q) mean_xy(U) - ....
- Always periodic in x. In y periodic, or between walls at y = 0 and y = ly: there v = 0 (the row
  v[0] is the south wall and stays 0; the north wall is not stored) and the relative vorticity is 0
  (free slip); at the corners on a wall h is the mean in x of the nearest row. With beta and no
  walls, f jumps where the domain closes.
- Time: "rk4", the classical Runge-Kutta method, or "ssprk3", Shu & Osher (1988).

References
----------
Sadourny (1975), J. Atmos. Sci. 32; Arakawa & Lamb (1981) for the grid.

"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class State(NamedTuple):
    """Thickness h [m] and velocities u, v [m s-1], each of shape (ny, nx); also their tendency."""

    h: Array
    u: Array
    v: Array


@dataclass(frozen=True)
class ShallowWaterParameters:
    """Grid, step and physics, all SI."""

    nx: int = 64
    ny: int = 64
    lx: float = 1e6
    ly: float = 1e6
    dt: float = 60.0
    gravity: float = 9.81
    coriolis: float = 1e-4
    beta: float = 0.0
    drag: float = 0.0
    walls: bool = False
    conserves: Literal["energy", "enstrophy"] = "energy"
    stepper: Literal["rk4", "ssprk3"] = "rk4"

    @property
    def dx(self) -> float:
        """Spacing in x [m]."""
        return self.lx / self.nx

    @property
    def dy(self) -> float:
        """Spacing in y [m]."""
        return self.ly / self.ny


def west(a: Array) -> Array:
    """Return the value one cell to the west."""
    return np.roll(a, 1, axis=1)


def east(a: Array) -> Array:
    """Return the value one cell to the east."""
    return np.roll(a, -1, axis=1)


def corner_rows(a: Array, p: ShallowWaterParameters) -> tuple[Array, Array]:
    """Return for each of the ny + 1 rows of corners the rows of `a` south and north of it.

    At a wall both are the row inside, so that their mean is that row and their difference 0.
    """
    south = np.concatenate([a[:1] if p.walls else a[-1:], a])
    north = np.concatenate([a, a[-1:] if p.walls else a[:1]])
    return south, north


def corner_latitudes(p: ShallowWaterParameters) -> Array:
    """Return y of the corners, shape (ny + 1, 1) [m]."""
    return p.dy * np.arange(p.ny + 1, dtype=np.float64)[:, np.newaxis]


def with_north_face(v: Array, p: ShallowWaterParameters) -> Array:
    """Return values at south faces with a last row for the northernmost faces, (ny + 1, nx)."""
    return np.concatenate([v, np.zeros_like(v[:1]) if p.walls else v[:1]])


def potential_vorticity(state: State, p: ShallowWaterParameters) -> Array:
    """Return q at the corners, shape (ny + 1, nx); the last row is at y = ly [m-1 s-1]."""
    h_south, h_north = corner_rows(0.5 * (state.h + west(state.h)), p)
    u_south, u_north = corner_rows(state.u, p)
    v = with_north_face(state.v, p)
    relative = (v - west(v)) / p.dx - (u_north - u_south) / p.dy
    planetary = p.coriolis + p.beta * (corner_latitudes(p) - 0.5 * p.ly)
    q = (planetary + relative) / (0.5 * (h_south + h_north))
    if not p.walls:
        q[-1] = q[0]
    return q


def tendency(state: State, bottom: Array, p: ShallowWaterParameters) -> State:
    """Return d(h, u, v)/dt; `bottom` is b, shape (ny, nx) [m]."""
    h, u, v = state
    h_south, h_north = corner_rows(h, p)
    flux_x = 0.5 * (h + west(h)) * u
    flux_y = 0.5 * (h_south + h_north) * with_north_face(v, p)
    q = potential_vorticity(state, p)

    # At corners: the mass fluxes next to them.
    x_south, x_north = corner_rows(flux_x, p)
    flux_x_corner = 0.5 * (x_south + x_north)
    flux_y_corner = 0.5 * (flux_y + west(flux_y))
    if p.conserves == "energy":
        rotation_u = 0.5 * ((q * flux_y_corner)[:-1] + (q * flux_y_corner)[1:])
        rotation_v = -0.5 * (q * flux_x_corner + east(q * flux_x_corner))
    else:
        rotation_u = 0.5 * (q[:-1] + q[1:]) * 0.5 * (flux_y_corner[:-1] + flux_y_corner[1:])
        rotation_v = -0.5 * (q + east(q)) * 0.5 * (flux_x_corner + east(flux_x_corner))

    v_squared = with_north_face(v**2, p)
    kinetic = 0.25 * (u**2 + east(u**2)) + 0.25 * (v_squared[:-1] + v_squared[1:])
    head = p.gravity * (h + bottom) + kinetic
    head_south, head_north = corner_rows(head, p)

    h_tendency = -(east(flux_x) - flux_x) / p.dx - (flux_y[1:] - flux_y[:-1]) / p.dy
    u_tendency = rotation_u - (head - west(head)) / p.dx - p.drag * u
    v_tendency = (rotation_v - (head_north - head_south) / p.dy)[:-1] - p.drag * v
    if p.walls:
        v_tendency[0] = 0.0
    return State(h_tendency, u_tendency, v_tendency)


def _shifted(state: State, factor: float, change: State) -> State:
    return State(*(a + factor * d for a, d in zip(state, change, strict=True)))


def _mean(weight: float, first: State, second: State) -> State:
    pairs = zip(first, second, strict=True)
    return State(*(weight * a + (1.0 - weight) * b for a, b in pairs))


def _runge_kutta_4(state: State, bottom: Array, p: ShallowWaterParameters) -> State:
    k1 = tendency(state, bottom, p)
    k2 = tendency(_shifted(state, 0.5 * p.dt, k1), bottom, p)
    k3 = tendency(_shifted(state, 0.5 * p.dt, k2), bottom, p)
    k4 = tendency(_shifted(state, p.dt, k3), bottom, p)
    for weight, k in ((1.0, k1), (2.0, k2), (2.0, k3), (1.0, k4)):
        state = _shifted(state, weight * p.dt / 6.0, k)
    return state


def _ssp_runge_kutta_3(state: State, bottom: Array, p: ShallowWaterParameters) -> State:
    def euler(s: State) -> State:
        return _shifted(s, p.dt, tendency(s, bottom, p))

    second = _mean(0.75, state, euler(euler(state)))
    return _mean(1.0 / 3.0, state, euler(second))


def advance(state: State, bottom: Array, p: ShallowWaterParameters, n_step: int) -> State:
    """Return the state `n_step` steps later.

    Parameters
    ----------
    state : State
        h, u, v; with walls v[0] must be 0.
    bottom : array of shape (ny, nx)
        b [m].
    p : ShallowWaterParameters
    n_step : int

    Raises
    ------
    ValueError
        With walls, if v[0] is not 0.

    """
    if p.walls and np.any(state.v[0] != 0.0):
        got = float(np.abs(state.v[0]).max())
        raise ValueError(f"v[0] is the south wall: expected 0, got up to {got:g}; set it to 0")
    step = _runge_kutta_4 if p.stepper == "rk4" else _ssp_runge_kutta_3
    for _ in range(n_step):
        state = step(state, bottom, p)
    return state


def total_energy(state: State, bottom: Array, p: ShallowWaterParameters) -> float:
    """Return the sum over cells of (mean_x(h) u^2 + mean_y(h) v^2 + g h^2)/2 + g h b [m5 s-2]."""
    h_south, h_north = corner_rows(state.h, p)
    h_v = 0.5 * (h_south + h_north)[:-1]
    kinetic = 0.25 * (state.h + west(state.h)) * state.u**2 + 0.5 * h_v * state.v**2
    potential = p.gravity * state.h * (0.5 * state.h + bottom)
    return float(p.dx * p.dy * np.sum(kinetic + potential))


def potential_enstrophy(state: State, p: ShallowWaterParameters) -> float:
    """Return the sum over the corners, each once, of mean_xy(h) q^2 / 2 [m s-2]; without walls."""
    h_x = 0.5 * (state.h + west(state.h))
    h_south, h_north = corner_rows(h_x, p)
    q = potential_vorticity(state, p)[:-1]
    return float(p.dx * p.dy * np.sum(0.25 * (h_south + h_north)[:-1] * q**2))
