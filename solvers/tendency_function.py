"""Compile the function of a closure in the time loop for a precision."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import cfunc, types
from numba.np.numpy_support import from_dtype


@cache
def function_address(call: Callable[..., int], dtype: str) -> int:
    """Return the address of a tendency function, compiled once and kept on disk.

    Parameters
    ----------
    call
        Function of a module: of context, step, stage, fields, tendency and sizes, as of
        `hybrid_tendency_function`; context, fields and tendency are of the model's precision.
    dtype
        Name of that precision.
    """
    number: Any = types.CPointer(from_dtype(np.dtype(dtype)))  # type: ignore[no-untyped-call]
    sizes: Any = types.CPointer(types.int64)  # type: ignore[no-untyped-call]
    arguments = (number, types.int64, types.int64, number, number, sizes)
    compiled: Any = cfunc(types.int32(*arguments), cache=True)(call)
    return int(compiled.address)
