"""Discovery of every model error of the study from observations without noise."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from closures.model_error import (
    AtTheEnd,
    BlackBoxColumns,
    Columns,
    Criterion,
    ImplicitColumns,
    Library,
    ModelError,
    PeriodicGrid,
    Samples,
    Variable,
    discover,
    monomials,
)
from hybrid.experiments.medida_ks.cases import (
    CASES,
    Coefficients,
    ImperfectModel,
    missing_terms,
    percent_error,
)
from hybrid.experiments.medida_ks.truth import Truth

FORMS: Mapping[str, Callable[[ImperfectModel], Columns]] = MappingProxyType(
    {
        "operator": lambda model: ImplicitColumns(model.implicit),
        "black_box": lambda model: BlackBoxColumns(model.step),
        "at_the_end": lambda _model: AtTheEnd(),
    }
)
"""How candidate terms enter: through the implicit operator of the step, through the step itself,
or not through it at all, as published."""


@dataclass(frozen=True)
class Score:
    """What was found in a case.

    Parameters
    ----------
    case
        Its name.
    before, after
        Error of the model's coefficients, uncorrected and corrected [%].
    right
        Whether the terms are exactly those that the model lacks.
    error
        All that was found.
    """

    case: str
    before: float
    after: float
    right: bool
    error: ModelError


def candidate_terms(truth: Truth) -> Library:
    """Return the library of the study, 24 terms u^p d^q u / dx^q, on the grid of the truth."""
    grid = PeriodicGrid("x", (truth.nx,), (truth.length,))
    return Library(monomials(Variable("u")), grid, lambda states: {"u": states})


def find(
    coefficients: Coefficients,
    truth: Truth,
    samples: Samples,
    form: str = "operator",
    criterion: Criterion = "l_curve",
) -> ModelError:
    """Discover what a model with these coefficients lacks.

    Parameters
    ----------
    coefficients
        Of the model.
    truth
        How the samples were made.
    samples
        Of nature.
    form
        Key of `FORMS`.
    criterion
        How the number of terms is chosen, see `closures.model_error.Path.choose`.
    """
    model = ImperfectModel(coefficients, truth.nx, truth.length, truth.dt)
    return discover(model.step, samples, candidate_terms(truth), FORMS[form](model), criterion)


def scores(
    truth: Truth, samples: Samples, form: str = "operator", criterion: Criterion = "l_curve"
) -> Iterator[Score]:
    """Yield a score for each of `CASES`; parameters as for `find`."""
    for case, coefficients in CASES.items():
        error = find(coefficients, truth, samples, form, criterion)
        found = error.named
        yield Score(
            case,
            percent_error(coefficients),
            percent_error(coefficients, found),
            set(found) == set(missing_terms(coefficients)),
            error,
        )
