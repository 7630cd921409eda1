"""Memory, loops and shuffles of generated code that works on vectors.

A `Value` stands for what the generated code will hold. A loop in Python becomes straight-line
code; `VectorCode.loop` becomes a loop of the generated code.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numpy.typing import NDArray

from solvers.fft.simd_values import Value

_BYTE, _INDEX = ir.IntType(8), ir.IntType(64)
_FIRST = ir.IntType(32)(0)
_CACHE_LINE = 64


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
        return Value(self.builder, _INDEX(number))

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

    def stack(self, size: int) -> Any:
        """Return the address of some vectors on the stack, uninitialised."""
        with self.builder.goto_entry_block():
            memory = self.builder.alloca(ir.ArrayType(self.vector, size))
        memory.align = _CACHE_LINE
        return self.builder.bitcast(memory, _BYTE.as_pointer())

    def table(self, numbers: NDArray[np.complex128]) -> Any:
        """Return the address of constants, for each row the real parts, then the imaginary."""
        reals = np.stack([numbers.real, numbers.imag], axis=1).ravel()
        kind, module = ir.ArrayType(self.real, reals.size), self.builder.module
        table = ir.GlobalVariable(module, kind, module.get_unique_name("table"))
        table.initializer, table.linkage = ir.Constant(kind, reals.tolist()), "internal"
        table.global_constant, table.align = True, _CACHE_LINE
        return self.builder.bitcast(table, _BYTE.as_pointer())

    def replace_first(self, vector: Value, number: Value) -> Value:
        """Return a vector with a number put into its first place."""
        return Value(self.builder, self.builder.insert_element(vector.llvm, number.llvm, _FIRST))

    def first(self, vector: Value) -> Value:
        """Return the number in the first place of a vector."""
        return Value(self.builder, self.builder.extract_element(vector.llvm, _FIRST))

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
