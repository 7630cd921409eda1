"""A closed-form equation of a tendency, with what is known of its coefficients."""

from dataclasses import dataclass
from math import isfinite, sqrt

from closures.errors import SpecError
from closures.field import check_name
from closures.model_error.errors import TermsError
from closures.model_error.expressions import Derivative, Expression, Product, Variable
from closures.model_error.significant import measured
from closures.model_error.tree import walk

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Equation:
    """A tendency as a sum of terms, each with a coefficient.

    Parameters
    ----------
    output
        Name of the tendency, such as ``"u_tendency"``.
    axes
        Letters of the axes that terms may be differentiated along, in the order of the axes of a
        field.
    terms
        The terms; their variables have names that Fortran allows.
    coefficients
        One a term [units].
    units
        Of each coefficient, as UDUNITS reads them.
    covariance
        Covariance of the coefficients; None where it is not known.
    dealias
        Whether products are evaluated on a finer grid, see `closures.model_error.Library`.

    Raises
    ------
    TermsError
        If there is no term, not one coefficient and one unit a term, a number is not finite, the
        covariance has another shape or a negative variance, or a name cannot be used.
    """

    output: str
    axes: str
    terms: tuple[Expression, ...]
    coefficients: tuple[float, ...]
    units: tuple[str, ...]
    covariance: Matrix | None = None
    dealias: bool = False

    def __post_init__(self) -> None:
        n = len(self.terms)
        if not n or len(self.coefficients) != n or len(self.units) != n:
            raise TermsError(
                "equation: expected terms with a coefficient and its units each, got "
                f"{n} terms, {len(self.coefficients)} coefficients and {len(self.units)} units"
            )
        if not all(isfinite(coefficient) for coefficient in self.coefficients):
            raise TermsError(
                f"equation: expected finite coefficients, got {list(self.coefficients)}"
            )
        self._check_covariance()
        self._check_names()

    def _check_covariance(self) -> None:
        if self.covariance is None:
            return
        n = len(self.terms)
        if len(self.covariance) != n or any(len(row) != n for row in self.covariance):
            raise TermsError(
                f"covariance: expected shape ({n}, {n}), a row a term, got rows of "
                f"{[len(row) for row in self.covariance]}"
            )
        finite = all(isfinite(value) for row in self.covariance for value in row)
        if not finite or any(self.covariance[i][i] < 0.0 for i in range(n)):
            raise TermsError(
                "covariance: expected finite numbers and no negative variance, got variances "
                f"{[self.covariance[i][i] for i in range(n)]}; give none where it is not known"
            )

    def _check_names(self) -> None:
        try:
            check_name("output", self.output)
            for variable in self.variables:
                check_name("variable", variable.symbol)
        except SpecError as error:
            raise TermsError(f"equation: {error}") from error
        for term in self.terms:
            for node in walk(term):
                if isinstance(node, Derivative) and not set(node.along) <= set(self.axes):
                    raise TermsError(
                        f"{node.name}: expected derivatives along axes of the grid, {self.axes!r}"
                    )

    @property
    def standard_errors(self) -> tuple[float | None, ...]:
        """Standard error of each coefficient [its units]; None where it is not known."""
        if self.covariance is None:
            return (None,) * len(self.terms)
        return tuple(sqrt(row[i]) for i, row in enumerate(self.covariance))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Variables of the terms, in the order in which they appear."""
        nodes = (node for term in self.terms for node in walk(term))
        return tuple(dict.fromkeys(node for node in nodes if isinstance(node, Variable)))

    @property
    def degree(self) -> int:
        """How many factors the longest product has."""
        return max(term.degree for term in self.terms)

    @property
    def prognostic(self) -> Variable | None:
        """What it is the tendency of; None where the name of the output does not tell."""
        symbol = self.output.removesuffix("_tendency")
        if symbol == self.output:
            return None
        same = (variable for variable in self.variables if variable.symbol == symbol)
        escaped = symbol.replace("_", r"\_")
        return next(same, Variable(symbol, rf"\mathrm{{{escaped}}}"))

    def __str__(self) -> str:
        known = self.prognostic
        text = f"{known.name}_t =" if known else f"{self.output} ="
        text += " ..."
        triples = zip(self.coefficients, self.standard_errors, self.terms, strict=True)
        for coefficient, error, term in triples:
            size, digits, power = measured(abs(coefficient), error)
            number = f"({size} +- {digits})" if digits else size
            number += f"e{power}" if power else ""
            text += f" {'-' if coefficient < 0.0 else '+'} {number} {as_factor(term).name}"
        return text


def as_factor(term: Expression) -> Expression:
    """Return a term that can stand behind a coefficient: a sum gets brackets."""
    return term if isinstance(term, Product) else Product((term,))
