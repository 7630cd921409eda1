"""What a compiled time loop knows of closures, and where it reports how far its members came."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.function_pointer import call_tendency

Integers = NDArray[np.int64]


class Coupling(NamedTuple):
    """The closure of each member and what became of each member, shape ``(n_member,)``.

    Parameters
    ----------
    function, context
        Addresses of the tendency function and its context; 0 where there is no closure.
    sizes
        What `solvers.tendency_source.closure_sizes` returns.
    n_finite
        Steps after which the state was finite and the closure worked.
    status
        What the closure returned last; not 0 where it failed.
    """

    function: Integers
    context: Integers
    sizes: Integers
    n_finite: Integers
    status: Integers


@njit(cache=True)
def evaluate_closure(
    coupling: Coupling,
    member: int,
    step: int,
    stage: int,
    fields: NDArray[Any],
    tendency: NDArray[Any],
) -> int:
    """Let the closure of a member set its tendency; return its status, 0 if there is none."""
    if coupling.function[member] == 0:
        return 0
    status = call_tendency(
        coupling.function[member],
        coupling.context[member],
        step,
        stage,
        fields.ctypes.data,
        tendency.ctypes.data,
        coupling.sizes.ctypes.data,
    )
    coupling.status[member] = status
    return int(status)
