"""What scattered sensors measured."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.interpolation.domain import Domain
from closures.model_error.interpolation.errors import InterpolationError


class Sensors:
    """Values of one or more fields at scattered positions.

    Parameters
    ----------
    positions
        Shape ``(n_sensor, n_dimension)`` [length].
    values
        Shape ``(n_field, n_sensor)``, or ``(n_sensor,)`` for one field [units]. A sensor with NaN
        in any field is left out and counted.
    domain
        Where the fields are.

    Attributes
    ----------
    positions : ndarray
        Of the sensors that are left, inside the domain [length].
    values : ndarray
        Theirs, shape ``(n_field, n_sensor)`` [units].
    n_missing : int
        Sensors left out.

    Raises
    ------
    InterpolationError
        If shapes do not fit, a value is infinite, or no more than 2 sensors are left.

    Examples
    --------
    >>> line = Domain((0.0,), (1.0,), (True,))
    >>> Sensors([[0.1], [0.4], [0.5], [1.2]], [1.0, np.nan, 3.0, 2.0], line).n_missing
    1
    """

    def __init__(self, positions: ArrayLike, values: ArrayLike, domain: Domain) -> None:
        points = domain.wrapped(positions)
        measured = np.atleast_2d(np.asarray(values, dtype=np.float64))
        if measured.ndim != 2 or measured.shape[1] != len(points):
            raise InterpolationError(
                f"sensors: expected values of shape (n_field, {len(points)}), as there are "
                f"positions, got {np.shape(values)}"
            )
        if np.isinf(measured).any():
            raise InterpolationError(
                f"sensors: expected finite values or NaN, got {int(np.isinf(measured).sum())} "
                "infinite ones; mark what is missing with NaN"
            )
        there = np.asarray(~np.isnan(measured).any(axis=0))
        self.n_missing = int((~there).sum())
        if there.sum() < 3:
            raise InterpolationError(
                f"sensors: expected at least 3 with values, got {int(there.sum())} of {len(there)}"
            )
        self.positions: NDArray[np.float64] = points[there]
        self.values: NDArray[np.float64] = measured[:, there]
        self.domain = domain

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def n_field(self) -> int:
        """Number of fields."""
        return len(self.values)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Of each field over the sensors, shape ``(n_field, 1)`` [units]."""
        return np.asarray(self.values.mean(axis=1, keepdims=True))

    @property
    def spread(self) -> NDArray[np.float64]:
        """Standard deviation of each field over the sensors, 1 for a constant one [units]."""
        deviation = self.values.std(axis=1, keepdims=True)
        return np.where(deviation > 0.0, deviation, 1.0)

    def split(self, held_out: float, seed: int) -> tuple["Sensors", "Sensors"]:
        """Set some sensors aside.

        Parameters
        ----------
        held_out
            Their share, above 0 and below 1.
        seed
            Of the choice.

        Returns
        -------
        kept, aside : Sensors
            What is left, and what is set aside.

        Raises
        ------
        InterpolationError
            If the share is out of range, or leaves fewer than 3 sensors on either side.
        """
        if not 0.0 < held_out < 1.0:
            raise InterpolationError(
                f"sensors: expected a share to hold out between 0 and 1, got {held_out}"
            )
        order = np.random.default_rng(seed).permutation(len(self))
        n_aside = round(held_out * len(self))
        return self._some(order[n_aside:]), self._some(order[:n_aside])

    def _some(self, chosen: NDArray[np.int64]) -> "Sensors":
        return Sensors(self.positions[chosen], self.values[:, chosen], self.domain)


def random_points(n_point: int, share: float, seed: int) -> NDArray[np.int64]:
    """Return the numbers of some points, chosen at random, increasing.

    Parameters
    ----------
    n_point
        Points to choose from.
    share
        Of the points that are chosen, above 0 and at most 1.
    seed
        Of the choice.

    Raises
    ------
    InterpolationError
        If the share is out of range.

    Examples
    --------
    >>> random_points(8, share=0.5, seed=0)
    array([2, 3, 4, 6])
    """
    if not 0.0 < share <= 1.0:
        raise InterpolationError(
            f"sensors: expected a share of the points above 0 and at most 1, got {share}"
        )
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(n_point, round(share * n_point), replace=False))


def random_sensors(
    fields: ArrayLike, points: ArrayLike, domain: Domain, share: float, seed: int
) -> Sensors:
    """Return sensors at some points of a grid, chosen as by `random_points`.

    Parameters
    ----------
    fields
        Values at the points, shape ``(n_field, n_point)`` or ``(n_point,)``, noise included
        [units].
    points
        Of the grid, shape ``(n_point, n_dimension)``, see `grid_points` [length].
    domain
        Where they are.
    share, seed
        As of `random_points`.

    Raises
    ------
    InterpolationError
        If the share is out of range, the fields are not on the points, or as of `Sensors`.
    """
    positions = domain.checked(points)
    values = np.atleast_2d(np.asarray(fields, dtype=np.float64))
    if values.ndim != 2 or values.shape[1] != len(positions):
        raise InterpolationError(
            f"sensors: expected fields of shape (n_field, {len(positions)}), as there are points, "
            f"got {np.shape(fields)}"
        )
    chosen = random_points(len(positions), share, seed)
    return Sensors(positions[chosen], values[:, chosen], domain)
