"""Sparse Bayesian regression on a given set of terms, from the moments of the rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error.gram import Moments

Array = NDArray[Any]

_N_ITERATION = 200
# Change of ln evidence in an iteration below which the hyperparameters have been found.
_TOLERANCE = 1e-2
# Precisions of scaled coefficients beyond which a term has no part in the fit.
_LARGEST = 1e12
_RANGE = (1.0 / _LARGEST, _LARGEST)
# The smallest mean square of the residual, relative to that of the target: far below rounding.
_SMALLEST = 1e-30


@dataclass(frozen=True)
class Posterior:
    """Coefficients of a set of terms, given the rows.

    Parameters
    ----------
    support
        Indices of the terms in the library.
    coefficients
        Their posterior mean.
    covariance
        Their posterior covariance, shape ``(n, n)``.
    residual
        Root mean square of what is left of the target, relative to that of the target.
    log_evidence
        Logarithm of the marginal likelihood at the hyperparameters that maximise it, up to a
        constant that all sets of terms of the same rows share.
    relevance
        What each term adds to it, the others given.
    """

    support: tuple[int, ...]
    coefficients: Array
    covariance: Array
    residual: float
    log_evidence: float
    relevance: Array

    @property
    def standard_errors(self) -> Array:
        """Posterior standard deviation of each coefficient."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    def dense(self, n_term: int) -> Array:
        """Return the coefficients of all terms of a library, 0 where a term is not in the set."""
        everything = np.zeros(n_term)
        everything[list(self.support)] = self.coefficients
        return everything


@dataclass(frozen=True)
class _Scaled:
    """Moments of columns and target scaled to a mean square of 1."""

    correlation: Array
    projections: Array
    columns: Array
    target: float


def fit_posterior(
    moments: Moments,
    support: tuple[int, ...],
    n_effective: float,
    start: Array | None = None,
) -> tuple[Posterior, Array]:
    r"""Fit some terms, their precisions and that of the noise by maximum evidence.

    .. math::
        y \sim N(X m, \beta^{-1}), \quad m_j \sim N(0, \alpha_j^{-1}),

    for columns and target scaled to mean squares of 1; :math:`\alpha` and :math:`\beta` by the
    iteration of MacKay (1992) and Tipping (2001). No term is pruned here.

    Parameters
    ----------
    moments
        Of the rows.
    support
        Indices of the terms.
    n_effective
        How many independent rows the rows are worth.
    start
        Precisions to begin with, one for each term of the support.

    Returns
    -------
    posterior
        The fit.
    precisions
        :math:`\alpha`, to begin the fit of a smaller set with.

    References
    ----------
    MacKay (1992), Neural Comput. 4, 415. Tipping (2001), J. Mach. Learn. Res. 1, 211.
    """
    terms = list(support)
    scaled = _scale(moments, terms)
    dense = np.zeros(moments.n_term)

    def residual(mean: Array) -> float:
        dense[terms] = mean * scaled.target / scaled.columns
        relative = moments.residual_square(dense) / moments.target_square
        return max(relative, _SMALLEST)

    alpha = np.ones(len(terms)) if start is None else start
    mean: Array = np.linalg.lstsq(scaled.correlation, scaled.projections, rcond=None)[0]
    square, covariance, evidence = residual(mean), np.eye(len(terms)), -np.inf
    beta = 1.0 / square
    for _ in range(_N_ITERATION):
        precision = beta * n_effective
        inverse = np.diag(alpha) + precision * scaled.correlation
        covariance = np.asarray(np.linalg.inv(inverse))
        mean = precision * covariance @ scaled.projections
        square = residual(mean)
        before, evidence = evidence, 0.5 * (
            float(np.log(alpha).sum()) + n_effective * (np.log(beta) - beta * square)
            - float(alpha @ mean**2) - float(np.linalg.slogdet(inverse)[1])
        )  # fmt: skip
        if abs(evidence - before) < _TOLERANCE:
            break
        determined = 1.0 - alpha * np.diag(covariance)
        # Rounding, where nothing is determined, must not turn precisions negative.
        determined = np.clip(determined, _SMALLEST, 1.0)
        alpha = np.clip(determined / np.maximum(mean**2, 1.0 / _LARGEST), *_RANGE)
        beta = max(n_effective - float(determined.sum()), 1.0) / (n_effective * square)
    variance = np.diag(covariance)
    relevance = 0.5 * (mean**2 / variance + np.log(alpha * variance))
    unit = scaled.target / scaled.columns
    posterior = Posterior(
        support,
        mean * unit,
        covariance * np.outer(unit, unit),
        float(np.sqrt(square)),
        float(evidence),
        relevance,
    )
    return posterior, alpha


def _scale(moments: Moments, terms: list[int]) -> _Scaled:
    n_row = moments.n_row
    columns = np.sqrt(np.diag(moments.products)[terms] / n_row)
    target = float(np.sqrt(moments.target_square / n_row))
    correlation = moments.products[np.ix_(terms, terms)] / np.outer(columns, columns) / n_row
    projections = moments.target_projections()[terms] / (columns * target * n_row)
    return _Scaled(correlation, projections, columns, target)
