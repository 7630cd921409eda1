"""SciPy's transforms, called back from compiled code: the slowest, and a check on the others."""

import ctypes
from functools import cache
from typing import Any

import numpy as np
import scipy
from numba import carray, cfunc, types  # type: ignore[attr-defined]
from numpy.typing import NDArray

from solvers.fft.plan import Addresses, Transform, complex_dtype, spectral_shape
from solvers.function_pointer import call_transform

NAME = "scipy"

_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


def available() -> bool:
    """Tell whether SciPy is installed."""
    return True


def version() -> str:
    """Return the version of the package."""
    return str(scipy.__version__)


def plan(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Transform:
    """Wrap SciPy's functions; SciPy plans by itself and always computes the same bits."""
    from scipy import fft  # noqa: PLC0415

    kind, axes = complex_dtype(dtype), tuple(range(-len(shape), 0))

    def forward(_plan: int, source: int, target: int) -> None:
        field, spectrum = _array(source, shape, dtype), _array(target, spectral_shape(shape), kind)
        spectrum[...] = fft.rfftn(field, axes=axes)

    def inverse(_plan: int, source: int, target: int) -> None:
        spectrum, field = _array(source, spectral_shape(shape), kind), _array(target, shape, dtype)
        # norm="forward" puts the division into the forward transform: none is done here.
        field[...] = fft.irfftn(spectrum, s=shape, axes=axes, norm="forward", overwrite_x=True)

    functions = _FUNCTION(forward), _FUNCTION(inverse)
    # What `_call_guarded` reads: a function, and the size of what it writes in words of 32 bits.
    n_bytes = (
        int(np.prod(spectral_shape(shape))) * kind.itemsize,
        int(np.prod(shape)) * dtype.itemsize,
    )
    plans = np.array(
        [
            (ctypes.cast(f, ctypes.c_void_p).value, n // 4)
            for f, n in zip(functions, n_bytes, strict=True)
        ],
        dtype=np.int64,
    )
    addresses = Addresses(_guard(), plans[0].ctypes.data, _guard(), plans[1].ctypes.data)
    return Transform(shape, dtype, NAME, addresses, (functions, plans))


def _call_guarded(plan: Any, source: int, target: Any) -> None:
    """Call a Python function; what it leaves undone is NaN.

    An error in it, or a signal while Python enters it, cannot stop compiled code. Without this,
    the time loop would go on with what an earlier transform has left.
    """
    memory = carray(plan, 2)
    words = carray(target, memory[1])
    words[:] = -1  # all bits set: NaN in either precision
    call_transform(memory[0], 0, source, words.ctypes.data)


@cache
def _guard() -> int:
    """Return the address of the compiled `_call_guarded`."""
    pointers: Any = [types.CPointer(kind) for kind in (types.int64, types.int32)]  # type: ignore[no-untyped-call]
    arguments = (pointers[0], types.intp, pointers[1])
    compiled: Any = cfunc(types.void(*arguments), cache=True)(_call_guarded)
    return int(compiled.address)


def _array(address: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    size = int(np.prod(shape)) * dtype.itemsize
    memory: Any = (ctypes.c_char * size).from_address(address)
    return np.frombuffer(memory, dtype).reshape(shape)
