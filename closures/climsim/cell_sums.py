"""Sums over time at each column and level, from which all deterministic scores follow."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass
class CellSums:
    """What is kept of predictions and truth while time steps go by.

    Its size does not grow with their number. Means and squares follow Welford, so that neither
    the length of the series nor a large mean costs digits.

    Parameters
    ----------
    count
        Number of time steps of each column ``(n_column,)``.
    absolute, squared, error
        Sums over time of ``|p - t|``, ``(p - t)^2`` and ``p - t``, ``(n_column, n_feature)``.
    mean, spread
        Mean of the truth and sum of its squared deviations from it, ``(n_column, n_feature)``.

    References
    ----------
    .. [1] Chan, Golub & LeVeque 1983, Algorithms for computing the sample variance, Am. Stat. 37.
    """

    count: Array
    absolute: Array
    squared: Array
    error: Array
    mean: Array
    spread: Array

    @classmethod
    def empty(cls, n_column: int, n_feature: int) -> Self:
        """Return the sums of no time step."""
        arrays = (np.zeros((n_column, n_feature)) for _ in range(5))
        return cls(np.zeros(n_column), *arrays)

    def add(self, prediction: Array, truth: Array, present: Mask | None = None) -> None:
        """Add one time step.

        Parameters
        ----------
        prediction, truth
            ``(n_column, n_feature)``.
        present
            Columns that count ``(n_column,)``; None for all.
        """
        weight = np.ones(len(truth)) if present is None else present.astype(np.float64)
        self.count += weight
        weight = weight[:, None]
        error = weight * (prediction - truth)
        self.absolute += np.abs(error)
        self.squared += error**2
        self.error += error
        deviation = weight * (truth - self.mean)
        self.mean += deviation / np.maximum(self.count, 1.0)[:, None]
        self.spread += deviation * (truth - self.mean)

    def __add__(self, other: "CellSums") -> "CellSums":
        """Return the sums over the time steps of both."""
        count = self.count + other.count
        share = np.divide(other.count, count, out=np.zeros_like(count), where=count > 0)[:, None]
        deviation = other.mean - self.mean
        return CellSums(
            count,
            self.absolute + other.absolute,
            self.squared + other.squared,
            self.error + other.error,
            self.mean + share * deviation,
            self.spread + other.spread + deviation**2 * share * self.count[:, None],
        )


@dataclass(frozen=True)
class Summary:
    """Scores of each feature over some columns, each ``(n_feature,)``.

    Parameters
    ----------
    mae, rmse, bias
        Mean absolute error, root of the time-mean squared error averaged over columns, mean
        error; means over columns are weighted by area.
    r2
        ``1 - SSE / SST`` over time of each column, averaged over columns; NaN or -inf where the
        truth of a column never varies.
    unexplained, total
        SSE and SST over all columns and times, SST about their common mean.
    deviation
        Standard deviation of the truth about it.
    """

    mae: Array
    rmse: Array
    bias: Array
    r2: Array
    unexplained: Array
    total: Array
    deviation: Array


def summarize(sums: CellSums, area: Array) -> Summary:
    """Average over columns as ClimSim's scoring does.

    ClimSim multiplies values by ``area / mean(area)`` and then takes plain means. Here columns
    with fewer time steps, as in the dark half of the year, count less in proportion.

    Parameters
    ----------
    sums
        Sums of values per area.
    area
        Area of each column ``(n_column,)``, any unit; 0 leaves a column out.

    Returns
    -------
    Summary
        All NaN if no column counts.
    """
    used = (sums.count > 0) & (area > 0)
    if not used.any():
        nothing = np.full(sums.mean.shape[1], np.nan)
        return Summary(*(nothing for _ in range(7)))
    count, size = sums.count[used], area[used]
    # Values times this are what ClimSim averages.
    weight = (size / np.average(size, weights=count))[:, None]
    share = (count / count.sum())[:, None]
    steps = count[:, None]
    squared, spread = sums.squared[used], sums.spread[used]
    mean = weight * sums.mean[used]
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = (share * (1.0 - squared / spread)).sum(axis=0)
    common = (share * mean).sum(axis=0)
    total = (weight**2 * spread + steps * (mean - common) ** 2).sum(axis=0)
    return Summary(
        mae=(share * weight * sums.absolute[used] / steps).sum(axis=0),
        rmse=(share * weight * np.sqrt(squared / steps)).sum(axis=0),
        bias=(share * weight * sums.error[used] / steps).sum(axis=0),
        r2=r2,
        unexplained=(weight**2 * squared).sum(axis=0),
        total=total,
        deviation=np.sqrt(total / count.sum()),
    )


def explained(unexplained: Array, total: Array) -> Array:
    """Return ``1 - SSE / SST``; NaN where SST is 0."""
    ratio = np.divide(unexplained, total, out=np.full_like(unexplained, np.nan), where=total > 0)
    share: Array = 1.0 - ratio
    return share
