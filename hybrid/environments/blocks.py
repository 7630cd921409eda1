"""Agents on blocks of the grid: fields from their values, and their values from fields."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Blocks:
    """Square blocks of a periodic grid, with an agent in the centre of each.

    Parameters
    ----------
    shape
        Points of the grid along y and x.
    counts
        Blocks along y and x; as many as points: an agent at each point.

    Raises
    ------
    ValueError
        If the blocks do not divide the grid.

    Examples
    --------
    >>> blocks = Blocks((4, 8), (2, 4))
    >>> blocks.to_grid(np.ones((1, 2, 4))).shape
    (1, 4, 8)
    """

    shape: tuple[int, int]
    counts: tuple[int, int]

    def __post_init__(self) -> None:
        for n, count in zip(self.shape, self.counts, strict=True):
            if count < 1 or n % count:
                raise ValueError(
                    f"n_block: expected divisors of the {self.shape} points of the grid, "
                    f"got {self.counts}"
                )

    @cached_property
    def _matrices(self) -> tuple[Array, Array]:
        y, x = (_interpolation(n, count) for n, count in zip(self.shape, self.counts, strict=True))
        return y, x

    def to_grid(self, values: Array) -> Array:
        """Return fields ``(..., y, x)``, bilinear between the agents' values."""
        y, x = self._matrices
        return np.asarray(y @ values @ x.T)

    def mean(self, fields: Array) -> Array:
        """Return the means of fields over the blocks, shape ``(..., *counts)``."""
        (b_y, b_x), (n_y, n_x) = self.counts, self.shape
        split = fields.reshape(*fields.shape[:-2], b_y, n_y // b_y, b_x, n_x // b_x)
        return np.asarray(split.mean(axis=(-3, -1)))


def _interpolation(n: int, count: int) -> Array:
    """Return the weights of agents at points, shape ``(n, count)``."""
    size = n // count
    position = (np.arange(n) - 0.5 * (size - 1)) / size
    left = np.floor(position).astype(int)
    weight = position - left
    matrix = np.zeros((n, count))
    np.add.at(matrix, (np.arange(n), left % count), 1.0 - weight)
    np.add.at(matrix, (np.arange(n), (left + 1) % count), weight)
    return matrix
