"""Mean, spread and range of features, merged from parts without loss of precision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Statistics:
    """Statistics of each feature over samples.

    Sums of squares are about the mean of their part, so that a large mean costs no digits.

    Parameters
    ----------
    count
        Number of samples.
    mean
        ``(n_feature,)`` in the units of the features.
    squares
        Sum of squared deviations from the mean.
    minimum, maximum
        Range.

    References
    ----------
    Chan, Golub & LeVeque 1983, Algorithms for computing the sample variance, Am. Stat. 37, eq. 2.1.
    """

    count: int
    mean: Array
    squares: Array
    minimum: Array
    maximum: Array

    @classmethod
    def of(cls, values: NDArray[Any]) -> Self:
        """Return those of samples along the first axis, at least one.

        Examples
        --------
        >>> Statistics.of(np.array([[1.0], [3.0]])).std
        array([1.])
        """
        samples = values.astype(np.float64)
        mean = samples.mean(axis=0)
        lowest, highest = samples.min(axis=0), samples.max(axis=0)
        samples -= mean
        squares = np.einsum("ij,ij->j", samples, samples)
        return cls(len(samples), mean, squares, lowest, highest)

    def merged(self, other: Self) -> Self:
        """Return those of both sets of samples together."""
        count = self.count + other.count
        difference = other.mean - self.mean
        share = other.count / count
        return type(self)(
            count,
            self.mean + share * difference,
            self.squares + other.squares + self.count * share * difference**2,
            np.minimum(self.minimum, other.minimum),
            np.maximum(self.maximum, other.maximum),
        )

    @property
    def std(self) -> Array:
        """Standard deviation of the samples themselves (divided by their number)."""
        result: Array = np.sqrt(self.squares / self.count)
        return result

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; the standard deviation is there for readers of the file."""
        arrays = ("mean", "std", "minimum", "maximum", "squares")
        return {"count": self.count, **{name: getattr(self, name).tolist() for name in arrays}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the statistics of a JSON form."""
        arrays = ("mean", "squares", "minimum", "maximum")
        return cls(data["count"], *(np.array(data[name], np.float64) for name in arrays))
