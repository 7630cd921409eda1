"""Runs under many policies at once."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from two_dimensional_flow import turbulence

from hybrid.environments import Reference, SpectrumReward
from hybrid.environments.reference import Shells, moments_of
from hybrid.learners.rollouts import Rollouts
from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.eddy_viscosity import EddyViscosity, LinearPolicy

N = 24
MODEL = Barotropic(
    nx=N,
    dt=5e-3,
    viscosity=1e-3,
    eddy_viscosity=LinearPolicy(bounds2=(-1.0, 1.0), bounds4=(0.0, 0.01), net_dissipation=None),
)
TRUTH = turbulence(N, seed=1, n_member=6)
ROLLOUTS = Rollouts(
    model=MODEL, initial=TRUTH, n_run=2, time=0.1, spin_up=0.05, save_every=0.05
)  # fmt: skip


def weights(*constants: tuple[float, float]) -> np.ndarray:
    """Policies whose coefficients are the same everywhere."""
    result = np.zeros((len(constants), 2, 6))
    result[:, :, 0] = constants
    return result


def test_a_policy_among_others_runs_as_alone() -> None:
    found = ROLLOUTS.run(weights((0.01, 0.0), (0.02, 0.001)), [4, 1])
    constant = replace(MODEL, eddy_viscosity=EddyViscosity(c2=0.02, c4=0.001))
    run = constant.start(TRUTH[[4, 1]])
    assert isinstance(run, BarotropicIntegration)
    spectra, moments = [], []
    run.advance(10)
    for _ in range(2):
        run.advance(10)
        fields = np.fft.irfft2(run.vorticity_spectrum, s=(N, N))
        spectra.append(Shells(MODEL.grid).enstrophy(fields).mean(axis=0))
        moments.append(moments_of(fields).mean(axis=0))
    np.testing.assert_allclose(found.spectra[1], np.mean(spectra, axis=0), rtol=1e-10)
    np.testing.assert_allclose(found.moments[1], np.mean(moments, axis=0), rtol=1e-10)
    assert found.n_lost.tolist() == [0, 0]


def test_a_policy_that_blows_up_spoils_no_other() -> None:
    wild, calm = (-1.0, 0.0), (0.02, 0.001)
    longer = replace(ROLLOUTS, time=2.0)
    found = longer.run(weights(wild, calm), [0, 1])
    assert found.n_lost[0] > 0
    assert found.n_lost[1] == 0
    alone = longer.run(weights(calm), [0, 1])
    np.testing.assert_allclose(found.spectra[1], alone.spectra[0], rtol=1e-10)
    reward = SpectrumReward(Reference.of(TRUTH, MODEL.grid, n_mean=2))
    rewards = found.rewards(reward, -123.0)
    assert rewards[0] == -123.0
    assert rewards[1] > -123.0


def test_steps_are_counted() -> None:
    # Two runs of three times ten steps.
    assert ROLLOUTS.steps_a_policy == 60


def test_starts_are_drawn_without_repetition() -> None:
    starts = replace(ROLLOUTS, n_run=6).starts(np.random.default_rng(0))
    assert sorted(starts) == list(range(6))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": replace(MODEL, eddy_viscosity=None)}, "expected a LinearPolicy"),
        ({"n_run": 7}, "expected 1 to 6"),
    ],
)
def test_what_cannot_be_run_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(ROLLOUTS, **change)


def test_runs_one_by_one_make_up_their_mean() -> None:
    policies = weights((0.01, 0.0))
    pooled = ROLLOUTS.run(policies, [4, 1])
    apart = ROLLOUTS.each_run(policies[0], [4, 1])
    np.testing.assert_allclose(apart.spectra.mean(axis=0), pooled.spectra[0], rtol=1e-12)
    np.testing.assert_allclose(apart.moments.mean(axis=0), pooled.moments[0], rtol=1e-12)
    assert not np.allclose(apart.moments[0], apart.moments[1])
    wild = replace(ROLLOUTS, time=2.0).each_run(weights((-1.0, 0.0))[0], [0, 1])
    assert wild.n_lost.shape == (2,)
    assert wild.n_lost.max() == 1
