"""Loops over ensemble members, shared by threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit


def over_members(loop: Callable[..., None]) -> Callable[..., None]:
    """Compile a loop over members, to be called with a number of threads.

    The last two parameters of the loop are the first member and the one after the last. The
    decorated name is called as ``name(n_thread, n_member, *rest)``: each thread takes a
    contiguous share of the members. They are threads of Python, which compiled code leaves alone:
    numba's own would change the number of OpenMP threads of the whole process, and with it how
    other libraries round.
    """
    compiled = njit(cache=True, nogil=True)(loop)

    def run(n_thread: int, n_member: int, *arguments: Any) -> None:
        if n_thread == 1:
            compiled(*arguments, 0, n_member)
            return
        edges = np.linspace(0, n_member, n_thread + 1).astype(int)
        pool = ThreadPoolExecutor(n_thread)
        try:
            shares = [pool.submit(compiled, *arguments, a, b) for a, b in pairwise(edges.tolist())]
            for share in shares:
                share.result()
        finally:
            # Whatever happens here, nobody advances members after this function has ended.
            pool.shutdown(wait=True)

    run.__doc__ = loop.__doc__
    return run
