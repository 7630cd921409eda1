"""What was observed at one time, and how well."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.assimilation.errors import AssimilationError
from closures.model_error.assimilation.operators import ObservationOperator


@dataclass(frozen=True)
class Present:
    """The observations that are there.

    Parameters
    ----------
    values
        Shape ``(n_present,)`` [units of what is observed].
    variance
        Of the noise, same shape.
    operator
        Of these observations.
    rows
        Their numbers among all observations.
    """

    values: NDArray[np.float64]
    variance: NDArray[np.float64]
    operator: ObservationOperator
    rows: NDArray[np.int64]


class Observation:
    """Noisy observations at one time; the noise of one is independent of that of another.

    Parameters
    ----------
    values
        What was observed, noise included, shape ``(n_observation,)`` [units of what is
        observed]. NaN where nothing was: such observations are left out and counted.
    noise
        Standard deviation of the noise, one for all or one for each [as values]; positive.
    operator
        How a state is observed.

    Attributes
    ----------
    n_missing : int
        Observations that are NaN.

    Raises
    ------
    AssimilationError
        If the values are infinite or not as many as the operator gives, or the noise is not
        positive.

    Examples
    --------
    >>> from closures.model_error.assimilation import Identity
    >>> Observation([0.1, np.nan, 0.3], noise=0.01, operator=Identity(3)).n_missing
    1
    """

    def __init__(self, values: ArrayLike, noise: ArrayLike, operator: ObservationOperator) -> None:
        self.values: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
        self.operator = operator
        expected = (operator.n_observation,)
        if self.values.shape != expected:
            raise AssimilationError(
                f"observation: expected values of shape {expected}, as the operator gives, got "
                f"{self.values.shape}"
            )
        if np.isinf(self.values).any():
            raise AssimilationError(
                f"observation: expected finite values or NaN, got {int(np.isinf(values).sum())} "
                "infinite ones; mark what is missing with NaN"
            )
        deviation = np.asarray(noise, dtype=np.float64)
        if deviation.shape not in {(), expected}:
            raise AssimilationError(
                f"observation: expected one noise or one for each of {expected[0]} observations, "
                f"got shape {deviation.shape}"
            )
        if not (np.isfinite(deviation).all() and (deviation > 0.0).all()):
            raise AssimilationError(
                "observation: expected positive standard deviations as noise, got "
                f"{float(np.min(deviation))}"
            )
        self.noise: NDArray[np.float64] = np.broadcast_to(deviation, expected)
        self.n_missing = int(np.isnan(self.values).sum())

    @property
    def present(self) -> Present:
        """The observations that are not missing."""
        rows = np.flatnonzero(~np.isnan(self.values))
        operator = self.operator.select(rows) if self.n_missing else self.operator
        return Present(self.values[rows], self.noise[rows] ** 2, operator, rows)
