"""Candidate terms as symbolic expressions of fields: named, evaluated, written as LaTeX.

Expressions are immutable and hashable, so that what several terms have in common is computed
once, and any writer of source code can walk them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error.errors import LibraryError
from closures.model_error.grid import PeriodicGrid

Array = NDArray[Any]


class Evaluation:
    """Values of expressions for given fields; each subexpression is computed once.

    Parameters
    ----------
    fields
        Values of each variable, shape ``(..., *grid.shape)``.
    grid
        Where they are given.

    Raises
    ------
    LibraryError
        If a field does not lie on the grid.
    """

    def __init__(self, fields: Mapping[str, Array], grid: PeriodicGrid) -> None:
        for name, field in fields.items():
            grid.check(name, np.asarray(field))
        self.fields, self.grid = fields, grid
        self._values: dict[Expression, Array] = {}
        self._spectra: dict[Expression, Array] = {}

    def __call__(self, expression: "Expression") -> Array:
        """Return the values of an expression."""
        if expression not in self._values:
            self._values[expression] = expression.compute(self)
        return self._values[expression]

    def spectrum(self, expression: "Expression") -> Array:
        """Return the transform of an expression."""
        if expression not in self._spectra:
            self._spectra[expression] = self.grid.spectrum(self(expression))
        return self._spectra[expression]


class Expression(ABC):
    """A field made of other fields."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The expression in plain text, such as ``u^2 u_x``."""

    @property
    @abstractmethod
    def latex(self) -> str:
        """The expression in LaTeX."""

    @property
    @abstractmethod
    def degree(self) -> int:
        """How many factors its longest product has."""

    @abstractmethod
    def compute(self, values: Evaluation) -> Array:
        """Return its values, of those of its parts."""

    def evaluate(self, fields: Mapping[str, Array], grid: PeriodicGrid) -> Array:
        """Return its values for given fields, see `Evaluation`."""
        return Evaluation(fields, grid)(self)

    def __str__(self) -> str:
        return self.name

    def __mul__(self, other: "Expression") -> "Expression":
        return Product((*_factors(self), *_factors(other)))

    def __pow__(self, exponent: int) -> "Expression":
        return Power(self, exponent)

    def __add__(self, other: "Expression") -> "Expression":
        return Sum((self, other), (1.0, 1.0))

    def __sub__(self, other: "Expression") -> "Expression":
        return Sum((self, other), (1.0, -1.0))


@dataclass(frozen=True)
class Variable(Expression):
    """A field that is given, such as the state or a fixed forcing."""

    symbol: str
    symbol_latex: str = ""

    @property
    def name(self) -> str:
        """Its symbol."""
        return self.symbol

    @property
    def latex(self) -> str:
        """Its symbol in LaTeX."""
        return self.symbol_latex or self.symbol

    @property
    def degree(self) -> int:
        """1."""
        return 1

    def compute(self, values: Evaluation) -> Array:
        """Return the field of this name."""
        if self.symbol not in values.fields:
            known = ", ".join(values.fields)
            raise LibraryError(f"{self.symbol}: expected a field of this name, got {known}")
        return values.fields[self.symbol]


@dataclass(frozen=True)
class Derivative(Expression):
    """A derivative; `along` has a letter of an axis for each derivation."""

    argument: Expression
    along: str

    @property
    def name(self) -> str:
        """The argument with the letters as index."""
        return f"{_bracketed(self.argument, 'name')}_{self.along}"

    @property
    def latex(self) -> str:
        """Partial derivatives, one an axis."""
        axes = sorted(set(self.along))
        orders = [self.along.count(axis) for axis in axes]
        signs = [
            f"\\partial_{a}" + (f"^{n}" if n > 1 else "") for a, n in zip(axes, orders, strict=True)
        ]
        return f"{' '.join(signs)} {_bracketed(self.argument, 'latex')}"

    @property
    def degree(self) -> int:
        """That of the argument."""
        return self.argument.degree

    def compute(self, values: Evaluation) -> Array:
        """Differentiate the argument."""
        return values.grid.differentiate(values.spectrum(self.argument), self.along)


@dataclass(frozen=True)
class Power(Expression):
    """A whole power."""

    base: Expression
    exponent: int

    def __post_init__(self) -> None:
        if self.exponent < 1:
            raise LibraryError(f"power: expected an exponent of at least 1, got {self.exponent}")

    @property
    def name(self) -> str:
        """The base with the exponent."""
        return f"{_bracketed(self.base, 'name')}^{self.exponent}"

    @property
    def latex(self) -> str:
        """The base with the exponent."""
        return f"{_bracketed(self.base, 'latex')}^{{{self.exponent}}}"

    @property
    def degree(self) -> int:
        """The exponent times the degree of the base."""
        return self.exponent * self.base.degree

    def compute(self, values: Evaluation) -> Array:
        """Multiply the base by itself; much faster than a power of real numbers."""
        base = values(self.base)
        lower = values(Power(self.base, self.exponent - 1)) if self.exponent > 1 else 1.0
        return lower * base


@dataclass(frozen=True)
class Product(Expression):
    """A product."""

    factors: tuple[Expression, ...]

    @property
    def name(self) -> str:
        """The factors side by side."""
        return " ".join(_bracketed(factor, "name") for factor in self.factors)

    @property
    def latex(self) -> str:
        """The factors side by side."""
        return r" \, ".join(_bracketed(factor, "latex") for factor in self.factors)

    @property
    def degree(self) -> int:
        """The sum of the degrees of the factors."""
        return sum(factor.degree for factor in self.factors)

    def compute(self, values: Evaluation) -> Array:
        """Multiply the factors."""
        return np.asarray(prod(values(factor) for factor in self.factors))


@dataclass(frozen=True)
class Sum(Expression):
    """A weighted sum; may have a name of its own, as a Jacobian has."""

    parts: tuple[Expression, ...]
    weights: tuple[float, ...]
    own_name: str = ""
    own_latex: str = ""

    @property
    def name(self) -> str:
        """Its own name, or the parts with their weights."""
        return self.own_name or _signed(self.weights, [part.name for part in self.parts])

    @property
    def latex(self) -> str:
        """Its own name in LaTeX, or the parts with their weights."""
        return self.own_latex or _signed(self.weights, [part.latex for part in self.parts])

    @property
    def degree(self) -> int:
        """The largest degree of a part."""
        return max(part.degree for part in self.parts)

    def compute(self, values: Evaluation) -> Array:
        """Add the parts."""
        pairs = zip(self.weights, self.parts, strict=True)
        return np.asarray(sum(weight * values(part) for weight, part in pairs))


def laplacian(argument: Expression, axes: str = "xy") -> Sum:
    """Return the sum of the second derivatives along some axes."""
    return Sum(
        tuple(Derivative(argument, 2 * axis) for axis in axes),
        (1.0,) * len(axes),
        f"lap({argument.name})",
        rf"\nabla^2 {_bracketed(argument, 'latex')}",
    )


def jacobian(first: Expression, second: Expression) -> Sum:
    """Return J(a, b) = a_x b_y - a_y b_x."""
    return Sum(
        (
            Derivative(first, "x") * Derivative(second, "y"),
            Derivative(first, "y") * Derivative(second, "x"),
        ),
        (1.0, -1.0),
        f"J({first.name}, {second.name})",
        f"J({first.latex}, {second.latex})",
    )


def _factors(expression: Expression) -> tuple[Expression, ...]:
    return expression.factors if isinstance(expression, Product) else (expression,)


def _bracketed(expression: Expression, form: str) -> str:
    text = str(getattr(expression, form))
    own_name = isinstance(expression, Sum) and expression.own_name
    return f"({text})" if isinstance(expression, Product | Sum) and not own_name else text


def _signed(weights: tuple[float, ...], names: list[str]) -> str:
    text = ""
    for weight, name in zip(weights, names, strict=True):
        size = "" if abs(weight) == 1.0 else f"{abs(weight):g} "
        sign = "-" if weight < 0.0 else "+"
        text += f" {sign} {size}{name}" if text else f"{'-' if weight < 0.0 else ''}{size}{name}"
    return text
