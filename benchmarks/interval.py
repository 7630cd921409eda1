"""How sure a median of ratios is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from scipy.stats import quantile_test

from benchmarks.interleaved import Timings

FEWEST = 6
"""Ratios below which no two of them enclose the true median in 95 of 100 cases."""


def median_interval(ratios: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return two of the ratios that enclose the true median with a probability of `level`.

    They are order statistics, by the binomial distribution: nothing is assumed of how times are
    distributed, which on a shared machine have long tails.

    Raises
    ------
    ValueError
        If there are too few ratios.

    Examples
    --------
    >>> median_interval([1.0, 3.0, 2.0, 6.0, 5.0, 4.0])
    (1.0, 6.0)
    >>> median_interval(range(1, 32))
    (10.0, 22.0)
    """
    if len(ratios) < FEWEST:
        raise ValueError(f"ratios: expected at least {FEWEST}, got {len(ratios)}; do more rounds")
    found = quantile_test(list(map(float, ratios)), p=0.5).confidence_interval(level)
    return float(found.low), float(found.high)


@dataclass(frozen=True)
class HostShare:
    """Steps of a host, beside a peer.

    Parameters
    ----------
    reproducible
        Whether results do not depend on how many columns come along.
    seconds
        Median time of a step [s].
    ratio, low, high
        Median of the times by the peer's, turn by turn, and its 95 % interval [1].
    """

    reproducible: bool
    seconds: float
    ratio: float
    low: float
    high: float

    @classmethod
    def of(cls, timings: Timings, name: str, peer: str, *, reproducible: bool, **more: Any) -> Self:
        """Compare a host with its peer; `more` is what subclasses say of it.

        Raises
        ------
        ValueError
            If there are too few turns.
        """
        low, high = median_interval(timings.ratios(name, peer))
        return cls(
            reproducible=reproducible,
            seconds=timings.median(name),
            ratio=timings.ratio(name, peer),
            low=low,
            high=high,
            **more,
        )
