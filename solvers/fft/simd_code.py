"""Write vector instructions as if they were arithmetic: what Python computes here, LLVM emits.

A `Value` stands for a number or a vector that the generated code will hold, and a `Complex` for a
vector of complex numbers in two registers, real and imaginary parts. A loop in Python becomes
straight-line code; `VectorCode.loop` becomes a loop of the generated code.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numpy.typing import NDArray

_BYTE, _INT = ir.IntType(8), ir.IntType(64)
_CACHE_LINE = 64


@dataclass(frozen=True)
class Value:
    """An index, a real number or a vector of real numbers in the generated code.

    Parameters
    ----------
    builder
        Where its instructions go.
    llvm
        What LLVM knows it by.
    """

    builder: Any
    llvm: Any

    def __add__(self, other: "Value | int") -> "Value":
        """Add."""
        return self._combine("add", other)

    def __sub__(self, other: "Value | int") -> "Value":
        """Subtract."""
        return self._combine("sub", other)

    def __mul__(self, other: "Value | float") -> "Value":
        """Multiply, by numbers element by element."""
        return self._combine("mul", other)

    def __rsub__(self, other: int) -> "Value":
        """Subtract from an integer."""
        return self._like(other)._combine("sub", self)

    def __floordiv__(self, other: int) -> "Value":
        """Divide an index, which is never negative."""
        return Value(self.builder, self.builder.udiv(self.llvm, self._like(other).llvm))

    def __mod__(self, other: int) -> "Value":
        """Return the remainder of an index, which is never negative."""
        return Value(self.builder, self.builder.urem(self.llvm, self._like(other).llvm))

    def _like(self, number: float) -> "Value":
        kind = self.llvm.type
        lanes = kind.count if isinstance(kind, ir.VectorType) else 0
        return Value(self.builder, ir.Constant(kind, [number] * lanes if lanes else number))

    def _combine(self, operation: str, other: "Value | float") -> "Value":
        second = other if isinstance(other, Value) else self._like(other)
        if self.llvm.type == _INT:
            return Value(self.builder, getattr(self.builder, operation)(self.llvm, second.llvm))
        # A product and a sum may become one instruction, which rounds once.
        instruction = getattr(self.builder, f"f{operation}")
        return Value(self.builder, instruction(self.llvm, second.llvm, flags=("contract",)))


@dataclass(frozen=True)
class Complex:
    """A vector of complex numbers."""

    real: Value
    imag: Value

    def __add__(self, other: Self) -> "Complex":
        """Add."""
        return Complex(self.real + other.real, self.imag + other.imag)

    def __sub__(self, other: Self) -> "Complex":
        """Subtract."""
        return Complex(self.real - other.real, self.imag - other.imag)

    def __mul__(self, other: "Complex | complex") -> "Complex":
        """Multiply, by numbers element by element."""
        return Complex(
            self.real * other.real - self.imag * other.imag,
            self.real * other.imag + self.imag * other.real,
        )

    def swapped(self) -> "Complex":
        """Return i times the complex conjugate."""
        return Complex(self.imag, self.real)

    def map(self, function: Callable[[Value], Value]) -> "Complex":
        """Return a function of the real and of the imaginary parts."""
        return Complex(function(self.real), function(self.imag))


class Vectors(Protocol):
    """Complex vectors in memory."""

    def __getitem__(self, index: Value) -> Complex:
        """Read one."""

    def __setitem__(self, index: Value, vector: Complex) -> None:
        """Write one."""


class VectorCode:
    """Instructions for vectors of one length, appended to a function.

    Parameters
    ----------
    builder
        Where the instructions go.
    real
        LLVM's type of a real number.
    lanes
        Numbers in a vector, a power of two.
    """

    def __init__(self, builder: Any, real: Any, lanes: int) -> None:
        self.builder, self.real, self.lanes = builder, real, lanes
        self.vector = ir.VectorType(real, lanes)
        self.itemsize = 8 if isinstance(real, ir.DoubleType) else 4

    def with_lanes(self, lanes: int) -> "VectorCode":
        """Return the same for vectors of another length."""
        return VectorCode(self.builder, self.real, lanes)

    def index(self, number: int) -> Value:
        """Return a constant index."""
        return Value(self.builder, _INT(number))

    @contextmanager
    def loop(self, count: "Value | int") -> Iterator[Value]:
        """Repeat what is emitted meanwhile; yields the number of the turn."""
        if isinstance(count, int) and count == 1:
            yield self.index(0)
            return
        turns = count if isinstance(count, Value) else self.index(count)
        with cgutils.for_range(self.builder, turns.llvm) as loop:
            yield Value(self.builder, loop.index)

    def load(self, base: Any, at: Value, aligned: bool = False) -> Value:
        """Read the vector whose first number is the at-th from an address."""
        align = self.lanes * self.itemsize if aligned else self.itemsize
        return Value(self.builder, self.builder.load(self._at(base, at, self.vector), align=align))

    def store(self, base: Any, at: Value, vector: Value, aligned: bool = False) -> None:
        """Write the vector whose first number is the at-th from an address."""
        align = self.lanes * self.itemsize if aligned else self.itemsize
        self.builder.store(vector.llvm, self._at(base, at, self.vector), align=align)

    def load_number(self, base: Any, at: Value) -> Value:
        """Read one number."""
        return Value(self.builder, self.builder.load(self._at(base, at, self.real)))

    def store_number(self, base: Any, at: Value, number: Value) -> None:
        """Write one number."""
        self.builder.store(number.llvm, self._at(base, at, self.real))

    def move(self, base: Any, at: Value) -> Any:
        """Return the address of the at-th number from an address."""
        return self.builder.gep(base, [(at * self.itemsize).llvm])

    def _at(self, base: Any, at: Value, kind: Any) -> Any:
        return self.builder.bitcast(self.move(base, at), kind.as_pointer())

    def buffer(self, size: int) -> "Consecutive":
        """Return complex vectors on the stack, uninitialised."""
        with self.builder.goto_entry_block():
            memory = self.builder.alloca(ir.ArrayType(self.vector, 2 * size))
        memory.align = _CACHE_LINE
        return Consecutive(self, self.builder.bitcast(memory, _BYTE.as_pointer()))

    def table(self, numbers: NDArray[np.complex128]) -> Any:
        """Return the address of constants, for each row the real parts, then the imaginary."""
        reals = np.stack([numbers.real, numbers.imag], axis=1).ravel()
        kind, module = ir.ArrayType(self.real, reals.size), self.builder.module
        table = cgutils.add_global_variable(module, kind, module.get_unique_name("twiddles"))
        table.initializer, table.linkage = ir.Constant(kind, reals.tolist()), "internal"
        table.global_constant, table.align = True, _CACHE_LINE
        return self.builder.bitcast(table, _BYTE.as_pointer())

    def replace_first(self, vector: Value, number: Value) -> Value:
        """Return a vector with a number put into its first place."""
        place = ir.IntType(32)(0)
        return Value(self.builder, self.builder.insert_element(vector.llvm, number.llvm, place))

    def first(self, vector: Value) -> Value:
        """Return the number in the first place of a vector."""
        return Value(self.builder, self.builder.extract_element(vector.llvm, ir.IntType(32)(0)))

    def everywhere(self, number: Value) -> Value:
        """Return a vector with a number in every place."""
        nothing = Value(self.builder, ir.Constant(self.vector, ir.Undefined))
        return self.shuffle(self.replace_first(nothing, number), nothing, [0] * self.lanes)

    def shuffle(self, a: Value, b: Value, places: Sequence[int]) -> Value:
        """Return the numbers at the given places of two vectors put side by side."""
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), list(places))
        return Value(self.builder, self.builder.shuffle_vector(a.llvm, b.llvm, mask))

    def transpose(self, rows: Sequence[Value]) -> list[Value]:
        """Transpose a square of vectors: swap across the diagonal ever larger blocks."""
        n, rows = self.lanes, list(rows)
        block = 1
        while block < n:
            low = [i - block + n if i & block else i for i in range(n)]
            high = [i + n if i & block else i + block for i in range(n)]
            for i in (i for i in range(n) if not i & block):
                pair = rows[i], rows[i + block]
                rows[i], rows[i + block] = self.shuffle(*pair, low), self.shuffle(*pair, high)
            block *= 2
        return rows


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
