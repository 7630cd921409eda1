"""The compiled time loop of rotating shallow water.

A Runge-Kutta stage goes through the domain in strips of a few rows. What a strip needs of its
surroundings is copied into padded rows first, so that all its work stays in the cache, the state
is advanced in place, and neither walls nor the periodic seam need a branch inside a loop.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.coupling_point import Coupling, evaluate_closure
from solvers.members import over_members
from solvers.time_stepping import RUNGE_KUTTA_4

Field = NDArray[Any]

N_STAGE = RUNGE_KUTTA_4.weights.size
SCHEMES = ("energy-enstrophy", "energy", "enstrophy")

# Rows of a strip's surroundings: two south of it, one north.
_SOUTH_OF, _AROUND = 2, 3
# What is derived from the state: q and v h at south-west corners and south faces, u h at west
# faces, g (h + b) + K at centres, what the vorticity of a cell gives to its four faces.
_VORTICITY, _FLUX_X, _FLUX_Y, _HEAD, _WEST, _EAST, _SOUTH, _NORTH = range(8)
# About the second-level cache of a core of today; it need not be exact.
_STRIP_BYTES = 800_000


class Parameters(NamedTuple):
    """Numbers of the model and fractions of one, in its precision, and its choices."""

    gravity: Any
    per_dx: Any
    per_dy: Any
    drag: Any
    viscosity: Any
    half: Any
    quarter: Any
    eighth: Any
    twenty_fourth: Any
    epsilon: Any
    phi: Any
    weights: Field
    reaches: Field
    walls: bool
    scheme: int


class Basin(NamedTuple):
    """What each place has: Coriolis parameter of corner rows, bottom, acceleration of rows."""

    f: Field
    bottom: Field
    force: Field


class Strip(NamedTuple):
    """Work space: h, u, v of a strip and around it, what is derived from them, tendencies."""

    state: Field
    derived: Field
    tendency: Field
    first: Field


def strip(n_member: int, shape: tuple[int, int], dtype: str) -> Strip:
    """Allocate the work space, member first."""
    n_y, n_x = shape
    row = (3 + 8 + 3) * (n_x + 2) * np.dtype(dtype).itemsize
    n_row = min(max(_STRIP_BYTES // row - _AROUND, 1), n_y)
    return Strip(
        np.zeros((n_member, 3, n_row + _AROUND, n_x + 2), dtype),
        np.zeros((n_member, 8, n_row + _AROUND, n_x + 2), dtype),
        np.zeros((n_member, 3, n_row, n_x), dtype),
        np.zeros((n_member, 3, 1, n_x + 2), dtype),
    )


@njit(cache=True)
def _load(j: int, n_row: int, r: int, state: Field, padded: Field) -> None:
    """Copy rows j, j + 1, ... of the state to rows r, r + 1, ... of the strip."""
    n_x = state.shape[2]
    for field in range(3):
        for row in range(n_row):
            for i in range(n_x):
                padded[field, r + row, i + 1] = state[field, j + row, i]
            padded[field, r + row, 0] = state[field, j + row, n_x - 1]
            padded[field, r + row, n_x + 1] = state[field, j + row, 0]


@njit(cache=True)
def _load_surroundings(state: Field, padded: Field, first: Field, p: Parameters) -> None:
    """Begin at the south: fill the rows south of the first strip, and row 0."""
    n_y = state.shape[1]
    if p.walls:
        # Of what is south of a wall, only that gradients across it vanish is ever used.
        _load(0, 1, 0, state, padded)
        _load(0, 1, 1, state, padded)
    else:
        _load(n_y - _SOUTH_OF, _SOUTH_OF, 0, state, padded)
        _load(0, 1, 0, state, first)
    _load(0, 1, _SOUTH_OF, state, padded)


@njit(cache=True)
def _load_north(r: int, padded: Field, first: Field, p: Parameters) -> None:
    """Fill the row north of the domain: mirrored at a wall, which v does not cross, or row 0."""
    for i in range(padded.shape[2]):
        for field in range(3):
            padded[field, r, i] = padded[field, r - 1, i] if p.walls else first[field, 0, i]
        if p.walls:
            padded[2, r, i] = 0


@njit(cache=True)
def _move_on(n_row: int, padded: Field) -> None:
    """Keep the rows south of the next strip, whose values in the state are already new."""
    for field in range(3):
        for r in range(_AROUND):
            for i in range(padded.shape[2]):
                padded[field, r, i] = padded[field, n_row + r, i]


# Python's division, which raises at 0, would keep the loop from being vectorised.
@njit(cache=True, error_model="numpy")
def _corners(j: int, n_row: int, padded: Field, derived: Field, f: Field, p: Parameters) -> None:
    """Set potential vorticity at the south-west corners, and the mass flux at the south faces."""
    h, u, v = padded[0], padded[1], padded[2]
    q, flux_y = derived[_VORTICITY], derived[_FLUX_Y]
    per_dx, per_dy, half, quarter = p.per_dx, p.per_dy, p.half, p.quarter
    n_x = h.shape[1] - 2
    for r in range(1, n_row + _AROUND):
        planetary = f[max(j - _SOUTH_OF + r, 0)]
        for i in range(1, n_x + 1):
            relative = (v[r, i] - v[r, i - 1]) * per_dx - (u[r, i] - u[r - 1, i]) * per_dy
            north, south = h[r, i] + h[r, i - 1], h[r - 1, i] + h[r - 1, i - 1]
            q[r, i] = (planetary + relative) / (quarter * (north + south))
            flux_y[r, i] = half * (h[r, i] + h[r - 1, i]) * v[r, i]
        q[r, n_x + 1] = q[r, 1]


@njit(cache=True)
def _centres(
    j: int, n_row: int, padded: Field, derived: Field, bottom: Field, p: Parameters
) -> None:
    """Set the mass flux at the west faces and g (h + b) + K at the centres."""
    h, u, v = padded[0], padded[1], padded[2]
    flux_x, head = derived[_FLUX_X], derived[_HEAD]
    gravity, half, quarter = p.gravity, p.half, p.quarter
    n_y, n_x = bottom.shape
    for r in range(1, n_row + _SOUTH_OF):
        row = (j - _SOUTH_OF + r) % n_y
        for i in range(1, n_x + 1):
            flux_x[r, i] = half * (h[r, i] + h[r, i - 1]) * u[r, i]
            along_x = u[r, i] * u[r, i] + u[r, i + 1] * u[r, i + 1]
            along_y = v[r, i] * v[r, i] + v[r + 1, i] * v[r + 1, i]
            surface = h[r, i] + bottom[row, i - 1]
            head[r, i] = gravity * surface + quarter * (along_x + along_y)
        flux_x[r, n_x + 1], head[r, 0] = flux_x[r, 1], head[r, n_x]


@njit(cache=True)
def _rotate_energy_enstrophy(n_row: int, derived: Field, p: Parameters) -> None:
    """Arakawa and Lamb (1981), equation 3.34; of their six coefficients four belong to a cell."""
    q, u_flux, v_flux = derived[_VORTICITY], derived[_FLUX_X], derived[_FLUX_Y]
    to_west, to_east = derived[_WEST], derived[_EAST]
    to_south, to_north = derived[_SOUTH], derived[_NORTH]
    factor, factor_epsilon, factor_phi = p.twenty_fourth, p.epsilon, p.phi
    for r in range(1, n_row + _SOUTH_OF):
        for i in range(1, q.shape[1] - 1):
            rising, falling = q[r, i] + q[r + 1, i + 1], q[r, i + 1] + q[r + 1, i]
            alpha = factor * (rising + rising + falling)
            delta = factor * (falling + falling + rising)
            top, bottom = q[r + 1, i] + q[r + 1, i + 1], q[r, i] + q[r, i + 1]
            left, right = q[r, i] + q[r + 1, i], q[r, i + 1] + q[r + 1, i + 1]
            epsilon, phi = factor_epsilon * (top - bottom), factor_phi * (left - right)
            west, east, south, north = (
                u_flux[r, i],
                u_flux[r, i + 1],
                v_flux[r, i],
                v_flux[r + 1, i],
            )
            to_west[r, i] = alpha * north + delta * south - epsilon * east
            to_east[r, i] = delta * north + alpha * south + epsilon * west
            to_south[r, i] = -(alpha * east + delta * west + phi * north)
            to_north[r, i] = -(alpha * west + delta * east - phi * south)


@njit(cache=True)
def _rotate_energy(n_row: int, derived: Field, p: Parameters) -> None:
    """Sadourny (1975), the form that conserves energy."""
    q, u_flux, v_flux = derived[_VORTICITY], derived[_FLUX_X], derived[_FLUX_Y]
    to_west, to_east = derived[_WEST], derived[_EAST]
    to_south, to_north = derived[_SOUTH], derived[_NORTH]
    quarter = p.quarter
    for r in range(1, n_row + _SOUTH_OF):
        for i in range(1, q.shape[1] - 1):
            west, east = quarter * u_flux[r, i], quarter * u_flux[r, i + 1]
            south, north = quarter * v_flux[r, i], quarter * v_flux[r + 1, i]
            to_west[r, i] = q[r + 1, i] * north + q[r, i] * south
            to_east[r, i] = q[r + 1, i + 1] * north + q[r, i + 1] * south
            to_south[r, i] = -(q[r, i] * west + q[r, i + 1] * east)
            to_north[r, i] = -(q[r + 1, i] * west + q[r + 1, i + 1] * east)


@njit(cache=True)
def _rotate_enstrophy(n_row: int, derived: Field, p: Parameters) -> None:
    """Sadourny (1975), the form that conserves potential enstrophy."""
    q, u_flux, v_flux = derived[_VORTICITY], derived[_FLUX_X], derived[_FLUX_Y]
    to_west, to_east = derived[_WEST], derived[_EAST]
    to_south, to_north = derived[_SOUTH], derived[_NORTH]
    eighth = p.eighth
    for r in range(1, n_row + _SOUTH_OF):
        for i in range(1, q.shape[1] - 1):
            along_x = eighth * (u_flux[r, i] + u_flux[r, i + 1])
            along_y = eighth * (v_flux[r, i] + v_flux[r + 1, i])
            to_west[r, i] = (q[r, i] + q[r + 1, i]) * along_y
            to_east[r, i] = (q[r, i + 1] + q[r + 1, i + 1]) * along_y
            to_south[r, i] = -(q[r, i] + q[r, i + 1]) * along_x
            to_north[r, i] = -(q[r + 1, i] + q[r + 1, i + 1]) * along_x


@njit(cache=True)
def _tendencies(
    j: int, n_row: int, padded: Field, derived: Field, force: Field, tendency: Field, p: Parameters
) -> None:
    """Set the tendencies of h, u, v."""
    u, v = padded[1], padded[2]
    u_flux, v_flux, head = derived[_FLUX_X], derived[_FLUX_Y], derived[_HEAD]
    to_west, to_east = derived[_WEST], derived[_EAST]
    to_south, to_north = derived[_SOUTH], derived[_NORTH]
    per_dx, per_dy, drag, n_x = p.per_dx, p.per_dy, p.drag, u.shape[1] - 2
    for row in range(n_row):
        r, wind = row + _SOUTH_OF, force[j + row]
        to_east[r, 0] = to_east[r, n_x]
        for i in range(n_x):
            k = i + 1
            along_x, along_y = u_flux[r, k + 1] - u_flux[r, k], v_flux[r + 1, k] - v_flux[r, k]
            tendency[0, row, i] = -along_x * per_dx - along_y * per_dy
            slope = (head[r, k] - head[r, k - 1]) * per_dx
            given = to_west[r, k] + to_east[r, k - 1]
            tendency[1, row, i] = given - slope - drag * u[r, k] + wind
            slope = (head[r, k] - head[r - 1, k]) * per_dy
            given = to_south[r, k] + to_north[r - 1, k]
            tendency[2, row, i] = given - slope - drag * v[r, k]


@njit(cache=True)
def _diffuse(n_row: int, padded: Field, tendency: Field, p: Parameters) -> None:
    """Add nu lap u and nu lap v."""
    along_x, along_y = p.viscosity * p.per_dx * p.per_dx, p.viscosity * p.per_dy * p.per_dy
    for field in range(1, 3):
        a, total = padded[field], tendency[field]
        for row in range(n_row):
            r = row + _SOUTH_OF
            for i in range(total.shape[1]):
                k = i + 1
                twice = a[r, k] + a[r, k]
                x, y = (a[r, k + 1] - twice) + a[r, k - 1], (a[r + 1, k] - twice) + a[r - 1, k]
                total[row, i] += along_x * x + along_y * y


@njit(cache=True)
def _add(j: int, n_row: int, closure: Field, tendency: Field) -> None:
    """Add what a closure gives."""
    for field in range(3):
        for row in range(n_row):
            for i in range(tendency.shape[2]):
                tendency[field, row, i] += closure[field, j + row, i]


@njit(cache=True)
def _update(
    stage: int, j: int, n_row: int, state: Field, before: Field, increment: Field, tendency: Field,
    p: Parameters,
) -> bool:  # fmt: skip
    """Take a stage of the classical Runge-Kutta method; tell whether the state stays finite."""
    weight, reach, finite, n_x = p.weights[stage], p.reaches[stage], True, state.shape[2]
    for field in range(3):
        for row in range(n_row):
            y, y0, total = state[field, j + row], before[field, j + row], increment[field, j + row]
            change = tendency[field, row]
            if stage == 0:
                for i in range(n_x):
                    y0[i] = y[i]
                    total[i] = weight * change[i]
                    y[i] += reach * change[i]
            elif stage < N_STAGE - 1:
                for i in range(n_x):
                    total[i] += weight * change[i]
                    y[i] = y0[i] + reach * change[i]
            else:
                for i in range(n_x):
                    y[i] = y0[i] + (total[i] + weight * change[i])
                    finite &= np.isfinite(y[i])
    return finite


@njit(cache=True)
def take_stage(
    stage: int,
    coupled: bool,
    state: Field,
    before: Field,
    increment: Field,
    closure: Field,
    strip: Strip,
    basin: Basin,
    p: Parameters,
) -> bool:
    """Take a stage of a step of one member; tell whether its state stays finite."""
    padded, derived, tendency, first = strip
    n_y, at_once, finite = state.shape[1], tendency.shape[1], True
    _load_surroundings(state, padded, first, p)
    for j in range(0, n_y, at_once):
        n_row = min(at_once, n_y - j)
        _load(j + 1, min(n_row, n_y - j - 1), _AROUND, state, padded)
        if j + n_row == n_y:
            _load_north(n_row + _SOUTH_OF, padded, first, p)
        _corners(j, n_row, padded, derived, basin.f, p)
        _centres(j, n_row, padded, derived, basin.bottom, p)
        if p.scheme == 0:
            _rotate_energy_enstrophy(n_row, derived, p)
        elif p.scheme == 1:
            _rotate_energy(n_row, derived, p)
        else:
            _rotate_enstrophy(n_row, derived, p)
        _tendencies(j, n_row, padded, derived, basin.force, tendency, p)
        if p.viscosity != 0:
            _diffuse(n_row, padded, tendency, p)
        if coupled:
            _add(j, n_row, closure, tendency)
        if p.walls and j == 0:
            for i in range(tendency.shape[2]):
                tendency[2, 0, i] = 0
        finite &= _update(stage, j, n_row, state, before, increment, tendency, p)
        _move_on(n_row, padded)
    return finite


def tendency(state: NDArray[np.float64], basin: Basin, p: Parameters) -> NDArray[np.float64]:
    """Return the tendency of states, shape ``(n, 3, ny, nx)``, in float64; `state` is kept."""
    n_y, n_x = state.shape[2:]
    once = p._replace(weights=np.ones(1), reaches=np.zeros(1))
    work, result = strip(1, (n_y, n_x), "float64"), np.zeros_like(state)
    own, unused = Strip(*(array[0] for array in work)), np.zeros(state.shape[1:])
    for values, change in zip(state, result, strict=True):
        # The first stage, with a reach of 0 and a weight of 1, leaves the tendency behind.
        take_stage(0, False, values, unused, change, unused, own, basin, once)
    return result


@over_members
def advance_members(
    state: Field,
    before: Field,
    increment: Field,
    closure: Field,
    strips: Strip,
    basin: Basin,
    p: Parameters,
    first_step: int,
    n_step: int,
    coupling: Coupling,
    first_member: int,
    end_member: int,
) -> None:
    """Advance members, each as far as its state is finite and its closure works."""
    for member in range(first_member, end_member):
        coupling.n_finite[member] = n_step
        coupling.status[member] = 0
        own = Strip(
            strips.state[member],
            strips.derived[member],
            strips.tendency[member],
            strips.first[member],
        )
        for i in range(n_step):
            status, finite = 0, True
            for stage in range(N_STAGE):
                status = evaluate_closure(
                    coupling, member, first_step + i, stage, state[member], closure[member]
                )
                if status != 0:
                    break
                finite = take_stage(
                    stage, coupling.function[member] != 0, state[member], before[member],
                    increment[member], closure[member], own, basin, p,
                )  # fmt: skip
            if status != 0 or not finite:
                coupling.n_finite[member] = i
                break
