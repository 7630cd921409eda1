"""Sums over columns that tell how often the truth lies where the prediction says."""

import numpy as np
from numpy.typing import NDArray

from closures.ensemble_scores.mixture import mixture_cdf, mixture_quantile
from closures.ensemble_scores.ranks import interval_width, rank_weights

Array = NDArray[np.float64]

LEVELS = (0.5, 0.9)
"""Central intervals whose coverage and width are scored."""
N_PIT_BIN = 20
"""Bins of the probability integral transform; the tails of both intervals end at edges of them."""


class CalibrationSums:
    """What is kept of ranks and of the width of intervals while columns go by.

    Parameters
    ----------
    n_bin
        Number of members plus 1 if they have no noise, else `N_PIT_BIN`.
    n_output
        Number of outputs.

    Attributes
    ----------
    ranks : Array
        Weight by rank of the truth among the members, or by bin of its probability integral
        transform if they have noise, ``(n_output, n_bin)``. A truth that all members equal
        without noise is not counted.
    width : Array
        Weighted sums of the width of the intervals, ``(n_level, n_output)``.
    """

    def __init__(self, n_bin: int, n_output: int) -> None:
        self.ranks = np.zeros((n_output, n_bin))
        self.width = np.zeros((len(LEVELS), n_output))

    def add(self, members: Array, truth: Array, weight: Array) -> None:
        """Add columns of an ensemble without noise: ``(n_member, n_column, n_output)``."""
        self.ranks += rank_weights(members, truth, weight).T
        self.width += [weight @ interval_width(members, level) for level in LEVELS]

    def add_mixture(self, members: Array, noise: Array, truth: Array, weight: Array) -> None:
        """Add columns of an ensemble whose members have noise, a standard deviation each."""
        n_output, n_bin = self.ranks.shape
        transform = mixture_cdf(members, noise, truth)
        bins = np.minimum((transform * n_bin).astype(np.intp), n_bin - 1)
        counted = ((noise > 0.0) | (members != truth)).any(axis=0)
        place = (bins + n_bin * np.arange(n_output)).ravel()
        shares = (weight[:, None] * counted).ravel()
        self.ranks += np.bincount(place, shares, self.ranks.size).reshape(self.ranks.shape)
        for i, level in enumerate(LEVELS):
            tail = (1.0 - level) / 2.0
            low, high = (mixture_quantile(members, noise, p) for p in (tail, 1.0 - tail))
            self.width[i] += weight @ (high - low)
