"""Multi-agent PPO: agents that share a linear policy learn in running models (extra ``rl``)."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticPolicy

from closures.turbulence import INVARIANTS
from hybrid.environments.turbulence import TurbulenceEnvironment
from hybrid.learners.joint_normal import JointNormal
from hybrid.learners.learned import Learned
from hybrid.learners.ppo_models import Models
from hybrid.learners.ppo_policy import SharedPolicy

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

_COEFFICIENTS = ("c2", "c4")


@dataclass(frozen=True, kw_only=True)
class PpoSettings:
    """How PPO explores and learns.

    Parameters
    ----------
    deviation
        Standard deviations of weights in exploration, in the first update and in the last, between
        which they fall linearly [half the distance of the bounds]. What is learned suits them: a
        policy that is rewarded with its exploration keeps away from where that does harm.
    common
        Part of the exploration's variance that all agents of a model have in common, see
        `JointNormal`; 0: each explores alone.
    hold
        Actions for which the common part is kept; None: for an episode.
    n_episode
        Episodes of each model from update to update.
    n_epoch
        Times that an update goes through what was seen.
    n_batch
        Parts into which it is divided; a divisor of models times actions of an update.
    learning_rate
        Learning rate to begin with, of the critic and, in units of the first `deviation`, of the
        weights; it falls linearly to 0.
    clip_range, gae_lambda
        As of `stable_baselines3.PPO`.
    averaged
        Last part of the updates, whose mean weights are what has been learned.

    Raises
    ------
    ValueError
        If `averaged` is not from 0 to 1.
    """

    deviation: tuple[float, float] = (0.1, 0.03)
    common: float = 0.95
    hold: int | None = None
    n_episode: int = 1
    n_epoch: int = 10
    n_batch: int = 8
    learning_rate: float = 0.04
    clip_range: float = 0.3
    gae_lambda: float = 0.95
    averaged: float = 0.25

    def __post_init__(self) -> None:
        if not 0.0 <= self.averaged <= 1.0:
            raise ValueError(f"averaged: expected a part from 0 to 1, got {self.averaged}")


def learn_ppo(
    environment: TurbulenceEnvironment,
    start: Array,
    settings: PpoSettings,
    budget: int,
    seed: int,
    *,
    log_folder: Path | None = None,
    on_progress: OnProgress = lambda _fraction: None,
) -> Learned:
    """Learn the weights of a linear policy by proximal policy optimisation.

    The agents share one policy and, for the most part, their exploration: a reward that N agents
    share tells each of them next to nothing about what it did alone. Rewards are those of whole
    episodes, as signed square roots.

    Parameters
    ----------
    environment
        The models; the agents do not see the spectrum.
    start
        Weights to begin with, see `closures.turbulence.LinearPolicy`, shape ``(2, 6)`` [1]; where
        actions do not set c4, its weights are returned as they are.
    settings
        See `PpoSettings`.
    budget
        Steps of coarse models that may be spent; as many updates are made as fit in.
    seed
        Of every random choice.
    log_folder
        Folder for TensorBoard.
    on_progress
        Called with the fraction of the budget that is spent.

    Raises
    ------
    ValueError
        If the budget is less than an update takes, or agents see the spectrum.
    ModuleNotFoundError
        If there is a folder for TensorBoard, which is not installed.

    References
    ----------
    Schulman et al. (2017), arXiv:1707.06347.
    """
    episodes = environment.episodes
    _check(environment, log_folder)
    n_step = settings.n_episode * episodes.n_action
    n_seen = environment.num_envs * n_step
    if n_seen % settings.n_batch:
        raise ValueError(
            f"n_batch: expected a divisor of the {n_seen} actions of an update, "
            f"got {settings.n_batch}"
        )
    cost = n_seen * episodes.action_interval
    n_update = budget // cost
    if n_update < 1:
        raise ValueError(f"budget: expected at least the {cost} steps of an update, got {budget}")
    learner = PPO(
        cast("type[ActorCriticPolicy]", SharedPolicy),
        Models(environment),
        # The part that is left is that after the update which begins.
        learning_rate=lambda left: settings.learning_rate * (left + 1.0 / n_update),
        n_steps=n_step,
        batch_size=n_seen // settings.n_batch,
        n_epochs=settings.n_epoch,
        # Episodes end, and only their ends are rewarded.
        gamma=1.0,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip_range,
        max_grad_norm=10.0,
        use_sde=True,
        sde_sample_freq=episodes.n_action if settings.hold is None else settings.hold,
        tensorboard_log=None if log_folder is None else str(log_folder),
        policy_kwargs=_chosen(environment, start, settings),
        seed=seed,
        device="cpu",
    )
    record = _Record(n_update, settings, on_progress)
    learner.learn(n_update * n_seen, callback=record)
    last = record.weights[-max(1, round(settings.averaged * n_update)) :]
    weights = np.array(start, dtype=np.float64)
    learned = _from_actions(np.mean(last, axis=0), environment.bounds)
    weights[: len(learned)] = learned
    return Learned(weights, cost * np.arange(1, n_update + 1), np.array(record.rewards))


def policy_of(
    environment: TurbulenceEnvironment, weights: Array, settings: PpoSettings
) -> SharedPolicy:
    """Return the policy with given weights, shape ``(2, 6)`` [1], as PPO begins with it."""
    models = Models(environment)
    return SharedPolicy(
        models.observation_space,
        models.action_space,
        lambda _left: settings.learning_rate,
        **_chosen(environment, weights, settings),
    )


def _chosen(
    environment: TurbulenceEnvironment, start: Array, settings: PpoSettings
) -> dict[str, Any]:
    return {
        "start": torch.from_numpy(_to_actions(start, environment.bounds)).float(),
        "unit": settings.deviation[0],
        "exploration": JointNormal(settings.deviation[0], settings.common),
    }


def _to_actions(weights: Array, bounds: Array) -> Array:
    """Return weights of actions, from -1 to 1, of those of coefficients between bounds."""
    low, high = bounds
    half = 0.5 * (high - low)
    actions: Array = weights[: len(low)] / half[:, np.newaxis]
    actions[:, 0] -= low / half + 1.0
    return actions


def _from_actions(actions: Array, bounds: Array) -> Array:
    """Return weights of coefficients of those of actions."""
    low, high = bounds
    half = 0.5 * (high - low)
    weights: Array = actions * half[:, np.newaxis]
    weights[:, 0] += low + half
    return weights


def _check(environment: TurbulenceEnvironment, log_folder: Path | None) -> None:
    if environment.episodes.observe_spectrum:
        raise ValueError(
            "environment: expected agents that see the invariants, got observe_spectrum=True; the "
            "critic sees the spectrum anyway"
        )
    if log_folder is not None and find_spec("tensorboard") is None:
        raise ModuleNotFoundError(
            "log_folder: expected the package tensorboard, found none; install "
            "'hybrid-closures[rl]', or leave log_folder out"
        )


class _Record(BaseCallback):
    """Sets the exploration of each update, and keeps its weights and rewards."""

    def __init__(self, n_update: int, settings: PpoSettings, on_progress: OnProgress) -> None:
        super().__init__()
        self.n_update, self.on_progress = n_update, on_progress
        self.deviations = np.linspace(*settings.deviation, n_update).tolist()
        self.common = settings.common
        self.weights: list[Array] = []
        self.rewards: list[float] = []
        self._episodes: list[float] = []

    def _on_step(self) -> bool:
        information: list[dict[str, Any]] = self.locals["infos"]
        self._episodes += [info["episode"]["r"] for info in information if "episode" in info]
        return True

    def _on_rollout_start(self) -> None:
        if self.rewards:
            self._updated()
        policy = self.model.policy
        assert isinstance(policy, SharedPolicy)
        policy.exploration = JointNormal(self.deviations[len(self.rewards)], self.common)

    def _on_rollout_end(self) -> None:
        self.rewards.append(float(np.mean(self._episodes)))
        self._episodes = []

    def _on_training_end(self) -> None:
        self._updated()

    def _updated(self) -> None:
        assert isinstance(self.model.policy, SharedPolicy)
        weights = self.model.policy.weights.detach().double().numpy()
        for coefficient, row in zip(_COEFFICIENTS, weights, strict=False):
            for name, weight in zip(INVARIANTS, row, strict=True):
                self.logger.record(f"{coefficient}/{name}", float(weight))
        self.weights.append(weights)
        self.on_progress(len(self.weights) / self.n_update)
