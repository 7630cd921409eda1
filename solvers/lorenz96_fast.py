"""The fast variables of two-scale Lorenz-96 in compiled code.

The fast variables of eight sectors stand side by side: ``y[block, row, lane]`` is Y_jk with
``k = 8 block + lane`` and ``j = row - 1``. One more row before, and two behind, repeat the rows of
the neighbouring sectors that a sector's ends need. So all that a row needs are rows in the same
lanes, and a sector ends nowhere inside a loop.

In the mirrored form the fast variables are kept in reverse order, which makes their equation the
same. Lanes without a sector are zero in all rows but the first, and stay so.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.fft import aligned_zeros
from solvers.lorenz96_kernel import N_STAGE
from solvers.vectors import LANES, load, moved_down, moved_up, splat, store

Field = NDArray[Any]

#: Rows that repeat those of other sectors, before and behind the sector's own.
BEFORE, BEHIND = 1, 2


class FastMemory(NamedTuple):
    """The fast variables of all members.

    Parameters
    ----------
    state, argument, increment
        Shape ``(n_member, n_block, 1 + n_j + 2, LANES)``.
    total
        ``sum_j Y_jk`` at `argument`, shape ``(n_member, n_block * LANES)``.
    source
        Forcing of each sector by its X, of this stage and of the next one in turn, shape
        ``(n_member, 2 * n_block * LANES)``.
    """

    state: Field
    argument: Field
    increment: Field
    total: Field
    source: Field


class Parameters(NamedTuple):
    """Numbers of the model, in its precision; RK4's are those of each stage, times dt."""

    forcing: Any
    coupling: Any
    advection: Any
    damping: Any
    weights: Field
    reaches: Field
    mirrored: bool


def fast_memory(n_member: int, n_k: int, n_j: int, dtype: str) -> FastMemory:
    """Allocate the fast variables of all members."""
    n_block = -(-n_k // LANES)
    shape = (n_member, n_block, BEFORE + n_j + BEHIND, LANES)
    return FastMemory(
        state=aligned_zeros(shape, dtype),
        argument=aligned_zeros(shape, dtype),
        increment=aligned_zeros(shape, dtype),
        total=aligned_zeros((n_member, n_block * LANES), dtype),
        source=aligned_zeros((n_member, 2 * n_block * LANES), dtype),
    )


def parameters(
    *, forcing: float, coupling: float, c: float, b: float, dt: float, mirrored: bool, dtype: str
) -> Parameters:
    """Return the numbers that the time loop reads, in the precision `dtype`."""
    kind = np.dtype(dtype).type
    return Parameters(
        forcing=kind(forcing),
        coupling=kind(coupling),
        advection=kind(-c * b),
        damping=kind(c),
        weights=np.array([dt / 6.0, dt / 3.0, dt / 3.0, dt / 6.0], dtype=dtype),
        reaches=np.array([0.5 * dt, 0.5 * dt, dt, 0.0], dtype=dtype),
        mirrored=mirrored,
    )


def own_rows(values: Field) -> Field:
    """Return a view of the rows of fast variables that do not repeat others."""
    return values[:, :, BEFORE:-BEHIND]


def to_rows(y: Field, *, mirrored: bool) -> Field:
    """Return fast variables, shape ``(n_member, n_k, n_j)``, as ``(n_member, block, j, lane)``."""
    n_member, n_k, n_j = y.shape
    lanes = np.zeros((n_member, -(-n_k // LANES) * LANES, n_j), dtype=y.dtype)
    lanes[:, :n_k] = y[:, ::-1, ::-1] if mirrored else y
    return np.swapaxes(lanes.reshape(n_member, -1, LANES, n_j), 2, 3)


def from_rows(rows: Field, n_k: int, *, mirrored: bool) -> Field:
    """Return the inverse of `to_rows`."""
    n_member, _, n_j, _ = rows.shape
    y = np.swapaxes(rows, 2, 3).reshape(n_member, -1, n_j)[:, :n_k]
    return y[:, ::-1, ::-1] if mirrored else y


@njit(cache=True)
def place(i: int, n: int, mirrored: bool) -> int:
    """Return where the i-th of n sectors, or fast variables of a sector, is kept."""
    return n - 1 - i if mirrored else i


@njit(cache=True)
def fill_halo(y: Field, n_block: int, n_row: int, last_lane: int) -> None:
    """Repeat rows of the sectors next to each sector; `last_lane` is that of the last sector.

    Rows are stored as a whole: the loads that follow would have to wait for single numbers.
    """
    size, own = n_row * LANES, (n_row - BEHIND - 1) * LANES
    for block in range(n_block):
        first = block * size
        west = first - size + LANES - 1 if block > 0 else (n_block - 1) * size + last_lane
        store(y, first, moved_up(load(y, first + own), y[west + own]))
    for row in range(BEFORE * LANES, (BEFORE + BEHIND) * LANES, LANES):
        # With one fast variable a sector, the second of them is the first row behind.
        for block in range(n_block):
            first, last = block * size, block == n_block - 1
            east = y[(0 if last else first + size) + row]
            lane = last_lane if last else LANES - 1
            store(y, first + own + row, moved_down(load(y, first + row), east, lane))


@njit(cache=True, inline="always")
def _pairwise(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any) -> Any:
    return ((a + e) + (c + g)) + ((b + f) + (d + h))


@njit(cache=True)
def sum_sectors(y: Field, n_block: int, n_row: int, total: Field) -> None:
    """Set the sum over j of each sector.

    In pairs rather than one after the other, and always the same ones: no sum waits for the one
    before, and the order is that of no particular machine.
    """
    for block in range(n_block):
        row = (block * n_row + BEFORE) * LANES
        end = row + (n_row - BEFORE - BEHIND) * LANES
        result = splat(y.dtype.type(0))
        while row + 32 * LANES <= end:
            result = result + _pairwise(
                _four(y, row), _four(y, row + LANES),
                _four(y, row + 2 * LANES), _four(y, row + 3 * LANES),
                _four(y, row + 4 * LANES), _four(y, row + 5 * LANES),
                _four(y, row + 6 * LANES), _four(y, row + 7 * LANES),
            )  # fmt: skip
            row += 32 * LANES
        while row + 8 * LANES <= end:
            result = result + _pairwise(
                load(y, row), load(y, row + LANES),
                load(y, row + 2 * LANES), load(y, row + 3 * LANES),
                load(y, row + 4 * LANES), load(y, row + 5 * LANES),
                load(y, row + 6 * LANES), load(y, row + 7 * LANES),
            )  # fmt: skip
            row += 8 * LANES
        while row < end:
            result = result + load(y, row)
            row += LANES
        store(total, block * LANES, result)


@njit(cache=True, inline="always")
def _four(y: Field, row: int) -> Any:
    return (load(y, row) + load(y, row + 8 * LANES)) + (
        load(y, row + 16 * LANES) + load(y, row + 24 * LANES)
    )


@njit(cache=True)
def advance_sectors(
    stage: int, n_block: int, n_row: int, advection: Any, damping: Any, weight: Any, reach: Any,
    source: Field, state: Field, increment: Field, argument: Field,
) -> None:  # fmt: skip
    """Take a Runge-Kutta stage, with the tendency ``a Y+1 (Y+2 - Y-1) - c Y + source``.

    As `runge_kutta_4_stage`, but the tendency is not kept: the argument of a row is overwritten
    as soon as the rows that need it have it.
    """
    a, c, w, r = splat(advection), splat(damping), splat(weight), splat(reach)
    for block in range(n_block):
        row = block * n_row * LANES
        forcing = load(source, (stage % 2 * n_block + block) * LANES)
        west, here = load(argument, row), load(argument, row + LANES)
        east = load(argument, row + 2 * LANES)
        for _ in range(n_row - BEFORE - BEHIND):
            row += LANES
            far_east = load(argument, row + 2 * LANES)
            tendency = a * east * (far_east - west) + (forcing - c * here)
            change = w * tendency
            if stage == N_STAGE - 1:
                new = load(state, row) + (load(increment, row) + change)
                store(state, row, new)
            else:
                new = load(state, row) + r * tendency
                store(increment, row, change if stage == 0 else load(increment, row) + change)
            store(argument, row, new)
            west, here, east = here, east, far_east
