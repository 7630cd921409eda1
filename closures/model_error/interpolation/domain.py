"""The domain of a field: a box, some of whose dimensions are periodic."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.interpolation.errors import InterpolationError


@dataclass(frozen=True)
class Domain:
    """A box of one or more dimensions.

    Parameters
    ----------
    lower, upper
        Its ends along each dimension [length].
    periodic
        Which dimensions go on beyond their upper end at the lower one.

    Raises
    ------
    InterpolationError
        If there is not one of each a dimension, or an upper end is not above the lower one.

    Examples
    --------
    >>> channel = Domain(lower=(0.0, 0.0), upper=(68.0, 46.0), periodic=(False, True))
    >>> channel.wrapped([[1.0, 47.0]])
    array([[1., 1.]])
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    periodic: tuple[bool, ...]

    def __post_init__(self) -> None:
        if not self.lower or not len(self.lower) == len(self.upper) == len(self.periodic):
            raise InterpolationError(
                "domain: expected a lower end, an upper end and a choice of periodic a dimension, "
                f"got {len(self.lower)}, {len(self.upper)} and {len(self.periodic)}"
            )
        if not all(a < b for a, b in zip(self.lower, self.upper, strict=True)):
            raise InterpolationError(
                f"domain: expected upper ends above lower ones, got {self.lower} and {self.upper}"
            )

    @property
    def n_dimension(self) -> int:
        """Number of dimensions."""
        return len(self.lower)

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Extent along each dimension [length]."""
        return np.subtract(self.upper, self.lower, dtype=np.float64)

    def spacing(self, n_point: int) -> float:
        """Return the side of the cube that each of some evenly spread points has [length]."""
        return float((np.prod(self.lengths) / n_point) ** (1.0 / self.n_dimension))

    def checked(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return points as an array of float64, ``(n_point, n_dimension)``.

        Raises
        ------
        InterpolationError
            If they have another shape or are not finite.
        """
        positions = np.asarray(points, dtype=np.float64)
        if positions.ndim != 2 or positions.shape[1] != self.n_dimension:
            raise InterpolationError(
                f"points: expected shape (n_point, {self.n_dimension}), got {positions.shape}"
            )
        if not np.isfinite(positions).all():
            raise InterpolationError("points: expected finite positions, got some that are not")
        return positions

    def wrapped(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return points with their periodic positions inside the domain [length]."""
        positions = self.checked(points).copy()
        for axis, periodic in enumerate(self.periodic):
            if periodic:
                positions[:, axis] = self.lower[axis] + np.mod(
                    positions[:, axis] - self.lower[axis], self.lengths[axis]
                )
        return positions

    def with_images(
        self, points: NDArray[np.float64], width: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return points and their periodic images near the domain.

        Parameters
        ----------
        points
            Inside the domain, shape ``(n_point, n_dimension)`` [length].
        width
            How far outside images are kept [length].

        Returns
        -------
        positions : ndarray
            Points, then images, shape ``(n, n_dimension)`` [length].
        sources : ndarray
            Number of the point that each is or is an image of, shape ``(n,)``.
        """
        positions, sources = points, np.arange(len(points))
        for axis in np.flatnonzero(self.periodic):
            kept, numbers = [positions], [sources]
            for shift in (-self.lengths[axis], self.lengths[axis]):
                moved = positions.copy()
                moved[:, axis] += shift
                near = (moved[:, axis] >= self.lower[axis] - width) & (
                    moved[:, axis] <= self.upper[axis] + width
                )
                kept.append(moved[near])
                numbers.append(sources[near])
            positions, sources = np.concatenate(kept), np.concatenate(numbers)
        return positions, sources


def grid_points(*coordinates: ArrayLike) -> NDArray[np.float64]:
    """Return the points of a grid, the last dimension fastest, as a C-ordered field is stored.

    Parameters
    ----------
    *coordinates
        Of the grid along each dimension [length].

    Examples
    --------
    >>> grid_points([0.0, 1.0], [5.0, 6.0]).tolist()
    [[0.0, 5.0], [0.0, 6.0], [1.0, 5.0], [1.0, 6.0]]
    """
    axes = [np.asarray(each, dtype=np.float64) for each in coordinates]
    return np.stack([each.ravel() for each in np.meshgrid(*axes, indexing="ij")], axis=1)
