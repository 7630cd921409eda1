"""Sums from which the scores of ensembles follow: CRPS, spread and skill, ranks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from closures.ensemble_scores.crps import fair_crps, half_weighted_crps
from closures.ensemble_scores.ranks import rank_weights

Array = NDArray[np.float64]

SPREAD_EDGES = np.logspace(-4.0, 4.0, 33)
"""Bins of the ensemble's standard deviation in the spread-skill diagram [W m-2]."""


class EnsembleSums:
    """What is kept of an ensemble and the truth while time steps go by.

    Parameters
    ----------
    n_member
        Number of members, at least 2.
    parts
        Range of features of each variable; ranks and the spread-skill diagram are kept by
        variable, the rest at each column and level.
    n_column
        Number of columns.

    Attributes
    ----------
    count : Array
        Number of time steps of each column ``(n_column,)``.
    crps, absolute, variance, squared : Array
        Sums over time of the fair CRPS, of the mean of ``|x_i - y|``, of the members' variance
        (with n - 1) and of the squared error of their mean, ``(n_column, n_feature)``.
    ranks : Array
        Number of samples by rank of the truth ``(n_variable, n_member + 1)``.
    binned : Array
        Number of samples, their variance and squared error summed, by bin of the standard
        deviation, ``(3, n_variable, n_bin)``.
    """

    def __init__(self, n_member: int, parts: Sequence[slice], n_column: int) -> None:
        if n_member < 2:
            raise ValueError(f"ensemble scores: expected at least 2 members, got {n_member}")
        n_feature = parts[-1].stop
        self.n_member = n_member
        self.parts = tuple(parts)
        self.count = np.zeros(n_column)
        self.crps, self.absolute, self.variance, self.squared = np.zeros((4, n_column, n_feature))
        self.ranks = np.zeros((len(parts), n_member + 1))
        self.binned = np.zeros((3, len(parts), SPREAD_EDGES.size - 1))

    def add(self, members: Array, truth: Array) -> None:
        """Add one time step of all columns; arrays as for `rank_weights`."""
        self.count += 1.0
        variance = members.var(axis=0, ddof=1)
        squared = (members.mean(axis=0) - truth) ** 2
        self.crps += fair_crps(members, truth)
        self.absolute += np.abs(members - truth).mean(axis=0)
        self.variance += variance
        self.squared += squared
        ranks = rank_weights(members, truth)
        for i, part in enumerate(self.parts):
            self.ranks[i] += ranks[:, part].sum(axis=1)
            samples = variance[:, part].ravel()
            for total, weights in zip(
                self.binned, (None, samples, squared[:, part].ravel()), strict=True
            ):
                total[i] += np.histogram(np.sqrt(samples), SPREAD_EDGES, weights=weights)[0]

    @property
    def half_weighted(self) -> Array:
        """Sum over time of `half_weighted_crps`, which is not proper."""
        return half_weighted_crps(self.absolute, self.crps)

    @property
    def fair_variance(self) -> Array:
        """Sum over time of the variance times (n + 1) / n.

        It equals the squared error of the mean, in expectation, for an ensemble that the truth
        cannot be told from [1].

        References
        ----------
        .. [1] Fortin et al. 2014, Why should ensemble spread match the RMSE of the ensemble mean?
           J. Hydrometeorol. 15, doi:10.1175/JHM-D-14-0008.1.
        """
        scaled: Array = self.variance * (self.n_member + 1) / self.n_member
        return scaled
