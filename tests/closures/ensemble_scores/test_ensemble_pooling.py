"""Scores over the levels of a variable, what is left out, and what is refused."""

import numpy as np
import numpy.typing as npt
import pytest

from closures.ensemble_scores import EnsembleScorer, Outputs, ScoreError, Scores

Array = npt.NDArray[np.float64]

PARTS = {"heating": slice(0, 3), "rain": slice(3, 4)}
OUTPUTS = Outputs(PARTS, mass=[1.0, 2.0, 5.0, 1.0], scale=[1.0, 1.0, 2.0, 1.0])


def scored(truth: Array, members: Array) -> Scores:
    scorer = EnsembleScorer(OUTPUTS, len(members))
    scorer.add(truth, members)
    return scorer.scores()


def test_hand_case() -> None:
    """Two columns; levels with R2 1, 0 and -3."""
    truth = np.array([[1.0, 2.0, 1.0, 4.0], [3.0, 6.0, 3.0, 8.0]])
    prediction = np.array([[1.0, 4.0, 3.0, 5.0], [3.0, 4.0, 1.0, 9.0]])
    scores = scored(truth, prediction[None])
    assert scores.r2.tolist() == [1.0, 0.0, -3.0, 0.75]
    heating = scores.pooled("heating")
    assert heating["r2"] == pytest.approx((1 * 1 + 2 * 0 + 5 * -3) / 8)
    assert heating["r2_lowest"] == -3.0
    # Squared errors 0, 4, 4 and variances 1, 4, 1 by mass.
    assert heating["r2_pooled"] == pytest.approx(1 - (2 * 4 + 5 * 4) / (1 + 2 * 4 + 5 * 1))
    assert heating["rmse"] == pytest.approx(np.sqrt(28 / 8))
    assert heating["mae"] == heating["crps"] == pytest.approx((2 * 2 + 5 * 2) / 8)
    assert heating["bias"] == 0.0
    assert heating["spread_error"] == 0.0
    assert np.isnan([heating["coverage50"], heating["width90"]]).all()
    assert scores.pooled("rain")["bias"] == 1.0
    assert scores.excluded == {"heating": (), "rain": ()}


def test_levels_that_hardly_vary_are_named_and_left_out() -> None:
    rng = np.random.default_rng(61)
    truth = rng.normal(size=(4000, 4)) * [1.0, 0.9e-3, 1.2e-3, 1e-9]
    # Large errors at the quiet level would be an R2 of about -1e6.
    prediction = truth + np.array([0.0, 1.0, 0.0, 0.0])
    scores = scored(truth, prediction[None])
    assert scores.excluded == {"heating": (1,), "rain": ()}
    assert scores.r2[1] < -1e5
    heating = scores.pooled("heating")
    assert heating["r2"] == heating["r2_lowest"] == 1.0
    # All other scores keep the level, the pooled R2 too.
    assert heating["mae"] == pytest.approx(2 / 8)
    assert heating["r2_pooled"] < -0.9


def test_variable_that_never_varies_has_no_r2() -> None:
    truth = np.zeros((6, 4))
    scores = scored(truth, np.ones((1, 6, 4)))
    assert scores.excluded == {"heating": (0, 1, 2), "rain": (0,)}
    heating = scores.pooled("heating")
    assert np.isnan([heating["r2"], heating["r2_lowest"], heating["r2_pooled"]]).all()
    assert heating["mae"] == 1.0


def test_pooled_coverage_is_that_of_all_ranked_samples() -> None:
    rng = np.random.default_rng(62)
    truth = rng.normal(size=(500, 4))
    members = rng.normal(size=(19, 500, 4)) * [1.0, 0.3, 2.0, 1.0]
    truth[:, 0] = members[:, :, 0] = 0.0
    scores = scored(truth, members)
    assert np.isnan(scores.coverage90[0])
    expected = (2 * scores.coverage90[1] + 5 * scores.coverage90[2]) / 7
    assert scores.pooled("heating")["coverage90"] == pytest.approx(expected, rel=1e-12)
    width = (2 * scores.width90[1] + 5 * scores.width90[2]) / 8
    assert scores.pooled("heating")["width90"] == pytest.approx(width, rel=1e-12)
    ratio = np.sqrt(
        scores.epistemic_variance[:3] @ [1, 2, 5] * 20 / 19 / (scores.rmse[:3] ** 2 @ [1, 2, 5])
    )
    assert scores.pooled("heating")["spread_error"] == pytest.approx(ratio, rel=1e-12)


def test_scores_may_be_taken_between_additions() -> None:
    rng = np.random.default_rng(63)
    truth, members = rng.normal(size=(40, 4)), rng.normal(size=(3, 40, 4))
    scorer = EnsembleScorer(OUTPUTS, 3)
    scorer.add(truth[:20], members[:, :20])
    first = scorer.scores()
    before = first.pooled("heating"), first.ranks.copy(), first.spread_skill.copy()
    scorer.add(truth[20:], members[:, 20:])
    assert first.pooled("heating") == pytest.approx(before[0], nan_ok=True)
    np.testing.assert_array_equal(first.ranks, before[1])
    np.testing.assert_array_equal(first.spread_skill, before[2])
    assert scorer.scores().column_total.shape == (2, 40)


def test_scorer_refuses_what_does_not_fit() -> None:
    scorer = EnsembleScorer(OUTPUTS, 2, noise=True)
    truth, members, noise = np.zeros((5, 4)), np.zeros((2, 5, 4)), np.ones((5, 4))
    with pytest.raises(ScoreError, match="expected noise, as said at the start, got none"):
        scorer.add(truth, members)
    with pytest.raises(ScoreError, match="expected no noise, as said at the start, got some"):
        EnsembleScorer(OUTPUTS, 2).add(truth, members, noise)
    with pytest.raises(ScoreError, match=r"truth: expected shape \(5, 4\), got \(5, 3\)"):
        scorer.add(truth[:, :3], members, noise)
    with pytest.raises(ScoreError, match=r"members: expected shape \(2, 5, 4\), got \(1, 5, 4\)"):
        scorer.add(truth, members[:1], noise)
    with pytest.raises(ScoreError, match=r"noise: expected shape \(5, 4\) or \(2, 5, 4\), got"):
        scorer.add(truth, members, noise[:4])
    with pytest.raises(ScoreError, match=r"area: expected shape \(5,\), got \(4,\)"):
        scorer.add(truth, members, noise, np.ones(4))
    with pytest.raises(ScoreError, match=r"members: expected finite values.* in columns 0 to 4"):
        scorer.add(truth, members * np.nan, noise)
    with pytest.raises(ScoreError, match="noise: expected 0 or more, got -1 in columns 0 to 4"):
        scorer.add(truth, members, -noise)
    with pytest.raises(ScoreError, match="area: expected 0 or more, got -2"):
        scorer.add(truth, members, noise, np.full(5, -2.0))
    with pytest.raises(ScoreError, match="expected at least one column of some weight, got none"):
        scorer.scores()
    with pytest.raises(ScoreError, match="expected at least 1 member, got 0"):
        EnsembleScorer(OUTPUTS, 0)


def test_outputs_refuse_what_has_no_mean() -> None:
    with pytest.raises(ScoreError, match=r"scale: expected one axis of 2, got \(3,\)"):
        Outputs({"a": slice(0, 2)}, [1.0, 1.0], [1.0, 1.0, 1.0])
    with pytest.raises(ScoreError, match="mass: expected finite values of 0 or more"):
        Outputs({"a": slice(0, 2)}, [1.0, -1.0], [1.0, 1.0])
    with pytest.raises(ScoreError, match=r"a: expected a range within 2, got slice\(0, 3"):
        Outputs({"a": slice(0, 3)}, [1.0, 1.0], [1.0, 1.0])
    with pytest.raises(ScoreError, match="b: expected a level of some mass, got none"):
        Outputs({"a": slice(0, 1), "b": slice(1, 2)}, [1.0, 0.0], [1.0, 1.0])


def test_variable_without_scale_has_no_relative_spread() -> None:
    outputs = Outputs({"a": slice(0, 1), "b": slice(1, 2)}, [1.0, 1.0], [0.0, 2.0])
    scorer = EnsembleScorer(outputs, 2)
    scorer.add(np.zeros((1, 2)), [[[0.0, 0.0]], [[2.0, 2.0]]])
    scores = scorer.scores()
    assert np.isnan(scores.column_epistemic[0]).all()
    assert scores.column_epistemic[1].tolist() == pytest.approx([np.sqrt(2.0) / 2])
    assert np.isnan(scores.spread_skill_of("a")[0]).all()
