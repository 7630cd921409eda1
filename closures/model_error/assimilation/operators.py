"""Linear observation operators: which numbers an instrument sees of a state."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.assimilation.errors import AssimilationError


class ObservationOperator(Protocol):
    """A linear map H from states to what is observed of them."""

    @property
    def n_state(self) -> int:
        """Length of a state."""

    @property
    def n_observation(self) -> int:
        """Length of what is observed."""

    @property
    def indices(self) -> NDArray[np.int64] | None:
        """Element of the state that each observation is of; None where it is of several."""

    def apply(self, states: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is observed of states ``(..., n_state)``, shape ``(..., n_observation)``."""

    def select(self, chosen: NDArray[np.int64]) -> "ObservationOperator":
        """Return the operator of some of the observations."""


@dataclass(frozen=True)
class Identity:
    """Every element of the state is observed.

    Parameters
    ----------
    n_state
        Length of a state.
    """

    n_state: int

    @property
    def n_observation(self) -> int:
        """Length of what is observed."""
        return self.n_state

    @property
    def indices(self) -> NDArray[np.int64]:
        """Element of the state that each observation is of."""
        return np.arange(self.n_state)

    def apply(self, states: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return states ``(..., n_state)`` as they are."""
        return states

    def select(self, chosen: NDArray[np.int64]) -> "Subsampling":
        """Return the operator of some of the observations."""
        return Subsampling(self.n_state, chosen)


class Subsampling:
    """Some elements of the state are observed.

    Parameters
    ----------
    n_state
        Length of a state.
    indices
        The elements, in the order of the observations, shape ``(n_observation,)``.

    Raises
    ------
    AssimilationError
        If an index is no element of the state.

    Examples
    --------
    >>> Subsampling(4, [0, 2]).apply(np.array([1.0, 2.0, 3.0, 4.0]))
    array([1., 3.])
    """

    def __init__(self, n_state: int, indices: ArrayLike) -> None:
        self.n_state = n_state
        self.indices: NDArray[np.int64] = np.asarray(indices, dtype=np.int64)
        if self.indices.ndim != 1:
            raise AssimilationError(
                f"subsampling: expected a list of indices, got shape {self.indices.shape}"
            )
        if np.any((self.indices < 0) | (self.indices >= n_state)):
            raise AssimilationError(
                f"subsampling: expected indices from 0 to {n_state - 1}, got "
                f"{self.indices.min()} to {self.indices.max()}"
            )

    @property
    def n_observation(self) -> int:
        """Length of what is observed."""
        return len(self.indices)

    def apply(self, states: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the observed elements of states ``(..., n_state)``."""
        return states[..., self.indices]

    def select(self, chosen: NDArray[np.int64]) -> "Subsampling":
        """Return the operator of some of the observations."""
        return Subsampling(self.n_state, self.indices[chosen])


class Matrix:
    """Each observation is a weighted sum over the state.

    Parameters
    ----------
    matrix
        H, shape ``(n_observation, n_state)``.

    Raises
    ------
    AssimilationError
        If it is no matrix of finite numbers.
    """

    indices: NDArray[np.int64] | None = None

    def __init__(self, matrix: ArrayLike) -> None:
        self.matrix: NDArray[np.float64] = np.asarray(matrix, dtype=np.float64)
        if self.matrix.ndim != 2 or not np.isfinite(self.matrix).all():
            raise AssimilationError(
                "observation matrix: expected finite numbers (n_observation, n_state), got shape "
                f"{self.matrix.shape} with {int((~np.isfinite(self.matrix)).sum())} not finite"
            )

    @property
    def n_state(self) -> int:
        """Length of a state."""
        return int(self.matrix.shape[1])

    @property
    def n_observation(self) -> int:
        """Length of what is observed."""
        return int(self.matrix.shape[0])

    def apply(self, states: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return H x of states x ``(..., n_state)``."""
        return states @ self.matrix.T

    def select(self, chosen: NDArray[np.int64]) -> "Matrix":
        """Return the operator of some of the observations."""
        return Matrix(self.matrix[chosen])
