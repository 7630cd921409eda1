"""The compiled time loop of two-layer quasi-geostrophic flow."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from solvers.fft import Addresses, forward, inverse
from solvers.function_pointer import call_tendency
from solvers.parallel import on_threads

if TYPE_CHECKING:
    from solvers.quasigeostrophic import TwoLayerQG

Field = NDArray[Any]


class Operators(NamedTuple):
    """Arrays of the grid, in the precision of the model."""

    k: Field
    l: Field  # noqa: E741 -- the name of the literature
    inverse_determinant: Field
    filter: Field


class Parameters(NamedTuple):
    """Numbers of the model, in its precision."""

    f1: Any
    f2: Any
    u1: Any
    u2: Any
    gradient1: Any
    gradient2: Any
    bottom_drag: Any
    scale: Any


def operators(model: "TwoLayerQG") -> Operators:
    """Return the arrays that the time loop reads."""
    grid = model.grid
    smooth = grid.exponential_filter if model.filter else np.ones(grid.spectral_shape)
    arrays = (grid.k, grid.l, model.inverse_determinant, smooth)
    return Operators(*(np.ascontiguousarray(array, dtype=model.dtype) for array in arrays))


def parameters(model: "TwoLayerQG") -> Parameters:
    """Return the numbers that the time loop reads; `scale` is that of the inverse transform."""
    numbers = (
        *model.stretching,
        *(model.u1, model.u2),
        *model.pv_gradient,
        *(model.bottom_drag, 1.0 / (model.grid.n_x * model.grid.n_y)),
    )
    return Parameters(*(np.dtype(model.dtype).type(number) for number in numbers))


@njit(cache=True)
def _to_grid(q: Field, fields: Field, work: Field, transform: Addresses, op: Operators, p: Parameters) -> None:
    """Fill the grid fields q, u, v of both layers, shape (3, 2, y, x), from spectra of q."""
    n_l, n_k = work.shape
    for z in range(2):
        for j in range(n_l):
            for i in range(n_k):
                work[j, i] = p.scale * q[z, j, i]
        inverse(transform, work, fields[0, z])
        for j in range(n_l):
            factor = p.scale * op.l[j]
            for i in range(n_k):
                psi = _streamfunction(q, z, j, i, op, p)
                work[j, i] = complex(factor * psi.imag, -factor * psi.real)
        inverse(transform, work, fields[1, z])
        for j in range(n_l):
            for i in range(n_k):
                psi = _streamfunction(q, z, j, i, op, p)
                factor = p.scale * op.k[i]
                work[j, i] = complex(-factor * psi.imag, factor * psi.real)
        inverse(transform, work, fields[2, z])


@njit(cache=True, inline="always")
def _streamfunction(q: Field, z: int, j: int, i: int, op: Operators, p: Parameters) -> Any:
    k2 = op.k[i] * op.k[i] + op.l[j] * op.l[j]
    if z == 0:
        return -((k2 + p.f2) * q[0, j, i] + p.f1 * q[1, j, i]) * op.inverse_determinant[j, i]
    return -(p.f2 * q[0, j, i] + (k2 + p.f1) * q[1, j, i]) * op.inverse_determinant[j, i]


@njit(cache=True)
def _fluxes(fields: Field, z: int, flux: Field, p: Parameters) -> None:
    """Set the fluxes (u + U) q and v q of a layer."""
    mean_flow = p.u1 if z == 0 else p.u2
    q, u, v = fields[0, z].ravel(), fields[1, z].ravel(), fields[2, z].ravel()
    along_x, along_y = flux[0].ravel(), flux[1].ravel()
    for n in range(q.size):
        along_x[n] = (u[n] + mean_flow) * q[n]
        along_y[n] = v[n] * q[n]


@njit(cache=True)
def _tendency(q: Field, z: int, flux: Field, tendency: Field, op: Operators, p: Parameters) -> None:
    """Set -ik (uq) - il (vq) - ik Qy psi, and the bottom drag below."""
    gradient = p.gradient1 if z == 0 else p.gradient2
    drag = p.bottom_drag if z == 1 else p.bottom_drag * 0
    n_l, n_k = tendency.shape
    for j in range(n_l):
        for i in range(n_k):
            psi = _streamfunction(q, z, j, i, op, p)
            k, l = op.k[i], op.l[j]
            x, y = flux[0, j, i], flux[1, j, i]
            damping = drag * (k * k + l * l)
            tendency[j, i] = complex(
                k * x.imag + l * y.imag + k * gradient * psi.imag + damping * psi.real,
                -k * x.real - l * y.real - k * gradient * psi.real + damping * psi.imag,
            )


@njit(cache=True)
def _step(q: Field, history: Field, step: int, weights: Field, dt: Any, smooth: Field) -> None:
    """Take an Adams-Bashforth step and apply the filter."""
    row = min(step, 2)
    kind = smooth.dtype.type
    b0, b1, b2 = kind(dt * weights[row, 0]), kind(dt * weights[row, 1]), kind(dt * weights[row, 2])
    f0, f1, f2 = history[step % 3], history[(step + 2) % 3], history[(step + 1) % 3]
    n_z, n_l, n_k = q.shape
    for z in range(n_z):
        for j in range(n_l):
            for i in range(n_k):
                change = b0 * f0[z, j, i] + b1 * f1[z, j, i] + b2 * f2[z, j, i]
                q[z, j, i] = smooth[j, i] * (q[z, j, i] + change)


@njit(cache=True)
def _add(values: Field, total: Field) -> None:
    n_l, n_k = total.shape
    for j in range(n_l):
        for i in range(n_k):
            total[j, i] += values[j, i]


@on_threads
def advance_on_threads(
    q: Field,
    history: Field,
    grid_fields: Field,
    closure_tendency: Field,
    flux: Field,
    work: Field,
    transform: Addresses,
    op: Operators,
    p: Parameters,
    weights: Field,
    dt: float,
    first_step: int,
    n_step: int,
    function: NDArray[np.int64],
    context: NDArray[np.int64],
    sizes: NDArray[np.int64],
    n_finite: NDArray[np.int64],
    status: NDArray[np.int64],
) -> None:
    """Advance all members, each as far as its state is finite and its closure works."""
    for member in prange(q.shape[0]):
        n_finite[member] = n_step
        status[member] = 0
        for i in range(n_step):
            step = first_step + i
            newest = history[member, step % 3]
            _to_grid(q[member], grid_fields[member], work[member, 0], transform, op, p)
            if function[member] != 0:
                status[member] = call_tendency(
                    function[member], context[member], step, 0, grid_fields[member].ctypes.data,
                    closure_tendency[member].ctypes.data, sizes.ctypes.data,
                )  # fmt: skip
            if status[member] != 0:
                n_finite[member] = i
                break
            for z in range(2):
                _fluxes(grid_fields[member], z, flux[member], p)
                forward(transform, flux[member, 0], work[member, 0])
                forward(transform, flux[member, 1], work[member, 1])
                _tendency(q[member], z, work[member], newest[z], op, p)
                if function[member] != 0:
                    forward(transform, closure_tendency[member, z], work[member, 2])
                    _add(work[member, 2], newest[z])
            _step(q[member], history[member], step, weights, dt, op.filter)
            # A transform of anything that is not finite is finite nowhere.
            if not (np.isfinite(q[member, 0, 1, 1].real) and np.isfinite(q[member, 1, 1, 1].real)):
                n_finite[member] = i
                break
