"""Libraries of candidate terms, evaluated on states."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error.errors import LibraryError
from closures.model_error.expressions import Derivative, Evaluation, Expression, Power, Variable
from closures.model_error.grid import PeriodicGrid

Array = NDArray[Any]


@dataclass(frozen=True)
class Library:
    """Candidate terms of one prognostic equation.

    Parameters
    ----------
    terms
        The candidates.
    grid
        Where they are evaluated.
    fields
        What the variables of the terms are, by name, in states of shape ``(n_sample, ...)``;
        a field has shape ``(n_sample, *grid.shape)`` or ``grid.shape``.
    equation
        Index, along the second axis of a state, of the quantity whose equation it is; None where
        a state has only one.
    dealias
        Evaluate products of n factors on a grid with (n + 1) / 2 times the points along each
        axis, where no wave that is kept is aliased (Orszag 1971).

    Raises
    ------
    LibraryError
        If there is no term, or two have the same name.

    References
    ----------
    Orszag (1971), J. Atmos. Sci. 28, 1074.
    """

    terms: tuple[Expression, ...]
    grid: PeriodicGrid
    fields: Callable[[Array], Mapping[str, Array]]
    equation: int | None = None
    dealias: bool = False

    def __post_init__(self) -> None:
        if not self.terms:
            raise LibraryError("library: expected at least one term, got none")
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        if repeated:
            raise LibraryError(f"library: expected each term once, got {', '.join(repeated)} twice")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the terms."""
        return tuple(term.name for term in self.terms)

    def evaluate(self, states: Array) -> Array:
        """Return the terms for each of some states.

        Parameters
        ----------
        states
            Shape ``(n_sample, ...)``.

        Returns
        -------
        ndarray
            Shape ``(n_term, n_sample, *grid.shape)``.
        """
        fields = {name: np.asarray(value) for name, value in self.fields(states).items()}
        values = np.empty((len(self.terms), len(states), *self.grid.shape))
        if not self.dealias:
            evaluation = Evaluation(fields, self.grid)
            for value, term in zip(values, self.terms, strict=True):
                value[...] = evaluation(term)
            return values
        degree = max(term.degree for term in self.terms)
        finer = self.grid.refined(0.5 * (degree + 1))
        refined = {n: self.grid.interpolate(field, finer.shape) for n, field in fields.items()}
        evaluation = Evaluation(refined, finer)
        for value, term in zip(values, self.terms, strict=True):
            value[...] = finer.interpolate(evaluation(term), self.grid.shape)
        return values

    def component(self, states: Array) -> Array:
        """Return the quantity whose equation it is, of states or tendencies."""
        return states if self.equation is None else states[:, self.equation]

    def as_state(self, tendency: Array, shape: tuple[int, ...]) -> Array:
        """Return a tendency of that quantity as one of a state of some shape, else 0."""
        whole = np.zeros(shape)
        self.component(whole)[...] = tendency
        return whole


def monomials(
    variable: Variable, axis: str = "x", *, n_power: int = 5, n_order: int = 5
) -> tuple[Expression, ...]:
    r"""Return the terms :math:`u^p \partial_x^q u`, the library of MEDIDA.

    Those without derivative, q = 0, are the powers :math:`u^p`; the constant is left out. The
    defaults, p and q from 0 to 4, give 24 terms.

    Parameters
    ----------
    variable
        u.
    axis
        x.
    n_power, n_order
        How many values p and q take, from 0.

    References
    ----------
    Mojgani, Chattopadhyay and Hassanzadeh (2022), Chaos 32, 061105.

    Examples
    --------
    >>> [term.name for term in monomials(Variable("u"), n_power=3, n_order=2)]
    ['u_x', 'u', 'u u_x', 'u^2', 'u^2 u_x']
    """
    terms: list[Expression] = []
    for p in range(n_power):
        factor = variable if p == 1 else Power(variable, p) if p else None
        terms += [factor] if factor else []
        for q in range(1, n_order):
            slope = Derivative(variable, q * axis)
            terms.append(factor * slope if factor else slope)
    return tuple(terms)
