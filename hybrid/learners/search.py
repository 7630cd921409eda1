"""Search for the weights of a policy with runs of the coarse model alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cma
import numpy as np
from numpy.typing import NDArray

from hybrid.environments.reference import Array
from hybrid.environments.rewards import Reward
from hybrid.learners.learned import Learned
from hybrid.learners.rollouts import Rollouts

OnProgress = Callable[[float], None]

LOST = -1e4
"""Reward of a policy that loses a run."""

UNITS = (0.005, 0.003)
"""Weights of c2 and of c4 that matter [1]: what a search takes as one."""


@dataclass(frozen=True)
class Free:
    """Which weights are searched for.

    Parameters
    ----------
    start
        Weights to begin with, and of those that are not searched for, shape ``(2, 6)`` [1].
    which
        The weights that are searched for, same shape.
    """

    start: Array
    which: NDArray[np.bool_]

    @property
    def n(self) -> int:
        """How many."""
        return int(self.which.sum())

    def weights(self, values: Array) -> Array:
        """Return weights ``(..., 2, 6)`` of values ``(..., n)`` in their units."""
        units = np.broadcast_to(np.array(UNITS)[:, np.newaxis], self.which.shape)[self.which]
        result = np.broadcast_to(self.start, (*values.shape[:-1], *self.start.shape)).copy()
        result[..., self.which] += units * values
        return result


class Learner(Protocol):
    """Learns a policy with a budget of steps of coarse models."""

    def __call__(
        self,
        rollouts: Rollouts,
        reward: Reward,
        free: Free,
        budget: int,
        seed: int,
        on_progress: OnProgress = ...,
    ) -> Learned:
        """Return what it has learned.

        Parameters
        ----------
        rollouts
            How policies are run.
        reward
            What is rewarded.
        free
            Weights to find.
        budget
            Steps of coarse models that may be spent.
        seed
            Of every random choice.
        on_progress
            Called with the fraction of the budget that is spent.
        """


def scan(
    rollouts: Rollouts,
    reward: Reward,
    free: Free,
    budget: int,
    seed: int,
    on_progress: OnProgress = lambda _fraction: None,
    *,
    between: tuple[float, float] = (0.0, 10.0),
    at_a_time: int = 16,
) -> Learned:
    """Return the best constant coefficient of as many as the budget allows, evenly spaced.

    The one weight that is searched for goes over an interval, in its unit; in each update, from
    the same states, every policy is run once more, so that the last choice is that of the mean.

    Raises
    ------
    ValueError
        If there is not exactly one weight to find.
    """
    if free.n != 1:
        raise ValueError(f"free: expected one weight to find, got {free.n}")
    rng = np.random.default_rng(seed)
    values = np.linspace(*between, at_a_time)[:, np.newaxis]
    weights = free.weights(values)
    cost = len(weights) * rollouts.steps_a_policy
    n_update = max(1, budget // cost)
    total, best = np.zeros(len(weights)), []
    for n in range(1, n_update + 1):
        found = rollouts.run(weights, rollouts.starts(rng))
        total += found.rewards(reward, LOST)
        best.append(total.max() / n)
        on_progress(n / n_update)
    steps = cost * np.arange(1, n_update + 1)
    return Learned(weights[total.argmax()], steps, np.array(best))


def evolve(
    rollouts: Rollouts,
    reward: Reward,
    free: Free,
    budget: int,
    seed: int,
    on_progress: OnProgress = lambda _fraction: None,
    *,
    sigma: float = 1.0,
    population: int | None = None,
) -> Learned:
    """Learn by covariance matrix adaptation; return the mean of the last distribution.

    Every generation runs from states of its own, the same for all its policies: what one draw of
    states favours does not last.

    Parameters
    ----------
    sigma
        Standard deviation to begin with, in `UNITS`.
    population
        Policies in a generation; default: that of `cma`.

    References
    ----------
    Hansen (2016), arXiv:1604.00772.
    """
    rng = np.random.default_rng(seed)
    options = {"seed": int(rng.integers(1, 2**31)), "verbose": -9, "CMA_active": True}
    if population is not None:
        options["popsize"] = population
    strategy = cma.CMAEvolutionStrategy(np.zeros(free.n), sigma, options)
    cost = strategy.popsize * rollouts.steps_a_policy
    n_update, rewards = max(1, budget // cost), []
    for n in range(1, n_update + 1):
        asked = np.array(strategy.ask())
        found = rollouts.run(free.weights(asked), rollouts.starts(rng)).rewards(reward, LOST)
        strategy.tell(list(asked), list(-found))
        rewards.append(np.median(found))
        on_progress(n / n_update)
    favorite = np.asarray(strategy.result.xfavorite)
    return Learned(free.weights(favorite), cost * np.arange(1, n_update + 1), np.array(rewards))
