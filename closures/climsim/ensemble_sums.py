"""Sums from which the scores of ensembles follow: CRPS, spread and skill, ranks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SPREAD_EDGES = np.logspace(-4.0, 4.0, 33)
"""Bins of the ensemble's standard deviation in the spread-skill diagram [W m-2]."""


def fair_crps(members: Array, truth: Array) -> Array:
    """Return the fair continuous ranked probability score, shape of `truth`.

    ``mean_i |x_i - y| - sum_(i<j) |x_i - x_j| / (n (n - 1))``: its expectation does not depend on
    the number of members.

    Parameters
    ----------
    members
        ``(n_member, *truth.shape)``.
    truth
        What happened, in the same units.

    References
    ----------
    .. [1] Ferro 2014, Fair scores for ensemble forecasts, QJRMS 140, doi:10.1002/qj.2270.
    """
    # Takes seconds to import, as it compiles; most scores are of single predictions.
    import scoringrules  # noqa: PLC0415

    scores = scoringrules.crps_ensemble(truth, np.moveaxis(members, 0, -1), estimator="fair")
    return np.asarray(scores, dtype=np.float64)


def rank_weights(members: Array, truth: Array) -> Array:
    """Return how often the truth has each rank among the members, ``(n_member + 1, n_feature)``.

    A truth equal to k members shares its weight evenly between the k + 1 ranks it could have.
    Where all members equal the truth, as with no rain in any of them or tendencies that are
    always zero, there is nothing to rank and nothing is counted.

    Parameters
    ----------
    members, truth
        ``(n_member, n_column, n_feature)`` and ``(n_column, n_feature)``.

    Examples
    --------
    >>> members = np.array([[[0.0]], [[0.0]], [[1.0]]])
    >>> rank_weights(members, np.array([[0.0]]))[:, 0].round(3).tolist()
    [0.333, 0.333, 0.333, 0.0]
    >>> rank_weights(members, np.array([[2.0]]))[:, 0].tolist()
    [0.0, 0.0, 0.0, 1.0]
    """
    below = (members < truth).sum(axis=0)
    equal = (members == truth).sum(axis=0)
    ranks = np.arange(len(members) + 1)[:, None, None]
    possible = (ranks >= below) & (ranks <= below + equal) & (equal < len(members))
    weights: Array = (possible / (equal + 1)).sum(axis=1)
    return weights


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
        """Sum over time of the CRPS with half the weight on the spread.

        ``mean_i |x_i - y| - sum_(i<j) |x_i - x_j| / (2 n (n - 1))``: found in a public tuning
        script. It is not proper: it rewards ensembles with too little spread.
        """
        half: Array = (self.absolute + self.crps) / 2.0
        return half

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
