"""Localisation: what is far away has nothing to say about a point but by chance."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.assimilation.errors import AssimilationError
from closures.model_error.assimilation.observation import Present


def gaspari_cohn(ratio: ArrayLike) -> NDArray[np.float64]:
    """Return the compactly supported correlation function of Gaspari and Cohn.

    Close to a Gaussian, and exactly 0 from a ratio of 2 on.

    Parameters
    ----------
    ratio
        Distance over the half-width c, not negative, any shape [1].

    Returns
    -------
    ndarray
        Correlation from 0 to 1, same shape [1].

    References
    ----------
    Gaspari & Cohn 1999, Q. J. R. Meteorol. Soc. 125, 723, equation 4.10.

    Examples
    --------
    >>> gaspari_cohn([0.0, 1.0, 2.0]).round(4)
    array([1.    , 0.2083, 0.    ])
    """
    r = np.asarray(ratio, dtype=np.float64)
    inner = (((-0.25 * r + 0.5) * r + 0.625) * r - 5.0 / 3.0) * r**2 + 1.0
    # Beyond the support the reciprocal is not needed; below 1 it would divide by zero.
    s = np.clip(r, 1.0, 2.0)
    outer = ((((s / 12.0 - 0.5) * s + 0.625) * s + 5.0 / 3.0) * s - 5.0) * s + 4.0 - 2.0 / (3.0 * s)
    return np.where(r <= 1.0, inner, np.where(r < 2.0, np.maximum(outer, 0.0), 0.0))


def periodic_distance(
    a: ArrayLike, b: ArrayLike, lengths: Sequence[float | None]
) -> NDArray[np.float64]:
    """Return the distances between two sets of points, the short way round.

    Parameters
    ----------
    a, b
        Positions, shapes ``(n_a, n_dimension)`` and ``(n_b, n_dimension)`` [length].
    lengths
        Period of each dimension [length]; None where there is none.

    Returns
    -------
    ndarray
        Shape ``(n_a, n_b)`` [length].

    Examples
    --------
    >>> periodic_distance([[0.5]], [[9.5]], lengths=[10.0])
    array([[1.]])
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    squared = np.zeros((len(first), len(second)))
    for axis, length in enumerate(lengths):
        apart = np.abs(first[:, axis, None] - second[:, axis])
        if length is not None:
            apart = apart % length
            apart = np.minimum(apart, length - apart)
        squared += apart**2
    return np.sqrt(squared)


class Localization:
    """Factors in [0, 1] on the covariances between points, which fall with their distance.

    Parameters
    ----------
    positions
        Of the elements of a state, shape ``(n_state, n_dimension)``, or ``(n_state,)`` on a line
        [length].
    half_width
        c of `gaspari_cohn`; covariances vanish from 2 c on [length].
    lengths
        Period of each dimension, None where there is none [length].
    observed
        Positions of the observations, for operators whose observations are not of one element
        each [length].

    Raises
    ------
    AssimilationError
        If the half-width or a length is not positive, or there is not one length a dimension.
    """

    def __init__(
        self,
        positions: ArrayLike,
        half_width: float,
        lengths: Sequence[float | None],
        observed: ArrayLike | None = None,
    ) -> None:
        self.positions = _points(positions)
        self.half_width, self.lengths = half_width, tuple(lengths)
        self.observed = None if observed is None else _points(observed)
        if not half_width > 0.0:
            raise AssimilationError(
                f"localisation: expected a positive half-width, got {half_width}"
            )
        if len(self.lengths) != self.positions.shape[1]:
            raise AssimilationError(
                "localisation: expected one length a dimension, None where not periodic, got "
                f"{len(self.lengths)} for {self.positions.shape[1]} dimensions"
            )
        if any(length is not None and not length > 0.0 for length in self.lengths):
            raise AssimilationError(f"localisation: expected positive lengths, got {self.lengths}")

    def to_state(self, present: Present) -> NDArray[np.float64]:
        """Return the factors between states and observations, ``(n_state, n_present)`` [1]."""
        if len(self.positions) != present.operator.n_state:
            raise AssimilationError(
                f"localisation: expected positions of {present.operator.n_state} elements of the "
                f"state, got {len(self.positions)}"
            )
        return self._between(self.positions, self._observed(present))

    def among_observations(self, present: Present) -> NDArray[np.float64]:
        """Return the factors between observations, ``(n_present, n_present)`` [1]."""
        observed = self._observed(present)
        return self._between(observed, observed)

    def _observed(self, present: Present) -> NDArray[np.float64]:
        if self.observed is not None:
            return self.observed[present.rows]
        if present.operator.indices is None:
            raise AssimilationError(
                "localisation: an observation is of several elements of the state, so where it is "
                "must be told; pass `observed`"
            )
        return self.positions[present.operator.indices]

    def _between(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return gaspari_cohn(periodic_distance(a, b, self.lengths) / self.half_width)


def _points(positions: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(positions, dtype=np.float64)
    return points[:, None] if points.ndim == 1 else points
