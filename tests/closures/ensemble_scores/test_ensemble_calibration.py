"""Calibration of ensembles whose distribution is known exactly."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from closures.ensemble_scores import EnsembleScorer, Outputs, Scores

Array = npt.NDArray[np.float64]

N = 20_000
ONE = Outputs({"x": slice(0, 1)}, [1.0], [1.0])
HALF, NINE = stats.norm.ppf(0.75), stats.norm.ppf(0.95)


def scored(truth: Array, members: Array, noise: Array | None = None) -> Scores:
    scorer = EnsembleScorer(ONE, len(members), noise=noise is not None)
    scorer.add(truth[:, None], members[..., None], None if noise is None else noise[..., None])
    return scorer.scores()


@pytest.mark.parametrize("inflation", [0.5, 1.0, 2.0])
def test_one_normal_distribution(inflation: float) -> None:
    """Truth N(mean, 1), prediction N(mean, inflation): coverage in closed form."""
    rng = np.random.default_rng(51)
    mean = rng.normal(size=N)
    scores = scored(mean + rng.normal(size=N), mean[None], np.full(N, inflation))
    for given, z in ((scores.coverage50, HALF), (scores.coverage90, NINE)):
        expected = 2 * stats.norm.cdf(inflation * z) - 1
        assert given[0] == pytest.approx(expected, abs=0.012)
    assert scores.width50[0] == pytest.approx(2 * HALF * inflation, rel=1e-8)
    assert scores.width90[0] == pytest.approx(2 * NINE * inflation, rel=1e-8)
    assert scores.spread_error[0] == pytest.approx(inflation, rel=0.02)
    edges = stats.norm.cdf(inflation * stats.norm.ppf(np.linspace(0, 1, 21)))
    np.testing.assert_allclose(scores.ranks[0], np.diff(edges), atol=0.008)


def test_known_mixture() -> None:
    """Truth drawn from the mixture itself: flat, and covered as stated."""
    rng = np.random.default_rng(52)
    members = 2.0 * rng.normal(size=(8, N))
    noise = rng.uniform(0.3, 1.5, (8, N))
    part = rng.integers(0, 8, N)[None]
    truth = np.take_along_axis(members, part, 0)[0]
    truth = truth + np.take_along_axis(noise, part, 0)[0] * rng.normal(size=N)
    scores = scored(truth, members, noise)
    assert scores.coverage50[0] == pytest.approx(0.5, abs=0.015)
    assert scores.coverage90[0] == pytest.approx(0.9, abs=0.01)
    np.testing.assert_allclose(scores.ranks[0], 0.05, atol=0.007)


@pytest.mark.parametrize(("n_member", "covered"), [(5, 0.85), (32, 0.892)])
def test_few_members_with_noise_cover_less(n_member: int, covered: float) -> None:
    """A mixture is judged as issued: the truth is one more member, with as much noise."""
    rng = np.random.default_rng(56)
    members = rng.normal(size=(n_member, N))
    truth = rng.normal(size=N) + rng.normal(size=N)
    scores = scored(truth, members, np.ones(N))
    assert scores.coverage90[0] == pytest.approx(covered, abs=0.008)
    assert scores.spread_error[0] == pytest.approx(1.0, abs=0.015)


def test_spread_equals_error_for_members_with_noise() -> None:
    """Members about a common centre, truth one more with its noise: the ratio is 1 for few, too."""
    rng = np.random.default_rng(53)
    centre = rng.normal(size=N)
    members = centre + rng.normal(size=(3, N))
    truth = centre + rng.normal(size=N) + 0.5 * rng.normal(size=N)
    scores = scored(truth, members, np.full(N, 0.5))
    assert scores.spread_error[0] == pytest.approx(1.0, abs=0.015)
    assert scores.epistemic_variance[0] == pytest.approx(1.0, rel=0.03)
    assert scores.aleatoric_variance[0] == pytest.approx(0.25, rel=1e-12)


def test_spread_skill_lies_on_the_diagonal() -> None:
    """Noise that differs between samples and is right in each."""
    rng = np.random.default_rng(54)
    noise = 10.0 ** rng.uniform(-1.0, 1.0, N)
    scores = scored(noise * rng.normal(size=N), np.zeros((1, N)), noise)
    share, expected, actual = scores.spread_skill_of("x")
    assert share.sum() == pytest.approx(1.0)
    used = share > 0
    assert used.sum() >= 10
    assert np.isnan(expected[~used]).all()
    np.testing.assert_allclose(actual[used], expected[used], rtol=0.08)


def test_ensemble_without_noise() -> None:
    rng = np.random.default_rng(55)
    centre = rng.normal(size=N)
    members, truth = centre + rng.normal(size=(32, N)), centre + rng.normal(size=N)
    scores = scored(truth, members)
    assert scores.coverage50[0] == pytest.approx(0.5, abs=0.015)
    assert scores.coverage90[0] == pytest.approx(0.9, abs=0.01)
    np.testing.assert_allclose(scores.ranks[0], 1 / 33, atol=0.006)
    assert scores.crps[0] == pytest.approx(1 / np.sqrt(np.pi), rel=0.02)
    assert scores.spread_error[0] == pytest.approx(1.0, abs=0.015)
    narrow = scored(truth, centre + 0.5 * (members - centre))
    assert narrow.coverage90[0] < 0.65
    assert narrow.crps[0] > scores.crps[0]
    assert narrow.crps_published[0] < scores.crps_published[0]


def test_prediction_that_is_always_right_is_not_ranked() -> None:
    """A tendency that is zero everywhere: neither covered nor missed."""
    for noise in (None, np.zeros(5)):
        scores = scored(np.zeros(5), np.zeros((20, 5)), noise)
        assert np.isnan([scores.coverage50, scores.coverage90, scores.r2]).all()
        assert np.isnan(scores.ranks).all()
        assert scores.width90.tolist() == scores.crps.tolist() == [0.0]
    # One member right and the others not: ranked.
    mixed = scored(np.zeros(5), np.arange(20.0)[:, None] * np.ones(5), np.zeros(5))
    assert mixed.ranks[0, 0] == 1.0
    # Wrong without spread: missed.
    wrong = scored(np.ones(5), np.zeros((20, 5)), np.zeros(5))
    assert wrong.coverage90.tolist() == [0.0]
    assert wrong.crps.tolist() == [1.0]
