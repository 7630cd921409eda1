"""The relevance vector machine: a path of ever fewer terms, and the choice of one on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np

from closures.model_error.checks import check_columns
from closures.model_error.choice import evidence_of_sizes, size_by_evidence, size_by_l_curve
from closures.model_error.dependence import effective_share
from closures.model_error.errors import NothingFoundError
from closures.model_error.gram import Gram
from closures.model_error.posterior import Posterior, fit_posterior
from closures.model_error.replacement import Replacement

Criterion = Literal["l_curve", "evidence"]

_CHOICES: Mapping[str, Callable[[Sequence[float], float], int]] = MappingProxyType(
    {"evidence": size_by_evidence, "l_curve": size_by_l_curve}
)


@dataclass(frozen=True)
class Path:
    """Fits of ever fewer terms of a library.

    Parameters
    ----------
    names
        Names of all terms.
    fits
        Fit of 1, 2, ... terms; that of k terms is in place k - 1.
    n_effective
        How many independent rows the rows are worth.
    pruned
        What is left of the target with 0, 1, 2, ... terms where terms are only dropped, none
        replaced, relative to it.
    """

    names: tuple[str, ...]
    fits: tuple[Posterior, ...]
    n_effective: float
    pruned: tuple[float, ...]

    @property
    def residuals(self) -> list[float]:
        """What is left of the target with 0, 1, 2, ... terms, relative to it."""
        return [1.0, *(fit.residual for fit in self.fits)]

    def choose(self, criterion: Criterion = "l_curve") -> Posterior:
        """Return the fit that a criterion prefers.

        Parameters
        ----------
        criterion
            ``"l_curve"``: where further terms cease to help, of the numbers of terms that the
            evidence allows, `closures.model_error.choice.growth_ratios`, on the path without
            replacements: these blunt its bend. ``"evidence"``: the most
            probable number of terms, `evidence_of_sizes`; right where residuals are noise alone.
            What analyses leave behind of observations is not: it depends on the state, a little,
            and with enough samples the evidence finds terms for it.

        Raises
        ------
        ValueError
            If there is no such criterion.
        NothingFoundError
            If no term at all is more probable than any set of terms.
        """
        if criterion not in _CHOICES:
            raise ValueError(
                f"criterion: expected one of {', '.join(get_args(Criterion))}, got {criterion!r}"
            )
        residuals = self.residuals if criterion == "evidence" else self.pruned
        size = _CHOICES[criterion](residuals, self.n_effective)
        if size == 0:
            best = self.fits[0]
            share = 1.0 - best.residual**2
            raise NothingFoundError(
                f"library: expected terms that explain the increments, got none; the best, "
                f"{self.names[best.support[0]]}, explains {share:.1e} of their variance in "
                f"{self.n_effective:.3g} independent rows; use more or less noisy samples, or "
                "other terms"
            )
        return self.fits[size - 1]


def pruning_path(gram: Gram, n_effective: float | None = None) -> Path:
    """Fit all terms, drop the one with the least relevance, and so on until one is left.

    Then, in each set that the evidence may come to choose, terms are replaced by others while that
    leaves less of the target, see `closures.model_error.replacement`: of terms that look alike,
    the one that was dropped may explain more once others are gone.

    Parameters
    ----------
    gram
        Moments of the rows.
    n_effective
        How many independent rows they are worth; by default as they show themselves, see
        `closures.model_error.dependence.effective_share`.

    Raises
    ------
    LibraryError
        If there are too few rows, or columns cannot be told apart.
    """
    moments = gram.moments()
    check_columns(gram)
    if n_effective is None:
        n_effective = effective_share(gram) * moments.n_row
    support, start = tuple(range(moments.n_term)), None
    fits: list[Posterior] = []
    while support:
        fit, precisions = fit_posterior(moments, support, n_effective, start)
        fits.append(fit)
        kept = np.arange(len(support)) != np.argmin(fit.relevance)
        support = tuple(term for term, keep in zip(support, kept, strict=True) if keep)
        start = precisions[kept]
    fits.reverse()
    pruned = (1.0, *(fit.residual for fit in fits))
    # No set leaves less than all terms do: what others cannot reach even so is not tried.
    reachable = evidence_of_sizes([1.0, *[pruned[-1]] * moments.n_term], n_effective)
    best = float(evidence_of_sizes(pruned, n_effective).max())
    replacement = Replacement(moments)
    for i, fit in enumerate(fits):
        better = replacement.improved(fit.support) if reachable[i + 1] >= best else fit.support
        if better != fit.support:
            fits[i] = fit_posterior(moments, better, n_effective)[0]
    return Path(gram.names, tuple(fits), n_effective, pruned)
