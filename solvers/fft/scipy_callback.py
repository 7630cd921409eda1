"""SciPy's transforms, called back from compiled code: the slowest, and a check on the others."""

import ctypes
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from solvers.fft.plan import Addresses, Transform, complex_dtype, spectral_shape

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
    forward_address, inverse_address = (ctypes.cast(f, ctypes.c_void_p).value for f in functions)
    assert forward_address is not None
    assert inverse_address is not None
    addresses = Addresses(forward_address, 0, inverse_address, 0)
    return Transform(shape, dtype, NAME, addresses, functions)


def _array(address: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    size = int(np.prod(shape)) * dtype.itemsize
    memory: Any = (ctypes.c_char * size).from_address(address)
    return np.frombuffer(memory, dtype).reshape(shape)
