"""Numbers of bf16: float32 with a mantissa of 8 bits, the leading one included."""

import numpy as np
from numpy.typing import NDArray

LEAST_REDUCED = 256
"""Weights from which on a matrix is reduced; smaller ones cost little."""


def rounded_to_bf16(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the nearest numbers of bf16, ties to even, as float32; subnormal ones become 0."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    # Up to a tie the upper half stays; to even, a tie moves it where it is odd.
    moved = bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))
    found = (moved & np.uint32(0xFFFF0000)).view(np.float32)
    found = np.where(np.isnan(x), x, found)
    subnormal = np.abs(x) < np.finfo(np.float32).tiny
    return np.where(subnormal, np.copysign(np.float32(0.0), x), found).astype(np.float32)
