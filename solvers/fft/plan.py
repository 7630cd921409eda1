"""What a planned transform is, to Python and to compiled code."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray

from solvers.function_pointer import call_transform

ALIGNMENT = 64
"""Byte boundary that every transformed array starts at: one cache line, one AVX-512 register."""


class Addresses(NamedTuple):
    """Functions and plans of a transform pair as compiled code sees them."""

    forward_function: int
    forward_plan: int
    inverse_function: int
    inverse_plan: int


class Transform(NamedTuple):
    """Real transforms of one field, planned once.

    Parameters
    ----------
    shape
        Shape of the grid field, ``(n_x,)`` or ``(n_y, n_x)``; the spectrum has
        ``n_x // 2 + 1`` values along its last axis.
    dtype
        ``float64`` or ``float32``.
    backend
        Name of the FFT library.
    addresses
        What `forward` and `inverse` call.
    keep_alive
        What the addresses point into.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    backend: str
    addresses: Addresses
    keep_alive: Any


@njit(cache=True, inline="always")
def forward(addresses: Addresses, field: NDArray[Any], spectrum: NDArray[Any]) -> None:
    """Transform a grid field to its spectrum, unnormalised; both aligned and C-contiguous."""
    call_transform(
        addresses.forward_function, addresses.forward_plan, field.ctypes.data, spectrum.ctypes.data
    )


@njit(cache=True, inline="always")
def inverse(addresses: Addresses, spectrum: NDArray[Any], field: NDArray[Any]) -> None:
    """Transform a spectrum to its grid field, unnormalised; the spectrum is destroyed."""
    call_transform(
        addresses.inverse_function, addresses.inverse_plan, spectrum.ctypes.data, field.ctypes.data
    )


def aligned_zeros(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return a zeroed C-contiguous array that starts at an aligned address.

    Its 2-D fields are then aligned for SIMD too, because grids have an even number of rows.
    """
    kind = np.dtype(dtype)
    size = int(np.prod(shape)) * kind.itemsize
    raw = np.zeros(size + ALIGNMENT, dtype=np.uint8)
    first = -raw.ctypes.data % ALIGNMENT
    return raw[first : first + size].view(kind).reshape(shape)


def spectral_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of the spectrum of a grid field of the given shape."""
    return (*shape[:-1], shape[-1] // 2 + 1)


def complex_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the complex type of the same precision."""
    return np.result_type(np.dtype(dtype), np.complex64)
