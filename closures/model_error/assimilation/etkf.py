"""The ensemble transform Kalman filter: a deterministic square root, local where asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.assimilation.ensemble import (
    Analysis,
    check_inflation,
    checked,
    inflated,
)
from closures.model_error.assimilation.localization import Localization
from closures.model_error.assimilation.observation import Observation, Present

# Elements of the arrays of products of members, so that they fit into a few hundred megabytes.
_BLOCK = 2**24


@dataclass(frozen=True)
class ETKF:
    r"""Ensemble transform Kalman filter with the symmetric square root.

    In the space of the members, with the anomalies X of the forecast and Y = H X of what is
    observed of it, one member a row, and n members:

    .. math::
        \tilde P = \left[(n - 1) I + Y R^{-1} Y^T\right]^{-1}, \quad
        w = \tilde P Y R^{-1} (y - H \bar x), \quad
        x_i^a = \bar x + \left(w + \left[(n - 1) \tilde P\right]^{1/2}_i\right) X

    Nothing is drawn: mean and covariance of the analysis are exactly those that the Kalman
    filter makes of the mean and covariance of the forecast. With a localisation each element of
    the state has weights of its own, from observations whose precision falls with distance
    (LETKF).

    Parameters
    ----------
    inflation
        Factor on the anomalies of the forecast, at least 1 [1].
    localization
        Factors on the precision of the observations; None for none.

    Raises
    ------
    AssimilationError
        If the inflation is below 1.

    References
    ----------
    Bishop, Etherton & Majumdar 2001, Mon. Weather Rev. 129, 420. Hunt, Kostelich & Szunyogh 2007,
    Physica D 230, 112, equations 21 to 25.

    Examples
    --------
    >>> from closures.model_error.assimilation import Identity, Observation
    >>> ETKF().update([[-1.0], [1.0]], Observation([2.0], 2.0**0.5, Identity(1))).mean
    array([1.])
    """

    inflation: float = 1.0
    localization: Localization | None = None

    def __post_init__(self) -> None:
        check_inflation(self.inflation)

    def update(
        self,
        ensemble: ArrayLike,
        observation: Observation,
        earlier: Sequence[NDArray[np.float64]] = (),
    ) -> Analysis:
        """Correct an ensemble; parameters and errors are those of `EnsembleFilter.update`."""
        present = observation.present
        members = inflated(checked(ensemble, present.operator.n_state), self.inflation)
        windows = [members, *(checked(each, members.shape[1]) for each in earlier)]
        if self.localization is None:
            weights = _weights(members, present, np.ones((1, len(present.rows))))[0]
            updated = [_combined(states, weights) for states in windows]
        else:
            updated = self._local(windows, present, self.localization)
        return Analysis(updated[0], tuple(updated[1:]), len(present.rows), observation.n_missing)

    def _local(
        self,
        windows: Sequence[NDArray[np.float64]],
        present: Present,
        localization: Localization,
    ) -> list[NDArray[np.float64]]:
        factors = localization.to_state(present)
        updated = [np.empty_like(states) for states in windows]
        n_member, n_state = windows[0].shape
        block = max(1, _BLOCK // n_member**2)
        for start in range(0, n_state, block):
            part = slice(start, start + block)
            weights = _weights(windows[0], present, factors[part])
            for states, result in zip(windows, updated, strict=True):
                mean = states[:, part].mean(axis=0)
                anomalies = states[:, part] - mean
                result[:, part] = mean + np.einsum("gij,jg->ig", weights, anomalies)
        return updated


def _weights(
    members: NDArray[np.float64], present: Present, factors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weights of the anomalies in each member, ``(n_point, n_member, n_member)``."""
    n_member = len(members)
    seen = present.operator.apply(members)
    mean = seen.mean(axis=0)
    anomalies = seen - mean
    precision = factors / present.variance
    if len(factors) == 1:
        products = ((anomalies * precision) @ anomalies.T)[None]
    else:
        pairs = (anomalies[:, None] * anomalies).reshape(n_member**2, -1)
        products = (precision @ pairs.T).reshape(-1, n_member, n_member)
    projected = (precision * (present.values - mean)) @ anomalies.T
    values, vectors = np.linalg.eigh(products)
    # Rounding alone makes an eigenvalue of a product of a matrix with its transpose negative.
    values = (n_member - 1) + np.maximum(values, 0.0)
    inverse = vectors / values[:, None, :] @ vectors.transpose(0, 2, 1)
    root = vectors * np.sqrt((n_member - 1) / values)[:, None, :] @ vectors.transpose(0, 2, 1)
    mean_weights = np.einsum("gij,gj->gi", inverse, projected)
    return np.asarray(root + mean_weights[:, None, :])


def _combined(states: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = states.mean(axis=0)
    return np.asarray(mean + weights @ (states - mean))
