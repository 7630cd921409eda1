"""The environment of coarse turbulence: its interface, what actions do, and blow-ups."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from two_dimensional_flow import turbulence

from hybrid.environments import (
    Episodes,
    Reference,
    SpectrumAndMomentsReward,
    SpectrumReward,
    TurbulenceEnvironment,
)
from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.eddy_viscosity import EddyViscosity

N = 24
MODEL = Barotropic(
    nx=N, dt=5e-3, viscosity=1e-3, eddy_viscosity=EddyViscosity(c2=0.01, net_dissipation=0.1)
)
TRUTH = turbulence(N, seed=1, n_member=12)
REFERENCE = Reference.of(TRUTH, MODEL.grid, n_mean=3)
SHORT = Episodes(action_interval=5, n_action=3)


def environment(model: Barotropic = MODEL, **how: Any) -> TurbulenceEnvironment:
    how = {"n_model": 3, "episodes": SHORT, **how}
    return TurbulenceEnvironment(model, REFERENCE, SpectrumReward(REFERENCE), TRUTH, **how)


def constant_action(venv: TurbulenceEnvironment, value: float) -> Any:
    """The same action of all agents of all models."""
    shape = venv.action_space.shape
    assert shape is not None
    return np.full(shape, value, dtype=np.float32)


def test_spaces_are_those_of_what_is_seen_and_done() -> None:
    several = replace(SHORT, n_block=(4, 6), observe_spectrum=True, bounds4=(0.0, 0.01))
    model = replace(MODEL, eddy_viscosity=EddyViscosity(c4=0.004))
    venv = environment(model, episodes=several)
    assert venv.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert venv.single_action_space.shape == (2, 4, 6)
    observation, _ = venv.reset(seed=1)
    assert venv.observation_space.contains(observation)
    # Five invariants and rings 1 to 7, the last that 24 points keep.
    assert observation.shape == (3, 5 + 7, 4, 6)
    venv.action_space.seed(2)
    observation, reward, terminated, truncated, _ = venv.step(venv.action_space.sample())
    assert venv.observation_space.contains(observation)
    assert reward.shape == terminated.shape == truncated.shape == (3,)
    assert np.isfinite(reward).all()


def test_a_constant_action_is_a_constant_coefficient() -> None:
    # Twice as far from the lower bound as from the upper one.
    venv = environment(n_model=1, episodes=replace(SHORT, bounds2=(-0.01, 0.02)))
    venv.reset(seed=3)
    run = venv._integration
    before, history, step = run.vorticity_spectrum.copy(), run.memory.copy(), run.step
    venv.step(constant_action(venv, 1.0 / 3.0))
    constant = replace(MODEL, eddy_viscosity=EddyViscosity(c2=0.01, net_dissipation=0.1))
    alone = constant.start(TRUTH[:1])
    assert isinstance(alone, BarotropicIntegration)
    alone.vorticity_spectrum[...], alone.memory[...], alone.step = before, history, step
    alone.advance(5)
    difference = np.abs(alone.vorticity_spectrum - run.vorticity_spectrum).max()
    # Actions are float32.
    assert difference <= 1e-6 * np.abs(alone.vorticity_spectrum).max()


def test_an_episode_begins_as_a_run_goes_on() -> None:
    # The state that an episode begins with has the history of a third-order step.
    run = MODEL.start(TRUTH[:1])
    assert isinstance(run, BarotropicIntegration)
    run.advance(8)
    for steps_before in (0, 1, 2):
        venv = TurbulenceEnvironment(
            MODEL, REFERENCE, SpectrumReward(REFERENCE), TRUTH[:1], n_model=1, episodes=SHORT
        )
        venv._integration.step += steps_before
        venv.reset(seed=4)
        low, high = SHORT.bounds2
        action = 2.0 * (0.01 - low) / (high - low) - 1.0
        venv.step(constant_action(venv, action))
        difference = np.abs(venv._integration.vorticity_spectrum - run.vorticity_spectrum).max()
        assert difference <= 1e-6 * np.abs(run.vorticity_spectrum).max()


def test_episodes_end_together_and_begin_anew() -> None:
    venv = environment()
    venv.reset(seed=5)
    nothing = constant_action(venv, 0.0)
    for last in (False, False, True):
        observation, _, terminated, truncated, information = venv.step(nothing)
        assert not terminated.any()
        assert truncated.tolist() == [last] * 3
    assert information["_final_obs"].all()
    assert np.abs(information["final_obs"][0] - observation[0]).max() > 0.0
    *_, truncated, information = venv.step(nothing)
    assert not truncated.any()
    assert information == {}


def test_the_same_seed_gives_the_same_episode() -> None:
    venv = environment()
    rewards = []
    for _ in range(2):
        venv.reset(seed=6)
        rewards.append(venv.step(constant_action(venv, 0.0))[1])
    assert np.array_equal(rewards[0], rewards[1])


def test_a_model_that_blows_up_is_punished_and_replaced() -> None:
    venv = environment()
    venv.reset(seed=7)
    venv._integration.vorticity_spectrum[1] *= 1e6
    nothing = constant_action(venv, 0.0)
    observation, reward, terminated, truncated, information = venv.step(nothing)
    assert terminated.tolist() == [False, True, False]
    assert not truncated.any()
    assert reward[1] == -100.0
    assert (reward[[0, 2]] > -100.0).all()
    assert information["_final_obs"].tolist() == [False, True, False]
    assert np.isfinite(observation).all()
    _, reward, terminated, *_ = venv.step(nothing)
    assert not terminated.any()
    assert np.isfinite(reward).all()


def test_reward_is_that_of_the_mean_over_the_episode() -> None:
    venv = environment(n_model=1)
    reward = SpectrumAndMomentsReward(REFERENCE)
    venv.reward = reward
    venv.reset(seed=8)
    seen = []
    for _ in range(2):
        _, got, *_ = venv.step(constant_action(venv, 0.0))
        seen.append(np.fft.irfft2(venv._integration.vorticity_spectrum[0], s=(N, N)))
    both = np.stack(seen)
    spectra = venv._shells.enstrophy(both).mean(axis=0, keepdims=True)
    moments = np.array([[(both**2).mean(), (both**4).mean()]])
    assert got[0] == pytest.approx(reward(spectra, moments)[0], rel=1e-10)


def test_what_is_seen_turns_with_the_flow() -> None:
    venv = environment(n_model=1, episodes=replace(SHORT, n_block=(4, 4)))
    field = turbulence(N, seed=9)
    # A turn about the corner between points, so that blocks become blocks.
    about_corner = np.swapaxes(field, -2, -1)[..., ::-1]
    seen, seen_turned = venv._observe(field), venv._observe(np.ascontiguousarray(about_corner))
    expected = np.swapaxes(seen, -2, -1)[..., ::-1]
    assert np.allclose(seen_turned, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: environment(replace(MODEL, eddy_viscosity=None)),
            (
                "model: expected an eddy_viscosity with given coefficients, EddyViscosity, "
                "got NoneType"
            ),
        ),
        (
            lambda: environment(episodes=Episodes(bounds4=(0.0, 0.01))),
            (
                "model: expected an eddy_viscosity with a c4 other than 0 where actions set c4, "
                "got 0"
            ),
        ),
        (
            lambda: environment(episodes=Episodes(n_block=(5, 4))),
            "n_block: expected divisors of the (24, 24) points of the grid, got (5, 4)",
        ),
        (lambda: Episodes(n_action=0), "n_action: expected a positive number, got 0"),
        (
            lambda: Episodes(bounds2=(0.1, 0.1)),
            "bounds2: expected a lower and a larger upper bound, got (0.1, 0.1)",
        ),
        (
            lambda: Reference.of(TRUTH, MODEL.grid, n_mean=7),
            (
                "n_mean: expected at least two means of 7 snapshots, got 12 snapshots; give more, "
                "or take shorter means"
            ),
        ),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 -- the whole text is compared
        make()
    assert str(error.value) == message


def test_progress_says_what_the_reward_will_be_of() -> None:
    venv = environment(n_model=2)
    venv.reward = SpectrumAndMomentsReward(REFERENCE)
    venv.reset(seed=10)
    n_ring = len(REFERENCE.spectrum)
    begun = venv.progress()
    assert begun.shape == (2, 2 * (n_ring + 2) + 2)
    means, present = np.split(begun[:, :-2], 2, axis=1)
    assert np.array_equal(means, present)
    rewards = [venv.step(constant_action(venv, 0.0))[1] for _ in range(2)]
    seen = venv.progress()
    means, present = np.split(seen[:, :-2], 2, axis=1)
    spectrum, shape = (means**2)[:, :n_ring], (means**2)[:, n_ring:]
    # Misfits are in units of the errors that the reward takes them in.
    assert -spectrum.mean(axis=1) - shape.mean(axis=1) == pytest.approx(rewards[-1], rel=1e-5)
    assert seen[:, -2] == pytest.approx(rewards[-1], rel=1e-6)
    assert seen[:, -1].tolist() == pytest.approx([2 / 3, 2 / 3])
    assert np.abs(means - present).max() > 0.01
    venv.step(constant_action(venv, 0.0))
    assert venv.progress()[:, -1].tolist() == [0.0, 0.0]
