"""Models of a turbulence environment as environments of stable-baselines3 (extra ``rl``)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from hybrid.environments.turbulence import TurbulenceEnvironment

Observation = dict[str, NDArray[np.float32]]


def rooted(rewards: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the square roots of rewards, with their signs.

    Misfits have long tails: the worst of the models would be all that a learner sees.
    """
    return np.sign(rewards) * np.sqrt(np.abs(rewards))


class Models(VecEnv):
    """Each model with all its agents as one environment that is rewarded at the episode's end.

    What is observed is ``"agents"``, what the agents see, shape ``(channel, block_y, block_x)``,
    and ``"model"``, `TurbulenceEnvironment.progress`, which a critic needs: the reward is that of
    an episode's mean statistics, which agents do not see. What is learned from is its signed
    square root.

    Parameters
    ----------
    environment
        The models.
    """

    observation_space: spaces.Dict
    action_space: spaces.Box

    def __init__(self, environment: TurbulenceEnvironment) -> None:
        self.environment = environment
        seen, done = environment.single_observation_space, environment.single_action_space
        n_progress = environment.progress().shape[1]
        super().__init__(
            environment.num_envs,
            spaces.Dict(
                {"agents": seen, "model": spaces.Box(-np.inf, np.inf, (n_progress,), np.float32)}
            ),
            done,
        )
        self._actions = np.zeros(0, dtype=np.float32)
        self._n_step = np.zeros(environment.num_envs, dtype=np.int64)

    def reset(self) -> Observation:
        """Begin an episode in every model."""
        agents, _ = self.environment.reset(seed=self._seeds[0])
        self._reset_seeds()
        self._n_step[:] = 0
        return self._observation(agents)

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep actions, shape ``(model, coefficient, block_y, block_x)``."""
        self._actions = actions

    def step_wait(
        self,
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_], list[dict[str, Any]]]:
        """Let the agents act."""
        agents, rewards, terminated, truncated, _ = self.environment.step(self._actions)
        done = terminated | truncated
        self._n_step += 1
        information: list[dict[str, Any]] = [{} for _ in done]
        for member in np.flatnonzero(done):
            length = int(self._n_step[member])
            information[member] = {"episode": {"r": float(rewards[member]), "l": length}}
        self._n_step[done] = 0
        return self._observation(agents), np.where(done, rooted(rewards), 0.0), done, information

    def _observation(self, agents: NDArray[np.float32]) -> Observation:
        return {"agents": agents, "model": self.environment.progress()}

    def close(self) -> None:
        """Leave the environment open: it was given."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the environment, once a model."""
        return [getattr(self.environment, attr_name)] * len(self._members(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of the environment, which all models share."""
        del indices
        setattr(self.environment, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of the environment, once."""
        result = getattr(self.environment, method_name)(*method_args, **method_kwargs)
        return [result] * len(self._members(indices))

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Say that no model is wrapped."""
        del wrapper_class
        return [False] * len(self._members(indices))

    def _members(self, indices: Any) -> Sequence[int]:
        return list(self._get_indices(indices))
