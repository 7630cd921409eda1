"""Waves in a box: the band-limited fields that scattered sensors are fitted with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from closures.model_error.interpolation.domain import Domain


@dataclass(frozen=True)
class FourierBasis:
    """Cosines and sines of a periodic box around a domain, up to a total wavenumber.

    Parameters
    ----------
    origin
        Lower ends of the box [length].
    vectors
        Wavenumber vectors, one of each pair of opposite ones, the mean first, shape
        ``(n_wave, n_dimension)`` [rad/length].
    """

    origin: NDArray[np.float64]
    vectors: NDArray[np.float64]

    @classmethod
    def of(cls, domain: Domain, largest: float, extension: float) -> "FourierBasis":
        """Return the waves of a domain.

        Parameters
        ----------
        domain
            Where fields are wanted.
        largest
            Total wavenumber up to which there are waves [rad/length].
        extension
            Period over length along dimensions that are not periodic, at least 1: fields need not
            be the same at both walls [1].
        """
        factors = np.where(domain.periodic, 1.0, extension)
        first = 2.0 * np.pi / (domain.lengths * factors)
        ranges = [np.arange(-n, n + 1) for n in np.floor(largest / first).astype(int)]
        numbers = np.stack([each.ravel() for each in np.meshgrid(*ranges, indexing="ij")], axis=1)
        # In the order of the grid, the second half are the opposites of the first, reversed.
        half = numbers[len(numbers) // 2 :]
        vectors = half * first
        total = np.linalg.norm(vectors, axis=1)
        order = np.argsort(total, kind="stable")
        return cls(np.asarray(domain.lower), vectors[order][total[order] <= largest])

    @property
    def n_function(self) -> int:
        """Number of functions: the mean, and a cosine and a sine of every other wave."""
        return 2 * len(self.vectors) - 1

    @property
    def wavenumber(self) -> NDArray[np.float64]:
        """Total wavenumber of each function, shape ``(n_function,)`` [rad/length]."""
        total = np.linalg.norm(self.vectors, axis=1)
        return np.concatenate([total, total[1:]])

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the functions at points, each of mean square 1, ``(n_point, n_function)`` [1]."""
        phase = (points - self.origin) @ self.vectors.T
        size = np.sqrt(2.0)
        functions = [np.ones((len(points), 1)), size * np.cos(phase[:, 1:])]
        return np.concatenate([*functions, size * np.sin(phase[:, 1:])], axis=1)
