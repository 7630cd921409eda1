"""Sums over columns from which the scores of the mean prediction follow."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class PointSums:
    """What is kept of the mean prediction and the truth while columns go by.

    Parameters
    ----------
    n_output
        Number of outputs.

    Attributes
    ----------
    weight : float
        Sum of the columns' weights.
    mean, spread : Array
        Weighted mean of the truth and weighted sum of its squared deviations ``(n_output,)``.
    error, absolute, squared : Array
        Weighted sums of ``p - y``, ``|p - y|`` and ``(p - y)^2``, ``(n_output,)``.

    References
    ----------
    .. [1] Chan, Golub & LeVeque 1983, Algorithms for computing the sample variance, Am. Stat. 37.
    """

    def __init__(self, n_output: int) -> None:
        self.weight = 0.0
        self.mean, self.spread, self.error, self.absolute, self.squared = np.zeros((5, n_output))

    def add(self, prediction: Array, truth: Array, weight: Array) -> None:
        """Add columns: two times ``(n_column, n_output)``, and the columns' weights."""
        error = prediction - truth
        self.error += weight @ error
        self.absolute += weight @ np.abs(error)
        self.squared += weight @ error**2
        added = float(weight.sum())
        if added == 0.0:
            return
        total = self.weight + added
        mean = weight @ truth / added
        shift = mean - self.mean
        # Merging means and squared deviations, so that a large mean costs no digits.
        self.spread += weight @ (truth - mean) ** 2 + shift**2 * self.weight * added / total
        self.mean += shift * added / total
        self.weight = total

    @property
    def deviation(self) -> Array:
        """Standard deviation of the truth ``(n_output,)``."""
        root: Array = np.sqrt(self.spread / self.weight)
        return root
