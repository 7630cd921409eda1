"""The compiled time loop of the barotropic vorticity equation."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers import barotropic_loops as loops
from solvers.coupling_point import Coupling, Integers, evaluate_closure
from solvers.eddy_viscosity.kernel import set_eddy_viscosity
from solvers.eddy_viscosity.memory import NONE, Eddy
from solvers.eddy_viscosity.rules import total_fluxes
from solvers.fft import Addresses, forward, inverse
from solvers.forcing_kernel import Source, kick, push
from solvers.members import over_members

Field = NDArray[Any]


class Arrays(NamedTuple):
    """Memory of an integration, member first.

    `memory` holds the last tendencies of an Adams-Bashforth scheme, that of step n in slot n
    modulo their number; or the sum, the argument and the tendency of a Runge-Kutta step.
    """

    vorticity: Field
    memory: Field
    grid_fields: Field
    closure_tendency: Field
    work: Field
    eddy: Eddy


class Operators(NamedTuple):
    """Arrays of the grid and numbers of the model, in its precision.

    Only `rows` and the first `n_column` columns of spectra are advanced: with dealiasing all other
    waves are zero for ever. `propagator` holds ``1 / (1 + r dt / 2)`` for multistep schemes; 1 and
    the decay over half a step and over a whole one for Runge-Kutta. `scale` is that of `inverse`.
    """

    k: Field
    l: Field  # noqa: E741 -- the name of the literature
    inverse_laplacian: Field
    propagator: Field
    rows: Integers
    n_column: int
    scale: Any
    beta: Any
    dealiased: bool


class Scheme(NamedTuple):
    """Time step and Adams-Bashforth weights, which have no rows for Runge-Kutta."""

    dt: float
    weights: NDArray[np.float64]


@njit(cache=True)
def _tendency(
    w: Field, memory: Arrays, member: int, step: int, stage: int, transform: Addresses,
    op: Operators, force: Source, coupling: Coupling, tendency: Field,
) -> int:  # fmt: skip
    """Set the explicit part of the tendency of a state; return the status of the closure."""
    fields, closure_tendency = memory.grid_fields[member], memory.closure_tendency[member]
    x, y = memory.work[member, 0], memory.work[member, 1]
    coupled, eddying = coupling.function[member] != 0, memory.eddy.rule != NONE
    stress_form = op.dealiased and not eddying
    if coupled or not stress_form:
        loops.scaled(w, op.scale, op.rows, op.n_column, x)
        inverse(transform, x, fields[0])
    loops.velocity(w, op.inverse_laplacian, op.k, op.l, op.scale, op.rows, op.n_column, x, y)
    inverse(transform, x, fields[1])
    inverse(transform, y, fields[2])
    status = evaluate_closure(coupling, member, step, stage, fields, closure_tendency)
    if status != 0:
        return status
    if eddying:
        set_eddy_viscosity(
            w, fields, member, step, stage, memory.eddy, memory.work[member], transform, op
        )
        total_fluxes(memory.eddy.fields[member], fields[0], fields[1], fields[2])
    elif stress_form:
        loops.stresses(fields[1], fields[2])
    else:
        loops.fluxes(fields[0], fields[1], fields[2])
    forward(transform, fields[1], x)
    forward(transform, fields[2], y)
    if stress_form:
        loops.curl_of_stresses(x, y, op.k, op.l, op.rows, op.n_column, tendency)
    else:
        loops.divergence_of_fluxes(x, y, op.k, op.l, op.rows, op.n_column, tendency)
    if op.beta != 0:
        loops.add_rossby(w, op.inverse_laplacian, op.k, op.beta, op.rows, op.n_column, tendency)
    if coupled:
        forward(transform, closure_tendency, x)
        loops.add(x, op.rows, op.n_column, tendency)
    if not force.kicks:
        push(tendency, force)
    return 0


@njit(cache=True)
def eddy_tendency(
    memory: Arrays, member: int, step: int, transform: Addresses, op: Operators, tendency: Field
) -> None:
    """Set what the eddy viscosity alone makes of the state of a member at the begin of a step."""
    w, flow = memory.vorticity[member], memory.grid_fields[member]
    x, y = memory.work[member, 0], memory.work[member, 1]
    loops.scaled(w, op.scale, op.rows, op.n_column, x)
    inverse(transform, x, flow[0])
    loops.velocity(w, op.inverse_laplacian, op.k, op.l, op.scale, op.rows, op.n_column, x, y)
    inverse(transform, x, flow[1])
    inverse(transform, y, flow[2])
    set_eddy_viscosity(w, flow, member, step, 0, memory.eddy, memory.work[member], transform, op)
    flow[1:] = 0
    total_fluxes(memory.eddy.fields[member], flow[0], flow[1], flow[2])
    forward(transform, flow[1], x)
    forward(transform, flow[2], y)
    loops.divergence_of_fluxes(x, y, op.k, op.l, op.rows, op.n_column, tendency)


@njit(cache=True)
def _runge_kutta_stage(stage: int, w: Field, slots: Field, dt: float, op: Operators) -> None:
    """Take one of the four stages of the classical Runge-Kutta method on exp(r t) omega."""
    total, argument, f = slots[0], slots[1], slots[2]
    none, half, full = op.propagator[0], op.propagator[1], op.propagator[2]
    kind = op.k.dtype.type
    sixth, third, reach, step = kind(dt / 6), kind(dt / 3), kind(0.5 * dt), kind(dt)
    if stage == 0:
        loops.combine(full, w, full, sixth, f, op.rows, op.n_column, total)
        loops.combine(half, w, half, reach, f, op.rows, op.n_column, argument)
    elif stage == 1:
        loops.combine(none, total, half, third, f, op.rows, op.n_column, total)
        loops.combine(half, w, none, reach, f, op.rows, op.n_column, argument)
    elif stage == 2:
        loops.combine(none, total, half, third, f, op.rows, op.n_column, total)
        loops.combine(full, w, half, step, f, op.rows, op.n_column, argument)
    else:
        loops.combine(none, total, none, sixth, f, op.rows, op.n_column, w)


@njit(cache=True)
def _multistep(w: Field, slots: Field, step: int, scheme: Scheme, op: Operators) -> None:
    kind, order = op.k.dtype.type, slots.shape[0]
    weights = scheme.weights[min(step, order - 1)]
    b0, b1 = kind(scheme.dt * weights[0]), kind(scheme.dt * weights[1])
    # A second-order scheme has no third tendency: it reads its second once more, for nothing.
    b2 = kind(scheme.dt * weights[2]) if order > 2 else kind(0)
    newest, older, oldest = step % order, (step + order - 1) % order, (step + 1) % order
    loops.adams_bashforth(
        w, slots[newest], slots[older], slots[oldest], b0, b1, b2,
        op.propagator[0], op.rows, op.n_column,
    )  # fmt: skip


@njit(cache=True)
def _step(
    memory: Arrays, member: int, step: int, scheme: Scheme, transform: Addresses, op: Operators,
    force: Source, phases: Field, coupling: Coupling,
) -> int:  # fmt: skip
    """Advance a member one step; return the status of the closure."""
    w, slots = memory.vorticity[member], memory.memory[member]
    if scheme.weights.shape[0] > 0:
        newest = slots[step % slots.shape[0]]
        status = _tendency(w, memory, member, step, 0, transform, op, force, coupling, newest)
        if status != 0:
            return status
        _multistep(w, slots, step, scheme, op)
    else:
        for stage in range(4):
            state = w if stage == 0 else slots[1]
            status = _tendency(
                state, memory, member, step, stage, transform, op, force, coupling, slots[2]
            )
            if status != 0:
                return status
            _runge_kutta_stage(stage, w, slots, scheme.dt, op)
    if force.kicks:
        kick(w, force, phases)
    return 0


@njit(cache=True)
def _advance_member(
    memory: Arrays, member: int, scheme: Scheme, transform: Addresses, op: Operators,
    force: Source, phases: Field, coupling: Coupling, first_step: int, n_step: int,
) -> None:  # fmt: skip
    """Advance a member as far as its state is finite and its closure works."""
    coupling.n_finite[member] = n_step
    coupling.status[member] = 0
    for i in range(n_step):
        status = _step(
            memory, member, first_step + i, scheme, transform, op, force, phases[i], coupling
        )
        if status != 0 or not loops.is_finite(memory.vorticity[member], op.rows, op.n_column):
            coupling.n_finite[member] = i
            break


@over_members
def advance_members(
    memory: Arrays, scheme: Scheme, transform: Addresses, op: Operators, force: Source,
    phases: Field, coupling: Coupling, first_step: int, n_step: int, first_member: int,
    end_member: int,
) -> None:  # fmt: skip
    """Advance members; `phases` are those of random forcing, shape (member, step, wave)."""
    for member in range(first_member, end_member):
        _advance_member(
            memory, member, scheme, transform, op, force, phases[member], coupling, first_step,
            n_step,
        )  # fmt: skip
