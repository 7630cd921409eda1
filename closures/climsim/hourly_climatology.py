"""Climatology that knows the column and the hour of the day, and nothing of the weather."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HOURS = 24
_HOUR = 3600.0


class HourlyClimatology:
    """Mean outputs of each column at each hour of the day.

    Solar fluxes have a daily cycle that shifts with longitude, so this is a harder baseline than
    the mean over all columns. Its error includes its own sampling error: each mean is over the
    few training steps of that hour. An hour without any takes those of the nearest hour that
    has some, the earlier one of two.

    Parameters
    ----------
    n_column, n_output
        Size of one time step.
    """

    def __init__(self, n_column: int, n_output: int) -> None:
        self.count = np.zeros(HOURS, dtype=np.int64)
        self._sum = np.zeros((HOURS, n_column, n_output))

    def add(self, second: int, outputs: Array) -> None:
        """Add one training step.

        Parameters
        ----------
        second
            Second of the day, UTC [s].
        outputs
            ``(n_column, n_output)``.
        """
        hour = int(second // _HOUR) % HOURS
        self.count[hour] += 1
        self._sum[hour] += outputs

    def predict(self, second: int) -> Array:
        """Return the mean for a second of the day, ``(n_column, n_output)``.

        Raises
        ------
        ValueError
            If no step was added.
        """
        if not self.count.any():
            raise ValueError("climatology: expected at least one training step, got none")
        hour = int(second // _HOUR) % HOURS
        present = np.flatnonzero(self.count)
        distance = np.abs(present - hour)
        nearest = present[np.argmin(np.minimum(distance, HOURS - distance))]
        mean: Array = self._sum[nearest] / self.count[nearest]
        return mean
