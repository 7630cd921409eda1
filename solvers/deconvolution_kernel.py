"""The compiled loops of deconvolution: transform, multiply, transform back, add."""

from typing import Any, NamedTuple

import numpy as np
from numba import carray, njit  # type: ignore[attr-defined]
from numpy.typing import DTypeLike, NDArray

from solvers.fft import Addresses, aligned_zeros, forward, inverse
from solvers.function_pointer import call_tendency

Field = NDArray[Any]

# Numbers of 8 bytes at the beginning of a context: addresses of the transforms, and of the closure
# that comes first with its context, or 0.
_N_ADDRESS, _CLOSURE, _CLOSURE_CONTEXT = 8, 4, 5

# Every part of a context begins at the boundary of 64 bytes that transforms ask for.
_STEP = 16


class _Parts(NamedTuple):
    """Where the parts of a context begin, and its length, in numbers of the model's precision."""

    spectrum: int
    field: int
    gain: int
    end: int


@njit(cache=True)
def _parts(n_y: int, n_x: int) -> _Parts:
    n_wave = n_y * (n_x // 2 + 1)
    spectrum = _STEP
    field = spectrum + (2 * n_wave + _STEP - 1) // _STEP * _STEP
    gain = field + (n_y * n_x + _STEP - 1) // _STEP * _STEP
    return _Parts(spectrum, field, gain, gain + n_wave)


def context_of(
    dtype: DTypeLike, gain: NDArray[np.float64], shape: tuple[int, int], transform: Addresses,
    closure: tuple[int, int],
) -> Field:  # fmt: skip
    """Return the context of a member: addresses, the gain of each wave, and zeros to work in.

    Parameters
    ----------
    dtype
        Precision of the model.
    gain
        What each wave is multiplied by, the transforms' normalisation included
        ``(n_y, n_x // 2 + 1)``.
    shape
        Rows and points in a row.
    transform
        Of fields of this shape.
    closure
        Addresses of the function and of the context of a closure that is added to; 0: none.
    """
    parts = _parts(*shape)
    context = aligned_zeros((parts.end,), dtype)
    addresses = np.zeros(_N_ADDRESS, np.int64)
    addresses[:_CLOSURE] = transform
    addresses[_CLOSURE : _CLOSURE + 2] = closure
    context.view(np.int64)[:_N_ADDRESS] = addresses
    context[parts.gain :] = gain.ravel()
    return context


@njit(cache=True)
def _multiply(spectrum: Field, gain: Field) -> None:
    # Real and imaginary part stand side by side.
    for i in range(gain.size):
        spectrum[2 * i] *= gain[i]
        spectrum[2 * i + 1] *= gain[i]


@njit(cache=True)
def _copy(source: Field, target: Field) -> None:
    for i in range(source.size):
        target[i] = source[i]


@njit(cache=True)
def _add(term: Field, total: Field) -> None:
    for i in range(total.size):
        total[i] += term[i]


def call(context: Any, step: int, stage: int, fields: Any, tendency: Any, sizes: Any) -> int:
    """Set the tendency that the time loop asks for; return 0, or the status of what failed."""
    n_y, n_x = sizes[5], sizes[6]
    parts = _parts(n_y, n_x)
    memory, total = carray(context, parts.end), carray(tendency, (2, n_y * n_x))
    given, all_sizes = carray(fields, (6, n_y * n_x)), carray(sizes, 7)
    a = memory[:_STEP].view(np.int64)
    status = 0
    if a[_CLOSURE] != 0:
        status = call_tendency(
            a[_CLOSURE], a[_CLOSURE_CONTEXT], step, stage, given.ctypes.data, total.ctypes.data,
            all_sizes.ctypes.data,
        )  # fmt: skip
    else:
        total[:] = 0
    if status == 0:
        transform = Addresses(a[0], a[1], a[2], a[3])
        spectrum, field = memory[parts.spectrum : parts.field], memory[parts.field : parts.gain]
        for z in range(2):
            _copy(given[z], field)
            forward(transform, field, spectrum)
            _multiply(spectrum, memory[parts.gain : parts.end])
            inverse(transform, spectrum, field)
            _add(field, total[z])
    return status
