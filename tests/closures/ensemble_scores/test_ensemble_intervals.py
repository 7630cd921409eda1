"""Coverage and width of an ensemble's intervals: exact for exchangeable members."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from closures.ensemble_scores import coverage, interval_width, rank_weights

Array = npt.NDArray[np.float64]


def random_interval(members: Array, level: float, rng: np.random.Generator) -> tuple[float, float]:
    """Draw one of the intervals between order statistics that the convention stands for."""
    ordered = sorted(members)
    n = len(ordered)
    position = (n + 1) * (1 - level) / 2
    whole = math.floor(position + 1e-9)
    inward = rng.random() < position - whole
    # Counted from 1 from either end.
    k = whole + inward
    return ordered[k - 1], ordered[n - k]


@pytest.mark.parametrize("n_member", [19, 20, 32, 128])
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_equal_ranks_are_covered_by_the_level_itself(n_member: int, level: float) -> None:
    """All ranks are equally likely for exchangeable members, whatever the distribution."""
    assert coverage(np.ones(n_member + 1), level) == pytest.approx(level, abs=1e-12)


@pytest.mark.parametrize("n_member", [19, 24, 32])
def test_coverage_and_width_are_means_over_random_intervals(n_member: int) -> None:
    rng = np.random.default_rng(21)
    n_sample = 4000
    # Skewed, with heavy tails, and an ensemble too narrow: nothing here is calibrated.
    truth = rng.lognormal(0.0, 1.2, n_sample)
    members = rng.lognormal(0.0, 0.7, (n_member, n_sample))
    ranks = rank_weights(members[..., None], truth[:, None])[:, 0]
    for level in (0.5, 0.9):
        inside = width = 0.0
        for k in range(n_sample):
            low, high = random_interval(members[:, k], level, rng)
            inside += low < truth[k] < high
            width += high - low
        assert coverage(ranks, level) == pytest.approx(inside / n_sample, abs=0.02)
        assert interval_width(members, level).mean() == pytest.approx(width / n_sample, rel=0.02)


@pytest.mark.parametrize("draw", ["normal", "lognormal", "exponential", "integers"])
def test_calibrated_ensemble_of_32_covers_90_percent(draw: str) -> None:
    rng = np.random.default_rng(22)
    shape = (33, 40_000, 1)
    samples = np.asarray(
        rng.integers(0, 6, shape) if draw == "integers" else getattr(rng, draw)(size=shape), float
    )
    members, truth = samples[:32], samples[32]
    ranks = rank_weights(members, truth)[:, 0]
    error = math.sqrt(0.25 / 40_000)
    assert coverage(ranks, 0.9) == pytest.approx(0.9, abs=4 * 0.6 * error)
    assert coverage(ranks, 0.5) == pytest.approx(0.5, abs=4 * error)
    if draw == "normal":
        # The usual quantiles of the members cover too little: 0.85, not 0.9.
        low, high = np.quantile(members, [0.05, 0.95], axis=0)
        assert ((low < truth) & (truth < high)).mean() < 0.87
        wide = 2 * stats.norm.ppf(0.95)
        assert wide < interval_width(members, 0.9).mean() < 1.1 * wide


def test_hand_case() -> None:
    """Seven members: the central half reaches from the second to the sixth."""
    members = np.array([8.0, 1.0, 2.0, 4.0, 16.0, 64.0, 32.0])[:, None]
    assert interval_width(members, 0.5).tolist() == [30.0]
    ranks = np.array([[1.0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 0, 0, 0, 1]])
    assert coverage(ranks, 0.5).tolist() == [0.0, 0.5]


def test_too_few_members_have_no_interval() -> None:
    assert np.isnan(interval_width(np.zeros((18, 4)), 0.9)).all()
    assert np.isfinite(interval_width(np.zeros((19, 4)), 0.9)).all()
    assert np.isnan(coverage(np.ones(19), 0.9))
    assert np.isnan(coverage(np.ones((3, 2)), 0.5)).all()
    assert np.isfinite(coverage(np.ones((3, 4)), 0.5)).all()


def test_no_rank_has_no_coverage() -> None:
    given = coverage(np.array([np.zeros(33), np.ones(33)]), 0.9)
    assert np.isnan(given[0])
    assert given[1] == pytest.approx(0.9)


def test_ranks_weighted_by_column() -> None:
    rng = np.random.default_rng(23)
    members = rng.integers(0, 3, (4, 6, 2)).astype(float)
    truth = rng.integers(0, 3, (6, 2)).astype(float)
    counts = np.array([2, 0, 1, 3, 1, 2])
    repeated = rank_weights(members.repeat(counts, axis=1), truth.repeat(counts, axis=0))
    np.testing.assert_allclose(rank_weights(members, truth, 1.0 * counts), repeated)
