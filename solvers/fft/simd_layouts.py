"""How complex vectors lie in memory: a pass reads one layout and writes another."""

from dataclasses import dataclass
from typing import Any, Protocol

from solvers.fft.simd_code import VectorCode
from solvers.fft.simd_values import Complex, Value


class Vectors(Protocol):
    """Complex vectors in memory."""

    def __getitem__(self, index: Value) -> Complex:
        """Read one."""

    def __setitem__(self, index: Value, vector: Complex) -> None:
        """Write one."""


@dataclass(frozen=True)
class Consecutive:
    """Complex vectors one after the other, each with its real before its imaginary parts."""

    code: VectorCode
    base: Any

    def __getitem__(self, index: Value) -> Complex:
        """Read one."""
        lanes = self.code.lanes
        at = index * (2 * lanes)
        real = self.code.load(self.base, at, aligned=True)
        return Complex(real, self.code.load(self.base, at + lanes, aligned=True))

    def __setitem__(self, index: Value, vector: Complex) -> None:
        """Write one."""
        at = index * (2 * self.code.lanes)
        self.code.store(self.base, at, vector.real, aligned=True)
        self.code.store(self.base, at + self.code.lanes, vector.imag, aligned=True)


def buffer(code: VectorCode, size: int) -> Consecutive:
    """Return complex vectors on the stack, uninitialised."""
    return Consecutive(code, code.stack(2 * size))


@dataclass(frozen=True)
class Reals:
    """Two rows of a field as the real and the imaginary parts of one."""

    code: VectorCode
    real: Any
    imag: Any

    def __getitem__(self, index: Value) -> Complex:
        """Read one."""
        at = index * self.code.lanes
        return Complex(self.code.load(self.real, at), self.code.load(self.imag, at))

    def __setitem__(self, index: Value, vector: Complex) -> None:
        """Write one."""
        at = index * self.code.lanes
        self.code.store(self.real, at, vector.real)
        self.code.store(self.imag, at, vector.imag)


@dataclass(frozen=True)
class Waves:
    """Waves of a row between the passes: real parts of a block of columns, then imaginary."""

    code: VectorCode
    base: Any
    block: int

    def __getitem__(self, index: Value) -> Complex:
        """Read one."""
        at = self._place(index)
        real = self.code.load(self.base, at)
        return Complex(real, self.code.load(self.base, at + self.block))

    def __setitem__(self, index: Value, vector: Complex) -> None:
        """Write one."""
        at = self._place(index)
        self.code.store(self.base, at, vector.real)
        self.code.store(self.base, at + self.block, vector.imag)

    def first(self) -> Complex:
        """Return the mean and the shortest wave, as real and imaginary part."""
        zero = self.code.index(0)
        mean = self.code.load_number(self.base, zero)
        return Complex(mean, self.code.load_number(self.base, zero + self.block))

    def set_nyquist(self, number: Value) -> None:
        """Put the shortest wave where the mean has no imaginary part."""
        self.code.store_number(self.base, self.code.index(self.block), number)

    def _place(self, index: Value) -> Value:
        at = index * self.code.lanes
        return at // self.block * (2 * self.block) + at % self.block


@dataclass(frozen=True)
class Column:
    """A block of adjacent columns between the passes, by rows."""

    code: VectorCode
    base: Any
    stride: Value

    def __getitem__(self, index: Value) -> Complex:
        """Read one."""
        at = index * self.stride
        real = self.code.load(self.base, at)
        return Complex(real, self.code.load(self.base, at + self.code.lanes))

    def __setitem__(self, index: Value, vector: Complex) -> None:
        """Write one."""
        at = index * self.stride
        self.code.store(self.base, at, vector.real)
        self.code.store(self.base, at + self.code.lanes, vector.imag)


@dataclass(frozen=True)
class Interleaved:
    """The same block as the caller sees it, real and imaginary parts taking turns."""

    column: Column

    def __getitem__(self, index: Value) -> Complex:
        """Read one."""
        code, halves = self.column.code, self.column[index]
        even = range(0, 2 * code.lanes, 2)
        real = code.shuffle(halves.real, halves.imag, even)
        return Complex(real, code.shuffle(halves.real, halves.imag, [i + 1 for i in even]))

    def __setitem__(self, index: Value, vector: Complex) -> None:
        """Write one."""
        code, n = self.column.code, self.column.code.lanes
        turns = [i // 2 + n * (i % 2) for i in range(2 * n)]
        low = code.shuffle(vector.real, vector.imag, turns[:n])
        self.column[index] = Complex(low, code.shuffle(vector.real, vector.imag, turns[n:]))


@dataclass(frozen=True)
class Scaled:
    """Vectors that are multiplied on their way from or to memory."""

    vectors: Vectors
    factors: Vectors

    def __getitem__(self, index: Value) -> Complex:
        """Read one."""
        return self.vectors[index] * self.factors[index]

    def __setitem__(self, index: Value, vector: Complex) -> None:
        """Write one."""
        self.vectors[index] = vector * self.factors[index]


@dataclass(frozen=True)
class Swapped:
    """Vectors with their real and imaginary parts swapped."""

    vectors: Vectors

    def __getitem__(self, index: Value) -> Complex:
        """Read one."""
        return self.vectors[index].swapped()

    def __setitem__(self, index: Value, vector: Complex) -> None:
        """Write one."""
        self.vectors[index] = vector.swapped()
