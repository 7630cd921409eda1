"""The compiled time loop of rotating shallow water.

One sweep over the rows does a whole Runge-Kutta stage. What a row needs of its neighbours is
copied into a few padded rows first: they stay in the nearest cache, the state is advanced in
place, and neither walls nor the periodic seam need a branch inside a loop.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from solvers.function_pointer import call_tendency
from solvers.parallel import on_threads

if TYPE_CHECKING:
    from solvers.shallow_water import ShallowWater

Field = NDArray[Any]

N_STAGE = 4
SCHEMES = ("energy-enstrophy", "energy", "enstrophy")

# Rows of the state: h, u, v of three neighbouring rows, and of the first one, which the last one
# needs once more when it has been advanced.
_SLOTS, _FIRST = 4, 3
# Rows derived from them, of two neighbouring rows.
_VORTICITY, _FLUX_X, _FLUX_Y, _HEAD, _WEST, _EAST, _SOUTH, _NORTH = range(8)


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
    weights: Field
    reaches: Field
    walls: bool
    scheme: int


class Basin(NamedTuple):
    """What each place has: Coriolis parameter of corner rows, bottom, acceleration of rows."""

    f: Field
    bottom: Field
    force: Field


class Rows(NamedTuple):
    """Work space: padded rows of the state, rows derived from them, tendencies of one row."""

    state: Field
    derived: Field
    tendency: Field


def parameters(model: "ShallowWater") -> Parameters:
    """Return the numbers that the time loop reads."""
    numbers = (
        *(model.gravity, 1.0 / model.dx, 1.0 / model.dy, model.drag, model.viscosity),
        *(1.0 / 2.0, 1.0 / 4.0, 1.0 / 8.0, 1.0 / 24.0),
    )
    cast = np.dtype(model.dtype).type
    weights = model.dt * np.array([1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0])
    reaches = model.dt * np.array([0.5, 0.5, 1.0, 0.0])
    return Parameters(
        *map(cast, numbers),
        *(weights.astype(model.dtype), reaches.astype(model.dtype)),
        *(model.walls, SCHEMES.index(model.scheme)),
    )


def basin(model: "ShallowWater") -> Basin:
    """Return the arrays that the time loop reads, in the precision of the model."""
    arrays = (model.coriolis_of_rows, model.bottom, model.wind_acceleration)
    return Basin(*(np.ascontiguousarray(array, dtype=model.dtype) for array in arrays))


def rows(n_member: int, n_x: int, dtype: str) -> Rows:
    """Allocate the work space, member first."""
    return Rows(
        np.zeros((n_member, _SLOTS, 3, n_x + 2), dtype),
        np.zeros((n_member, 2, 8, n_x + 2), dtype),
        np.zeros((n_member, 3, n_x), dtype),
    )


@njit(cache=True)
def _load(j: int, state: Field, padded: Field, p: Parameters) -> None:
    """Copy row j into its slot; rows beyond the domain are mirrored or come round."""
    n_y, n_x = state.shape[1:]
    target, last = padded[j % 3], padded[(n_y - 1) % 3]
    for field in range(3):
        if j < n_y:
            # South of a wall only what makes gradients across it vanish is ever used.
            row = state[field, max(j, 0) if p.walls else j % n_y]
            target[field, 1 : n_x + 1] = row
        elif p.walls:
            target[field] = last[field]
        else:
            target[field] = padded[_FIRST, field]
        target[field, 0], target[field, n_x + 1] = target[field, n_x], target[field, 1]
    if p.walls and j >= n_y:
        target[2] = 0
    if j == 0:
        padded[_FIRST] = target


@njit(cache=True)
def _corners(
    inside: Field, south: Field, f: Any, vorticity: Field, flux_y: Field, p: Parameters
) -> None:
    """Set potential vorticity at the south-west corners, and the mass flux at the south faces."""
    h, u, v, h_south, u_south = inside[0], inside[1], inside[2], south[0], south[1]
    n_x = h.size - 2
    for i in range(1, n_x + 1):
        relative = (v[i] - v[i - 1]) * p.per_dx - (u[i] - u_south[i]) * p.per_dy
        thickness = p.quarter * ((h[i] + h[i - 1]) + (h_south[i] + h_south[i - 1]))
        vorticity[i] = (f + relative) / thickness
        flux_y[i] = p.half * (h[i] + h_south[i]) * v[i]
    vorticity[n_x + 1] = vorticity[1]


@njit(cache=True)
def _cells(
    inside: Field, north: Field, bottom: Field, flux_x: Field, head: Field, p: Parameters
) -> None:
    """Set the mass flux at the west faces and g (h + b) + K at the centres."""
    h, u, v, v_north = inside[0], inside[1], inside[2], north[2]
    n_x = bottom.size
    for i in range(1, n_x + 1):
        flux_x[i] = p.half * (h[i] + h[i - 1]) * u[i]
        squares = (u[i] * u[i] + u[i + 1] * u[i + 1]) + (v[i] * v[i] + v_north[i] * v_north[i])
        head[i] = p.gravity * (h[i] + bottom[i - 1]) + p.quarter * squares
    flux_x[n_x + 1], head[0] = flux_x[1], head[n_x]


@njit(cache=True)
def _rotate_energy_enstrophy(here: Field, north: Field, p: Parameters) -> None:
    q, q_north, u_flux = here[_VORTICITY], north[_VORTICITY], here[_FLUX_X]
    v_south, v_north = here[_FLUX_Y], north[_FLUX_Y]
    to_west, to_east, to_south, to_north = here[_WEST], here[_EAST], here[_SOUTH], here[_NORTH]
    for i in range(1, q.size - 1):
        rising, falling = q[i] + q_north[i + 1], q[i + 1] + q_north[i]
        along = p.twenty_fourth * (rising + rising + falling)
        across = p.twenty_fourth * (falling + falling + rising)
        epsilon = p.twenty_fourth * ((q_north[i] + q_north[i + 1]) - (q[i] + q[i + 1]))
        phi = p.twenty_fourth * ((q[i] + q_north[i]) - (q[i + 1] + q_north[i + 1]))
        west, east, south, north_ = u_flux[i], u_flux[i + 1], v_south[i], v_north[i]
        to_west[i] = along * north_ + across * south - epsilon * east
        to_east[i] = across * north_ + along * south + epsilon * west
        to_south[i] = -(along * east + across * west + phi * north_)
        to_north[i] = -(along * west + across * east - phi * south)


@njit(cache=True)
def _rotate_energy(here: Field, north: Field, p: Parameters) -> None:
    q, q_north, u_flux = here[_VORTICITY], north[_VORTICITY], here[_FLUX_X]
    v_south, v_north = here[_FLUX_Y], north[_FLUX_Y]
    to_west, to_east, to_south, to_north = here[_WEST], here[_EAST], here[_SOUTH], here[_NORTH]
    for i in range(1, q.size - 1):
        west, east = p.quarter * u_flux[i], p.quarter * u_flux[i + 1]
        south, north_ = p.quarter * v_south[i], p.quarter * v_north[i]
        to_west[i] = q_north[i] * north_ + q[i] * south
        to_east[i] = q_north[i + 1] * north_ + q[i + 1] * south
        to_south[i] = -(q[i] * west + q[i + 1] * east)
        to_north[i] = -(q_north[i] * west + q_north[i + 1] * east)


@njit(cache=True)
def _rotate_enstrophy(here: Field, north: Field, p: Parameters) -> None:
    q, q_north, u_flux = here[_VORTICITY], north[_VORTICITY], here[_FLUX_X]
    v_south, v_north = here[_FLUX_Y], north[_FLUX_Y]
    to_west, to_east, to_south, to_north = here[_WEST], here[_EAST], here[_SOUTH], here[_NORTH]
    for i in range(1, q.size - 1):
        along_x = p.eighth * (u_flux[i] + u_flux[i + 1])
        along_y = p.eighth * (v_south[i] + v_north[i])
        to_west[i] = (q[i] + q_north[i]) * along_y
        to_east[i] = (q[i + 1] + q_north[i + 1]) * along_y
        to_south[i] = -(q[i] + q[i + 1]) * along_x
        to_north[i] = -(q_north[i] + q_north[i + 1]) * along_x


@njit(cache=True)
def _rotate(here: Field, north: Field, p: Parameters) -> None:
    """Set what the potential vorticity and the mass fluxes of a cell give to its four faces."""
    if p.scheme == 0:
        _rotate_energy_enstrophy(here, north, p)
    elif p.scheme == 1:
        _rotate_energy(here, north, p)
    else:
        _rotate_enstrophy(here, north, p)
    here[_EAST, 0] = here[_EAST, here.shape[1] - 2]


@njit(cache=True)
def _tendency_of_row(
    inside: Field, here: Field, other: Field, force: Any, tendency: Field, p: Parameters
) -> None:
    """Set the tendencies of h, u, v of a row.

    `other` holds the mass flux at the north faces, and head and rotation of the cells south.
    """
    u, v, to_west, to_east = inside[1], inside[2], here[_WEST], here[_EAST]
    u_flux, v_flux, v_flux_north = here[_FLUX_X], here[_FLUX_Y], other[_FLUX_Y]
    head, head_south, to_south, to_north = here[_HEAD], other[_HEAD], here[_SOUTH], other[_NORTH]
    h_tendency, u_tendency, v_tendency = tendency[0], tendency[1], tendency[2]
    for i in range(h_tendency.size):
        k = i + 1
        along_x, along_y = u_flux[k + 1] - u_flux[k], v_flux_north[k] - v_flux[k]
        h_tendency[i] = -along_x * p.per_dx - along_y * p.per_dy
        rotation = to_west[k] + to_east[k - 1]
        u_tendency[i] = rotation - (head[k] - head[k - 1]) * p.per_dx - p.drag * u[k] + force
        rotation = to_south[k] + to_north[k]
        v_tendency[i] = rotation - (head[k] - head_south[k]) * p.per_dy - p.drag * v[k]


@njit(cache=True)
def _diffuse(
    south: Field, inside: Field, north: Field, field: int, tendency: Field, p: Parameters
) -> None:
    """Add nu lap of u or v."""
    below, here, above, total = south[field], inside[field], north[field], tendency[field]
    along_x = p.viscosity * p.per_dx * p.per_dx
    along_y = p.viscosity * p.per_dy * p.per_dy
    for i in range(total.size):
        k = i + 1
        middle = here[k] + here[k]
        total[i] += along_x * ((here[k + 1] - middle) + here[k - 1])
        total[i] += along_y * ((above[k] - middle) + below[k])


@njit(cache=True)
def _update_row(
    stage: int, state: Field, before: Field, increment: Field, tendency: Field, p: Parameters
) -> bool:
    """Take a stage of the classical Runge-Kutta method; tell whether the row stays finite."""
    weight, reach, finite = p.weights[stage], p.reaches[stage], True
    if stage == 0:
        for i in range(state.size):
            before[i] = state[i]
            increment[i] = weight * tendency[i]
            state[i] += reach * tendency[i]
    elif stage < N_STAGE - 1:
        for i in range(state.size):
            increment[i] += weight * tendency[i]
            state[i] = before[i] + reach * tendency[i]
    else:
        for i in range(state.size):
            state[i] = before[i] + (increment[i] + weight * tendency[i])
            finite &= np.isfinite(state[i])
    return finite


@njit(cache=True)
def _derive(j: int, padded: Field, derived: Field, f: Field, p: Parameters) -> None:
    """Set vorticity and mass flux between rows j - 1 and j."""
    target = derived[j % 2]
    _corners(
        padded[j % 3], padded[(j - 1) % 3], f[max(j, 0)], target[_VORTICITY], target[_FLUX_Y], p
    )


@njit(cache=True)
def _derive_cells(j: int, bottom: Field, padded: Field, derived: Field, p: Parameters) -> None:
    """Set zonal mass flux, head and rotation of the cells of row j."""
    here = derived[j % 2]
    _cells(padded[j % 3], padded[(j + 1) % 3], bottom, here[_FLUX_X], here[_HEAD], p)
    _rotate(here, derived[(j + 1) % 2], p)


@njit(cache=True)
def take_stage(
    stage: int,
    coupled: bool,
    state: Field,
    before: Field,
    increment: Field,
    closure: Field,
    rows: Rows,
    basin: Basin,
    p: Parameters,
) -> bool:
    """Take a stage of a step of one member; tell whether its state stays finite."""
    padded, derived, tendency = rows
    n_y, finite = state.shape[1], True
    for j in range(-2, 1):
        _load(j, state, padded, p)
    for j in range(-1, 1):
        _derive(j, padded, derived, basin.f, p)
    _derive_cells(-1, basin.bottom[n_y - 1], padded, derived, p)
    for j in range(n_y):
        _load(j + 1, state, padded, p)
        _derive(j + 1, padded, derived, basin.f, p)
        _derive_cells(j, basin.bottom[j], padded, derived, p)
        inside = padded[j % 3]
        _tendency_of_row(inside, derived[j % 2], derived[(j + 1) % 2], basin.force[j], tendency, p)
        if p.viscosity != 0:
            for field in range(1, 3):
                _diffuse(padded[(j - 1) % 3], inside, padded[(j + 1) % 3], field, tendency, p)
        if coupled:
            tendency += closure[:, j]
        if p.walls and j == 0:
            tendency[2] = 0
        for field in range(3):
            finite &= _update_row(
                stage, state[field, j], before[field, j], increment[field, j], tendency[field], p
            )
    return finite


def tendency(model: "ShallowWater", state: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tendency of states, shape ``(n, 3, ny, nx)``, in float64; `state` is kept."""
    precise = replace(model, dtype="float64")
    once = parameters(precise)._replace(weights=np.ones(1), reaches=np.zeros(1))
    work, result = rows(1, model.nx, "float64"), np.zeros_like(state)
    own = Rows(work.state[0], work.derived[0], work.tendency[0])
    unused = np.zeros(model.state_shape)
    for values, change in zip(state, result, strict=True):
        # The first stage, with a reach of 0 and a weight of 1, leaves the tendency behind.
        take_stage(0, False, values, unused, change, unused, own, basin(precise), once)
    return result


@on_threads
def advance_on_threads(
    state: Field,
    before: Field,
    increment: Field,
    closure: Field,
    rows: Rows,
    basin: Basin,
    p: Parameters,
    first_step: int,
    n_step: int,
    function: NDArray[np.int64],
    context: NDArray[np.int64],
    sizes: NDArray[np.int64],
    n_finite: NDArray[np.int64],
    status: NDArray[np.int64],
) -> None:
    """Advance all members, each as far as its state is finite and its closure works."""
    for member in prange(state.shape[0]):
        n_finite[member] = n_step
        status[member] = 0
        own = Rows(rows.state[member], rows.derived[member], rows.tendency[member])
        for i in range(n_step):
            finite = True
            for stage in range(N_STAGE):
                if function[member] != 0:
                    status[member] = call_tendency(
                        function[member], context[member], first_step + i, stage,
                        state[member].ctypes.data, closure[member].ctypes.data, sizes.ctypes.data,
                    )  # fmt: skip
                if status[member] != 0:
                    if stage > 0:
                        state[member] = before[member]
                    break
                finite = take_stage(
                    stage, function[member] != 0, state[member], before[member],
                    increment[member], closure[member], own, basin, p,
                )  # fmt: skip
            if status[member] != 0 or not finite:
                n_finite[member] = i
                break
