"""Complex Fourier transforms of vectors: every lane holds a sequence of its own.

Up to 16 vectors are transformed in registers. A longer sequence is n = r s: s transforms of r
vectors each, multiplications by powers of exp(-2 pi i / n), and r transforms of length s, which
are split again (Cooley and Tukey 1965, decimation in frequency). The passes work in place in a
buffer; the first reads the source and the last writes the target, which puts the digits of the
index into their right order at no cost.
"""

from collections.abc import Sequence

import numpy as np

from solvers.fft.simd_code import VectorCode
from solvers.fft.simd_layouts import Vectors, buffer
from solvers.fft.simd_values import Complex, Value

# Radices of the passes. One of 16 just fits the registers; every pass less saves a sweep.
_RADICES: dict[int, tuple[int, ...]] = {
    **{n: (n,) for n in (1, 2, 4, 8, 16)},
    32: (4, 8),
    64: (8, 8),
    128: (8, 16),
    256: (16, 16),
    512: (8, 8, 8),
    1024: (8, 8, 16),
}

SIZES = tuple(_RADICES)
"""Lengths of sequences that can be transformed."""


def transform(code: VectorCode, n: int, source: Vectors, target: Vectors) -> None:
    r"""Emit a transform of n vectors in every lane, unnormalised.

    .. math:: y_k = \sum_{j=0}^{n-1} x_j e^{-2\pi i jk/n}

    Source and target may share their memory.

    Parameters
    ----------
    code
        Where the instructions go.
    n
        Length of the sequences, one of `SIZES`.
    source, target
        The sequences, one element of each to a vector.
    """
    *radices, last = _RADICES[n]
    span = n  # of the transforms that are left to be done
    between = buffer(code, n)
    for radix in radices:
        stride = span // radix
        factors = _Factors(code, span, radix)
        with code.loop(n // span) as block, code.loop(stride) as j:
            places = [block * span + j + m * stride for m in range(radix)]
            y = in_registers([source[place] for place in places])
            for m, place in enumerate(places):
                between[place] = y[m] * factors[j, m] if m else y[m]
        source, span = between, stride
    r, s = (*radices, 1, 1)[:2]
    with code.loop(r) as k_r, code.loop(s) as k_s:
        first = (k_r * s + k_s) * last
        y = in_registers([source[first + m] for m in range(last)])
        for m in range(last):
            target[k_r + k_s * r + m * (n // last)] = y[m]


class _Factors:
    """Factors exp(-2 pi i j m / span) between two passes, the same for all lanes."""

    def __init__(self, code: VectorCode, span: int, radix: int) -> None:
        j, m = np.arange(span // radix), np.arange(1, radix)
        self._code, self._count = code, radix - 1
        self._base = code.table(np.exp(-2j * np.pi * np.outer(j, m) / span).reshape(-1, 1))

    def __getitem__(self, place: tuple[Value, int]) -> Complex:
        j, m = place
        code, at = self._code, (j * self._count + (m - 1)) * 2
        real, imag = code.load_number(self._base, at), code.load_number(self._base, at + 1)
        return Complex(code.everywhere(real), code.everywhere(imag))


def in_registers(x: Sequence[Complex]) -> list[Complex]:
    """Emit the transform of a power of two of vectors without a loop."""
    n = len(x)
    if n == 1:
        return list(x)
    if n == 2:
        return [x[0] + x[1], x[0] - x[1]]
    # Four times four takes fewer multiplications than halving twice.
    r = 4 if n == 16 else 2
    parts = [in_registers(x[first::r]) for first in range(r)]
    y = [
        in_registers([_turn(parts[first][k], first * k, n) for first in range(r)])
        for k in range(n // r)
    ]
    return [values[k] for k in range(r) for values in y]


def _turn(x: Complex, numerator: int, n: int) -> Complex:
    """Multiply by exp(-2 pi i numerator / n), with as few multiplications as it takes."""
    eighths = 8 * numerator / n
    if eighths == 0:
        return x
    if eighths >= 2:
        return _turn(Complex(x.imag, x.real * -1.0), 4 * numerator - n, 4 * n)
    if eighths == 1:
        return Complex(x.real + x.imag, x.imag - x.real).map(lambda part: part * np.sqrt(0.5))
    return x * complex(np.exp(-2j * np.pi * numerator / n))
