"""One ratio of times, with its spread: what a later report is held against."""

from dataclasses import dataclass
from typing import Self

from benchmarks.interleaved import Timings
from benchmarks.interval import median_interval


@dataclass(frozen=True)
class Comparison:
    """How many times as long as another thing one takes; less is better.

    Parameters
    ----------
    what, beside
        What was timed; together they name one ratio of a group.
    ratio
        Median of the times of `what` by those of `beside`, turn by turn [1].
    low, high
        Interval that encloses the true median in 95 of 100 cases [1].
    """

    what: str
    beside: str
    ratio: float
    low: float
    high: float

    @property
    def times_faster(self) -> tuple[float, float, float]:
        """How many times as fast it is, and the interval of that; more is better [1].

        Examples
        --------
        >>> Comparison("ours", "theirs", 0.5, 0.25, 1.0).times_faster
        (2.0, 1.0, 4.0)
        """
        return 1.0 / self.ratio, 1.0 / self.high, 1.0 / self.low

    @classmethod
    def of(
        cls,
        timings: Timings,
        name: str,
        beside: str,
        *,
        what: str | None = None,
        called: str | None = None,
    ) -> Self:
        """Compare two candidates of a run.

        Parameters
        ----------
        timings
            The run.
        name, beside
            The candidates.
        what, called
            What the report calls the one and the other, if not by their names.

        Raises
        ------
        ValueError
            If there are too few turns for an interval.

        Examples
        --------
        >>> timings = Timings({"ours": [1.0, 2.0, 3.0] * 2, "theirs": [2.0, 8.0, 6.0] * 2})
        >>> Comparison.of(timings, "ours", "theirs")
        Comparison(what='ours', beside='theirs', ratio=0.5, low=0.25, high=0.5)
        """
        low, high = median_interval(timings.ratios(name, beside))
        ratio = timings.ratio(name, beside)
        return cls(what or name, called or beside, ratio, low, high)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A record of a report.

    Parameters
    ----------
    comparisons
        What it says of one thing beside another; empty where nothing is timed, and in reports
        that are older than this field.
    """

    comparisons: tuple[Comparison, ...] = ()
