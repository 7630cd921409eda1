"""Scores against values worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from closures.climsim.errors import DataError
from closures.climsim.files import Columns, list_pairs, read_columns
from closures.climsim.grid import ColumnGrid, find_grid, read_grid
from closures.climsim.scoring import (
    compare,
    largest_difference,
    score,
    score_files,
    score_folder,
    to_energy_flux,
)
from closures.climsim.variables import v1

Array = NDArray[np.float64]

TWO_LEVELS = v1(n_level=2)
PRESSURE = np.array([100_000.0, 50_000.0])

# Two columns, the second three times as large: area / mean(area) = 0.5, 1.5. Interfaces at
# 0, 0.2 p0 and ps: layers of 20 000 Pa and ps - 20 000 Pa.
GRID = ColumnGrid(
    area=np.array([1.0, 3.0]),
    lat=np.array([0.0, 30.0]),
    lon=np.array([0.0, 0.0]),
    hyai=np.array([0.0, 0.2, 0.0]),
    hybi=np.array([0.0, 0.0, 1.0]),
    hyam=np.array([0.1, 0.1]),
    hybm=np.array([0.0, 0.5]),
    p0=1e5,
)


def columns(outputs: Array) -> Columns:
    inputs = np.zeros((len(outputs), TWO_LEVELS.n_input))
    inputs[:, 4] = np.tile(PRESSURE, len(outputs) // 2)
    return Columns((), inputs, outputs)


def test_heating_becomes_an_energy_flux_of_each_layer() -> None:
    outputs = np.zeros((2, TWO_LEVELS.n_output))
    outputs[:, :2] = 1e-5  # K/s
    fluxes = to_energy_flux(outputs, PRESSURE, TWO_LEVELS, GRID)
    expected = (
        1e-5
        * 1004.64
        / 9.80616
        * np.array([[20_000 * 0.5, 80_000 * 0.5], [20_000 * 1.5, 30_000 * 1.5]])
    )
    np.testing.assert_allclose(fluxes["dT"], expected[None], rtol=1e-14)


def test_each_unit_has_its_energy() -> None:
    outputs = np.zeros((2, TWO_LEVELS.n_output))
    outputs[:, 2] = 1e-8  # kg/kg/s, upper level
    outputs[:, 4] = 100.0  # NETSW, W/m2
    outputs[:, 7] = 2e-8  # PRECC, m/s
    fluxes = to_energy_flux(outputs, PRESSURE, TWO_LEVELS, GRID)
    np.testing.assert_allclose(
        fluxes["dq"][0, :, 0], 1e-8 * 2.501e6 / 9.80616 * 20_000 * np.array([0.5, 1.5])
    )
    np.testing.assert_allclose(fluxes["dq"][0, :, 1], 0.0)
    np.testing.assert_allclose(fluxes["NETSW"][0, :, 0], [50.0, 150.0])
    np.testing.assert_allclose(fluxes["PRECC"][0, :, 0], 2e-8 * 2.501e9 * np.array([0.5, 1.5]))
    np.testing.assert_allclose(fluxes["PRECSC"], 0.0)


def test_mean_absolute_error_of_a_constant_heating_error() -> None:
    truth = np.random.default_rng(0).normal(size=(6, TWO_LEVELS.n_output))
    prediction = truth.copy()
    prediction[:, :2] += 1e-5
    prediction[:, 7] -= 1e-8
    scores = score(prediction, columns(truth), TWO_LEVELS, GRID)
    # Layer means over the columns: 20 000 Pa, and (0.5 * 80 000 + 1.5 * 30 000) / 2 = 42 500 Pa.
    upper, lower = (1e-5 * 1004.64 / 9.80616 * dp for dp in (20_000.0, 42_500.0))
    np.testing.assert_allclose(scores["dT"].mae_level, [upper, lower], rtol=1e-10)
    assert scores["dT"].mae == pytest.approx((upper + lower) / 2, rel=1e-10)
    assert scores["dT"].bias == pytest.approx((upper + lower) / 2, rel=1e-10)
    assert scores["dT"].rmse == pytest.approx((upper + lower) / 2, rel=1e-10)
    assert scores["PRECC"].mae == pytest.approx(25.01, rel=1e-7)
    assert scores["PRECC"].bias == pytest.approx(-25.01, rel=1e-7)
    assert scores["dq"].mae == 0.0
    assert scores["dq"].r2_pooled == 1.0


def test_root_mean_square_is_taken_over_time_before_the_mean_over_columns() -> None:
    truth = np.zeros((2, 2, 1))
    prediction = np.array([[[3.0], [1.0]], [[4.0], [1.0]]])
    found = compare(prediction, truth)
    assert found.rmse == pytest.approx((np.sqrt(12.5) + 1.0) / 2)
    assert found.mae == pytest.approx(2.25)
    assert found.bias == pytest.approx(2.25)


def test_explained_variance_of_a_column_and_pooled() -> None:
    # Column 1: SST 2, SSE 1 -> R2 0.5; column 2: SST 8, SSE 1 -> R2 0.875.
    truth = np.array([[[1.0], [8.0]], [[3.0], [12.0]]])
    prediction = np.array([[[1.0], [8.0]], [[2.0], [11.0]]])
    found = compare(prediction, truth)
    assert found.r2 == pytest.approx((0.5 + 0.875) / 2)
    # About the common mean 6: 25 + 4 + 9 + 36 = 74.
    assert found.r2_pooled == pytest.approx(1 - 2 / 74)
    np.testing.assert_allclose(found.r2_level, [1 - 2 / 74])


def test_a_column_that_never_varies_spoils_only_the_columnwise_r2() -> None:
    truth = np.array([[[1.0], [5.0]], [[3.0], [5.0]]])
    found = compare(truth + 1.0, truth)
    assert found.r2 == -np.inf
    assert found.r2_pooled == pytest.approx(1 - 4 / 11)
    assert np.isnan(compare(np.zeros((2, 2, 1)), np.zeros((2, 2, 1))).r2_level).all()


def test_the_mean_of_each_level_explains_nothing() -> None:
    truth = np.random.default_rng(3).normal(size=(5, 4, 3)) + np.array([0.0, 10.0, -5.0])
    mean = np.broadcast_to(truth.mean(axis=(0, 1)), truth.shape)
    assert compare(mean, truth).r2_pooled == pytest.approx(0.0, abs=1e-12)


def test_largest_difference_finds_one_changed_level() -> None:
    truth = np.random.default_rng(1).normal(size=(4, 2, 3))
    prediction = truth + 0.5
    changed = prediction.copy()
    changed[..., 2] = truth[..., 2] + 0.5 * (1 + 1e-3)
    first, second = ({"dT": compare(values, truth)} for values in (prediction, changed))
    assert largest_difference(first, first) == 0.0
    assert largest_difference(first, second) == pytest.approx(1e-3, rel=1e-2)


def test_shapes_are_checked() -> None:
    truth = columns(np.zeros((2, TWO_LEVELS.n_output)))
    with pytest.raises(DataError, match=r"expected predictions of shape \(2, 12\), got \(3, 12\)"):
        score(np.zeros((3, 12)), truth, TWO_LEVELS, GRID)
    with pytest.raises(DataError, match="multiples of the grid's 2, got 3"):
        to_energy_flux(np.zeros((3, 12)), np.ones(3), TWO_LEVELS, GRID)


def test_files_score_like_arrays(sample_folder: Path, tmp_path: Path) -> None:
    pairs = list_pairs(sample_folder)[:3]
    truth = read_columns(pairs, v1())
    grid = read_grid(find_grid(sample_folder))
    # The next step's outcome stands in for a model: a wrong answer in the right format.
    for pair, other in zip(pairs, pairs[1:] + pairs[:1], strict=True):
        (tmp_path / pair.mlo.name).write_bytes(other.mlo.read_bytes())
    prediction = read_columns(pairs, v1(), tmp_path).outputs
    expected = score(prediction, truth, v1(), grid)
    assert expected["FLWDS"].mae > 1.0
    for found in (
        score_files(tmp_path, pairs, v1(), grid),
        score_folder(tmp_path, sample_folder, v1()),
    ):
        assert largest_difference(expected, found) == 0.0


def test_folder_without_matching_files(sample_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected mlo files with the names of those below"):
        score_folder(tmp_path, sample_folder, v1())


def test_climatology_of_the_real_files_scores_as_published_here(real_folder: Path) -> None:
    """The global mean over all pairs, an independent evaluation with plain sums."""
    pairs = list_pairs(real_folder)[:10]
    grid = read_grid(find_grid(real_folder))
    truth = read_columns(pairs, v1())
    prediction = np.tile(truth.outputs.mean(axis=0), (len(truth.outputs), 1))
    found = score(prediction, truth, v1(), grid)["FLWDS"]
    total = 0.0
    for row, expected, area in zip(
        truth.outputs[:, 121], prediction[:, 121], np.tile(grid.area, 10), strict=True
    ):
        total += abs(row - expected) * area
    assert found.mae == pytest.approx(total / (10 * grid.area.sum()), rel=1e-12)
