"""Candidate terms of several prognostic equations at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error.errors import LibraryError
from closures.model_error.expressions import Evaluation, Expression
from closures.model_error.library import Library

Array = NDArray[Any]


@dataclass(frozen=True)
class InEquation(Expression):
    """A term of one equation of several.

    Parameters
    ----------
    argument
        The term.
    equation
        Number of the equation, from 0.
    quantity
        What that equation is for, part of the name.
    """

    argument: Expression
    equation: int
    quantity: str

    @property
    def name(self) -> str:
        """The quantity, a colon and the term."""
        return f"{self.quantity}: {self.argument.name}"

    @property
    def latex(self) -> str:
        """The term in LaTeX; which equation it belongs to is not said."""
        return self.argument.latex

    @property
    def degree(self) -> int:
        """That of the term."""
        return self.argument.degree

    def compute(self, values: Evaluation) -> Array:
        """Return the values of the term."""
        return values(self.argument)


@dataclass(frozen=True)
class SystemLibrary(Library):
    """Candidate terms, each in one equation of a system whose states are stacked.

    States have shape ``(n_sample, n_equation, *grid.shape)``. One regression finds the terms of
    all equations: what an equation does not lack is small compared with what the others do, and a
    quantity that mixes them, such as a streamfunction, can be compared.

    Parameters
    ----------
    n_equation
        Number of equations.

    Raises
    ------
    LibraryError
        As `Library`, and if a term belongs to none of the equations.
    """

    n_equation: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        for term in self.terms:
            if not (isinstance(term, InEquation) and 0 <= term.equation < self.n_equation):
                raise LibraryError(
                    f"{term.name}: expected a term in one of {self.n_equation} equations; wrap it "
                    "in InEquation(term, number, quantity)"
                )

    def evaluate(self, states: Array) -> Array:
        """Return the terms as tendencies of whole states.

        Parameters
        ----------
        states
            Shape ``(n_sample, n_equation, *grid.shape)``.

        Returns
        -------
        ndarray
            Shape ``(n_term, n_sample, n_equation, *grid.shape)``, 0 in all other equations.
        """
        values = super().evaluate(states)
        placed = np.zeros((*values.shape[:2], self.n_equation, *self.grid.shape))
        for target, value, term in zip(placed, values, self.terms, strict=True):
            assert isinstance(term, InEquation)
            target[:, term.equation] = value
        return placed
