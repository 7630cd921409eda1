"""rocket-fft: the DUCC library inside numba. BSD-3-Clause, always there."""

from functools import cache
from importlib.metadata import version as package_version
from typing import Any

import numpy as np
import rocket_fft
from numba import cfunc, types
from numba.core.types import CPointer
from numba.np.numpy_support import carray

from solvers.fft.plan import Addresses, Transform

NAME = "rocket-fft"

_LAST_AXIS = np.array([1])
_FIRST_AXIS = np.array([0])
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


# One axis at a time, in place where it can be: with both axes at once the library allocates a
# work array at every call, whose page faults cost more than the arithmetic.
def _forward(sizes, source, target):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    n_y, n_x = carray(sizes, 2)
    field, spectrum = carray(source, (n_y, n_x)), carray(target, (n_y, n_x // 2 + 1))
    rocket_fft.r2c(field, spectrum, _LAST_AXIS, True, 1.0, 1)
    if n_y > 1:
        rocket_fft.c2c(spectrum, spectrum, _FIRST_AXIS, True, 1.0, 1)


def _inverse(sizes, source, target):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    n_y, n_x = carray(sizes, 2)
    spectrum, field = carray(source, (n_y, n_x // 2 + 1)), carray(target, (n_y, n_x))
    if n_y > 1:
        rocket_fft.c2c(spectrum, spectrum, _FIRST_AXIS, False, 1.0, 1)
    rocket_fft.c2r(spectrum, field, _LAST_AXIS, False, 1.0, 1)


# Compiled where they are wanted: a program that uses another library need not wait for them.
@cache
def _functions(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    single = dtype == np.float32
    pointer: Any = CPointer
    real = pointer(types.float32 if single else types.float64)
    complex_ = pointer(types.complex64 if single else types.complex128)
    return (
        cfunc(types.void(_PLAN, real, complex_), cache=True)(_forward),
        cfunc(types.void(_PLAN, complex_, real), cache=True)(_inverse),
    )
