"""Multi-agent PPO: what it learns is the policy that a model runs, and it learns what is best."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learners.agents_of_a_line import AgentsOfALine
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from two_dimensional_flow import turbulence

from hybrid.environments import Episodes, Reference, SpectrumReward, TurbulenceEnvironment
from hybrid.learners import Learned
from hybrid.learners.ppo import PpoSettings, learn_ppo, policy_of
from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.eddy_viscosity import EddyViscosity, LinearPolicy

START = np.array([[0.01, 0.0, 0.0, 0.0, 0.0, 0.0], [0.002, 0.0, 0.0, 0.0, 0.0, 0.0]])
BEST = np.array([[0.02, 0.004, 0.0, -0.004, 0.0, 0.002], [0.004, 0.0, 0.001, 0.0, 0.0005, 0.0]])
HALF = np.array([[0.04], [0.005]])

N = 24
MODEL = Barotropic(nx=N, dt=5e-3, viscosity=1e-3, eddy_viscosity=EddyViscosity(c4=0.004))
TRUTH = turbulence(N, seed=1, n_member=8)
REFERENCE = Reference.of(TRUTH, MODEL.grid, n_mean=2)
EPISODES = Episodes(bounds4=(0.0, 0.01), action_interval=4, n_action=4, blow_up_reward=-1e4)


def flow(episodes: Episodes = EPISODES) -> TurbulenceEnvironment:
    reward = SpectrumReward(REFERENCE)
    return TurbulenceEnvironment(MODEL, REFERENCE, reward, TRUTH, n_model=2, episodes=episodes)


def distance(learned: Learned) -> float:
    """Of the weights from the best ones, relative to that of those to begin with."""
    missed = [np.linalg.norm((w - BEST) / HALF) for w in (learned.weights, START)]
    return float(missed[0] / missed[1])


def test_learns_what_is_best_when_agents_explore_together() -> None:
    together = PpoSettings(
        deviation=(0.1, 0.1), common=0.95, learning_rate=0.1, n_batch=1, n_epoch=8
    )
    alone = replace(together, common=0.0)
    learned, hardly = (
        learn_ppo(AgentsOfALine(BEST), START, settings, 30 * AgentsOfALine.cost, seed=0)
        for settings in (together, alone)
    )
    assert len(learned.steps) == 30
    assert learned.rewards[-5:].mean() > 0.25 * learned.rewards[0]
    assert distance(learned) < 0.45
    assert distance(hardly) > 0.55


def test_the_same_seed_learns_the_same() -> None:
    settings = PpoSettings(n_batch=2, n_epoch=2)
    first, again, other = (learn_ppo(flow(), START, settings, 100, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.weights, again.weights)
    assert np.array_equal(first.rewards, again.rewards)
    assert np.abs(first.weights - other.weights).max() > 0.0


def test_spends_what_fits_into_the_budget_and_says_so() -> None:
    fractions: list[float] = []
    learned = learn_ppo(
        flow(), START, PpoSettings(n_batch=2, n_epoch=1), 90, 3, on_progress=fractions.append
    )
    # Two models, four actions of four steps.
    assert learned.steps.tolist() == [32, 64]
    assert learned.rewards.shape == (2,)
    assert np.isfinite(learned.rewards).all()
    assert fractions == [0.5, 1.0]


def test_weights_that_actions_do_not_set_stay() -> None:
    episodes = replace(EPISODES, bounds4=None)
    learned = learn_ppo(flow(episodes), START, PpoSettings(n_batch=2, n_epoch=1), 32, 4)
    assert np.array_equal(learned.weights[1], START[1])
    assert (np.abs(learned.weights[0] - START[0]) > 0.0).all()


def test_a_policy_acts_as_the_model_with_its_weights() -> None:
    environment = flow()
    weights = BEST + 0.01 * np.random.default_rng(5).standard_normal(BEST.shape) * HALF
    policy = policy_of(environment, weights, PpoSettings())
    seen, _ = environment.reset(seed=6)
    run = environment._integration
    exported = LinearPolicy(
        weights2=tuple(weights[0].tolist()), weights4=tuple(weights[1].tolist()),
        bounds4=(0.0, 0.01),
    )  # fmt: skip
    alone = replace(MODEL, eddy_viscosity=exported).start(TRUTH[:2])
    assert isinstance(alone, BarotropicIntegration)
    alone.vorticity_spectrum[...] = run.vorticity_spectrum
    observation = {"agents": seen, "model": environment.progress()}
    actions, _ = policy.predict(observation, deterministic=True)
    environment.step(actions)
    for member in range(2):
        alone.eddy_tendency(member)
        got, expected = run.eddy.coefficients[member], alone.eddy.coefficients[member]
        # Observations and actions are float32.
        assert np.abs(got - expected).max() < 1e-6 * np.abs(expected).max() + 1e-8
        assert np.unique(expected[0]).size > N


def test_a_critic_values_each_model_and_exploration_moves_actions() -> None:
    environment = flow()
    policy = policy_of(environment, START, PpoSettings())
    seen, _ = environment.reset(seed=7)
    observation = {
        "agents": torch.from_numpy(seen),
        "model": torch.from_numpy(environment.progress()),
    }
    policy.reset_noise(2)
    actions, values, log_prob = policy.forward(observation)
    assert actions.shape == (2, 2, N, N)
    assert values.shape == (2, 1)
    assert values[0] != values[1]
    values_again, log_prob_again, _ = policy.evaluate_actions(observation, actions.flatten(1))
    assert torch.equal(values, values_again)
    assert torch.allclose(log_prob, log_prob_again, rtol=1e-9)
    moved, _, less = policy.forward(observation, deterministic=True)
    assert (moved != actions).all()
    assert (less > log_prob).all()


def test_writes_what_tensorboard_reads(tmp_path: Path) -> None:
    settings = PpoSettings(n_batch=2, n_epoch=1)
    learned = learn_ppo(flow(), START, settings, 64, 8, log_folder=tmp_path)
    (folder,) = tmp_path.iterdir()
    events = EventAccumulator(str(folder)).Reload()
    rewards = [event.value for event in events.Scalars("rollout/ep_rew_mean")]
    assert rewards[0] == pytest.approx(learned.rewards[0], rel=1e-5)
    assert "c2/strain_dominance" in events.Tags()["scalars"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: learn_ppo(flow(), START, PpoSettings(n_batch=2), 31, 0),
            "budget: expected at least the 32 steps of an update, got 31",
        ),
        (
            lambda: learn_ppo(flow(), START, PpoSettings(n_batch=3), 100, 0),
            "n_batch: expected a divisor of the 8 actions of an update, got 3",
        ),
        (
            lambda: learn_ppo(
                flow(replace(EPISODES, observe_spectrum=True)), START, PpoSettings(), 100, 0
            ),
            (
                "environment: expected agents that see the invariants, got observe_spectrum=True; "
                "the critic sees the spectrum anyway"
            ),
        ),
        (
            lambda: PpoSettings(averaged=1.5),
            "averaged: expected a part from 0 to 1, got 1.5",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 -- the whole text is compared
        make()
    assert str(error.value) == message
