"""The compiled time loop of Lorenz-63; a member's state stays in registers."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.coupling_point import Coupling, evaluate_closure
from solvers.members import over_members

Field = NDArray[Any]

N_STAGE = 4


class Parameters(NamedTuple):
    """Numbers of the model and fractions of its time step, in its precision."""

    sigma: Any
    rho: Any
    beta: Any
    half_step: Any
    step: Any
    sixth_step: Any
    third_step: Any


@njit(cache=True)
def _tendency(
    x: Any, y: Any, z: Any, p: Parameters, member: int, step: int, stage: int, fields: Field,
    closure_tendency: Field, coupling: Coupling,
) -> tuple[Any, Any, Any]:  # fmt: skip
    dx, dy, dz = p.sigma * (y - x), x * (p.rho - z) - y, x * y - p.beta * z
    if coupling.function[member] == 0 or coupling.status[member] != 0:
        return dx, dy, dz
    fields[0], fields[1], fields[2] = x, y, z
    evaluate_closure(coupling, member, step, stage, fields, closure_tendency)
    return dx + closure_tendency[0], dy + closure_tendency[1], dz + closure_tendency[2]


@njit(cache=True)
def _step(
    x: Any, y: Any, z: Any, p: Parameters, member: int, step: int, fields: Field,
    closure_tendency: Field, coupling: Coupling,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Return the state after a step of the classical Runge-Kutta method."""
    ax, ay, az = _tendency(
        x, y, z, p, member, step, 0, fields, closure_tendency, coupling
    )  # fmt: skip
    h = p.half_step
    bx, by, bz = _tendency(
        x + h * ax, y + h * ay, z + h * az, p, member, step, 1, fields, closure_tendency, coupling
    )  # fmt: skip
    cx, cy, cz = _tendency(
        x + h * bx, y + h * by, z + h * bz, p, member, step, 2, fields, closure_tendency, coupling
    )  # fmt: skip
    h = p.step
    dx, dy, dz = _tendency(
        x + h * cx, y + h * cy, z + h * cz, p, member, step, 3, fields, closure_tendency, coupling
    )  # fmt: skip
    outer, inner = p.sixth_step, p.third_step
    return (
        x + (outer * (ax + dx) + inner * (bx + cx)),
        y + (outer * (ay + dy) + inner * (by + cy)),
        z + (outer * (az + dz) + inner * (bz + cz)),
    )


@over_members
def advance(
    state: Field, fields: Field, closure_tendency: Field, p: Parameters, first_step: int,
    n_step: int, save_every: int, x_saved: Field, y_saved: Field, z_saved: Field,
    coupling: Coupling, first_member: int, end_member: int,
) -> None:  # fmt: skip
    """Advance members, each as far as its state is finite and its closure works; save."""
    for member in range(first_member, end_member):
        x, y, z = state[member]
        own_fields, own_tendency = fields[member], closure_tendency[member]
        coupling.n_finite[member] = n_step
        coupling.status[member] = 0
        for i in range(n_step):
            new_x, new_y, new_z = _step(
                x, y, z, p, member, first_step + i, own_fields, own_tendency, coupling
            )  # fmt: skip
            if coupling.status[member] != 0:
                coupling.n_finite[member] = i
                break
            x, y, z = new_x, new_y, new_z
            if not (np.isfinite(x) and np.isfinite(y) and np.isfinite(z)):
                coupling.n_finite[member] = i
                break
            if save_every > 0 and (i + 1) % save_every == 0:
                save = i // save_every
                x_saved[save, member] = x
                y_saved[save, member] = y
                z_saved[save, member] = z
        state[member, 0], state[member, 1], state[member, 2] = x, y, z
