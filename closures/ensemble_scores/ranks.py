"""Rank of the truth in an ensemble, and the coverage of central intervals that follows from it."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Levels like 0.9 leave tails that are not quite 0.05 in binary.
_ROUNDING = 1e-9


def rank_weights(members: Array, truth: Array, weights: Array | None = None) -> Array:
    """Return how often the truth has each rank among the members, ``(n_member + 1, n_feature)``.

    A truth equal to k members shares its weight evenly between the k + 1 ranks it could have.
    Where all members equal the truth, as with no rain in any of them or tendencies that are
    always zero, there is nothing to rank and nothing is counted.

    Parameters
    ----------
    members, truth
        ``(n_member, n_column, n_feature)`` and ``(n_column, n_feature)``.
    weights
        Weight of each column ``(n_column,)``; None for 1.

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
    if weights is None:
        counts: Array = (possible / (equal + 1)).sum(axis=1)
    else:
        counts = (possible * (weights[:, None] / (equal + 1))).sum(axis=1)
    return counts


def has_interval(n_bin: int, level: float) -> bool:
    """Return whether n_bin ranks can tell where a central interval ends.

    An interval that the extremes of the ensemble bound has the level (n - 1) / (n + 1) for n
    members, so 90 % needs 19 members and 50 % needs 3.

    Examples
    --------
    >>> has_interval(20, 0.9), has_interval(19, 0.9)
    (True, False)
    """
    return (1.0 - level) / 2.0 * n_bin >= 1.0 - _ROUNDING


def coverage(ranks: Array, level: float) -> Array:
    r"""Return the share of samples inside the central interval, ``(...)`` from ``(..., n_bin)``.

    If truth and n members are exchangeable, each of the n + 1 ranks has the same probability.
    An interval between order statistics, from ``x_(a)`` to ``x_(b)``, hence covers
    ``(b - a) / (n + 1)``, whatever the distribution. For the level c the lower end would be
    order statistic number ``t = (n + 1)(1 - c) / 2``; where t is no integer, the end is
    ``x_(floor t)`` or the next one, the next with the probability ``t - floor t``, and the upper
    end alike. The coverage is then the level *exactly*, in expectation, for every n that
    `has_interval`. It is computed without drawing: rank r stands for probabilities from
    ``r / (n + 1)`` to ``(r + 1) / (n + 1)``, and counts by the part of them between the tails.
    The mean width of those intervals is that of `interval_width`.

    A histogram of probability integral transforms is one of ranks in this sense. If the tails
    end at edges of its bins, nothing is shared.

    Parameters
    ----------
    ranks
        Weight by rank or bin, last axis.
    level
        For example 0.9.

    Returns
    -------
    numpy.ndarray
        NaN where nothing was ranked, and everywhere if the ranks do not suffice for the level.

    Examples
    --------
    Four members; the central 50 % begins a quarter past the first member.

    >>> coverage(np.array([0.0, 1.0, 0.0, 0.0, 0.0]), 0.5).item()
    0.75
    """
    n_bin = ranks.shape[-1]
    total = ranks.sum(axis=-1)
    if not has_interval(n_bin, level):
        return np.full(total.shape, np.nan)
    tail = (1.0 - level) / 2.0 * n_bin
    edges = np.clip(np.arange(n_bin + 1.0), tail, n_bin - tail)
    inside = (ranks * np.diff(edges)).sum(axis=-1)
    share: Array = np.divide(inside, total, out=np.full(total.shape, np.nan), where=total > 0.0)
    return share


def interval_width(members: Array, level: float) -> Array:
    """Return the width of the central interval of an ensemble, shape of one member.

    Its ends are the quantiles of Weibull's plotting position, order statistic number
    ``p (n + 1)`` with linear interpolation: the mean of the ends that `coverage` describes.

    Parameters
    ----------
    members
        ``(n_member, ...)``.
    level
        For example 0.9.

    Returns
    -------
    numpy.ndarray
        NaN if the members do not suffice for the level.

    References
    ----------
    .. [1] Hyndman & Fan 1996, Sample quantiles in statistical packages, Am. Stat. 50 (type 6).
    """
    if not has_interval(len(members) + 1, level):
        return np.full(members.shape[1:], np.nan)
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(members, [tail, 1.0 - tail], axis=0, method="weibull")
    width: Array = high - low
    return width
