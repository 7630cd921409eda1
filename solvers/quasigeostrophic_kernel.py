"""The compiled time loop of two-layer quasi-geostrophic flow."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.coupling_point import Coupling, evaluate_closure
from solvers.fft import Addresses, forward, inverse
from solvers.members import over_members

Field = NDArray[Any]


class Operators(NamedTuple):
    """Arrays of all waves, flat, in the precision of the model."""

    k: Field
    l: Field  # noqa: E741 -- the name of the literature
    inverse_determinant: Field
    filter: Field


class Parameters(NamedTuple):
    """Numbers of the model, in its precision; `scale` is that of the inverse transform."""

    f1: Any
    f2: Any
    u1: Any
    u2: Any
    gradient1: Any
    gradient2: Any
    bottom_drag: Any
    scale: Any


# The loops below wait for memory and are vectorised only if each takes its arrays one by one and
# few of them; over flat arrays, because the last few points of every row would be done one by one.
# Real and imaginary parts are written out because numba multiplies a complex number by a real one
# as if both were complex.
@njit(cache=True)
def _to_grid(
    z: int, q_spectrum: Field, q: Field, u: Field, v: Field, work: Field, transform: Addresses,
    op: Operators, p: Parameters,
) -> None:  # fmt: skip
    """Set the grid fields q, u, v of layer z."""
    own, other = (p.f2, p.f1) if z == 0 else (p.f1, p.f2)
    _spectra(
        q_spectrum[z], q_spectrum[1 - z], own, other, p.scale, op.k, op.l,
        op.inverse_determinant, work[0], work[1], work[2],
    )  # fmt: skip
    inverse(transform, work[0], u)
    inverse(transform, work[1], v)
    inverse(transform, work[2], q)


@njit(cache=True)
def _to_fluxes(
    mean_flow: Any, q: Field, u: Field, v: Field, work: Field, transform: Addresses
) -> None:
    """Transform the fluxes (u + U) q and v q of a layer; u and v are overwritten by them."""
    for i in range(q.size):
        u[i] = (u[i] + mean_flow) * q[i]
        v[i] = v[i] * q[i]
    forward(transform, u, work[0])
    forward(transform, v, work[1])


@njit(cache=True)
def _spectra(
    q: Field, q_other: Field, own: Any, other: Any, scale: Any, k: Field, l: Field,  # noqa: E741
    inverse_determinant: Field, u: Field, v: Field, q_scaled: Field,
) -> None:  # fmt: skip
    """Set u = -il psi, v = ik psi and q, with psi = -((K2 + own) q + other q_other) / D."""
    for i in range(u.size):
        a, b = scale * q[i].real, scale * q[i].imag
        c, d = scale * q_other[i].real, scale * q_other[i].imag
        factor = inverse_determinant[i]
        on, to = factor * (k[i] * k[i] + l[i] * l[i] + own), factor * other
        real, imag = on * a + to * c, on * b + to * d
        u[i] = complex(-l[i] * imag, l[i] * real)
        v[i] = complex(k[i] * imag, -k[i] * real)
        q_scaled[i] = complex(a, b)


@njit(cache=True)
def _tendency(
    upper: Field, lower: Field, x1: Field, y1: Field, x2: Field, y2: Field, op: Operators,
    p: Parameters, tendency1: Field, tendency2: Field,
) -> None:  # fmt: skip
    """Set -ik (uq) - il (vq) - ik Qy psi of both layers, and the bottom drag of the lower."""
    for i in range(upper.size):
        k, l, factor = op.k[i], op.l[i], op.inverse_determinant[i]  # noqa: E741
        k2 = k * k + l * l
        a, b, c, d = upper[i].real, upper[i].imag, lower[i].real, lower[i].imag
        own, other = factor * (k2 + p.f2), factor * p.f1
        real, imag = own * a + other * c, own * b + other * d
        tendency1[i] = complex(
            k * (x1[i].imag - p.gradient1 * imag) + l * y1[i].imag,
            k * (p.gradient1 * real - x1[i].real) - l * y1[i].real,
        )
        own, other, drag = factor * (k2 + p.f1), factor * p.f2, p.bottom_drag * k2
        real, imag = own * c + other * a, own * d + other * b
        tendency2[i] = complex(
            k * (x2[i].imag - p.gradient2 * imag) + l * y2[i].imag - drag * real,
            k * (p.gradient2 * real - x2[i].real) - l * y2[i].real - drag * imag,
        )


@njit(cache=True)
def _add(term: Field, total: Field) -> None:
    for i in range(total.size):
        total[i] += term[i]


@njit(cache=True)
def _step(
    q: Field, f0: Field, f1: Field, f2: Field, w0: Any, w1: Any, w2: Any, keep: Field
) -> None:
    """Take an Adams-Bashforth step and apply the filter; f0 is the newest tendency."""
    for i in range(q.size):
        real = w0 * f0[i].real + w1 * f1[i].real + w2 * f2[i].real
        imag = w0 * f0[i].imag + w1 * f1[i].imag + w2 * f2[i].imag
        q[i] = complex(keep[i] * (q[i].real + real), keep[i] * (q[i].imag + imag))


@njit(cache=True)
def _advance_once(
    step: int, member: int, q: Field, history: Field, fields: Field, closure_tendency: Field,
    work: Field, transform: Addresses, op: Operators, p: Parameters, weights: Field, dt: float,
    coupling: Coupling,
) -> int:  # fmt: skip
    """Advance one member one step; return the status of its closure."""
    newest, older, oldest = history[step % 3], history[(step + 2) % 3], history[(step + 1) % 3]
    coupled = coupling.function[member] != 0
    for z in range(2):
        # Without a closure both layers use the same memory, which then stays in cache.
        at = z if coupled else 0
        q_z, u_z, v_z, flux = fields[0, at], fields[1, at], fields[2, at], work[2 * z :]
        _to_grid(z, q, q_z, u_z, v_z, flux, transform, op, p)
        if not coupled:
            _to_fluxes(p.u1 if z == 0 else p.u2, q_z, u_z, v_z, flux, transform)
    status = evaluate_closure(coupling, member, step, 0, fields, closure_tendency)
    if status != 0:
        return status
    if coupled:
        for z in range(2):
            mean_flow, flux = p.u1 if z == 0 else p.u2, work[2 * z :]
            _to_fluxes(mean_flow, fields[0, z], fields[1, z], fields[2, z], flux, transform)
    _tendency(q[0], q[1], work[0], work[1], work[2], work[3], op, p, newest[0], newest[1])
    row, kind = min(step, 2), op.filter.dtype.type
    w0, w1, w2 = kind(dt * weights[row, 0]), kind(dt * weights[row, 1]), kind(dt * weights[row, 2])
    for z in range(2):
        if coupled:
            forward(transform, closure_tendency[z], work[0])
            _add(work[0], newest[z])
        _step(q[z], newest[z], older[z], oldest[z], w0, w1, w2, op.filter)
    return 0


@njit(cache=True)
def _advance_member(
    member: int, q: Field, history: Field, fields: Field, closure_tendency: Field, work: Field,
    transform: Addresses, op: Operators, p: Parameters, weights: Field, dt: float,
    first_step: int, n_step: int, coupling: Coupling,
) -> None:  # fmt: skip
    """Advance one member as far as its state is finite and its closure works."""
    coupling.n_finite[member] = n_step
    coupling.status[member] = 0
    for i in range(n_step):
        status = _advance_once(
            first_step + i, member, q, history, fields, closure_tendency, work, transform, op, p,
            weights, dt, coupling,
        )  # fmt: skip
        # One wave of each layer shows most failures at once; the caller looks at all of them.
        if status != 0 or not (np.isfinite(q[0, -1]) and np.isfinite(q[1, -1])):
            coupling.n_finite[member] = i
            break


@over_members
def advance_members(
    q: Field, history: Field, grid_fields: Field, closure_tendency: Field, work: Field,
    transform: Addresses, op: Operators, p: Parameters, weights: Field, dt: float,
    first_step: int, n_step: int, coupling: Coupling, first_member: int, end_member: int,
) -> None:  # fmt: skip
    """Advance members, each as far as its state is finite and its closure works."""
    for member in range(first_member, end_member):
        _advance_member(
            member, q[member], history[member], grid_fields[member], closure_tendency[member],
            work[member], transform, op, p, weights, dt, first_step, n_step, coupling,
        )  # fmt: skip
