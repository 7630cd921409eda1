"""Ensembles: their checks, their anomalies, and what an analysis makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.assimilation.errors import AssimilationError
from closures.model_error.assimilation.observation import Observation


@dataclass(frozen=True)
class Analysis:
    """Ensemble after an observation.

    Parameters
    ----------
    ensemble
        Shape ``(n_member, n_state)``.
    earlier
        Ensembles of earlier times, which the observation corrected as well.
    n_observation
        Observations used.
    n_missing
        Observations that were NaN.
    """

    ensemble: NDArray[np.float64]
    earlier: tuple[NDArray[np.float64], ...]
    n_observation: int
    n_missing: int

    @property
    def mean(self) -> NDArray[np.float64]:
        """The estimate of the state, shape ``(n_state,)``."""
        return np.asarray(self.ensemble.mean(axis=0))


class EnsembleFilter(Protocol):
    """A filter that corrects an ensemble by observations."""

    def update(
        self,
        ensemble: ArrayLike,
        observation: Observation,
        earlier: Sequence[NDArray[np.float64]] = (),
    ) -> Analysis:
        """Correct an ensemble, and those of earlier times by their covariance with it.

        Parameters
        ----------
        ensemble
            Forecast for the time of the observation, shape ``(n_member, n_state)``.
        observation
            What was observed.
        earlier
            The same members at earlier times, each of that shape.

        Raises
        ------
        AssimilationError
            If the ensemble has another shape, one member, or is not finite.
        """


def checked(ensemble: ArrayLike, n_state: int) -> NDArray[np.float64]:
    """Return an ensemble as an array of float64.

    Raises
    ------
    AssimilationError
        If it is not ``(n_member, n_state)``, has one member, or is not finite.
    """
    members = np.asarray(ensemble, dtype=np.float64)
    if members.ndim != 2 or members.shape[1] != n_state:
        raise AssimilationError(
            f"ensemble: expected shape (n_member, {n_state}), got {members.shape}"
        )
    if len(members) < 2:
        raise AssimilationError(
            f"ensemble: expected at least 2 members, got {len(members)}; one member has no "
            "covariance, and so an observation could correct nothing"
        )
    if not np.isfinite(members).all():
        bad = int((~np.isfinite(members).all(axis=1)).sum())
        raise AssimilationError(
            f"ensemble: expected finite members, got {bad} of {len(members)} that are not; "
            "shorten the time step or draw a narrower ensemble"
        )
    return members


def check_inflation(inflation: float) -> None:
    """Refuse a factor that would shrink the ensemble."""
    if not inflation >= 1.0:
        raise AssimilationError(f"inflation: expected a factor of at least 1, got {inflation}")


def inflated(members: NDArray[np.float64], inflation: float) -> NDArray[np.float64]:
    """Return members with their anomalies multiplied, the mean unchanged.

    Parameters
    ----------
    members
        Shape ``(n_member, n_state)``.
    inflation
        Factor on the anomalies, so its square on the covariance [1].
    """
    if inflation == 1.0:
        return members
    mean = members.mean(axis=0)
    return np.asarray(mean + inflation * (members - mean))
