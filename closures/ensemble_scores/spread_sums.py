"""Sums over columns that tell whether the spread is as large as the error."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SPREAD_EDGES = np.logspace(-3.0, 2.0, 26)
"""Bins of the spread in units of the outputs' scale: five a decade, the outer two without end."""


class SpreadSums:
    """What is kept of the predictive variance and the squared error while columns go by.

    Parameters
    ----------
    n_member
        Number of members.
    scale
        Typical size of each output ``(n_output,)``; outputs of scale 0 are in no bin.

    Attributes
    ----------
    epistemic, aleatoric : Array
        Weighted sums of the members' variance (with n - 1; 0 for one member) and of the mean
        variance of their noise ``(n_output,)``.
    expected : Array
        Weighted sum of the squared error that the prediction expects of its mean,
        ``(1 + 1 / n) epistemic + aleatoric`` [1], ``(n_output,)``.
    binned : Array
        Weight, expected and actual squared error in units of the scale's square, summed by bin of
        the expected error's root, ``(3, n_output, n_bin)``.

    References
    ----------
    .. [1] Fortin et al. 2014, Why should ensemble spread match the RMSE of the ensemble mean?
       J. Hydrometeorol. 15, doi:10.1175/JHM-D-14-0008.1.
    """

    def __init__(self, n_member: int, scale: Array) -> None:
        self.n_member = n_member
        self.scale = scale
        self.epistemic, self.aleatoric, self.expected = np.zeros((3, scale.size))
        self.binned = np.zeros((3, scale.size, SPREAD_EDGES.size - 1))

    def add(self, epistemic: Array, aleatoric: Array, squared: Array, weight: Array) -> None:
        """Add columns: variances and squared error ``(n_column, n_output)``, columns' weights."""
        expected = (1.0 + 1.0 / self.n_member) * epistemic + aleatoric
        self.epistemic += weight @ epistemic
        self.aleatoric += weight @ aleatoric
        self.expected += weight @ expected
        used = np.flatnonzero(self.scale > 0.0)
        unit = self.scale[used] ** 2
        relative = expected[:, used] / unit
        bins = np.searchsorted(SPREAD_EDGES[1:-1], np.sqrt(relative), side="right")
        n_output, n_bin = self.binned.shape[1:]
        place = (bins + n_bin * used).ravel()
        for i, values in enumerate((np.ones_like(relative), relative, squared[:, used] / unit)):
            shares = (weight[:, None] * values).ravel()
            self.binned[i] += np.bincount(place, shares, n_output * n_bin).reshape(n_output, n_bin)
