"""The passes of a real 2-D Fourier transform along its rows and along its columns.

**Rows.** Two real rows are one complex row, z = a + i b. Its n numbers are n_1 vectors of n_2
lanes, so that number j = n_2 j_1 + j_2 is in lane j_2. The four-step algorithm (Bailey 1990) needs

1. a transform of length n_1 in every lane,
2. multiplications by exp(-2 pi i k_1 j_2 / n),
3. squares of n_2 vectors transposed, so that the lane is k_1, and
4. transforms of n_2 vectors, which give the waves k = k_1 + n_1 k_2 in their order.

The waves of both rows are then A_k = (Z_k + conj Z_{n-k}) / 2 and B_k = (Z_k - conj Z_{n-k}) / 2i.

**Columns.** Adjacent columns are the lanes of one transform along y.

**Between them** the real parts of the waves in a block of columns precede the imaginary parts, in
the place of the block, which saves shuffles. The waves k = 0 and k = n/2 of a row are real there:
the second is the imaginary part of the first, and the columns need one transform less.

The inverse takes the same steps backwards. An inverse transform is a transform with the real and
the imaginary parts swapped before and after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.fft.simd_code import VectorCode
from solvers.fft.simd_layouts import (
    Column,
    Consecutive,
    Interleaved,
    Reals,
    Scaled,
    Swapped,
    Vectors,
    Waves,
    buffer,
)
from solvers.fft.simd_transform import in_registers, transform
from solvers.fft.simd_values import Complex, Value


@dataclass(frozen=True)
class Sizes:
    """Numbers that the generated code is told when it runs.

    Parameters
    ----------
    n_y, n_x
        Shape of the field.
    n_block
        Blocks of columns that are transformed.
    """

    n_y: Value
    n_x: Value
    n_block: Value


def forward_rows(code: VectorCode, n: int, sizes: Sizes, field: Any, spectrum: Any) -> None:
    """Emit the transforms of all rows of a field, each of length n."""
    with code.loop(sizes.n_y // 2) as pair:
        rows = _RowPair(code, n, pair, field, spectrum)
        n_1, half = rows.n_1, rows.n_1 // 2
        z = buffer(rows.code, n_1)
        rows.transform(z, scale=0.5)
        with code.loop(half) as block:
            p, q = z[block], rows.reverse(z[n_1 - 1 - block], z[(n_1 - block) % n_1])
            rows.a[block] = Complex(p.real + q.real, p.imag - q.imag)
            rows.b[block] = Complex(p.imag + q.imag, q.real - p.real)
        nyquist = z[code.index(half)].map(code.first)
        rows.a.set_nyquist(nyquist.real * 2.0)
        rows.b.set_nyquist(nyquist.imag * 2.0)


def inverse_rows(code: VectorCode, n: int, sizes: Sizes, field: Any, spectrum: Any) -> None:
    """Emit the inverse transforms of all rows of a spectrum, each to n real numbers."""
    with code.loop(sizes.n_y // 2) as pair:
        rows = _RowPair(code, n, pair, field, spectrum)
        half, zero = rows.n_1 // 2, code.index(0)
        z, mirrored = buffer(rows.code, rows.n_1), buffer(rows.code, half + 1)
        with code.loop(half) as block:
            a, b = rows.a[block], rows.b[block]
            z[block] = Complex(a.real - b.imag, a.imag + b.real)
            mirrored[block] = Complex(a.real + b.imag, b.real - a.imag)
        # The first vectors took the waves k = n/2 for imaginary parts of the waves k = 0.
        a, b = rows.a.first(), rows.b.first()
        z[zero] = Complex(
            rows.code.replace_first(z[zero].real, a.real),
            rows.code.replace_first(z[zero].imag, b.real),
        )
        mirrored[code.index(half)] = Complex(a.imag, b.imag).map(rows.code.everywhere)
        with code.loop(half) as block:
            z[rows.n_1 - 1 - block] = rows.reverse(mirrored[block], mirrored[block + 1])
        rows.inverse_transform(z)


def forward_columns(code: VectorCode, n: int, sizes: Sizes, _field: Any, spectrum: Any) -> None:
    """Emit the transforms of blocks of columns of a spectrum in place, each of length n."""
    with code.loop(sizes.n_block) as block:
        base = code.move(spectrum, block * (2 * code.lanes))
        column = Column(code, base, sizes.n_x + 2)
        transform(code, n, column, Interleaved(column))


def inverse_columns(code: VectorCode, n: int, sizes: Sizes, _field: Any, spectrum: Any) -> None:
    """Emit the inverse transforms of blocks of columns of a spectrum in place."""
    with code.loop(sizes.n_block) as block:
        base = code.move(spectrum, block * (2 * code.lanes))
        column = Column(code, base, sizes.n_x + 2)
        transform(code, n, Swapped(Interleaved(column)), Swapped(column))


PASSES: tuple[Callable[..., None], ...] = (
    forward_rows,
    forward_columns,
    inverse_columns,
    inverse_rows,
)
"""What is compiled for each length."""


class _RowPair:
    """Two adjacent rows, their waves, and the four steps between them."""

    def __init__(self, code: VectorCode, n: int, pair: Value, field: Any, spectrum: Any) -> None:
        # A short row has no square of full vectors.
        lanes = min(code.lanes, 1 << (n.bit_length() - 1) // 2)
        self.code, self.n, self.n_1 = code.with_lanes(lanes), n, n // lanes
        first = pair * (2 * n)
        self.reals = Reals(self.code, code.move(field, first), code.move(field, first + n))
        first = pair * (2 * (n + 2))
        self.a = Waves(self.code, code.move(spectrum, first), code.lanes)
        self.b = Waves(self.code, code.move(spectrum, first + (n + 2)), code.lanes)

    def transform(self, z: Vectors, scale: float) -> None:
        """Emit the four steps from the rows to z, multiplied by a scale."""
        code, n_2 = self.code, self.code.lanes
        steps = buffer(code, self.n_1)
        transform(code, self.n_1, self.reals, Scaled(steps, self._twiddles(scale)))
        squares = self.n_1 // n_2
        with code.loop(squares) as square:
            x = self._transposed([steps[square * n_2 + k_1] for k_1 in range(n_2)])
            for k_2, wave in enumerate(in_registers(x)):
                z[square + k_2 * squares] = wave

    def inverse_transform(self, z: Vectors) -> None:
        """Emit the four steps backwards, from z to the rows."""
        code, n_2 = self.code, self.code.lanes
        steps, waves = buffer(code, self.n_1), Swapped(z)
        squares = self.n_1 // n_2
        with code.loop(squares) as square:
            x = in_registers([waves[square + k_2 * squares] for k_2 in range(n_2)])
            for k_1, vector in enumerate(self._transposed(x)):
                steps[square * n_2 + k_1] = vector
        scaled = Scaled(steps, self._twiddles(1.0))
        transform(code, self.n_1, scaled, Swapped(self.reals))

    def reverse(self, block: Complex, after: Complex) -> Complex:
        """Return the numbers from the first of the block after down to the second of a block."""
        n = self.code.lanes
        places = [n, *range(n - 1, 0, -1)]
        return Complex(
            self.code.shuffle(block.real, after.real, places),
            self.code.shuffle(block.imag, after.imag, places),
        )

    def _twiddles(self, scale: float) -> Consecutive:
        k_1, j_2 = np.arange(self.n_1), np.arange(self.code.lanes)
        w = scale * np.exp(-2j * np.pi * np.outer(k_1, j_2) / self.n)
        return Consecutive(self.code, self.code.table(w))

    def _transposed(self, square: Sequence[Complex]) -> list[Complex]:
        real = self.code.transpose([vector.real for vector in square])
        imag = self.code.transpose([vector.imag for vector in square])
        return [Complex(*parts) for parts in zip(real, imag, strict=True)]
