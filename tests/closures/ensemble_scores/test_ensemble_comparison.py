"""Detection of an unseen climate by spread, and comparisons of closures over seeds."""

import numpy as np
import pytest
from scipy import stats

from closures.ensemble_scores import ScoreError, detection_auroc, paired_difference


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(31)
    seen, unseen = rng.integers(0, 8, 30) / 4, rng.integers(2, 12, 50) / 4
    pairs = [(b > a) + 0.5 * (b == a) for a in seen for b in unseen]
    assert detection_auroc(seen, unseen) == pytest.approx(sum(pairs) / len(pairs), rel=1e-12)
    assert detection_auroc(unseen, seen) == pytest.approx(1 - sum(pairs) / len(pairs), rel=1e-12)
    assert detection_auroc(seen, seen + 10) == 1.0
    assert detection_auroc(np.ones(4), np.ones(9)) == 0.5


def test_auroc_of_two_normal_distributions() -> None:
    rng = np.random.default_rng(32)
    given = detection_auroc(rng.normal(size=20_000), rng.normal(1.0, 1.0, 20_000))
    assert given == pytest.approx(stats.norm.cdf(1 / np.sqrt(2)), abs=0.01)


def test_area_counts_like_repetition() -> None:
    rng = np.random.default_rng(33)
    seen, unseen = rng.normal(size=12), rng.normal(0.5, 1.0, 9)
    areas = rng.integers(0, 4, 12), rng.integers(1, 4, 9)
    repeated = detection_auroc(seen.repeat(areas[0]), unseen.repeat(areas[1]))
    assert detection_auroc(seen, unseen, *areas) == pytest.approx(repeated, rel=1e-12)


def test_detection_refuses_what_has_no_order() -> None:
    good = np.ones(3)
    with pytest.raises(ScoreError, match=r"unseen: expected finite spreads.*got shape \(0,\)"):
        detection_auroc(good, [])
    with pytest.raises(ScoreError, match="seen: expected finite spreads"):
        detection_auroc([1.0, np.nan], good)
    with pytest.raises(ScoreError, match="seen: expected 3 weights"):
        detection_auroc(good, good, np.ones(2))
    with pytest.raises(ScoreError, match="seen: expected 3 weights of 0 or more, some positive"):
        detection_auroc(good, good, np.zeros(3))


def test_difference_is_that_of_students_paired_test() -> None:
    rng = np.random.default_rng(34)
    first, second = rng.normal(0.8, 0.1, 7), rng.normal(0.7, 0.1, 7)
    found = paired_difference(first, second, better="higher", confidence=0.9)
    test = stats.ttest_rel(first, second).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((test.low, test.high), rel=1e-9)
    assert found.mean == pytest.approx(first.mean() - second.mean())
    assert (found.n_seed, found.confidence) == (7, 0.9)
    turned = paired_difference(first, second, better="lower", confidence=0.9)
    assert (turned.low, turned.high) == pytest.approx((-test.high, -test.low), rel=1e-9)


def test_what_a_seed_does_to_both_cancels() -> None:
    luck = np.array([0.0, 5.0, -3.0, 8.0, 1.0])
    gain = np.array([0.10, 0.12, 0.11, 0.09, 0.10])
    found = paired_difference(luck - gain, luck, better="lower")
    assert found.beats
    assert not paired_difference(luck, luck - gain, better="lower").beats
    assert not paired_difference(luck, np.zeros(5), better="higher").beats


def test_interval_of_five_seeds_covers_as_stated_and_percentiles_do_not() -> None:
    rng = np.random.default_rng(35)
    trials = rng.normal(2.0, 1.0, (2000, 5))
    found = [paired_difference(x, np.zeros(5), better="higher") for x in trials]
    covered = np.mean([f.low < 2.0 < f.high for f in found])
    assert covered == pytest.approx(0.95, abs=0.015)
    picks = rng.integers(0, 5, (1000, 5))
    ends = np.array([np.quantile(x[picks].mean(axis=1), [0.025, 0.975]) for x in trials[:500]])
    assert np.mean((ends[:, 0] < 2.0) & (ends[:, 1] > 2.0)) < 0.9


def test_comparison_refuses_scores_that_are_no_pairs() -> None:
    with pytest.raises(ScoreError, match=r"2 or more seeds, got shapes \(3,\) and \(2,\)"):
        paired_difference([1.0, 2.0, 3.0], [1.0, 2.0], better="higher")
    with pytest.raises(ScoreError, match="2 or more seeds"):
        paired_difference([1.0], [2.0], better="higher")
    with pytest.raises(ScoreError, match="expected finite scores"):
        paired_difference([1.0, np.nan], [2.0, 1.0], better="higher")
