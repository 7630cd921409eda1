"""Ensemble Kalman inversion: weights of a policy as what the truth's statistics tell."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from closures.model_error.assimilation import Observation, StochasticEnKF, Subsampling
from hybrid.environments.reference import Array, Reference, shape_of
from hybrid.environments.rewards import FLOOR
from hybrid.learners.learned import Learned
from hybrid.learners.rollouts import Rollouts, Statistics
from hybrid.learners.search import Free

OnProgress = Callable[[float], None]


def invert(
    rollouts: Rollouts,
    reference: Reference,
    free: Free,
    budget: int,
    seed: int,
    on_progress: OnProgress = lambda _fraction: None,
    *,
    n_member: int = 24,
    spread: float = 1.0,
) -> Learned:
    r"""Learn by ensemble Kalman inversion; return the mean of the last ensemble.

    What is observed are the logarithms of the truth's enstrophy by ring, of its standard deviation
    and of its kurtosis, with their sampling errors; what is sought are the weights. An ensemble of
    weights is run, and corrected as by an ensemble Kalman filter whose noise is inflated by
    :math:`\alpha`, again and again until :math:`\sum 1 / \alpha = 1` or the budget is spent, where

    .. math:: 1 / \alpha = \max(m / 2 \langle\Phi\rangle, \sqrt{m / 2 \mathrm{var} \Phi})

    for m observations and half their squared misfit :math:`\Phi`. Members whose run is lost are
    drawn anew from the others.

    Parameters
    ----------
    rollouts, free, budget, seed, on_progress
        See `hybrid.learners.search.Learner`.
    reference
        Statistics of the truth.
    n_member
        Policies of the ensemble.
    spread
        Standard deviation of the weights to begin with, in `hybrid.learners.search.UNITS`.

    References
    ----------
    Iglesias et al. (2013), Inverse Probl. 29, 045001; Iglesias and Yang (2021), Inverse Probl. 37,
    025008, for the steps.
    """
    rng = np.random.default_rng(seed)
    values = spread * rng.standard_normal((n_member, free.n))
    truth, error = _observed(reference)
    cost = n_member * rollouts.steps_a_policy
    n_update, rewards, reached = max(1, budget // cost), [], 0.0
    for n in range(1, n_update + 1):
        seen = rollouts.run(free.weights(values), rollouts.starts(rng))
        values, predicted = _survivors(values, seen, rng)
        misfit = 0.5 * (((predicted - truth) / error) ** 2).sum(axis=1)
        # In the unit of the rewards of the other learners.
        rewards.append(-2.0 * float(np.median(misfit)) / len(truth))
        step = min(_step(misfit, len(truth)), 1.0 - reached)
        reached += step
        state = np.concatenate([values, predicted], axis=1)
        operator = Subsampling(state.shape[1], np.arange(free.n, state.shape[1]))
        observation = Observation(truth, error / np.sqrt(step), operator)
        values = StochasticEnKF(rng).update(state, observation).ensemble[:, : free.n]
        on_progress(n / n_update)
        if reached >= 1.0:
            break
    steps = cost * np.arange(1, len(rewards) + 1)
    return Learned(free.weights(values.mean(axis=0)), steps, np.array(rewards))


def _observed(reference: Reference) -> tuple[Array, Array]:
    values = np.concatenate([np.log(reference.spectrum), reference.shape])
    errors = np.concatenate([reference.spectrum_error, reference.shape_error])
    return values, np.sqrt(errors**2 + FLOOR**2)


def _survivors(
    values: Array, seen: Statistics, rng: np.random.Generator
) -> tuple[Array, NDArray[np.float64]]:
    """Return weights and what they predict, lost members being copies of others."""
    fine = np.flatnonzero(seen.n_lost == 0)
    if len(fine) < 2:
        raise ValueError(
            f"ensemble Kalman inversion: expected at least 2 of {len(values)} policies whose runs "
            f"do not blow up, got {len(fine)}; begin with a smaller spread"
        )
    chosen = np.arange(len(values))
    lost = seen.n_lost > 0
    chosen[lost] = rng.choice(fine, lost.sum())
    predicted = np.concatenate([np.log(seen.spectra[chosen]), shape_of(seen.moments[chosen])], 1)
    return values[chosen], predicted


def _step(misfit: Array, n_observation: int) -> float:
    """Return by how much the inversion goes on, a part of 1."""
    mean, variance = misfit.mean(), misfit.var()
    return float(
        max(n_observation / (2.0 * mean), np.sqrt(n_observation / (2.0 * max(variance, 1e-30))))
    )
