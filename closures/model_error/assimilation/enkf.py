"""The stochastic ensemble Kalman filter: every member sees its own perturbed observations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve

from closures.model_error.assimilation.ensemble import (
    Analysis,
    check_inflation,
    checked,
    inflated,
)
from closures.model_error.assimilation.localization import Localization
from closures.model_error.assimilation.observation import Observation


@dataclass(frozen=True)
class StochasticEnKF:
    r"""Ensemble Kalman filter with perturbed observations.

    .. math::
        x_i^a = x_i + K (y + \epsilon_i - H x_i), \quad
        K = \rho \circ P H^T (\rho \circ H P H^T + R)^{-1}

    The perturbations :math:`\epsilon_i` are drawn from the noise and shifted to mean zero, so the
    mean of the analysis is what the covariance of the ensemble makes of it, without a further
    sampling error. They are added to the *noisy* observations: around the truth, which nobody
    has, they would average out over the members and leave the truth itself.

    Parameters
    ----------
    rng
        Source of the perturbations; the analysis is the same for the same state of it.
    inflation
        Factor on the anomalies of the forecast, at least 1 [1].
    localization
        Factors :math:`\rho` on the covariances; None for none.

    Raises
    ------
    AssimilationError
        If the inflation is below 1.

    References
    ----------
    Burgers, van Leeuwen & Evensen 1998, Mon. Weather Rev. 126, 1719. Evensen & van Leeuwen 2000,
    Mon. Weather Rev. 128, 1852 (ensembles of earlier times).

    Examples
    --------
    >>> from closures.model_error.assimilation import Identity, Observation
    >>> rng = np.random.default_rng(0)
    >>> forecast = rng.standard_normal((5000, 1))
    >>> analysis = StochasticEnKF(rng).update(forecast, Observation([1.0], 1.0, Identity(1)))
    >>> print(f"{analysis.mean[0]:.1f} +- {analysis.ensemble.std():.1f}")
    0.5 +- 0.7
    """

    rng: np.random.Generator
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
        n_member = len(members)
        seen = present.operator.apply(members)
        anomalies = seen - seen.mean(axis=0)
        covariance = anomalies.T @ anomalies / (n_member - 1)
        if self.localization is not None:
            covariance *= self.localization.among_observations(present)
        covariance[np.diag_indices_from(covariance)] += present.variance
        drawn = self.rng.standard_normal(seen.shape) * np.sqrt(present.variance)
        innovations = present.values + drawn - drawn.mean(axis=0) - seen
        weighted = cho_solve(cho_factor(covariance, lower=True), innovations.T)
        factors = None if self.localization is None else self.localization.to_state(present)

        def corrected(states: NDArray[np.float64]) -> NDArray[np.float64]:
            cross = (states - states.mean(axis=0)).T @ anomalies / (n_member - 1)
            if factors is not None:
                cross *= factors
            return np.asarray(states + (cross @ weighted).T)

        return Analysis(
            corrected(members),
            tuple(corrected(checked(each, members.shape[1])) for each in earlier),
            len(present.rows),
            observation.n_missing,
        )
