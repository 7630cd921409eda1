"""The compiled time loop of two-scale Lorenz-96."""

from typing import Any

import numpy as np
from numba import njit, prange
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
from solvers.parallel import on_threads
from solvers.time_stepping import runge_kutta_4_stage
from solvers.vectors import LANES

Field = NDArray[Any]


@njit(cache=True)
def _couple(
    x: Field, coupling: Any, mirrored: bool, total: Field, tendency: Field, source: Field  # noqa: FBT001
) -> None:
    """Add what the fast variables do to X, and set what X does to them."""
    for k in range(x.size):
        sector = place(k, x.size, mirrored)
        tendency[k] -= coupling * total[sector]
        source[sector] = coupling * x[k]


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


@njit(cache=True)
def _look_around(ring: Field, y: Field, y_flat: Field, n_k: int, total: Field) -> None:
    """Get what the tendency at a new argument needs besides each variable itself."""
    fill_ring(ring)
    fill_halo(y, n_k)
    sum_sectors(y_flat, y.shape[0], y.shape[1], total)


@on_threads
def advance_two_scale(
    slow: SlowMemory, fast: FastMemory, p: Parameters, dt: float, first_step: int, n_step: int,
    save_every: int, x_saved: Field, u_saved: Field, y_saved: Field, coupling: Coupling,
) -> None:  # fmt: skip
    """Advance all members, each as far as its state is finite and its closure works; save."""
    n_k = slow.state.shape[1]
    n_block, n_row = fast.state.shape[1], fast.state.shape[2]
    for member in prange(slow.state.shape[0]):
        x, x_increment, tendency = slow.state[member], slow.increment[member], slow.tendency[member]
        closure_tendency, ring = slow.closure_tendency[member], slow.argument[member]
        x_argument = ring[HALO : HALO + n_k]
        y, argument, total = fast.state[member], fast.argument[member], fast.total[member]
        # Slices are counted references, too dear for the loop over blocks.
        size = n_block * n_row * LANES
        y_flat, argument_flat = y.reshape(size), argument.reshape(size)
        y_increment, source = fast.increment[member].reshape(size), fast.source[member]
        x_argument[:] = x
        argument[:] = y
        _look_around(ring, argument, argument_flat, n_k, total)
        coupling.n_finite[member] = n_step
        coupling.status[member] = 0
        for i in range(n_step):
            for stage in range(N_STAGE):
                if p.mirrored:
                    slow_tendency_mirrored(ring, p.forcing, tendency)
                else:
                    slow_tendency(ring, p.forcing, tendency)
                _couple(x_argument, p.coupling, p.mirrored, total, tendency, source)
                if coupling.function[member] != 0:
                    evaluate_closure(
                        coupling, member, first_step + i, stage, x_argument, closure_tendency
                    )
                    if coupling.status[member] != 0:
                        break
                    add(closure_tendency, tendency)
                advance_sectors(
                    stage, n_block, n_row, p.advection, p.damping, p.weights[stage],
                    p.reaches[stage], source, y_flat, y_increment, argument_flat,
                )  # fmt: skip
                runge_kutta_4_stage(stage, dt, x, tendency, x_increment, x_argument)
                _look_around(ring, argument, argument_flat, n_k, total)
            if coupling.status[member] != 0 or not _finite(x, total, y_flat):
                coupling.n_finite[member] = i
                break
            if save_every > 0 and (i + 1) % save_every == 0:
                save = i // save_every
                _record(
                    x, total, y, p,
                    x_saved[save, member], u_saved[save, member], y_saved[save, member],
                )  # fmt: skip


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
