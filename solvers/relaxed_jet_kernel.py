"""The compiled time loop of the relaxed two-layer jet."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.coupling_point import Coupling, evaluate_closure
from solvers.fft import Addresses, forward, inverse
from solvers.members import over_members

Field = NDArray[Any]


class Operators(NamedTuple):
    """Arrays of the grid and of the finer grid that products are taken on.

    `euler` and `leapfrog` are the implicit hyperviscosity of a step of dt and of one of 2 dt.
    """

    k: Field
    l: Field  # noqa: E741 -- the name of the literature
    inverse_determinant: Field
    euler: Field
    leapfrog: Field
    jet: Field
    sponge: Field
    topography: Field


class Parameters(NamedTuple):
    """Numbers of the model, in its precision; `to_grid` and `to_coarse` scale transforms."""

    dt: Any
    beta: Any
    tau_d1: Any
    tau_d2: Any
    tau_f: Any
    jacobian: Any
    time_filter: Any
    to_grid: Any
    to_coarse: Any


@njit(cache=True)
def _invert(q: Field, j: int, i: int, op: Operators) -> Any:
    """Return the streamfunctions of both layers at a wavenumber."""
    k2 = op.k[i] * op.k[i] + op.l[j] * op.l[j]
    factor, upper, lower = op.inverse_determinant[j, i], q[0, j, i], q[1, j, i]
    psi1 = -(k2 * upper + upper + lower) * factor
    psi2 = -(k2 * lower + lower + upper) * factor
    return psi1, psi2


@njit(cache=True)
def _spectra(q: Field, spectra: Field, scale: Any, op: Operators) -> None:
    """Set q, u = -il psi and v = ik psi of both layers for an inverse transform.

    `spectra`, shape ``(3, 2, ...)``, may have more wavenumbers than q; these are set to 0, and
    so is the Nyquist wavenumber, whose sign is not known.
    """
    n_l, n_k = q.shape[1:]
    rows = spectra.shape[2]
    spectra[...] = 0
    for row in range(rows):
        j = row if row < n_l // 2 else row - rows + n_l
        if row < n_l // 2 or j > n_l // 2:
            for i in range(n_k - 1):
                psi = _invert(q, j, i, op)
                for z in range(2):
                    spectra[0, z, row, i] = scale * q[z, j, i]
                    u, v = scale * op.l[j] * psi[z], scale * op.k[i] * psi[z]
                    spectra[1, z, row, i] = complex(u.imag, -u.real)
                    spectra[2, z, row, i] = complex(-v.imag, v.real)


@njit(cache=True)
def _products(fields: Field, op: Operators) -> None:
    """Turn q, u, v of both layers into what the sponge takes and the fluxes u q and v q."""
    for z in range(2):
        for j in range(fields.shape[2]):
            for i in range(fields.shape[3]):
                q = fields[0, z, j, i]
                # The bottom rises into the lower layer only.
                carried = q + op.topography[j, i] if z == 1 else q
                fields[0, z, j, i] = op.sponge[j] * q
                fields[1, z, j, i] *= carried
                fields[2, z, j, i] *= carried


@njit(cache=True)
def _tendency(q: Field, products: Field, tendency: Field, op: Operators, p: Parameters) -> None:
    """Set the tendency of everything but the hyperviscosity."""
    n_l, n_k = q.shape[1:]
    rows = products.shape[2]
    tendency[...] = 0
    for j in range(n_l):
        row = j if j < n_l // 2 else j - n_l + rows
        # The mean along x passes the sponge.
        products[0, 0, row, 0], products[0, 1, row, 0] = 0, 0
        for i in range(n_k - 1 if j != n_l // 2 else 0):
            psi1, psi2 = _invert(q, j, i, op)
            k, l = op.k[i], op.l[j]  # noqa: E741
            k2 = k * k + l * l
            relaxation = p.tau_d1 * (psi1 - psi2) - p.tau_d2 * op.jet[j, i]
            drag = p.tau_f * k2 * psi2
            for z in range(2):
                x, y = products[1, z, row, i], products[2, z, row, i]
                flux = p.jacobian * p.to_coarse * (k * x + l * y)
                total = flux + p.beta * k * (psi1 if z == 0 else psi2)
                gain = relaxation if z == 0 else drag - relaxation
                loss = p.to_coarse * products[0, z, row, i]
                tendency[z, j, i] = complex(total.imag, -total.real) + gain - loss


@njit(cache=True)
def _add(closure: Field, total: Field) -> None:
    """Add a closure's tendency, but for the Nyquist wavenumbers."""
    n_l, n_k = total.shape
    for j in range(n_l):
        for i in range(n_k - 1 if j != n_l // 2 else 0):
            total[j, i] += closure[j, i]


@njit(cache=True)
def _euler(q: Field, before: Field, tendency: Field, p: Parameters, op: Operators) -> None:
    """Take the first step, which has no earlier state."""
    for z in range(2):
        for j in range(q.shape[1]):
            for i in range(q.shape[2]):
                before[z, j, i] = q[z, j, i]
                q[z, j, i] = op.euler[j, i] * (q[z, j, i] + p.dt * tendency[z, j, i])


@njit(cache=True)
def _leapfrog(q: Field, before: Field, tendency: Field, p: Parameters, op: Operators) -> None:
    """Leap over the present state, and draw it towards the mean of its neighbours in time."""
    reach = p.dt + p.dt
    for z in range(2):
        for j in range(q.shape[1]):
            for i in range(q.shape[2]):
                now, old = q[z, j, i], before[z, j, i]
                new = op.leapfrog[j, i] * (old + reach * tendency[z, j, i])
                before[z, j, i] = now + p.time_filter * (new - now - now + old)
                q[z, j, i] = new


@njit(cache=True)
def _to_grid(
    q: Field, fields: Field, spectra: Field, transform: Addresses, op: Operators, p: Parameters
) -> None:
    """Fill the grid fields q, u, v of both layers, the first of `fields`."""
    _spectra(q, spectra, p.to_grid, op)
    for field in range(3):
        for z in range(2):
            inverse(transform, spectra[field, z], fields[field, z])


@njit(cache=True)
def _for_closure(
    q: Field, fields: Field, spectra: Field, transform: Addresses, op: Operators, p: Parameters
) -> None:
    """Fill the grid fields of a closure, q, u, v, psi of both layers, shape ``(4, 2, y, x)``."""
    _to_grid(q, fields, spectra, transform, op, p)
    n_l, n_k = q.shape[1:]
    for j in range(n_l):
        for i in range(n_k - 1 if j != n_l // 2 else 0):
            psi1, psi2 = _invert(q, j, i, op)
            spectra[3, 0, j, i], spectra[3, 1, j, i] = p.to_grid * psi1, p.to_grid * psi2
    for z in range(2):
        inverse(transform, spectra[3, z], fields[3, z])


@njit(cache=True)
def _evaluate(
    q: Field, tendency: Field, fields: Field, spectra: Field, transform: Addresses,
    op: Operators, p: Parameters,
) -> None:  # fmt: skip
    """Set the tendency of everything but hyperviscosity and closure."""
    _to_grid(q, fields, spectra, transform, op, p)
    _products(fields, op)
    for field in range(3):
        for z in range(2):
            forward(transform, fields[field, z], spectra[field, z])
    _tendency(q, spectra, tendency, op, p)


@over_members
def advance_members(
    q: Field,
    before: Field,
    tendency: Field,
    fields: Field,
    spectra: Field,
    fine_transform: Addresses,
    grid_fields: Field,
    closure_tendency: Field,
    grid_spectra: Field,
    transform: Addresses,
    op: Operators,
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
        coupled = coupling.function[member] != 0
        for i in range(n_step):
            step = first_step + i
            if coupled:
                _for_closure(q[member], grid_fields[member], grid_spectra[member], transform, op, p)
            status = evaluate_closure(
                coupling, member, step, 0, grid_fields[member], closure_tendency[member]
            )
            if status != 0:
                coupling.n_finite[member] = i
                break
            _evaluate(
                q[member], tendency[member], fields[member], spectra[member], fine_transform, op, p
            )
            if coupled:
                for z in range(2):
                    forward(transform, closure_tendency[member, z], grid_spectra[member, 0, z])
                    _add(grid_spectra[member, 0, z], tendency[member, z])
            if step == 0:
                _euler(q[member], before[member], tendency[member], p, op)
            else:
                _leapfrog(q[member], before[member], tendency[member], p, op)
            # One wave of each layer shows most failures at once; the caller looks at all of them.
            if not (np.isfinite(q[member, 0, 1, 1]) and np.isfinite(q[member, 1, 1, 1])):
                coupling.n_finite[member] = i
                break
