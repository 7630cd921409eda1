"""From samples to an equation: the terms that a model lacks, with their coefficients."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error.columns import Columns
from closures.model_error.expressions import Expression
from closures.model_error.gram import Gram
from closures.model_error.library import Library
from closures.model_error.posterior import Posterior
from closures.model_error.relevance import Criterion, Path, pruning_path
from closures.model_error.samples import Samples, Step, analysis_increments

Array = NDArray[Any]

Rows = Callable[[Array], Array]
"""What makes rows of fields: called with shape ``(..., *grid.shape)``, it returns ``(..., n)``."""

# Bytes of columns that are held at a time.
_BATCH = 64 * 2**20


@dataclass(frozen=True)
class ModelError:
    """What a model lacks, as terms to add to its tendency.

    Parameters
    ----------
    terms
        The terms that were found.
    coefficients
        Of each [the unit of the state / time / that of the term].
    covariance
        Their posterior covariance, shape ``(n, n)``.
    path
        The fits of all numbers of terms that it was chosen from.
    increment
        Root mean square of the increments [the unit of the state / time].
    residual
        Of what the terms leave of them, relative to it.
    n_row, n_masked, n_dropped
        Rows of the regression; rows without an observation; samples without an analysed state.
    """

    terms: tuple[Expression, ...]
    coefficients: Array
    covariance: Array
    path: Path
    increment: float
    residual: float
    n_row: int
    n_masked: int
    n_dropped: int

    @property
    def standard_errors(self) -> Array:
        """Posterior standard deviation of each coefficient."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def named(self) -> dict[str, float]:
        """Coefficients by the names of the terms."""
        return {t.name: float(c) for t, c in zip(self.terms, self.coefficients, strict=True)}

    def __str__(self) -> str:
        triples = zip(self.terms, self.coefficients, self.standard_errors, strict=True)
        terms = "\n".join(f"{c:+.6g} +- {s:.1g}  {t.name}" for t, c, s in triples)
        left_out = f", {self.n_masked} masked" if self.n_masked else ""
        left_out += f", {self.n_dropped} samples dropped" if self.n_dropped else ""
        return (
            f"{terms}\nleaves {self.residual:.2g} of the increments, of {self.increment:.3g}; "
            f"{self.n_row} rows worth {self.path.n_effective:.3g} independent ones{left_out}"
        )


def gather(
    step: Step, samples: Samples, library: Library, columns: Columns, rows: Rows | None = None
) -> Gram:
    """Return the moments of the increments of a model and of the columns of its candidate terms.

    Parameters
    ----------
    step
        One step of the model.
    samples
        Analysed states and observations.
    library
        Candidate terms.
    columns
        How the terms enter, see `closures.model_error.columns`.
    rows
        What the regression is made with; by default all points of the grid. Amplitudes of some
        modes, `closures.model_error.assimilation.Modes.rows`, where noise covers the others.

    Raises
    ------
    SamplesError
        If the step returns something else than states.
    LibraryError
        If fields, terms or columns do not fit each other.
    """
    gram = Gram(library.names)
    row_bytes = 8 * len(library.terms) * int(np.prod(library.grid.shape))
    for batch in samples.batches(max(1, _BATCH // row_bytes)):
        increments = library.component(analysis_increments(step, batch))
        made = columns(library, batch)
        if rows is not None:
            made, increments = rows(made), rows(increments)
        gram.add(made, increments)
    return gram


def discover(
    step: Step,
    samples: Samples,
    library: Library,
    columns: Columns,
    criterion: Criterion = "l_curve",
    rows: Rows | None = None,
) -> ModelError:
    """Find the terms that a model lacks.

    Parameters
    ----------
    step, samples, library, columns
        As for `gather`.
    criterion
        How the number of terms is chosen, see `Path.choose`.
    rows
        As for `gather`; rows that it makes count as independent, points of the grid do not.

    Raises
    ------
    SamplesError, LibraryError
        As `gather`, and if there are too few rows or columns cannot be told apart.
    NothingFoundError
        If no term explains the increments.
    """
    gram = gather(step, samples, library, columns, rows)
    path = pruning_path(gram, None if rows is None else gram.n_row)
    fit: Posterior = path.choose(criterion)
    moments = gram.moments()
    return ModelError(
        tuple(library.terms[i] for i in fit.support),
        fit.coefficients,
        fit.covariance,
        path,
        float(np.sqrt(moments.target_square / moments.n_row)),
        fit.residual,
        moments.n_row,
        gram.n_masked,
        samples.n_dropped,
    )
