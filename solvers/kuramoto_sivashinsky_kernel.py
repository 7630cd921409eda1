"""The compiled time loops of the Kuramoto-Sivashinsky equation.

Every row of every array is padded with zeros to whole cache lines: transforms of aligned rows take
half the time of others. The loops run over the padding too; coefficients are zero there.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import overload
from numpy.typing import DTypeLike, NDArray

from solvers.coupling_point import Coupling, evaluate_closure
from solvers.exponential_schemes import ExponentialCoefficients, exponential_coefficients
from solvers.fft import Addresses, aligned_zeros, complex_dtype, forward, inverse
from solvers.fft.plan import ALIGNMENT
from solvers.members import over_members
from solvers.time_stepping import ADAMS_BASHFORTH_2

Field = NDArray[Any]


class NonlinearTerm(NamedTuple):
    """Arrays of the advection, in a precision; `scale` is that of the inverse transform."""

    gradient: Field
    mask: Field
    scale: Any


class SemiImplicitCoefficients(NamedTuple):
    """Coefficients of AB2-CN: of the state, and of tendencies without and with a history."""

    state: Field
    euler: Field
    newest: Field
    older: Field


def nonlinear_term(gradient: Field, mask: Field, n_x: int, dtype: str) -> NonlinearTerm:
    """Return what the advection of `n_x` points reads, in a precision.

    Parameters
    ----------
    gradient
        Half the advection times the wavenumbers, shape ``(n_x // 2 + 1,)`` [1].
    mask
        1 for waves that a closure's tendency reaches, else 0, same shape [1].
    n_x
        Grid points.
    dtype
        ``"float64"`` or ``"float32"``.
    """
    scale = np.dtype(dtype).type(1.0 / n_x)
    return NonlinearTerm(_padded(gradient, dtype), _padded(mask, dtype), scale)


def etdrk4_coefficients(linear: Field, dt: float, dtype: str) -> ExponentialCoefficients:
    """Return the coefficients of ETDRK4 in a precision.

    Parameters
    ----------
    linear
        Rate of each wave, shape ``(n_x // 2 + 1,)``, real or complex [1].
    dt
        Time step [1].
    dtype
        ``"float64"`` or ``"float32"``.
    """
    exact = exponential_coefficients(linear, dt)
    return ExponentialCoefficients(*(_padded(array, dtype) for array in exact))


def cnab2_coefficients(linear: Field, dt: float, dtype: str) -> SemiImplicitCoefficients:
    """Return the coefficients of AB2-CN in a precision; parameters as `etdrk4_coefficients`."""
    half = 0.5 * dt * linear
    increment = dt / (1.0 - half)
    (euler, _), (newest, older) = ADAMS_BASHFORTH_2.weights
    exact = (
        (1.0 + half) / (1.0 - half),
        *(increment * weight for weight in (euler, newest, older)),
    )
    return SemiImplicitCoefficients(*(_padded(array, dtype) for array in exact))


def padded_length(n: int, dtype: DTypeLike) -> int:
    """Return the number of values in the whole cache lines that hold `n` of them."""
    per_line = ALIGNMENT // np.dtype(dtype).itemsize
    return -(-n // per_line) * per_line


def _padded(array: Field, dtype: str) -> Field:
    """Round a spectrum of coefficients to a precision and pad it."""
    spectral = complex_dtype(dtype)
    n = padded_length(array.size, spectral)
    padded = aligned_zeros((n,), spectral if np.iscomplexobj(array) else dtype)
    padded[: array.size] = array
    return padded


def _times(factor: Any, value: Any) -> Any:
    """Multiply, without the zeros of a factor that is real."""
    return factor * value


@overload(_times, strict=False)
def _times_compiled(factor: Any, value: Any) -> Any:  # noqa: ARG001
    if isinstance(factor, types.Float):
        return lambda factor, value: complex(factor * value.real, factor * value.imag)
    return lambda factor, value: factor * value


@njit(cache=True)
def _scaled(values: Field, scale: Any, target: Field) -> None:
    for i in range(values.size):
        target[i] = _times(scale, values[i])


@njit(cache=True)
def _nonlinear(
    u: Field, flux: Field, closure_tendency: Field, coupled: bool, work: Field, tendency: Field,
    transform: Addresses, term: NonlinearTerm,
) -> None:  # fmt: skip
    """Set the transform of -(advection / 2) (u^2)_x, plus that of the closure's tendency."""
    for i in range(u.size):
        flux[i] = u[i] * u[i]
    forward(transform, flux, tendency)
    for i in range(tendency.size):
        square, gradient = tendency[i], term.gradient[i]
        tendency[i] = complex(gradient * square.imag, -gradient * square.real)
    if coupled:
        forward(transform, closure_tendency, work)
        for i in range(tendency.size):
            tendency[i] += _times(term.mask[i], work[i])


@njit(cache=True)
def _prepare(
    stage: int, q: ExponentialCoefficients, v: Field, n_0: Field, n: Field, scale: Any, a: Field,
    work: Field,
) -> None:  # fmt: skip
    """Set what the transform after a stage is taken of: the spectrum of the next argument."""
    if stage == 0:
        _stage_1(q, v, n_0, scale, a, work)
    elif stage == 1:
        _stage_2(q, v, n, scale, work)
    elif stage == 2:
        _stage_3(q, a, n_0, n, scale, work)


@njit(cache=True)
def _stage_1(
    q: ExponentialCoefficients, v: Field, n_0: Field, scale: Any, a: Field, work: Field
) -> None:
    """Set a, and prepare its inverse transform."""
    half, weight = q.half, q.stage
    for i in range(v.size):
        argument = _times(half[i], v[i]) + _times(weight[i], n_0[i])
        a[i] = argument
        work[i] = _times(scale, argument)


@njit(cache=True)
def _stage_2(q: ExponentialCoefficients, v: Field, n_a: Field, scale: Any, work: Field) -> None:
    """Prepare the inverse transform of b."""
    half, weight = q.half, q.stage
    for i in range(v.size):
        work[i] = _times(scale, _times(half[i], v[i]) + _times(weight[i], n_a[i]))


@njit(cache=True)
def _stage_3(
    q: ExponentialCoefficients, a: Field, n_0: Field, n_b: Field, scale: Any, work: Field
) -> None:
    """Prepare the inverse transform of c."""
    half, weight = q.half, q.stage
    for i in range(a.size):
        change = n_b[i] + n_b[i] - n_0[i]
        work[i] = _times(scale, _times(half[i], a[i]) + _times(weight[i], change))


# Two loops: with fewer arrays in each, the compiler can rule out that they overlap.
@njit(cache=True)
def _finish(
    q: ExponentialCoefficients, v: Field, n_0: Field, n_a: Field, n_b: Field, n_c: Field
) -> None:
    """Set v to its new value."""
    full, first, middle, last = q.full, q.first, q.middle, q.last
    for i in range(v.size):
        v[i] = _times(full[i], v[i]) + _times(first[i], n_0[i])
    for i in range(v.size):
        v[i] += _times(middle[i], n_a[i] + n_b[i]) + _times(last[i], n_c[i])


@over_members
def advance_etdrk4(
    u: Field, tendencies: Field, work: Field, grid: Field, transform: Addresses,
    q: ExponentialCoefficients, term: NonlinearTerm, first_step: int, n_step: int,
    coupling: Coupling, first_member: int, end_member: int,
) -> None:  # fmt: skip
    """Advance members by ETDRK4, each as far as its state is finite and its closure works."""
    for member in range(first_member, end_member):
        coupled, status = coupling.function[member] != 0, 0
        coupling.n_finite[member] = n_step
        v, a, argument = u[member], work[member, 0], work[member, 1]
        n_0, n_a = tendencies[member, 0], tendencies[member, 1]
        n_b, n_c = tendencies[member, 2], tendencies[member, 3]
        on_grid, closure_tendency, flux = grid[member, 0], grid[member, 1], grid[member, 2]
        for i in range(n_step):
            _scaled(v, term.scale, argument)
            for stage in range(4):
                inverse(transform, argument, on_grid)
                if coupled:
                    status = evaluate_closure(
                        coupling, member, first_step + i, stage, on_grid, closure_tendency
                    )
                if status != 0:
                    break
                n = tendencies[member, stage]
                _nonlinear(on_grid, flux, closure_tendency, coupled, argument, n, transform, term)
                _prepare(stage, q, v, n_0, n, term.scale, a, argument)
            if status == 0:
                _finish(q, v, n_0, n_a, n_b, n_c)
            # A transform of anything that is not finite is finite nowhere.
            if status != 0 or not np.isfinite(v[1].real):
                coupling.n_finite[member] = i
                break
        coupling.status[member] = status


@njit(cache=True)
def _cnab2_euler(q: SemiImplicitCoefficients, v: Field, newest: Field) -> None:
    state, weight = q.state, q.euler
    for i in range(v.size):
        v[i] = _times(state[i], v[i]) + _times(weight[i], newest[i])


@njit(cache=True)
def _cnab2(q: SemiImplicitCoefficients, v: Field, newest: Field, older: Field) -> None:
    state, weight, older_weight = q.state, q.newest, q.older
    for i in range(v.size):
        v[i] = (
            _times(state[i], v[i])
            + _times(weight[i], newest[i])
            + _times(older_weight[i], older[i])
        )


@over_members
def advance_cnab2(
    u: Field, history: Field, work: Field, grid: Field, transform: Addresses,
    q: SemiImplicitCoefficients, term: NonlinearTerm, first_step: int, n_step: int,
    coupling: Coupling, first_member: int, end_member: int,
) -> None:  # fmt: skip
    """Advance members by AB2-CN, each as far as its state is finite and its closure works."""
    for member in range(first_member, end_member):
        coupled, status = coupling.function[member] != 0, 0
        coupling.n_finite[member] = n_step
        v, argument = u[member], work[member, 0]
        on_grid, closure_tendency, flux = grid[member, 0], grid[member, 1], grid[member, 2]
        for i in range(n_step):
            step = first_step + i
            newest, older = history[member, step % 2], history[member, (step + 1) % 2]
            _scaled(v, term.scale, argument)
            inverse(transform, argument, on_grid)
            if coupled:
                status = evaluate_closure(coupling, member, step, 0, on_grid, closure_tendency)
            _nonlinear(on_grid, flux, closure_tendency, coupled, argument, newest, transform, term)
            if status == 0 and step == 0:
                _cnab2_euler(q, v, newest)
            elif status == 0:
                _cnab2(q, v, newest, older)
            # A transform of anything that is not finite is finite nowhere.
            if status != 0 or not np.isfinite(v[1].real):
                coupling.n_finite[member] = i
                break
        coupling.status[member] = status
