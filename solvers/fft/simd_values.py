"""Write instructions as if they were arithmetic: what Python computes here, LLVM emits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from llvmlite import ir

_INDEX = ir.IntType(64)


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
        if self.llvm.type == _INDEX:
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
