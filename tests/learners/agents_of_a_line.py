"""An environment in which what is best is known: coefficients that are a given line."""

from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from hybrid.environments import Episodes, TurbulenceEnvironment

Array = NDArray[np.float64]

N_CHANNEL, N_MODEL, N_AGENT, N_ACTION, INTERVAL = 5, 16, 10, 2, 10


class AgentsOfALine(TurbulenceEnvironment):
    """Agents that see random numbers and should do ``best . (1, numbers)``.

    The reward of a model is minus the mean square of what its agents miss that by, over the
    episode, in units of half the bounds: no agent can tell its own part.
    """

    cost = N_MODEL * N_ACTION * INTERVAL
    """Steps of an episode of all models."""

    def __init__(self, best: Array) -> None:
        self.best, self.num_envs = best, N_MODEL
        self.episodes = Episodes(action_interval=INTERVAL, n_action=N_ACTION)
        self.bounds = np.array([[-0.02, 0.0], [0.06, 0.01]])
        shape = (N_AGENT, N_AGENT)
        self.single_observation_space = Box(-np.inf, np.inf, (N_CHANNEL, *shape), np.float32)
        self.single_action_space = Box(-1.0, 1.0, (2, *shape), np.float32)
        self._acted, self._missed = 0, np.zeros(N_MODEL)
        self._seen = np.zeros((N_MODEL, N_CHANNEL, *shape), dtype=np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """Begin an episode in every model."""
        del options
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._acted, self._missed = 0, np.zeros(self.num_envs)
        return self._observe_anew(), {}

    def step(self, actions: NDArray[np.float32]) -> Any:
        """Reward what is near the line."""
        low, high = self.bounds[:, :, np.newaxis, np.newaxis]
        one = np.ones_like(self._seen[:, :1])
        wanted = np.einsum("cf,nfyx->ncyx", self.best, np.concatenate([one, self._seen], axis=1))
        missed = (low + 0.5 * (actions + 1.0) * (high - low) - wanted) / (0.5 * (high - low))
        self._missed += (missed**2).mean((1, 2, 3))
        self._acted += 1
        rewards = -self._missed / self._acted
        done = np.full(self.num_envs, self._acted == self.episodes.n_action)
        if done.all():
            self._acted, self._missed = 0, np.zeros(self.num_envs)
        return self._observe_anew(), rewards, np.zeros_like(done), done, {}

    def progress(self) -> NDArray[np.float32]:
        """Return what has been missed so far and the part of the episode that is over."""
        part = np.full(self.num_envs, self._acted / self.episodes.n_action)
        return np.stack([self._missed, part], axis=1).astype(np.float32)

    def _observe_anew(self) -> NDArray[np.float32]:
        self._seen = 0.3 * self._rng.standard_normal(self._seen.shape).astype(np.float32)
        return self._seen
