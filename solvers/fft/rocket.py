"""rocket-fft: the DUCC library inside numba. BSD-3-Clause, always there."""

from functools import cache
from importlib.metadata import version as package_version
from typing import Any

import numpy as np
from numba import cfunc, types
from numba.core.types import CPointer

from solvers.fft.plan import Addresses, Transform

NAME = "rocket-fft"

_PLAN = CPointer(types.int64)  # type: ignore[no-untyped-call]


def available() -> bool:
    """Tell whether rocket-fft is installed."""
    return True


def version() -> str:
    """Return the version of the package."""
    return package_version("rocket-fft")


def plan(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Transform:
    """Make a pair of transforms; DUCC plans by itself and always computes the same bits."""
    # A row is a field with one row: the transform along columns is then left out.
    sizes = np.array([1, *shape][-2:], dtype=np.int64)
    forward, inverse = _functions(dtype)
    addresses = Addresses(forward.address, sizes.ctypes.data, inverse.address, sizes.ctypes.data)
    return Transform(shape, dtype, NAME, addresses, sizes)


# Compiled where they are wanted: a program that uses another library need not wait for them.
@cache
def _functions(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    from solvers.fft.rocket_functions import forward, inverse  # noqa: PLC0415

    single = dtype == np.float32
    pointer: Any = CPointer
    real = pointer(types.float32 if single else types.float64)
    complex_ = pointer(types.complex64 if single else types.complex128)
    return (
        cfunc(types.void(_PLAN, real, complex_), cache=True)(forward),
        cfunc(types.void(_PLAN, complex_, real), cache=True)(inverse),
    )
