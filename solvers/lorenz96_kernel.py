"""The compiled time loop of one-scale Lorenz-96, and what the two-scale loop shares with it.

Slow variables are kept as ``[x_{K-2}, x_{K-1}, x_0, ..., x_{K-1}, x_0, x_1]``, so that the ring has
no ends inside a loop.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.coupling_point import Coupling, evaluate_closure
from solvers.members import over_members
from solvers.time_stepping import runge_kutta_4_stage

Field = NDArray[Any]

N_STAGE = 4

HALO = 2
"""Values that are repeated at each end of a ring."""


class SlowMemory(NamedTuple):
    """The slow variables of all members.

    Parameters
    ----------
    state, increment, tendency, closure_tendency
        Shape ``(n_member, n_k)``.
    argument
        Where the tendency is wanted next, shape ``(n_member, HALO + n_k + HALO)``.
    """

    state: Field
    increment: Field
    tendency: Field
    closure_tendency: Field
    argument: Field


def slow_memory(n_member: int, n_k: int, dtype: str) -> SlowMemory:
    """Allocate the slow variables of all members."""
    shape = (n_member, n_k)
    return SlowMemory(
        state=np.zeros(shape, dtype=dtype),
        increment=np.zeros(shape, dtype=dtype),
        tendency=np.zeros(shape, dtype=dtype),
        closure_tendency=np.zeros(shape, dtype=dtype),
        argument=np.zeros((n_member, n_k + 2 * HALO), dtype=dtype),
    )


def own(ring: Field) -> Field:
    """Return a view of the values of a ring that do not repeat others."""
    return ring[HALO:-HALO]


@njit(cache=True)
def fill_ring(ring: Field) -> None:
    """Repeat the ends of a ring."""
    n = ring.size - 2 * HALO
    for i in range(HALO):
        ring[i] = ring[i + n]
        ring[n + HALO + i] = ring[HALO + i]


@njit(cache=True)
def slow_tendency(ring: Field, forcing: Any, tendency: Field) -> None:
    """Set ``-x_{k-1} (x_{k-2} - x_{k+1}) - x_k + F``."""
    for k in range(tendency.size):
        tendency[k] = forcing - ring[k + 2] - ring[k + 1] * (ring[k] - ring[k + 3])


@njit(cache=True)
def slow_tendency_mirrored(ring: Field, forcing: Any, tendency: Field) -> None:
    """Set ``-x_{k+1} (x_{k+2} - x_{k-1}) - x_k + F``."""
    for k in range(tendency.size):
        tendency[k] = forcing - ring[k + 2] - ring[k + 3] * (ring[k + 4] - ring[k + 1])


@njit(cache=True)
def add(values: Field, total: Field) -> None:
    """Add to a total."""
    for i in range(total.size):
        total[i] += values[i]


# In the written order it could not be vectorised; the order does not matter to what it tells.
@njit(cache=True, fastmath={"reassoc"})
def all_finite(values: Field) -> bool:
    """Return whether all values are finite: then, and only then, 0 times their sum is 0."""
    zero = values.dtype.type(0)
    nothing = zero
    for i in range(values.size):
        nothing += values[i] * zero
    return bool(nothing == zero)


@njit(cache=True)
def _add_polynomial(coefficients: Field, x: Field, tendency: Field) -> None:
    for k in range(tendency.size):
        value = x.dtype.type(0)
        for i in range(coefficients.size - 1, -1, -1):
            value = value * x[k] + coefficients[i]
        tendency[k] += value


@over_members
def advance_one_scale(
    memory: SlowMemory, forcing: Any, coefficients: Field, dt: float, first_step: int,
    n_step: int, save_every: int, x: Field, coupling: Coupling,
    first_member: int, end_member: int,
) -> None:  # fmt: skip
    """Advance members, each as far as its state is finite and its closure works; save x."""
    n_k = memory.state.shape[1]
    for member in range(first_member, end_member):
        coupled, status = coupling.function[member] != 0, 0
        state, increment = memory.state[member], memory.increment[member]
        tendency, closure_tendency = memory.tendency[member], memory.closure_tendency[member]
        ring = memory.argument[member]
        argument = ring[HALO : HALO + n_k]
        argument[:] = state
        fill_ring(ring)
        coupling.n_finite[member] = n_step
        for i in range(n_step):
            for stage in range(N_STAGE):
                slow_tendency(ring, forcing, tendency)
                if coefficients.size > 0:
                    _add_polynomial(coefficients, argument, tendency)
                if coupled:
                    status = evaluate_closure(
                        coupling, member, first_step + i, stage, argument, closure_tendency
                    )
                    if status != 0:
                        break
                    add(closure_tendency, tendency)
                runge_kutta_4_stage(stage, dt, state, tendency, increment, argument)
                fill_ring(ring)
            if status != 0 or not all_finite(state):
                coupling.n_finite[member] = i
                break
            if save_every > 0 and (i + 1) % save_every == 0:
                x[i // save_every, member] = state
        coupling.status[member] = status
