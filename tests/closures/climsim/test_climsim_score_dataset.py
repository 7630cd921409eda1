"""The labelled scores against those of whole arrays, on a generated sample."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from closures.climsim.errors import DataError
from closures.climsim.files import list_pairs, read_columns
from closures.climsim.grid import ColumnGrid, find_grid, read_grid
from closures.climsim.regions import LIGHTS, REGIONS, band_areas, is_day, region_areas
from closures.climsim.score_dataset import ENSEMBLE_SCORES, SCORES, score_dataset
from closures.climsim.scorer import MILLIMETRE_PER_DAY, RAIN_EDGES, Scorer
from closures.climsim.scoring import score
from closures.climsim.variables import v1

V1 = v1()
N_MEMBER = 5


@pytest.fixture(scope="module")
def grid(sample_folder: Path) -> ColumnGrid:
    return read_grid(find_grid(sample_folder))


@pytest.fixture(scope="module")
def columns(sample_folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, truth, prediction and ensemble by time step."""
    read = read_columns(list_pairs(sample_folder)[:4], V1)
    rng = np.random.default_rng(5)
    inputs = read.inputs.reshape(4, -1, V1.n_input)
    truth = read.outputs.reshape(4, -1, V1.n_output)
    noise = rng.normal(size=(4, N_MEMBER, *truth.shape[1:])) * truth.std(axis=(0, 1))
    return inputs, truth, 0.8 * truth, truth[:, None] + 0.3 * noise


@pytest.fixture(scope="module")
def scores(grid: ColumnGrid, columns: tuple[np.ndarray, ...]) -> xr.Dataset:
    scorer = Scorer(V1, grid, {"single": 1, "several": N_MEMBER})
    for inputs, truth, prediction, members in zip(*columns, strict=True):
        scorer.add(inputs, truth, {"single": prediction, "several": members})
    return score_dataset(scorer)


def test_scores_of_the_globe_are_those_of_whole_arrays(
    scores: xr.Dataset, sample_folder: Path, grid: ColumnGrid, columns: tuple[np.ndarray, ...]
) -> None:
    read = read_columns(list_pairs(sample_folder)[:4], V1)
    single = columns[2].reshape(-1, V1.n_output)
    mean = columns[3].mean(axis=1).reshape(-1, V1.n_output)
    chosen = scores.sel(region="globe", light=LIGHTS[0])
    for model, prediction in (("single", single), ("several", mean)):
        for label, expected in score(prediction, read, V1, grid).items():
            here = chosen.sel(model=model, variable=label)
            for name in SCORES:
                value = getattr(expected, name)
                assert float(here[name]) == pytest.approx(value, rel=1e-9, abs=1e-11, nan_ok=True)
            if label in ("dT", "dq"):
                levels = chosen.sel(model=model, profile=label)
                np.testing.assert_allclose(levels["mae_level"], expected.mae_level, rtol=1e-10)
                np.testing.assert_allclose(levels["r2_level"], expected.r2_level, atol=1e-9)


def test_regions_and_lights_add_up_to_the_whole(
    scores: xr.Dataset, grid: ColumnGrid, columns: tuple[np.ndarray, ...]
) -> None:
    share = {name: area.sum() / grid.area.sum() for name, area in region_areas(grid).items()}
    assert sum(share[name] for name in list(REGIONS)[1:]) == pytest.approx(1.0)
    for name in ("mae", "bias"):
        parts = sum(
            share[region] * scores[name].sel(region=region, light=LIGHTS[0])
            for region in list(REGIONS)[1:]
        )
        np.testing.assert_allclose(parts, scores[name].sel(region="globe", light=LIGHTS[0]))
    sunlit = np.mean([np.average(is_day(x, V1), weights=grid.area) for x in columns[0]])
    assert 0.3 < sunlit < 0.7
    globe = scores["mae"].sel(region="globe")
    both = sunlit * globe.sel(light="day") + (1 - sunlit) * globe.sel(light="night")
    np.testing.assert_allclose(both, globe.sel(light=LIGHTS[0]), rtol=1e-10)


def test_maps_and_sections_average_to_the_whole(scores: xr.Dataset, grid: ColumnGrid) -> None:
    globe = scores.sel(region="globe", light=LIGHTS[0])
    of_maps = (scores["mae_map"] * grid.area).sum("column") / grid.area.sum()
    np.testing.assert_allclose(of_maps.transpose("model", "variable"), globe["mae"], rtol=1e-10)
    share = np.array([area.sum() for area in band_areas(grid)[1]]) / grid.area.sum()
    weights = xr.DataArray(share, dims="latitude")
    of_bands = (scores["mae_section"] * weights).sum("latitude")
    np.testing.assert_allclose(
        of_bands.transpose("model", "profile", "level"), globe["mae_level"], rtol=1e-10
    )


def test_deviation_of_the_truth(
    scores: xr.Dataset, grid: ColumnGrid, columns: tuple[np.ndarray, ...]
) -> None:
    sunlight = columns[1][:, :, V1.slices("outputs")["cam_out_netsw"]][..., 0]
    expected = (sunlight * grid.area / grid.area.mean()).std()
    given = scores["truth_deviation"].sel(region="globe", light=LIGHTS[0], variable="NETSW")
    assert float(given) == pytest.approx(expected, rel=1e-10)


def test_ensemble_scores(scores: xr.Dataset) -> None:
    globe = scores.sel(region="globe")
    single, several = globe.sel(model="single"), globe.sel(model="several")
    mae = globe["mae"].sel(light=LIGHTS[0])
    for name in ("crps", "crps_half_weighted"):
        np.testing.assert_allclose(single[name], mae.sel(model="single"))
    assert (several["crps"] < several["crps_half_weighted"]).all()
    # Members of standard deviation s about the truth: spread s sqrt(6 / 5), error s / sqrt(5).
    ratio = several["spread"] / several["error_of_mean"]
    np.testing.assert_allclose(ratio, 6**0.5, rtol=0.1)
    assert np.isnan(single["spread"]).all()
    counts = scores["rank_count"].sel(model="several", variable="NETSW")
    assert float(counts.sum()) == 4 * scores.sizes["column"]
    assert counts.sizes["rank"] == N_MEMBER + 1


def test_precipitation_adds_up(
    scores: xr.Dataset, grid: ColumnGrid, columns: tuple[np.ndarray, ...]
) -> None:
    parts = scores["rain_share"].sum("rain") + scores["rain_share_below"]
    np.testing.assert_allclose(parts + scores["rain_share_above"], 1.0)
    rain = columns[1][:, :, V1.slices("outputs")["cam_out_precc"]][..., 0] * MILLIMETRE_PER_DAY
    inside = (rain >= RAIN_EDGES[10]) & (rain < RAIN_EDGES[11])
    expected = (inside * grid.area).sum() / grid.area.sum() / len(rain)
    assert float(scores["rain_share"].sel(series="truth")[10]) == pytest.approx(expected)


def test_everything_has_units_and_survives_a_file(scores: xr.Dataset, tmp_path: Path) -> None:
    for name in scores.data_vars:
        assert scores[name].attrs["units"] in ("W m-2", "1"), name
        assert scores[name].attrs["long_name"]
    assert set(SCORES) | set(ENSEMBLE_SCORES) <= set(scores.data_vars)
    scores.to_netcdf(tmp_path / "scores.nc")
    xr.testing.assert_identical(xr.load_dataset(tmp_path / "scores.nc"), scores)


def test_bad_predictions(grid: ColumnGrid, columns: tuple[np.ndarray, ...]) -> None:
    inputs, truth, prediction, members = (part[0] for part in columns)
    scorer = Scorer(V1, grid, {"a": 1, "b": N_MEMBER})
    with pytest.raises(DataError, match="expected a prediction of b, got none"):
        scorer.add(inputs, truth, {"a": prediction})
    with pytest.raises(DataError, match=r"b: expected predictions of shape \(5, 384, 128\), got"):
        scorer.add(inputs, truth, {"a": prediction, "b": prediction})
    broken = prediction.copy()
    broken[3, 2] = np.nan
    with pytest.raises(DataError, match="a: expected finite predictions, got NaN"):
        scorer.add(inputs, truth, {"a": broken, "b": members})
    with pytest.raises(DataError, match=r"expected a time step of shape \(384, 128\)"):
        scorer.add(inputs[:5], truth[:5], {"a": prediction, "b": members})
    with pytest.raises(ValueError, match="expected at least one time step, got none"):
        score_dataset(scorer)
    with pytest.raises(DataError, match="'truth' stands for the data; rename that model"):
        Scorer(V1, grid, {"truth": 1})
