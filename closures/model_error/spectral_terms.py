"""Discovered terms as a closure: their sums, by spectral derivatives on a periodic grid."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from torch import Tensor, nn

from closures.base import Closure
from closures.model_error.discovery import ModelError
from closures.model_error.equation import Equation
from closures.model_error.equation_file import ENTRY, to_text
from closures.model_error.errors import TermsError
from closures.model_error.expressions import Expression
from closures.model_error.spectral_contract import check, check_fields, grid_of
from closures.model_error.spectral_graph import compiled
from closures.model_error.system import InEquation
from closures.model_error.term_units import coefficient_units
from closures.spec import ClosureSpec


class SpectralTerms(Closure):
    r"""Tendencies in closed form, :math:`\sum_j c_j T_j(u)`, on a periodic grid.

    The terms are those of the library that they were found in: derivatives by Fourier series, at
    the points of the grid, in float64. Its archive holds the equations as ``terms.json``; sums and
    multiples of closures do not.

    Parameters
    ----------
    equations
        Terms and coefficients: an equation, or one for each output.
    spec
        Contract: an input for each variable of the terms, an output for each tendency; all on the
        whole periodic grid, in float64, whose dims are the letters that terms are differentiated
        along.

    Raises
    ------
    TermsError
        If the equation and the contract do not fit each other.

    Examples
    --------
    >>> from closures import Field, Grid
    >>> from closures.model_error import Derivative, Variable
    >>> u, shape = Variable("u"), (("x",), (64,), "float64")
    >>> spec = ClosureSpec(
    ...     "diffusion",
    ...     "1.0",
    ...     (Field("u", "m s-1", *shape),),
    ...     (Field("u_tendency", "m s-2", *shape),),
    ...     locality="grid",
    ...     grid=Grid((100.0,), ("periodic",)),
    ... )
    >>> closure = SpectralTerms.of_terms((Derivative(u, "xx"),), (5.0,), spec, length_units="m")
    >>> print(closure.equation, "", *closure.equation.units)
    u_t = ... + 5 u_xx  m2 s-1
    """

    def __init__(self, equations: Equation | Sequence[Equation], spec: ClosureSpec) -> None:
        several = (equations,) if isinstance(equations, Equation) else tuple(equations)
        check(several, spec)
        super().__init__(spec)
        self.equations = several
        inputs = [field.name for field in spec.inputs]
        self.graph_module = compiled(several, inputs, grid_of(spec))

    @property
    def equation(self) -> Equation:
        """The equation of a closure with one output.

        Raises
        ------
        TermsError
            If it has several: they are `equations`.
        """
        if len(self.equations) > 1:
            raise TermsError(
                f"{self.spec.name}: expected one equation, got {len(self.equations)}; see equations"
            )
        return self.equations[0]

    @classmethod
    def of(
        cls,
        error: ModelError,
        spec: ClosureSpec,
        *,
        length_units: str = "1",
        dealias: bool = False,
    ) -> Self:
        """Make a closure of what was discovered, to be added to the model's tendency.

        Parameters
        ----------
        error
            What `closures.model_error.discover` returned.
        spec
            As in the class.
        length_units
            Units of the spacing of the grid: ``"m"``, or ``"1"`` for a nondimensional model.
        dealias
            As of the library that the terms were found in.

        Raises
        ------
        TermsError
            As in the class, and if units do not fit the terms.
        """
        return cls.of_terms(
            error.terms,
            error.coefficients,
            spec,
            covariance=error.covariance,
            length_units=length_units,
            dealias=dealias,
        )

    @classmethod
    def of_terms(
        cls,
        terms: tuple[Expression, ...],
        coefficients: Any,
        spec: ClosureSpec,
        *,
        covariance: Any = None,
        length_units: str = "1",
        dealias: bool = False,
    ) -> Self:
        """Make a closure of terms and coefficients.

        Parameters
        ----------
        terms, coefficients
            Expressions, and a number for each [units of the tendency / those of the term]. Of a
            system, `InEquation`, whose quantity q has the output ``q_tendency``.
        spec
            As in the class.
        covariance
            Of the coefficients, shape ``(n, n)``; None where it is not known.
        length_units, dealias
            As in `of`.

        Raises
        ------
        TermsError
            As `of` does.
        """
        check_fields(spec)
        known = {field.name: field.units for field in spec.inputs}
        values = tuple(float(coefficient) for coefficient in coefficients)
        if len(values) != len(terms):
            raise TermsError(
                f"{spec.name}: expected a coefficient for each of {len(terms)} terms, got "
                f"{len(values)}"
            )
        given = None if covariance is None else np.asarray(covariance, dtype=np.float64)
        if given is not None and given.shape != 2 * (len(terms),):
            raise TermsError(
                f"covariance: expected shape {2 * (len(terms),)}, a row a term, got {given.shape}"
            )
        places = _places(terms, spec)
        equations = []
        for output in spec.outputs:
            rows = places[output.name]
            own = [_argument(terms[row]) for row in rows]
            equations.append(
                Equation(
                    output=output.name,
                    axes="".join(spec.grid_dims),
                    terms=tuple(own),
                    coefficients=tuple(values[row] for row in rows),
                    units=tuple(
                        coefficient_units(term, output.units, known, length_units) for term in own
                    ),
                    covariance=None
                    if given is None
                    else tuple(tuple(row) for row in given[np.ix_(rows, rows)].tolist()),
                    dealias=dealias,
                )
            )
        return cls(equations, spec)

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Return the tendencies for fields of shape ``(n, *shape)``."""
        result: tuple[Tensor, ...] = self.graph_module(*tensors)
        return result

    def scriptable(self) -> nn.Module:
        """Return the generated module, with an argument for each variable."""
        return self.graph_module

    def documents(self) -> dict[str, str]:
        """Return the equations, as ``terms.json``."""
        return {ENTRY: to_text(self.equations)}


def _argument(term: Expression) -> Expression:
    return term.argument if isinstance(term, InEquation) else term


def _places(terms: Sequence[Expression], spec: ClosureSpec) -> dict[str, list[int]]:
    """Return the numbers of the terms of each output."""
    outputs = [field.name for field in spec.outputs]
    places: dict[str, list[int]] = {name: [] for name in outputs}
    for row, term in enumerate(terms):
        name = f"{term.quantity}_tendency" if isinstance(term, InEquation) else outputs[0]
        if name not in places or (len(outputs) > 1 and not isinstance(term, InEquation)):
            raise TermsError(
                f"{term.name}: expected a term of one of {', '.join(outputs)}; wrap it in "
                'InEquation(term, number, "q") for q_tendency'
            )
        places[name].append(row)
    return places
