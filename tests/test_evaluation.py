import numpy as np
import pytest
from scipy.stats import norm

from hybrid.evaluation import ensemble_scores, hellinger_distance, wasserstein_distance


def test_hellinger_of_the_same_and_of_disjoint_samples() -> None:
    truth = np.linspace(0.0, 1.0, 6000)
    assert hellinger_distance(truth, truth) == pytest.approx(0.0, abs=1e-7)
    assert hellinger_distance(truth, truth + 5.0) == 1.0


def test_mass_outside_the_truth_counts_against_the_sample() -> None:
    truth = np.linspace(0.0, 1.0, 6000)
    half_lost = np.concatenate([truth, truth + 5.0])
    # q = p / 2 in every bin: BC = sqrt(1/2).
    assert hellinger_distance(truth, half_lost) == pytest.approx(np.sqrt(1 - np.sqrt(0.5)))


@pytest.mark.parametrize("shift", [0.3, 1.0, 2.0])
def test_hellinger_of_two_normal_distributions(shift: float) -> None:
    truth = norm.ppf((np.arange(400_000) + 0.5) / 400_000)
    # BC = exp(-shift^2 / 8); bins are 0.16 wide, which costs at most 2e-3.
    expected = np.sqrt(1.0 - np.exp(-(shift**2) / 8.0))
    assert hellinger_distance(truth, truth + shift) == pytest.approx(expected, abs=2e-3)


def test_hellinger_of_two_known_histograms() -> None:
    truth, sample = [0.0] * 3 + [1.0], [0.0] + [1.0] * 3
    expected = np.sqrt(1.0 - 2.0 * np.sqrt(0.75 * 0.25))
    assert hellinger_distance(truth, sample, n_bin=2) == pytest.approx(expected)


def test_wasserstein_of_shift_and_stretch() -> None:
    truth = np.linspace(-1.0, 1.0, 2001)
    assert wasserstein_distance(truth, truth + 0.25) == pytest.approx(0.25)
    assert wasserstein_distance(truth, 3.0 * truth) == pytest.approx(1.0, rel=1e-3)


def test_crps_and_spread_of_a_reliable_ensemble() -> None:
    rng = np.random.default_rng(0)
    scores = ensemble_scores(rng.normal(size=(2, 20_000)), rng.normal(size=(2, 20_000, 8)))
    # E|X - Y| - E|X - X'| / 2 = 1 / sqrt(pi) for N(0, 1), whatever the ensemble size.
    np.testing.assert_allclose(scores.crps, 1.0 / np.sqrt(np.pi), atol=0.012)
    np.testing.assert_allclose(scores.rmse, np.sqrt(1.0 + 1.0 / 8.0), atol=0.016)
    np.testing.assert_allclose(scores.spread, scores.rmse, rtol=0.02)


def test_ensemble_scores_by_hand() -> None:
    scores = ensemble_scores([[1.0], [0.0]], [[[0.0, 4.0]], [[1.0, 1.0]]])
    np.testing.assert_allclose(scores.rmse, [1.0, 1.0])
    np.testing.assert_allclose(scores.spread, [np.sqrt(8.0 * 1.5), 0.0])
    # Fair: mean |x - y| minus half the mean distance of two different members.
    np.testing.assert_allclose(scores.crps, [2.0 - 2.0, 1.0])


def test_one_member_is_scored_by_its_absolute_error() -> None:
    scores = ensemble_scores([[1.0, 3.0]], [[[2.0], [0.0]]])
    np.testing.assert_allclose(scores.crps, [2.0])
    np.testing.assert_allclose(scores.rmse, [np.sqrt(5.0)])
    np.testing.assert_allclose(scores.spread, [0.0])


def test_messages() -> None:
    with pytest.raises(ValueError, match="sample: expected finite values, got 2"):
        hellinger_distance([0.0, 1.0], [np.nan, 1.0])
    with pytest.raises(ValueError, match="truth: expected values that differ, got only 1"):
        hellinger_distance([1.0, 1.0], [1.0])
    with pytest.raises(ValueError, match="truth: expected finite values, got 0"):
        wasserstein_distance([], [1.0])
    with pytest.raises(ValueError, match=r"forecast: expected shape \(2, 'member'\), got \(3, 4\)"):
        ensemble_scores(np.zeros(2), np.zeros((3, 4)))
