"""What stands beside an emulator's scores: climatology by hour, published tables, drift."""

from pathlib import Path

import numpy as np
import pytest

from closures.climsim.drift import Drift, FeatureSums
from closures.climsim.energy import GRAVITY, HEAT_CAPACITY
from closures.climsim.errors import DataError
from closures.climsim.files import Columns, list_pairs, read_columns, read_pair
from closures.climsim.grid import ColumnGrid, find_grid, read_grid
from closures.climsim.hourly_climatology import HourlyClimatology
from closures.climsim.published_scores import published_scores
from closures.climsim.regions import band_areas, is_day, region_areas
from closures.climsim.response import responses
from closures.climsim.scoring import score
from closures.climsim.splits import interleaved, season
from closures.climsim.variables import VariableSet, v1

V1 = v1()
LABELS = {v.label for v in V1.outputs}


def made_grid(lat: list[float]) -> ColumnGrid:
    n = len(lat)
    empty = np.zeros(0)
    return ColumnGrid(np.arange(1.0, n + 1), np.array(lat), np.zeros(n), *(empty,) * 4, p0=1e5)


def test_climatology_of_an_hour() -> None:
    climatology = HourlyClimatology(2, 1)
    for second, value in ((3600, 1.0), (7199, 3.0), (7200, 10.0), (82800, 20.0)):
        climatology.add(second, np.array([[value], [2 * value]]))
    np.testing.assert_array_equal(climatology.predict(5000), [[2.0], [4.0]])
    np.testing.assert_array_equal(climatology.predict(7200), [[10.0], [20.0]])
    # 00:30 is as far from 23:00 as from 01:00; 20:00 is nearest to 23:00, 05:00 to 02:00.
    np.testing.assert_array_equal(climatology.predict(1800), [[2.0], [4.0]])
    np.testing.assert_array_equal(climatology.predict(72000), [[20.0], [40.0]])
    np.testing.assert_array_equal(climatology.predict(18000), [[10.0], [20.0]])
    with pytest.raises(ValueError, match="at least one training step, got none"):
        HourlyClimatology(2, 1).predict(0)


def test_regions_divide_the_sphere() -> None:
    grid = made_grid([-90.0, -60.0, -59.9, -30.0, -29.9, 0.0, 30.0, 60.0, 90.0])
    areas = region_areas(grid)
    assert {name: np.flatnonzero(area).tolist() for name, area in areas.items()} == {
        "globe": [0, 1, 2, 3, 4, 5, 6, 7, 8],
        "tropics": [4, 5],
        "mid-latitudes": [2, 3, 6],
        "poles": [0, 1, 7, 8],
    }
    middle, bands = band_areas(grid)
    assert middle[[0, 9, -1]].tolist() == [-85.0, 5.0, 85.0]
    np.testing.assert_array_equal(sum(bands), grid.area)
    assert np.flatnonzero(bands[-1]).tolist() == [8]


def test_day_needs_sunlight() -> None:
    inputs = np.zeros((2, V1.n_input))
    inputs[1, V1.slices("inputs")["pbuf_solin"]] = 1e-3
    assert is_day(inputs, V1).tolist() == [False, True]
    dark = VariableSet(name="dark", inputs=V1.inputs[:3], outputs=V1.outputs)
    with pytest.raises(DataError, match="expected pbuf_SOLIN among the inputs of dark"):
        is_day(inputs, dark)


def test_published_tables() -> None:
    published = published_scores()
    assert published.models == ("CNN", "ED", "HSR", "MLP", "RPN", "cVAE")
    assert set(published.scores) == {"mae", "rmse", "r2", "crps"}
    for by_model in published.scores.values():
        for row in by_model.values():
            assert set(row) <= LABELS
    assert set(published.scores["mae"]["cVAE"]) == LABELS
    assert set(published.scores["crps"]["MLP"]) == set()
    # Best of each published column, by eye from the source.
    mae = published.scores["mae"]
    best = {label: min(mae, key=lambda model: mae[model][label]) for label in sorted(LABELS)}
    assert best.pop("dT") == best.pop("dq") == "CNN"
    assert set(best.values()) == {"MLP"}
    # An absolute error is no larger than a root mean square, a CRPS no larger than both.
    for model, row in published.scores["rmse"].items():
        assert all(mae[model][label] < value for label, value in row.items())
    for model, row in published.scores["crps"].items():
        assert all(value < 1.05 * mae[model][label] for label, value in row.items())


def test_drift_against_whole_arrays() -> None:
    rng = np.random.default_rng(3)
    train, test = rng.normal(2.0, 3.0, (60, 4)), rng.normal(4.0, 1.0, (30, 4))
    train[:, 3] = test[:, 3] = 7.0
    sums = FeatureSums(4)
    for part in np.split(train, 6):
        sums.add(part)
    drift = Drift.of_training(sums)
    for part in np.split(test, 3):
        drift.add(part)
    shift = (test.mean(axis=0) - train.mean(axis=0))[:3] / train.std(axis=0)[:3]
    np.testing.assert_allclose(drift.shift[:3], shift, rtol=1e-12)
    widening = test.std(axis=0)[:3] / train.std(axis=0)[:3]
    np.testing.assert_allclose(drift.widening[:3], widening, rtol=1e-12)
    assert np.isnan([drift.shift[3], drift.widening[3]]).all()
    outside = ((test < train.min(axis=0)) | (test > train.max(axis=0))).sum(axis=0)
    np.testing.assert_array_equal(drift.outside, outside)


def test_response_of_a_layer_that_relaxes(sample_folder: Path) -> None:
    """Heating -(T - 280 K) / hour and moistening +q / hour of the level above."""
    grid = read_grid(find_grid(sample_folder))
    inputs, _ = read_pair(list_pairs(sample_folder)[0], V1)
    part = inputs[::50]

    def predict(columns: np.ndarray, variables: VariableSet) -> np.ndarray:
        found = np.zeros((len(columns), variables.n_output))
        found[:, :60] = -(columns[:, :60] - 280.0) / 3600.0
        found[:, 61:120] = columns[:, 60:119] / 3600.0
        return found

    given = responses(predict, part, V1, grid)
    mass = grid.layer_thickness(part[:, 120]).mean(axis=0) / GRAVITY
    heating = given.matrices["state_t", "ptend_t"]
    np.testing.assert_allclose(np.diag(heating), -mass * HEAT_CAPACITY / 3600.0, rtol=1e-9)
    assert np.abs(heating - np.diag(np.diag(heating))).max() == 0.0
    assert np.abs(given.matrices["state_t", "ptend_q0001"]).max() == 0.0
    moistening = given.matrices["state_q0001", "ptend_q0001"]
    layers = grid.layer_thickness(part[:, 120]) / GRAVITY
    expected = 0.1 * (part[:, 60:119] * layers[:, 1:]).mean(axis=0) * 2.501e6 / 3600.0
    np.testing.assert_allclose(np.diag(moistening, -1), expected, rtol=1e-9)
    # Members are averaged.
    of_members = responses(
        lambda x, v: np.stack([predict(x, v), 3 * predict(x, v)]), part, V1, grid
    )
    np.testing.assert_allclose(of_members.matrices["state_t", "ptend_t"], 2 * heating, rtol=1e-12)


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        # Measured by another program.
        (interleaved, {"dT": 4.56, "dq": 5.87, "NETSW": 198.0, "FLWDS": 59.3, "PRECC": 97.4}),
        (season, {"dT": 4.43, "dq": 5.78, "NETSW": 203.0, "FLWDS": 58.7, "PRECC": 95.5}),
    ],
    ids=["interleaved", "season"],
)
def test_mean_of_the_real_files(
    real_folder: Path, split: object, expected: dict[str, float]
) -> None:
    assert callable(split)
    chosen = split(list_pairs(real_folder))
    total = FeatureSums(V1.n_output)
    for pair in chosen.train:
        total.add(read_pair(pair, V1)[1])
    truth: Columns = read_columns(chosen.test, V1)
    mean = np.tile(total.mean, (len(truth.outputs), 1))
    given = score(mean, truth, V1, read_grid(find_grid(real_folder)))
    for label, value in expected.items():
        assert given[label].mae == pytest.approx(value, rel=4e-3)
