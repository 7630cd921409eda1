"""Distances of many choices among runs: the same as those of each choice pooled, by a library."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from two_layer_climates import CUTOFF, made_climate

from hybrid.experiments.quasigeostrophic.runs.climate import BLEW_UP
from hybrid.experiments.quasigeostrophic.scores.mixtures import mixture_distances
from hybrid.experiments.quasigeostrophic.scores.scoreboard import N_SPLIT, Scoreboard, Scores
from hybrid.experiments.quasigeostrophic.scores.similarity import (
    METRICS,
    distances,
    pooled,
    similarities,
    thinned,
)
from hybrid.experiments.quasigeostrophic.scores.subsets import subset_distances

SUBSETS = [([0, 1, 2], [0, 1, 2]), ([0, 2], [0, 2]), ([1], [0, 1, 2]), ([2, 0], [1])]


def test_mixtures_are_as_far_apart_as_a_library_says() -> None:
    rng = np.random.default_rng(0)
    # Values that occur more than once, in several samples, and samples of different sizes.
    samples = [np.round(rng.normal(i, 1.0, n), 1) for i, n in enumerate((30, 50, 7, 1))]
    weights = np.array([[0.5, 1.0, 0.25], [0.5, -0.5, -1.0], [-0.2, -0.5, 0.5], [-0.8, 0.0, 0.25]])
    each = np.concatenate([np.full(len(s), 1.0 / len(s)) for s in samples])
    owners = np.repeat(np.arange(4), [len(s) for s in samples])
    values = np.concatenate(samples)
    for found, pair in zip(mixture_distances(samples, weights), weights.T, strict=True):
        up, down = (np.maximum(sign * pair, 0.0)[owners] * each for sign in (1.0, -1.0))
        expected = wasserstein_distance(
            values[up > 0], values[down > 0], up[up > 0], down[down > 0]
        )
        assert found == pytest.approx(expected, rel=1e-12)


def test_mixtures_must_be_comparable() -> None:
    sample = np.array([1.0, 2.0])
    with pytest.raises(ValueError, match=r"sum to 0, .* got sums of up to 0.5"):
        mixture_distances([sample, sample], np.array([[1.0], [-0.5]]))
    with pytest.raises(ValueError, match=r"expected 2 samples, .* got samples of sizes \[2\]"):
        mixture_distances([sample], np.array([[1.0], [-1.0]]))
    with pytest.raises(ValueError, match=r"none of them empty, got samples of sizes \[2, 0\]"):
        mixture_distances([sample, sample[:0]], np.array([[1.0], [-1.0]]))


def test_a_choice_of_runs_is_as_far_as_these_runs_pooled() -> None:
    made = [made_climate(i, offset=0.3 * i) for i in range(3)]
    truth = [made_climate(10 + i, n=8) for i in range(3)]
    found = subset_distances(made, truth, SUBSETS, CUTOFF)
    for values, (some, them) in zip(found, SUBSETS, strict=True):
        own, wanted = pooled([made[i] for i in some]), pooled([truth[i] for i in them])
        expected = distances(own, wanted, CUTOFF)
        assert list(values) == list(METRICS) == list(expected)
        assert values == pytest.approx(expected, rel=1e-12)


def off(found: Scores, expected: Scores) -> float:
    """Return the largest difference of two scores."""
    return max(abs(found[name] - expected[name]) for name in METRICS)


def test_scores_are_those_of_pooled_runs() -> None:
    truths = [made_climate(i, n=16) for i in range(3)]
    plain = [made_climate(10 + i, n=8, offset=1.0).assign_attrs(cutoff=CUTOFF) for i in range(3)]
    closure = [made_climate(20 + i, n=8, offset=0.2 * i) for i in range(3)]
    lost = [*closure[:2], made_climate(0)[[]].assign_attrs({BLEW_UP: 1.0})]
    climates = {"none": plain, "leith": closure, "symbolic": closure[:2], "smagorinsky": lost}
    board = Scoreboard(truths, climates)
    coarse = [thinned(truth, 8) for truth in truths]

    def expected(made: list[int], of: list[int]) -> dict[str, float]:
        truth = pooled([coarse[i] for i in of])
        baseline = distances(pooled([plain[i] for i in of]), truth, CUTOFF)
        return similarities(distances(pooled([closure[i] for i in made]), truth, CUTOFF), baseline)

    whole = [0, 1, 2]
    for found, kept in zip(board.scores("leith"), (whole, [1, 2], [0, 2], [0, 1]), strict=True):
        assert found == pytest.approx(expected(kept, kept), rel=1e-9)
    assert board.scores("symbolic") == board.scores("leith", 2)
    assert board.scores("symbolic")[0] == pytest.approx(expected([0, 1], [0, 1]), rel=1e-9)
    # Single runs are held against the truth of all seeds, also where a model has fewer.
    for model, n in (("leith", 3), ("symbolic", 2), ("smagorinsky", 2)):
        singles = board.single_scores[model]
        assert len(singles) == n
        for i, found in enumerate(singles):
            assert found == pytest.approx(expected([i], whole), rel=1e-9)
    assert board.scores("smagorinsky") == []
    baseline = distances(pooled(plain), pooled(coarse), CUTOFF)
    halves = [
        similarities(distances(coarse[i], pooled(coarse[:i] + coarse[i + 1 :]), CUTOFF), baseline)
        for i in range(3)
    ]
    assert len(board.floors) == N_SPLIT
    assert {min(range(3), key=lambda i: off(found, halves[i])) for found in board.floors} == {
        0,
        1,
        2,
    }
    assert max(min(off(found, half) for half in halves) for found in board.floors) < 1e-9


def test_a_single_run_has_a_score_and_no_floor() -> None:
    truth, plain = made_climate(0, n=8), made_climate(1, n=8, offset=1.0)
    board = Scoreboard([truth], {"none": [plain.assign_attrs(cutoff=CUTOFF)]})
    assert board.scores("none") == [pytest.approx(dict.fromkeys(METRICS, 0.0))]
    assert board.floors == []
