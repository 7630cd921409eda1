"""Whether one closure beats another, over trainings from several seeds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from closures.ensemble_scores.errors import ScoreError


@dataclass(frozen=True)
class PairedDifference:
    """How much better the first closure is than the second.

    Parameters
    ----------
    mean
        Mean difference over seeds, positive if the first is better, in the score's units.
    low, high
        Ends of its interval.
    n_seed
        Number of seeds.
    confidence
        Of the interval.
    """

    mean: float
    low: float
    high: float
    n_seed: int
    confidence: float

    @property
    def beats(self) -> bool:
        """Whether the whole interval says that the first closure is better."""
        return self.low > 0.0


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    better: Literal["higher", "lower"],
    confidence: float = 0.95,
) -> PairedDifference:
    """Compare two closures seed by seed.

    Both are trained and scored with each seed, on the same data, so that what a seed does to both
    cancels. The interval of the mean difference is Student's,
    ``mean +- t(n - 1) sd / sqrt(n)``, and not a bootstrap: with 5 seeds there are only 126
    different resamples, none wider than the sample, and the 95 % interval of percentiles covers
    the mean in about 84 % of cases, while Student's covers it in 95 % for normal differences.

    Parameters
    ----------
    first, second
        Scores by seed, the same seeds in the same order.
    better
        ``"higher"`` for R2, ``"lower"`` for errors and CRPS.
    confidence
        Of the interval, two-sided.

    Raises
    ------
    ScoreError
        If there are fewer than 2 seeds, their numbers differ, or a score is not finite.

    Examples
    --------
    >>> found = paired_difference([0.9, 0.8, 0.9], [0.7, 0.7, 0.8], better="higher")
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3), found.beats
    (0.133, -0.01, 0.277, False)
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or a.size < 2:
        raise ScoreError(
            "comparison: expected a score of both closures for each of 2 or more seeds, got "
            f"shapes {a.shape} and {b.shape}"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ScoreError("comparison: expected finite scores, got NaN or infinity")
    difference = a - b if better == "higher" else b - a
    mean = float(difference.mean())
    quantile = float(stdtrit(a.size - 1, 0.5 + confidence / 2.0))
    reach = quantile * float(difference.std(ddof=1)) / np.sqrt(a.size)
    return PairedDifference(mean, float(mean - reach), float(mean + reach), a.size, confidence)
