"""Rollouts whose statistics are formulas of the weights, so that the best policy is known."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hybrid.environments import Reference
from hybrid.learners.rollouts import Rollouts, Statistics
from solvers.barotropic import Barotropic
from solvers.eddy_viscosity import LinearPolicy

N_RING = 7
MODEL = Barotropic(nx=24, dt=5e-3, viscosity=1e-3, eddy_viscosity=LinearPolicy())
REFERENCE = Reference(np.ones(N_RING), np.full(N_RING, 0.05), np.log([1.0, 3.0]), np.full(2, 0.05))
"""Enstrophy 1 in every ring, standard deviation 1, kurtosis 3."""


@dataclass(frozen=True, kw_only=True)
class Analytic(Rollouts):
    """Logarithms of the statistics are linear in weights, with noise as of short runs.

    Parameters
    ----------
    best
        Weights whose statistics are those of `REFERENCE`.
    noise
        Standard deviation of the noise.
    lost_beyond
        Largest distance from the best weights of policies that do not blow up.
    """

    best: NDArray[np.float64]
    noise: float = 0.0
    lost_beyond: float = np.inf
    model: Barotropic = MODEL
    initial: NDArray[np.float64] = field(default_factory=lambda: np.zeros((4, 24, 24)))
    n_run: int = 1

    def run(self, weights: NDArray[np.float64], starts: object) -> Statistics:
        away = (weights - self.best).reshape(len(weights), -1) / 0.005
        draw = np.random.default_rng([*np.asarray(starts), len(weights)])
        response = np.random.default_rng(7).standard_normal((away.shape[1], N_RING + 2))
        logarithms = away @ response / np.sqrt(away.shape[1])
        logarithms += self.noise * draw.standard_normal(logarithms.shape)
        square = np.exp(2.0 * logarithms[:, -2])
        moments = np.stack([square, 3.0 * np.exp(logarithms[:, -1]) * square**2], axis=1)
        lost = np.abs(away).max(axis=1) > self.lost_beyond
        return Statistics(np.exp(logarithms[:, :-2]), moments, lost.astype(np.int64))
