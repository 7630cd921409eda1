"""One loop over members, compiled for one thread and for several."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba
from numba import njit


def on_threads(loop: Callable[..., None]) -> Callable[[int], Callable[..., None]]:
    """Compile a loop over `numba.prange` twice.

    The decorated name takes a number of threads and returns the compiled loop. The one for a
    single thread starts no thread pool, whose waiting threads would take time from others.
    """
    # numba's cache tells functions apart by name and source alone.
    twin = FunctionType(loop.__code__, loop.__globals__, f"{loop.__name__}_parallel")
    twin.__qualname__, twin.__module__ = f"{loop.__qualname__}_parallel", loop.__module__
    serial = njit(cache=True, nogil=True)(loop)
    parallel = njit(cache=True, nogil=True, parallel=True)(twin)

    def choose(n_thread: int) -> Callable[..., None]:
        if n_thread == 1:
            return serial

        def run(*arguments: Any) -> None:
            before = numba.get_num_threads()
            numba.set_num_threads(n_thread)
            try:
                parallel(*arguments)
            finally:
                numba.set_num_threads(before)

        return run

    choose.__doc__ = loop.__doc__
    return choose
