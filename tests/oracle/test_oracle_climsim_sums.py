"""Streaming scores against loops written from their definition."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from closures.climsim.cell_sums import CellSums, Summary, explained, summarize
from closures.climsim.ensemble_sums import SPREAD_EDGES, EnsembleSums
from closures.ensemble_scores import fair_crps, rank_weights

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

N_TIME, N_COLUMN, N_FEATURE = 9, 6, 4
PARTS = (slice(0, 3), slice(3, 4))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def invented(rng: np.random.Generator) -> tuple[Array, Array, Mask, Array]:
    """Prediction and truth (time, column, feature), which samples count, areas."""
    truth = 3.0 + rng.normal(size=(N_TIME, N_COLUMN, N_FEATURE))
    prediction = truth + rng.normal(0.2, 0.5, truth.shape)
    present = rng.random((N_TIME, N_COLUMN)) < 0.6
    present[:, 2] = False
    area = rng.uniform(0.5, 2.0, N_COLUMN)
    area[4] = 0.0
    return prediction, truth, present, area


def streamed(prediction: Array, truth: Array, present: Mask) -> CellSums:
    sums = CellSums.empty(N_COLUMN, N_FEATURE)
    for p, t, m in zip(prediction, truth, present, strict=True):
        sums.add(p, t, m)
    return sums


def by_loops(p: Array, t: Array, present: Mask, area: Array) -> dict[str, list[float]]:
    """Every sample counts with its area; R2 of a column with its number of samples."""
    columns = [i for i in range(N_COLUMN) if area[i] > 0 and present[:, i].any()]
    times = {i: [k for k in range(N_TIME) if present[k, i]] for i in columns}
    total_area = sum(area[i] * len(times[i]) for i in columns)
    total_count = sum(len(times[i]) for i in columns)
    mean_area = total_area / total_count
    names = ("mae", "rmse", "bias", "r2", "pooled", "deviation")
    found: dict[str, list[float]] = {name: [] for name in names}
    for f in range(N_FEATURE):
        mae = rmse = bias = r2 = sse_all = sst_all = 0.0
        values = [area[i] / mean_area * t[k, i, f] for i in columns for k in times[i]]
        common = sum(values) / len(values)
        for i in columns:
            n = len(times[i])
            errors = [p[k, i, f] - t[k, i, f] for k in times[i]]
            mean = sum(t[k, i, f] for k in times[i]) / n
            sse = sum(e * e for e in errors)
            sst = sum((t[k, i, f] - mean) ** 2 for k in times[i])
            mae += area[i] * sum(abs(e) for e in errors) / total_area
            rmse += area[i] * n * math.sqrt(sse / n) / total_area
            bias += area[i] * sum(errors) / total_area
            r2 += n * (1 - sse / sst) / total_count
            sse_all += (area[i] / mean_area) ** 2 * sse
        sst_all = sum((value - common) ** 2 for value in values)
        for name, value in zip(
            names,
            (mae, rmse, bias, r2, 1 - sse_all / sst_all, math.sqrt(sst_all / len(values))),
            strict=True,
        ):
            found[name].append(value)
    return found


def assert_summary(given: Summary, expected: dict[str, list[float]]) -> None:
    for name in ("mae", "rmse", "bias", "r2", "deviation"):
        np.testing.assert_allclose(getattr(given, name), expected[name], rtol=1e-11, atol=1e-13)
    pooled = explained(given.unexplained, given.total)
    np.testing.assert_allclose(pooled, expected["pooled"], rtol=1e-11, atol=1e-13)


def test_sums_of_some_columns_at_some_times(rng: np.random.Generator) -> None:
    prediction, truth, present, area = invented(rng)
    # A column with one sample has no variance in time; the loops divide by it.
    present[:2, present.sum(axis=0) == 1] = True
    given = summarize(streamed(prediction, truth, present), area)
    assert_summary(given, by_loops(prediction, truth, present, area))


def test_sums_of_day_and_night_together(rng: np.random.Generator) -> None:
    prediction, truth, present, area = invented(rng)
    both = streamed(prediction, truth, present) + streamed(prediction, truth, ~present)
    everything = np.ones_like(present)
    assert_summary(summarize(both, area), by_loops(prediction, truth, everything, area))
    np.testing.assert_allclose(both.spread, N_TIME * truth.var(axis=0), rtol=1e-12)
    np.testing.assert_allclose(both.mean, truth.mean(axis=0), rtol=1e-13)


def test_large_mean_costs_no_digits(rng: np.random.Generator) -> None:
    prediction, truth, present, _ = invented(rng)
    present[...] = True
    far = streamed(prediction + 2.0**30, truth + 2.0**30, present)
    np.testing.assert_allclose(far.spread, N_TIME * truth.var(axis=0), rtol=1e-5)


def test_no_column_has_no_score() -> None:
    given = summarize(CellSums.empty(2, 3), np.ones(2))
    assert np.isnan([given.mae, given.r2, given.total, given.deviation]).all()


def crps_by_loops(members: Array, truth: float, divisor: float) -> float:
    """Mean |x - y| minus the sum over sorted neighbours of gap * i (n - i) / divisor."""
    n = len(members)
    ordered = sorted(members)
    gaps = sum((ordered[i] - ordered[i - 1]) * i * (n - i) for i in range(1, n))
    return float(sum(abs(x - truth) for x in members) / n - gaps / divisor)


@pytest.mark.parametrize("n_member", [2, 5, 32])
def test_ensemble(rng: np.random.Generator, n_member: int) -> None:
    truth = rng.normal(size=(N_TIME, N_COLUMN, N_FEATURE))
    members = truth[:, None] + rng.normal(0.3, 2.0, (N_TIME, n_member, N_COLUMN, N_FEATURE))
    sums = EnsembleSums(n_member, PARTS, N_COLUMN)
    for x, y in zip(members, truth, strict=True):
        sums.add(x, y)
    n = n_member
    ranks = np.zeros((2, n + 1))
    binned = np.zeros((3, 2, SPREAD_EDGES.size - 1))
    for i in range(N_COLUMN):
        for f in range(N_FEATURE):
            fair = half = variance_sum = squared_sum = 0.0
            for k in range(N_TIME):
                x, y = members[k, :, i, f], truth[k, i, f]
                fair += crps_by_loops(x, y, n * (n - 1))
                half += crps_by_loops(x, y, 2 * n * (n - 1))
                mean = sum(x) / n
                variance = sum((a - mean) ** 2 for a in x) / (n - 1)
                variance_sum += variance
                squared_sum += (mean - y) ** 2
                part = 0 if f < 3 else 1
                ranks[part, sum(a < y for a in x)] += 1
                for b in range(SPREAD_EDGES.size - 1):
                    if SPREAD_EDGES[b] <= math.sqrt(variance) < SPREAD_EDGES[b + 1]:
                        binned[:, part, b] += 1.0, variance, (mean - y) ** 2
            assert sums.crps[i, f] == pytest.approx(fair, rel=1e-10)
            assert sums.half_weighted[i, f] == pytest.approx(half, rel=1e-10)
            assert sums.squared[i, f] == pytest.approx(squared_sum, rel=1e-10)
            expected = variance_sum * (n + 1) / n
            assert sums.fair_variance[i, f] == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose(sums.ranks, ranks, atol=1e-12)
    np.testing.assert_allclose(sums.binned, binned, rtol=1e-10)
    assert sums.binned[0].sum() == N_TIME * N_COLUMN * N_FEATURE


def test_ranks_share_ties_and_leave_out_what_cannot_be_ranked() -> None:
    # Members of one column and feature, truth, weights of the four ranks.
    cases: list[tuple[list[float], float, list[float]]] = [
        ([0.0, 0.0, 0.0], 0.0, [0, 0, 0, 0]),
        ([0.0, 0.0, 5.0], 0.0, [1 / 3, 1 / 3, 1 / 3, 0]),
        ([0.0, 2.0, 5.0], 2.0, [0, 0.5, 0.5, 0]),
        ([0.0, 2.0, 5.0], 9.0, [0, 0, 0, 1]),
        ([5.0, 0.0, 2.0], -1.0, [1, 0, 0, 0]),
    ]
    for members, truth, expected in cases:
        given = rank_weights(np.array(members)[:, None, None], np.array([[truth]]))
        np.testing.assert_allclose(given[:, 0], expected)


def test_reliable_ensemble(rng: np.random.Generator) -> None:
    """Truth and members from one distribution: flat ranks, spread as large as the error."""
    centre = rng.normal(size=(20000, 1))
    members = centre + rng.normal(size=(4, 20000, 1))
    truth = centre + rng.normal(size=(20000, 1))
    sums = EnsembleSums(4, (slice(0, 1),), 20000)
    sums.add(members, truth)
    np.testing.assert_allclose(sums.ranks[0] / 4000, 1.0, atol=0.07)
    assert sums.fair_variance.sum() == pytest.approx(sums.squared.sum(), rel=0.05)
    # CRPS of the normal distribution itself, for every number of members: 1 / sqrt(pi).
    assert fair_crps(members, truth).mean() == pytest.approx(1 / math.sqrt(math.pi), rel=0.03)
    # The half-weighted one prefers members without any spread.
    narrow = EnsembleSums(4, (slice(0, 1),), 20000)
    narrow.add(centre + 0.3 * (members - centre), truth)
    assert narrow.half_weighted.sum() < sums.half_weighted.sum()
    assert narrow.crps.sum() > sums.crps.sum()
