"""Transforms that leave out the waves which dealiasing keeps at zero."""

import ctypes
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numba import cfunc, types
from numba.core.types import CPointer
from numpy.typing import DTypeLike, NDArray

from solvers.fft import fftw, rocket, simd
from solvers.fft.choice import chosen_backend, plan_transform
from solvers.fft.plan import Addresses, Transform, aligned_zeros, complex_dtype, spectral_shape
from solvers.function_pointer import call_transform

_NUMBERS = CPointer(types.int64)  # type: ignore[no-untyped-call]
# FFTW's names of the signs of the exponents.
_FORWARD, _BACKWARD = -1, 1


def plan_truncated(
    shape: tuple[int, int], n_column: int, dtype: DTypeLike = np.float64, backend: str = "auto"
) -> Transform:
    """Plan real transforms of fields that have no waves from some column of the spectrum on.

    Only the first columns are transformed along y, which saves a sixth of the work under the
    two-thirds rule. The inverse transform expects zeros in the other columns; the forward
    transform leaves there what has no meaning.

    Parameters
    ----------
    shape
        ``(n_y, n_x)``.
    n_column
        Columns of the spectrum that may hold waves.
    dtype, backend
        As in `solvers.fft.plan_transform`. SciPy transforms all columns.

    Raises
    ------
    ValueError
        If the library is unknown or not installed.

    Examples
    --------
    >>> plan_truncated((8, 8), 3, backend="rocket-fft").backend
    'rocket-fft'
    """
    kind = np.dtype(dtype)
    return _planned(shape, n_column, kind, chosen_backend(shape, kind, backend))


@lru_cache(maxsize=64)
def _planned(
    shape: tuple[int, int], n_column: int, dtype: np.dtype[Any], backend: str
) -> Transform:
    if backend == simd.NAME:
        return simd.plan(shape, dtype, n_column)
    planners = {fftw.NAME: _plan_fftw, rocket.NAME: _plan_rocket}
    if n_column > shape[1] // 2 or backend not in planners:
        return plan_transform(shape, dtype, backend)
    addresses, keep_alive = planners[backend](shape, n_column, dtype)
    return Transform(shape, dtype, backend, addresses, keep_alive)


def _plan_rocket(
    shape: tuple[int, int], n_column: int, dtype: np.dtype[Any]
) -> tuple[Addresses, Any]:
    sizes = np.array([*shape, n_column], dtype=np.int64)
    forward, inverse = _rocket_functions(dtype)
    at = sizes.ctypes.data
    return Addresses(forward.address, at, inverse.address, at), sizes


def _plan_fftw(
    shape: tuple[int, int], n_column: int, dtype: np.dtype[Any]
) -> tuple[Addresses, Any]:
    (n_y, n_x), n_k = shape, spectral_shape(shape)[1]
    field, spectrum = aligned_zeros(shape, dtype), aligned_zeros((n_y, n_k), complex_dtype(dtype))
    rows, waves, columns = (n_y, 1, n_x), (n_y, 1, n_k), (n_column, n_k, 1)
    # In the order of their use: along x and along y, and back.
    batches = (
        ("r2c", n_x, (field, rows), (spectrum, waves)),
        ("", n_y, (spectrum, columns), (spectrum, columns), _FORWARD),
        ("", n_y, (spectrum, columns), (spectrum, columns), _BACKWARD),
        ("c2r", n_x, (spectrum, waves), (field, rows)),
    )
    plans = fftw.planned(
        f"{n_y}x{n_x}-{n_column}",
        dtype,
        lambda flags: [_plan_batch(flags, *batch) for batch in batches],
    )
    functions = (fftw.address(dtype, f"execute_dft{_suffix(kind)}") for kind, *_ in batches)
    calls: NDArray[np.int64] = np.array(list(zip(functions, plans, strict=True)), dtype=np.int64)
    forward, inverse = calls[:2], calls[2:]
    x_then_y, y_then_x = _fftw_functions()
    addresses = Addresses(
        x_then_y.address, forward.ctypes.data, y_then_x.address, inverse.ctypes.data
    )
    return addresses, calls


def _suffix(kind: str) -> str:
    return f"_{kind}" if kind else ""


def _plan_batch(
    flags: int,
    kind: str,
    size: int,
    source: tuple[NDArray[Any], tuple[int, int, int]],
    target: tuple[NDArray[Any], tuple[int, int, int]],
    *sign: int,
) -> int | None:
    """Plan several 1-D transforms by FFTW; return the address of the plan, None without one.

    Source and target are an array, and how many transforms it holds, the distance of the elements
    of one, and the distance of one from the next.
    """
    function = fftw.function(np.dtype(source[0].real.dtype), f"plan_many_dft{_suffix(kind)}")
    sizes = ctypes.POINTER(ctypes.c_int)
    part = (ctypes.c_void_p, sizes, ctypes.c_int, ctypes.c_int)
    function.restype = ctypes.c_void_p
    function.argtypes = [
        *(ctypes.c_int, sizes, ctypes.c_int, *part, *part),
        *(ctypes.c_int for _ in sign),
        ctypes.c_uint,
    ]
    (array, (count, *distances)), (result, (_, *other_distances)) = source, target
    plan: int | None = function(
        *(1, (ctypes.c_int * 1)(size), count),
        *(array.ctypes.data, None, *distances, result.ctypes.data, None, *other_distances),
        *(*sign, flags),
    )
    return plan


# Compiled when first used: most processes need one library and one precision.
@cache
def _fftw_functions() -> tuple[Any, Any]:
    signature = types.void(_NUMBERS, types.intp, types.intp)
    return cfunc(signature, cache=True)(_x_then_y), cfunc(signature, cache=True)(_y_then_x)


@cache
def _rocket_functions(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    from solvers.fft.rocket_functions import forward_truncated, inverse_truncated  # noqa: PLC0415

    numbers = {8: (types.float64, types.complex128), 4: (types.float32, types.complex64)}
    real, complex_ = (CPointer(kind) for kind in numbers[dtype.itemsize])  # type: ignore[no-untyped-call]
    return (
        cfunc(types.void(_NUMBERS, real, complex_), cache=True)(forward_truncated),
        cfunc(types.void(_NUMBERS, complex_, real), cache=True)(inverse_truncated),
    )


def _x_then_y(calls, source, target):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    call_transform(calls[0], calls[1], source, target)
    call_transform(calls[2], calls[3], target, target)


def _y_then_x(calls, source, target):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    call_transform(calls[0], calls[1], source, source)
    call_transform(calls[2], calls[3], source, target)
