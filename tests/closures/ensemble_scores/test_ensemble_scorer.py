"""Streaming scores against loops over samples written from their definitions."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from ensemble_score_loops import Case, SampleLoops

from closures.ensemble_scores import EnsembleScorer, Outputs, Scores
from closures.ensemble_scores import prediction as blocks

Array = npt.NDArray[np.float64]

N_COLUMN, N_OUTPUT = 60, 7
PARTS = {"heating": slice(0, 4), "moistening": slice(4, 6), "rain": slice(6, 7)}
MASS = np.array([1.0, 2.0, 4.0, 0.0, 3.0, 1.0, 5.0])
SCALE = np.array([0.5, 1.0, 0.0, 2.0, 1.0, 3.0, 1.0])
OUTPUTS = Outputs(PARTS, MASS, SCALE)

KINDS = ["ensemble", "noise", "noise by member", "student", "deterministic"]


def invented(kind: str) -> Case:
    """Truth, members, noise and areas; a biased prediction, with spread too small in places."""
    rng = np.random.default_rng(41)
    n_member = 1 if kind in {"student", "deterministic"} else 21
    size = 10.0 ** rng.uniform(-2.0, 1.0, N_OUTPUT)
    truth = size * (3.0 + rng.normal(size=(N_COLUMN, N_OUTPUT)))
    centre = truth + size * rng.normal(0.2, 0.6, truth.shape)
    members = centre + size * rng.uniform(0.1, 1.0, (N_COLUMN, 1)) * rng.normal(
        size=(n_member, *truth.shape)
    )
    area = rng.uniform(0.5, 2.0, N_COLUMN)
    area[7] = 0.0
    noise: Array | None = None
    if kind in {"noise", "student"}:
        noise = size * rng.uniform(0.2, 1.0, truth.shape)
    elif kind == "noise by member":
        noise = size * rng.uniform(0.2, 1.0, members.shape)
    return truth, members, noise, area


def scored(case: Case, chunks: int = 1) -> Scores:
    truth, members, noise, area = case
    scorer = EnsembleScorer(OUTPUTS, len(members), noise=noise is not None)
    for part in np.array_split(np.arange(len(truth)), chunks):
        around = None if noise is None else noise[..., part, :]
        scorer.add(truth[part], members[:, part], around, area[part])
    return scorer.scores()


@pytest.mark.parametrize("kind", KINDS)
def test_scores_by_output(kind: str) -> None:
    case = invented(kind)
    scores = scored(case)
    for f in range(N_OUTPUT):
        loops = SampleLoops(case, f, float(SCALE[f]))
        expected = loops.found
        assert scores.r2[f] == pytest.approx(
            1 - expected["sse"] / expected["sst"], rel=1e-10, abs=1e-14
        )
        assert scores.truth_deviation[f] == pytest.approx(
            math.sqrt(expected["sst"]), rel=1e-10, abs=1e-14
        )
        assert scores.rmse[f] == pytest.approx(math.sqrt(expected["sse"]), rel=1e-10, abs=1e-14)
        assert scores.mae[f] == pytest.approx(expected["mae"], rel=1e-10, abs=1e-14)
        assert scores.bias[f] == pytest.approx(expected["bias"], rel=1e-10, abs=1e-14)
        assert scores.crps_published[f] == pytest.approx(expected["half"], rel=1e-10, abs=1e-14)
        assert scores.epistemic_variance[f] == pytest.approx(
            expected["epistemic"], rel=1e-10, abs=1e-14
        )
        assert scores.aleatoric_variance[f] == pytest.approx(
            expected["aleatoric"], rel=1e-10, abs=1e-14
        )
        ratio = math.sqrt(expected["expected"] / expected["sse"])
        assert scores.spread_error[f] == pytest.approx(ratio, rel=1e-10, abs=1e-14)
        mixed = case[2] is not None
        # Trapezoids of 4000 steps with a jump in one of them.
        assert scores.crps[f] == pytest.approx(expected["crps"], rel=3e-3 if mixed else 1e-10)
        assert scores.width50[f] == pytest.approx(expected["w50"], rel=1e-7, nan_ok=True)
        assert scores.width90[f] == pytest.approx(expected["w90"], rel=1e-7, nan_ok=True)
        np.testing.assert_allclose(scores.ranks[f], loops.ranks / loops.ranks.sum(), atol=1e-13)
        np.testing.assert_allclose(scores.spread_skill[:, f], loops.binned, rtol=1e-10)
        if mixed:
            assert scores.coverage50[f] == pytest.approx(expected["in50"], rel=1e-10)
            assert scores.coverage90[f] == pytest.approx(expected["in90"], rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_relative_spread_of_columns(kind: str) -> None:
    truth, members, noise, _ = case = invented(kind)
    scores = scored(case)
    around = np.zeros_like(members) if noise is None else np.broadcast_to(noise, members.shape)
    for i, part in enumerate(PARTS.values()):
        outputs = [f for f in range(N_OUTPUT)[part] if SCALE[f] > 0]
        mass = sum(MASS[f] for f in outputs)
        for k in range(len(truth)):
            epistemic = total = 0.0
            for f in outputs:
                variance = np.var(members[:, k, f], ddof=1) if len(members) > 1 else 0.0
                both = variance + np.mean(around[:, k, f] ** 2)
                epistemic += MASS[f] * math.sqrt(variance) / SCALE[f] / mass
                total += MASS[f] * math.sqrt(both) / SCALE[f] / mass
            assert scores.column_epistemic[i, k] == pytest.approx(epistemic, rel=1e-10, abs=1e-15)
            assert scores.column_total[i, k] == pytest.approx(total, rel=1e-10, abs=1e-15)


def same(first: Scores, second: Scores, rtol: float = 1e-9) -> None:
    names = [name for name, value in vars(first).items() if isinstance(value, np.ndarray)]
    assert {"r2", "crps", "ranks", "coverage90", "width90", "column_total"} <= set(names)
    for name in names:
        a, b = getattr(first, name), getattr(second, name)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12, err_msg=name)
    for name in PARTS:
        a, b = first.pooled(name), second.pooled(name)
        assert a == pytest.approx(b, rel=rtol, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_change_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = invented(kind)
    whole = scored(case)
    same(whole, scored(case, chunks=9))
    # Blocks of one column each.
    monkeypatch.setattr(blocks, "_BLOCK", 1)
    same(whole, scored(case))


@pytest.mark.parametrize("kind", ["ensemble", "noise", "noise by member"])
def test_order_of_members_and_columns_changes_nothing(kind: str) -> None:
    truth, members, noise, area = case = invented(kind)
    order = np.random.default_rng(42).permutation(len(members))
    around = noise[order] if noise is not None and noise.ndim == 3 else noise
    same(scored(case), scored((truth, members[order], around, area)))
    turned = None if noise is None else noise[..., ::-1, :]
    backward = scored((truth[::-1], members[:, ::-1], turned, area[::-1]))
    backward.column_epistemic = backward.column_epistemic[:, ::-1]
    backward.column_total = backward.column_total[:, ::-1]
    same(scored(case), backward)


@pytest.mark.parametrize("kind", KINDS)
def test_units_scale_what_has_units(kind: str) -> None:
    """Scores in other units follow; R2, coverage and ratios stay."""
    truth, members, noise, area = case = invented(kind)
    factor = 1004.6
    other = Outputs(PARTS, MASS, SCALE * factor)
    scorer = EnsembleScorer(other, len(members), noise=noise is not None)
    scorer.add(
        truth * factor, members * factor, None if noise is None else noise * factor, area / 7
    )
    first, second = scored(case), scorer.scores()
    for name in ("mae", "crps", "crps_published", "rmse", "bias", "width50", "width90"):
        np.testing.assert_allclose(getattr(second, name), factor * getattr(first, name), rtol=1e-8)
    for name in ("r2", "spread_error", "coverage50", "coverage90", "column_total", "ranks"):
        np.testing.assert_allclose(getattr(second, name), getattr(first, name), rtol=1e-8)


def test_area_counts_like_repetition() -> None:
    truth, members, noise, _ = invented("noise")
    assert noise is not None
    counts = np.random.default_rng(43).integers(0, 4, N_COLUMN)
    weighted = scored((truth, members, noise, counts.astype(np.float64)))
    repeated = scored(
        (
            truth.repeat(counts, axis=0),
            members.repeat(counts, axis=1),
            noise.repeat(counts, axis=0),
            np.ones(int(counts.sum()), dtype=np.float64),
        )
    )
    repeated.column_epistemic = weighted.column_epistemic
    repeated.column_total = weighted.column_total
    same(weighted, repeated)


def test_large_mean_costs_no_digits() -> None:
    truth, members, _, area = case = invented("ensemble")
    near, far = scored(case), scored((truth + 2.0**24, members + 2.0**24, None, area), chunks=9)
    for name in ("r2", "mae", "crps", "epistemic_variance", "truth_deviation"):
        np.testing.assert_allclose(getattr(far, name), getattr(near, name), rtol=1e-4)


def test_single_precision_is_scored_in_double() -> None:
    truth, members, noise, area = invented("noise")
    assert noise is not None
    single = [a.astype(np.float32) for a in (truth, members, noise, area)]
    scorer = EnsembleScorer(OUTPUTS, len(members), noise=True)
    scorer.add(*single)
    y, x, s, weight = (a.astype(np.float64) for a in single)
    double = scored((y, x, s, weight))
    same(scorer.scores(), double, rtol=1e-5)
    assert scorer.scores().crps.dtype == np.float64
