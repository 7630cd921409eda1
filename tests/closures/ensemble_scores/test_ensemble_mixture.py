"""Mixtures of normal distributions against integrals, roots and closed forms from elsewhere."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
import scoringrules
from scipy import integrate, optimize, stats

from closures.ensemble_scores import (
    ScoreError,
    fair_crps,
    half_weighted_crps,
    mixture_cdf,
    mixture_crps,
    mixture_quantile,
)
from closures.ensemble_scores.normal import mean_distance, probability_and_density

Array = npt.NDArray[np.float64]


def probability(members: Array, noise: Array, value: float) -> float:
    return float(np.mean(stats.norm.cdf(value, members, noise)))


def crps_by_integral(members: Array, noise: Array, truth: float) -> float:
    """Integrate (F(x) - 1{x >= y})^2, with breaks where the integrand bends."""
    ends = members.min() - 12 * noise.max(), members.max() + 12 * noise.max()
    breaks = sorted({*members, truth, min(ends[0], truth), max(ends[1], truth)})
    total = 0.0
    for low, high in itertools.pairwise(breaks):
        step = float(low >= truth)

        def squared(x: float, step: float = step) -> float:
            return (probability(members, noise, x) - step) ** 2

        total += integrate.quad(squared, low, high, epsabs=1e-11, epsrel=1e-10, limit=200)[0]
    return total


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.mark.parametrize("n_member", [1, 2, 7])
def test_crps_is_the_integral_of_its_definition(rng: np.random.Generator, n_member: int) -> None:
    truth = rng.normal(0.0, 3.0, 6)
    members = rng.normal(0.0, 2.0, (n_member, 6))
    noise = rng.uniform(0.05, 2.0, (n_member, 6))
    given = mixture_crps(members, noise, truth)
    for k in range(6):
        expected = crps_by_integral(members[:, k], noise[:, k], truth[k])
        assert given[k] == pytest.approx(expected, abs=1e-8)


def test_crps_is_that_of_scoringrules(rng: np.random.Generator) -> None:
    """Shapes, noise for all members alike, and sizes over twelve decades."""
    size = 10.0 ** rng.uniform(-6.0, 6.0, (20, 30))
    truth = size * rng.normal(size=(20, 30))
    members = size * rng.normal(size=(8, 20, 30))
    noise = size * 10.0 ** rng.uniform(-2.0, 1.0, (20, 30))
    expected = scoringrules.crps_mixnorm(
        truth, members, np.broadcast_to(noise, members.shape), m_axis=0
    )
    np.testing.assert_allclose(mixture_crps(members, noise, truth), expected, rtol=1e-11)


def test_crps_of_one_normal_distribution_is_gneitings() -> None:
    truth, mean, deviation = np.array([1.0, -3.0, 40.0]), np.array([0.2, 0.5, 0.0]), 1.7
    z = (truth - mean) / deviation
    closed = deviation * (
        z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi)
    )
    given = mixture_crps(mean[None], np.full(3, deviation), truth)
    np.testing.assert_allclose(given, closed, rtol=1e-13)


def test_without_noise_the_score_is_that_of_the_ensemble_as_issued(
    rng: np.random.Generator,
) -> None:
    n = 5
    members, truth = rng.normal(size=(n, 40)), rng.normal(size=40)
    pairs = np.abs(members[:, None] - members).sum(axis=(0, 1))
    absolute = np.abs(members - truth).mean(axis=0)
    expected = absolute - pairs / (2 * n * n)
    np.testing.assert_allclose(mixture_crps(members, np.zeros(40), truth), expected, rtol=1e-13)
    np.testing.assert_allclose(mixture_crps(members, np.full(40, 1e-9), truth), expected, rtol=1e-7)
    # Above the fair score by 1 / (2 n) of the mean distance of two members.
    distance = pairs / (n * (n - 1))
    np.testing.assert_allclose(expected, fair_crps(members, truth) + distance / (2 * n), rtol=1e-12)
    by_code = absolute - np.abs(np.triu(1.0 * (members[:, None] - members).T)).sum(axis=(1, 2)) / (
        2 * n * (n - 1)
    )
    half = half_weighted_crps(absolute, fair_crps(members, truth))
    np.testing.assert_allclose(half, by_code, rtol=1e-12)


def test_published_crps_of_a_normal_ensemble_is_not_the_fair_one() -> None:
    """For N(0, 1) and 32 members the fair score is 1 / sqrt(pi), the published one 1.5 times it."""
    rng = np.random.default_rng(12)
    members, truth = rng.normal(size=(32, 20_000)), rng.normal(size=20_000)
    fair = fair_crps(members, truth)
    half = half_weighted_crps(np.abs(members - truth).mean(axis=0), fair)
    assert fair.mean() == pytest.approx(1 / math.sqrt(math.pi), rel=0.015)
    assert half.mean() == pytest.approx(1.5 / math.sqrt(math.pi), rel=0.015)


def test_crps_is_least_for_the_distribution_that_the_truth_has() -> None:
    rng = np.random.default_rng(13)
    truth = rng.normal(size=50_000)
    members = np.zeros((1, truth.size))
    scores = {s: mixture_crps(members, np.full(truth.size, s), truth).mean() for s in (0.7, 1, 1.4)}
    assert scores[1] == pytest.approx(1 / math.sqrt(math.pi), rel=0.01)
    assert scores[1] < min(scores[0.7], scores[1.4])


@pytest.mark.parametrize("probability_", [0.001, 0.05, 0.25, 0.5, 0.95])
def test_quantile_is_a_root_of_the_distribution(
    rng: np.random.Generator, probability_: float
) -> None:
    members = rng.normal(0.0, 2.0, (6, 25)) + 100.0
    noise = rng.uniform(0.1, 3.0, (6, 25))
    given = mixture_quantile(members, noise, probability_)
    for k in range(25):
        x, s = members[:, k], noise[:, k]
        root = optimize.brentq(
            lambda value, x=x, s=s: probability(x, s, value) - probability_, 50, 150, xtol=1e-12
        )
        assert given[k] == pytest.approx(root, abs=1e-7)
    reached = mixture_cdf(members, noise, given)
    np.testing.assert_allclose(reached, probability_, atol=1e-9)


def test_quantile_of_narrow_parts_far_apart() -> None:
    """Newton's steps from between the parts lead far away; the bounds bring them back."""
    members = np.array([[-1e3], [0.0], [1.0], [1e6]])
    noise = np.array([[1e-3], [1e-6], [1e-3], [1.0]])
    for p, part in ((0.1, 0), (0.3, 1), (0.6, 2), (0.9, 3)):
        # Within one part the others add only whole quarters.
        expected = members[part, 0] + noise[part, 0] * stats.norm.ppf(4 * p - part)
        given = mixture_quantile(members, noise, p)
        assert given[0] == pytest.approx(expected, abs=1e-8 + 1e-6 * noise[part, 0])


def test_members_without_noise_are_steps() -> None:
    members = np.array([[0.0], [2.0], [2.0], [5.0]])
    noise = np.zeros(1)
    for value, expected in ((-1.0, 0.0), (0.0, 0.125), (1.0, 0.25), (2.0, 0.5), (9.0, 1.0)):
        assert mixture_cdf(members, noise, np.array([value])) == expected
    # Half of the step at 2 lies below it.
    assert mixture_quantile(members, noise, 0.6)[0] == pytest.approx(2.0, abs=1e-12)
    assert mixture_quantile(np.full((3, 1), 4.0), noise, 0.05)[0] == 4.0


def test_tabulated_normal_distribution() -> None:
    # Random, at the table's nodes, halfway between them and past its end.
    u = np.concatenate(
        [np.random.default_rng(14).uniform(-9.5, 9.5, 3000), np.arange(-320, 321) / 32]
    )
    distance = np.array([mean_distance(3.0 * x, 3.0) for x in u])
    closed = 3.0 * (u * (2 * stats.norm.cdf(u) - 1) + 2 * stats.norm.pdf(u))
    np.testing.assert_allclose(distance, closed, rtol=2e-15)
    given = np.array([probability_and_density(x) for x in u])
    np.testing.assert_allclose(given[:, 0], stats.norm.cdf(u), atol=1e-13, rtol=0)
    np.testing.assert_allclose(given[:, 1], stats.norm.pdf(u), atol=1e-11, rtol=0)
    assert probability_and_density(math.inf) == (1.0, 0.0)
    assert probability_and_density(-math.inf) == (0.0, 0.0)


def test_what_is_no_mixture_is_refused() -> None:
    members = np.zeros((2, 3))
    with pytest.raises(ScoreError, match=r"expected members of shape \(n_member, \*\(4,\)\)"):
        mixture_crps(members, np.ones(4), np.zeros(4))
    with pytest.raises(ScoreError, match="or that of the members, got"):
        mixture_cdf(members, np.ones((3, 3)), np.zeros(3))
    with pytest.raises(ScoreError, match="expected noise of 0 or more, got -1"):
        mixture_crps(members, np.full(3, -1.0), np.zeros(3))
    with pytest.raises(ScoreError, match="expected a probability between 0 and 1, got 1"):
        mixture_quantile(members, np.ones(3), 1.0)
