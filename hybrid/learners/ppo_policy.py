"""The policy that all agents share, and a critic that sees their model as a whole."""

from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from torch import Tensor, nn

from hybrid.learners.joint_normal import JointNormal, Moments

_HIDDEN = 64


class SharedPolicy(BasePolicy):
    """Actions linear in what each agent sees, with weights that all agents share.

    Exploration is that of `JointNormal`; its common part is kept until `reset_noise` is called, so
    that a change of the weights lasts long enough to show in the statistics. The critic gives one
    value for a model, from `TurbulenceEnvironment.progress` and from means and mean squares over
    agents of what they see.

    Parameters
    ----------
    observation_space
        ``"agents"`` and ``"model"``, see `hybrid.learners.ppo_models.Models`.
    action_space
        Actions of a model.
    lr_schedule
        Learning rate, of which 1 is the begin.
    use_sde
        Whether the common part is kept; it is.
    start
        Weights to begin with, in units of actions, shape ``(coefficient, 1 + channel)``.
    unit
        Change of weights that one learning rate suits, in units of actions.
    exploration
        How actions vary; may be changed between updates.

    References
    ----------
    Rueckstiess et al. (2008), doi:10.1007/978-3-540-87481-2_16, for noise on the weights that is
    kept for a while; Raffin et al. (2021), arXiv:2005.05719.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Box,
        lr_schedule: Schedule,
        *,
        use_sde: bool = True,
        start: Tensor,
        unit: float,
        exploration: JointNormal,
    ) -> None:
        super().__init__(observation_space, action_space)
        assert use_sde
        self.exploration, self.unit = exploration, unit
        self.change = nn.Parameter(torch.zeros_like(start))
        self.register_buffer("start", start)
        self._noise = torch.zeros(0, *start.shape)
        agents, model = observation_space["agents"].shape, observation_space["model"].shape
        assert agents is not None
        assert model is not None
        self.critic = nn.Sequential(
            nn.Linear(2 * agents[0] + model[0], _HIDDEN),
            nn.Tanh(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.Tanh(),
            nn.Linear(_HIDDEN, 1),
        )
        self.optimizer = torch.optim.Adam(self.parameters(), lr=lr_schedule(1.0))

    start: Tensor

    @property
    def weights(self) -> Tensor:
        """Weights of what agents see, the first that of 1; ``(coefficient, 1 + channel)``."""
        return self.start + self.unit * self.change

    def reset_noise(self, n_envs: int = 1) -> None:
        """Draw the common part of the exploration of each model anew."""
        self._noise = self.exploration.noise(n_envs, *self.start.shape)

    def forward(
        self, observation: dict[str, Tensor], deterministic: bool = False
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return actions, values and logarithms of the actions' probability densities."""
        seen = _features(observation)
        if deterministic:
            actions = self.weights @ seen
        else:
            actions = self.exploration.sample(self.weights, self._noise, seen)
        log_prob = self.exploration.log_prob(self.weights, Moments.of(actions, seen))
        shape = self.action_space.shape
        assert shape is not None
        return actions.reshape(-1, *shape), self.predict_values(observation), log_prob

    def evaluate_actions(
        self, observation: dict[str, Tensor], actions: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return values, logarithms of probability densities of actions, and their entropies."""
        seen = _features(observation)
        moments = Moments.of(actions.reshape(len(seen), len(self.start), -1), seen)
        log_prob = self.exploration.log_prob(self.weights, moments)
        return self.predict_values(observation), log_prob, self.exploration.entropy(moments)

    def predict_values(self, observation: dict[str, Tensor]) -> Tensor:
        """Return the value of each model, shape ``(model, 1)``."""
        agents, model = observation["agents"], observation["model"]
        means = [agents.mean((2, 3)), (agents * agents).mean((2, 3))]
        # Misfits of a bad model are a hundred times those of a good one.
        values: Tensor = self.critic(torch.cat([torch.asinh(model), *means], dim=1))
        return values

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> Tensor:
        assert isinstance(observation, dict)
        return self.forward(observation, deterministic)[0]


def _features(observation: dict[str, Any]) -> Tensor:
    """Return 1 and what agents see, shape ``(model, 1 + channel, agent)``."""
    agents = observation["agents"].flatten(2)
    return torch.cat([torch.ones_like(agents[:, :1]), agents], dim=1)
