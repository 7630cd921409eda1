"""Scaling of features to zero mean and unit variance, safe for features that hardly vary."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RESOLVED = 1e-6
"""Standard deviation, relative to the mean, below which float32 sees only rounding [1]."""


@dataclass(frozen=True)
class Normalization:
    """Mean and spread of each feature: z = (x - mean) * scale, x = mean + spread * z.

    Parameters
    ----------
    mean
        Mean ``(n_feature,)`` in the units of the features.
    spread
        Standard deviation, or a larger floor; 0 for a feature that never varies.
    """

    mean: Array
    spread: Array

    def __post_init__(self) -> None:
        if self.mean.shape != self.spread.shape:
            raise ValueError(
                f"normalization: expected mean and spread of one shape, got {self.mean.shape} "
                f"and {self.spread.shape}"
            )
        if not (np.isfinite(self.mean).all() and (self.spread >= 0.0).all()):
            raise ValueError(
                "normalization: expected finite means and spreads >= 0; look for NaN or fill "
                "values in the data"
            )

    @property
    def scale(self) -> Array:
        """Reciprocal of the spread; 0 where the spread is 0, so that z is 0 there.

        Spreads below the smallest number of float32 (traces of cloud water in the stratosphere)
        count as 0: their reciprocal would be infinite in the precision of networks.
        """
        resolved = self.spread >= np.finfo(np.float32).tiny
        return np.divide(1.0, self.spread, out=np.zeros_like(self.spread), where=resolved)

    def normalize(self, values: Array) -> Array:
        """Return z for features along the last axis."""
        return (values - self.mean) * self.scale

    def denormalize(self, values: Array) -> Array:
        """Return x for features along the last axis; the mean where the spread is 0."""
        return self.mean + self.spread * values


def fit_normalization(values: Array, relative_floor: Array | float = 0.0) -> Normalization:
    """Fit to samples along the first axis.

    A feature whose standard deviation float32 cannot resolve counts as constant: its spread is
    0, not 1, or rounding errors (of an input) and arbitrary network output (for a target) would
    enter as if they were signal.

    Parameters
    ----------
    values
        Samples ``(n_sample, n_feature)``.
    relative_floor
        Lower limit of the spread as a fraction of the mean's magnitude, one number or one a
        feature [1]: for features whose small variations must not be amplified.

    Examples
    --------
    >>> fit_normalization(np.array([[1.0, 5.0], [3.0, 5.0]])).spread
    array([1., 0.])
    """
    return normalization_of(values.mean(axis=0), values.std(axis=0), relative_floor)


def normalization_of(mean: Array, std: Array, relative_floor: Array | float = 0.0) -> Normalization:
    """Return the normalisation for known statistics; see `fit_normalization`.

    Parameters
    ----------
    mean, std
        Of each feature ``(n_feature,)``.
    relative_floor
        As of `fit_normalization`.
    """
    floored = np.maximum(std, relative_floor * np.abs(mean))
    # Traces, such as cloud water in the stratosphere, that float32 holds with few digits or none.
    constant = (std <= RESOLVED * np.abs(mean)) | (floored < np.finfo(np.float32).tiny)
    return Normalization(mean, np.where(constant, 0.0, floored))
