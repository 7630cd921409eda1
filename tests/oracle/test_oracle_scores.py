"""Distances between climates and ensemble scores against slow, obvious definitions."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from hybrid.evaluation import ensemble_scores, hellinger_distance, wasserstein_distance

Array = npt.NDArray[np.float64]


def bin_fractions(values: Array, low: float, high: float, n_bin: int) -> list[float]:
    """What lies outside is in no bin but is counted in the total."""
    counts = [0] * n_bin
    width = (high - low) / n_bin
    for value in values:
        if low <= value <= high:
            counts[min(int((value - low) / width), n_bin - 1)] += 1
    return [count / len(values) for count in counts]


def hellinger_by_loop(truth: Array, sample: Array, n_bin: int = 60) -> float:
    low, high = float(min(truth)), float(max(truth))
    p = bin_fractions(truth, low, high, n_bin)
    q = bin_fractions(sample, low, high, n_bin)
    overlap = 0.0
    for a, b in zip(p, q, strict=True):
        overlap += math.sqrt(a * b)
    return math.sqrt(max(0.0, 1.0 - overlap))


def wasserstein_by_sorting(a: Array, b: Array) -> float:
    """Repeat each sample until both have as many values, then pair them off in order."""
    n = math.lcm(len(a), len(b))
    first = sorted(value for value in a for _ in range(n // len(a)))
    second = sorted(value for value in b for _ in range(n // len(b)))
    return float(sum(abs(x - y) for x, y in zip(first, second, strict=True)) / n)


def fair_crps(members: Array, truth: float) -> float:
    n = len(members)
    error = sum(abs(x - truth) for x in members) / n
    if n == 1:
        return float(error)
    pairs = sum(abs(members[i] - members[j]) for i in range(n) for j in range(i))
    return float(error - pairs / (n * (n - 1)))


def test_hellinger_of_random_samples() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(2.0, 4.0, 700)
    for sample in (rng.normal(2.0, 4.0, 500), rng.normal(4.0, 7.0, 900), truth):
        given = hellinger_distance(truth, sample)
        # sqrt(1 - BC) turns one rounding error into 1e-8 at zero.
        assert given == pytest.approx(hellinger_by_loop(truth, sample), abs=3e-8)


def test_hellinger_counts_mass_outside_against_the_run() -> None:
    rng = np.random.default_rng(2)
    truth = rng.uniform(0.0, 1.0, 20_000)
    half_outside = np.concatenate([truth, truth + 5.0])
    # p_i = 2 q_i in every bin: BC = sqrt(1/2).
    expected = math.sqrt(1.0 - math.sqrt(0.5))
    assert hellinger_distance(truth, half_outside) == pytest.approx(expected, abs=1e-7)
    assert hellinger_distance(truth, truth + 5.0) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("n_bin", [5, 60])
def test_hellinger_with_other_shapes_and_bins(n_bin: int) -> None:
    rng = np.random.default_rng(3)
    truth, sample = rng.normal(size=(20, 3, 5)), rng.normal(0.3, 1.2, size=(40, 5))
    expected = hellinger_by_loop(truth.ravel(), sample.ravel(), n_bin)
    assert hellinger_distance(truth, sample, n_bin) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("n_sample", [30, 45])
def test_wasserstein(n_sample: int) -> None:
    rng = np.random.default_rng(4)
    truth, sample = rng.normal(size=30), rng.gamma(2.0, size=n_sample)
    expected = wasserstein_by_sorting(truth, sample)
    assert wasserstein_distance(truth, sample) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n_member", [1, 2, 7])
def test_ensemble_scores(n_member: int) -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(size=(3, 4, 5))
    forecast = truth[..., None] + rng.normal(0.2, 1.0, size=(3, 4, 5, n_member))
    given = ensemble_scores(truth, forecast)
    for lead in range(3):
        crps, squared, variance = [], [], []
        for case in range(4):
            for k in range(5):
                members, actual = forecast[lead, case, k], truth[lead, case, k]
                mean = sum(members) / n_member
                crps.append(fair_crps(members, actual))
                squared.append((mean - actual) ** 2)
                unbiased = sum((x - mean) ** 2 for x in members) / max(n_member - 1, 1)
                variance.append(unbiased)
        spread = math.sqrt((n_member + 1) / n_member * np.mean(variance))
        assert given.crps[lead] == pytest.approx(np.mean(crps), rel=1e-12)
        assert given.rmse[lead] == pytest.approx(math.sqrt(np.mean(squared)), rel=1e-12)
        assert given.spread[lead] == pytest.approx(spread, rel=1e-12)


def test_fair_crps_of_a_normal_ensemble() -> None:
    # An exchangeable normal ensemble scores 1/sqrt(pi) = 0.5642 whatever its size.
    rng = np.random.default_rng(6)
    truth = rng.normal(size=(1, 20_000))
    forecast = rng.normal(size=(1, 20_000, 32))
    given = float(ensemble_scores(truth, forecast).crps[0])
    assert given == pytest.approx(1.0 / math.sqrt(math.pi), abs=0.01)
