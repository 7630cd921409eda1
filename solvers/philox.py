"""Random numbers that depend on where and when they are wanted, and on nothing drawn before.

A run that is cut in two, restarted, or spread over threads draws the same numbers.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_MULTIPLIERS = (np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157))
_INCREMENTS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B))
_ROUNDS = 10

# A double holds the upper 53 bits of a word.
_SURPLUS_BITS = np.uint64(11)
_TWO_TO_MINUS_53 = 2.0**-53

Words = tuple[Any, Any, Any, Any]


def _upper_half(_typing_context, a, b):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202, ARG001
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        first, second = (builder.zext(argument, wide) for argument in arguments)
        upper = builder.lshr(builder.mul(first, second), wide(64))
        return builder.trunc(upper, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


#: The upper half of the 128 bits of the product of two ``uint64``.
_multiply_high: Any = intrinsic(_upper_half)


@njit(cache=True)
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Words:
    """Return four random words, Philox 4x64-10.

    Parameters
    ----------
    c0, c1, c2, c3
        Counter, four ``uint64``: what the words are for, such as stream and step.
    k0, k1
        Key, two ``uint64``: which sequence, such as a seed.

    Returns
    -------
    tuple
        Four ``uint64``, each uniform over all its values.

    References
    ----------
    Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3,
    doi:10.1145/2063384.2063405.

    Examples
    --------
    >>> zero = np.uint64(0)
    >>> hex(philox(zero, zero, zero, zero, zero, zero)[0])
    '0x16554d9eca36314c'
    """
    for _ in range(_ROUNDS):
        high0, low0 = _multiply_high(_MULTIPLIERS[0], c0), _MULTIPLIERS[0] * c0
        high1, low1 = _multiply_high(_MULTIPLIERS[1], c2), _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + _INCREMENTS[0], k1 + _INCREMENTS[1]
    return c0, c1, c2, c3


@njit(cache=True)
def uniform(word: Any) -> Any:
    """Return a number of [0, 1) from a random word, a multiple of ``2**-53``."""
    return (word >> _SURPLUS_BITS) * _TWO_TO_MINUS_53
