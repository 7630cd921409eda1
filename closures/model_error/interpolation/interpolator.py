"""What all interpolators have in common."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.interpolation.sensors import Sensors

OnProgress = Callable[[float], None]


class Interpolant(Protocol):
    """Fields that are known everywhere."""

    def __call__(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return the fields at points.

        Parameters
        ----------
        points
            Shape ``(n_point, n_dimension)`` [length].

        Returns
        -------
        ndarray
            Shape ``(n_field, n_point)`` [units].

        Raises
        ------
        InterpolationError
            If points have another shape or are not finite.
        """


class Interpolator(Protocol):
    """A way from sensors to fields."""

    def fit(self, sensors: Sensors, on_progress: OnProgress | None = None) -> Interpolant:
        """Return fields through or near what sensors measured.

        Parameters
        ----------
        sensors
            Positions and values.
        on_progress
            Called with the fraction done, of what takes long.
        """
