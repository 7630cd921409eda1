"""The compiled time loop of two-scale Lorenz-96."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.coupling_point import Coupling, evaluate_closure
from solvers.lorenz96_fast import (
    BEFORE,
    FastMemory,
    Parameters,
    advance_sectors,
    fill_halo,
    place,
    sum_sectors,
)
from solvers.lorenz96_kernel import (
    HALO,
    N_STAGE,
    SlowMemory,
    add,
    all_finite,
    fill_ring,
    slow_tendency,
    slow_tendency_mirrored,
)
from solvers.members import over_members
from solvers.time_stepping import runge_kutta_4_stage
from solvers.vectors import LANES

Field = NDArray[Any]


@njit(cache=True)
def _add_coupling(total: Field, coupling: Any, mirrored: bool, tendency: Field) -> None:
    """Add what the fast variables do to X."""
    for k in range(tendency.size):
        tendency[k] -= coupling * total[place(k, tendency.size, mirrored)]


@njit(cache=True)
def _set_source(x: Field, coupling: Any, mirrored: bool, first: int, source: Field) -> None:
    """Set what X does to the fast variables."""
    for k in range(x.size):
        source[first + place(k, x.size, mirrored)] = coupling * x[k]


@njit(cache=True)
def _finite(x: Field, total: Field, y: Field) -> bool:
    for k in range(x.size):
        if not np.isfinite(x[k] + total[k]):
            # The sum of finite values may overflow, on the last steps before they do.
            return all_finite(x) and all_finite(y)
    return True


@njit(cache=True)
def _record(
    x: Field, total: Field, y: Field, p: Parameters, x_saved: Field, u_saved: Field, y_saved: Field
) -> None:
    """Save X, the tendency that the fast variables give it, and Y if there is room for it."""
    for k in range(x.size):
        x_saved[k] = x[k]
        u_saved[k] = -p.coupling * total[place(k, x.size, p.mirrored)]
    n_k, n_j = y_saved.shape
    for k in range(n_k):
        sector = place(k, n_k, p.mirrored)
        for j in range(n_j):
            y_saved[k, j] = y[sector // LANES, BEFORE + place(j, n_j, p.mirrored), sector % LANES]


@over_members
def advance_two_scale(
    slow: SlowMemory, fast: FastMemory, p: Parameters, dt: float, first_step: int, n_step: int,
    save_every: int, x_saved: Field, u_saved: Field, y_saved: Field, coupling: Coupling,
    first_member: int, end_member: int,
) -> None:  # fmt: skip
    """Advance members, each as far as its state is finite and its closure works; save."""
    n_k = slow.state.shape[1]
    n_block, n_row, last_lane = fast.state.shape[1], fast.state.shape[2], (n_k - 1) % LANES
    for member in range(first_member, end_member):
        coupled, status = coupling.function[member] != 0, 0
        x, x_increment, tendency = slow.state[member], slow.increment[member], slow.tendency[member]
        closure_tendency, ring = slow.closure_tendency[member], slow.argument[member]
        x_argument = ring[HALO : HALO + n_k]
        y, total, source = fast.state[member], fast.total[member], fast.source[member]
        y_flat, argument = y.reshape(y.size), fast.argument[member].reshape(y.size)
        y_increment = fast.increment[member].reshape(y.size)
        x_argument[:], argument[:] = x, y_flat
        fill_ring(ring)
        _set_source(x, p.coupling, p.mirrored, 0, source)
        fill_halo(argument, n_block, n_row, last_lane)
        sum_sectors(argument, n_block, n_row, total)
        coupling.n_finite[member] = n_step
        for i in range(n_step):
            for stage in range(N_STAGE):
                if p.mirrored:
                    slow_tendency_mirrored(ring, p.forcing, tendency)
                else:
                    slow_tendency(ring, p.forcing, tendency)
                _add_coupling(total, p.coupling, p.mirrored, tendency)
                if coupled:
                    status = evaluate_closure(
                        coupling, member, first_step + i, stage, x_argument, closure_tendency
                    )
                    if status != 0:
                        break
                    add(closure_tendency, tendency)
                # X first: what it does to the fast variables at the next stage is then in the
                # cache when they need it, and waits for nothing.
                runge_kutta_4_stage(stage, dt, x, tendency, x_increment, x_argument)
                fill_ring(ring)
                next_source = (stage + 1) % 2 * n_block * LANES
                _set_source(x_argument, p.coupling, p.mirrored, next_source, source)
                advance_sectors(
                    stage, n_block, n_row, p.advection, p.damping, p.weights[stage],
                    p.reaches[stage], source, y_flat, y_increment, argument,
                )  # fmt: skip
                fill_halo(argument, n_block, n_row, last_lane)
                sum_sectors(argument, n_block, n_row, total)
            if status != 0 or not _finite(x, total, y_flat):
                coupling.n_finite[member] = i
                break
            if save_every > 0 and (i + 1) % save_every == 0:
                saved = i // save_every, member
                _record(x, total, y, p, x_saved[saved], u_saved[saved], y_saved[saved])
        coupling.status[member] = status


@njit(cache=True)
def record_two_scale(
    slow: SlowMemory, fast: FastMemory, p: Parameters, x_saved: Field, u_saved: Field,
    y_saved: Field,
) -> None:  # fmt: skip
    """Save the fields of all members as they are."""
    for member in range(slow.state.shape[0]):
        y, total = fast.state[member], fast.total[member]
        sum_sectors(y.reshape(y.size), y.shape[0], y.shape[1], total)
        _record(slow.state[member], total, y, p, x_saved[member], u_saved[member], y_saved[member])
