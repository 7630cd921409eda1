"""ClimSim's scores against loops written from their definition."""

import math
from pathlib import Path

import netCDF4
import numpy as np
import numpy.typing as npt
import pytest

from closures.climsim.files import Columns, Pair, list_pairs, read_columns
from closures.climsim.grid import ColumnGrid, find_grid, read_grid
from closures.climsim.scoring import Score, compare, score, to_energy_flux
from closures.climsim.variables import v1

Array = npt.NDArray[np.float64]

GRAVITY, HEAT_CAPACITY, LATENT_HEAT, WATER_DENSITY = 9.80616, 1004.64, 2.501e6, 1000.0
FLUXES = ("NETSW", "FLWDS", "SOLS", "SOLL", "SOLSD", "SOLLD")
SCALARS = ("NETSW", "FLWDS", "PRECSC", "PRECC", "SOLS", "SOLL", "SOLSD", "SOLLD")


def energy_by_loops(values: Array, pressure: Array, grid: ColumnGrid) -> dict[str, Array]:
    """Fluxes (time, column, level) of outputs (row, output) in V1 order."""
    n_column, n_level = len(grid.area), len(grid.hyai) - 1
    n_time = len(values) // n_column
    weight = grid.area / (sum(grid.area) / n_column)
    fluxes = {label: np.zeros((n_time, n_column, n_level)) for label in ("dT", "dq")}
    fluxes |= {label: np.zeros((n_time, n_column, 1)) for label in SCALARS}
    for t in range(n_time):
        for i in range(n_column):
            row, ps = values[t * n_column + i], pressure[t * n_column + i]
            for k in range(n_level):
                above = grid.hyai[k] * grid.p0 + grid.hybi[k] * ps
                below = grid.hyai[k + 1] * grid.p0 + grid.hybi[k + 1] * ps
                mass = (below - above) / GRAVITY
                fluxes["dT"][t, i, k] = row[k] * mass * weight[i] * HEAT_CAPACITY
                fluxes["dq"][t, i, k] = row[n_level + k] * mass * weight[i] * LATENT_HEAT
            for n, label in enumerate(SCALARS):
                energy = 1.0 if label in FLUXES else LATENT_HEAT * WATER_DENSITY
                fluxes[label][t, i, 0] = row[2 * n_level + n] * weight[i] * energy
    return fluxes


def ratio(sse: float, sst: float) -> float:
    """1 - SSE / SST, as floating-point division does it where SST is 0."""
    if sst > 0:
        return 1.0 - sse / sst
    return math.nan if sse == 0 else -math.inf


def scores_by_loops(prediction: Array, truth: Array) -> dict[str, float]:
    n_time, n_column, n_level = truth.shape
    sums = dict.fromkeys(("mae", "rmse", "bias", "r2"), 0.0)
    sse_all = sst_all = 0.0
    for k in range(n_level):
        level = truth[:, :, k]
        level_mean = level.sum() / level.size
        for i in range(n_column):
            x, y = prediction[:, i, k], truth[:, i, k]
            errors = [x[t] - y[t] for t in range(n_time)]
            mean = sum(y) / n_time
            sse = sum(e**2 for e in errors)
            sums["mae"] += sum(abs(e) for e in errors) / n_time
            sums["rmse"] += math.sqrt(sse / n_time)
            sums["bias"] += sum(x) / n_time - mean
            sums["r2"] += ratio(sse, sum((value - mean) ** 2 for value in y))
            sse_all += sse
            sst_all += sum((value - level_mean) ** 2 for value in y)
    result = {name: total / (n_column * n_level) for name, total in sums.items()}
    return result | {"r2_pooled": ratio(sse_all, sst_all)}


def assert_scores(given: Score, expected: dict[str, float], scale: float) -> None:
    """`scale` is the mean size of what is compared [W m-2]."""
    assert given.mae == pytest.approx(expected["mae"], rel=1e-10)
    assert given.rmse == pytest.approx(expected["rmse"], rel=1e-10)
    assert given.bias == pytest.approx(expected["bias"], rel=1e-9, abs=1e-12 * scale)
    assert given.r2 == pytest.approx(expected["r2"], rel=1e-9, nan_ok=True)
    assert given.r2_pooled == pytest.approx(expected["r2_pooled"], rel=1e-9, abs=1e-11)


def invent_grid(rng: np.random.Generator, n_column: int, n_level: int) -> ColumnGrid:
    hybi = np.linspace(0.0, 1.0, n_level + 1) ** 1.5
    hyai = 0.2 * np.linspace(0.0, 1.0, n_level + 1) * (1.0 - hybi) + 1e-4
    return ColumnGrid(
        area=rng.uniform(0.5, 2.0, n_column),
        lat=rng.uniform(-90.0, 90.0, n_column),
        lon=rng.uniform(0.0, 360.0, n_column),
        hyai=hyai,
        hybi=hybi,
        hyam=(hyai[1:] + hyai[:-1]) / 2,
        hybm=(hybi[1:] + hybi[:-1]) / 2,
        p0=1e5,
    )


def invent_outputs(rng: np.random.Generator, n_row: int, n_level: int) -> Array:
    return np.hstack(
        [
            rng.normal(0.0, 2e-5, (n_row, n_level)),
            rng.normal(0.0, 1e-8, (n_row, n_level)),
            rng.uniform(0.0, 500.0, (n_row, 2)),
            rng.uniform(0.0, 1e-7, (n_row, 2)),
            rng.uniform(0.0, 500.0, (n_row, 4)),
        ]
    )


def test_scores_of_random_columns() -> None:
    rng = np.random.default_rng(1)
    n_time, n_column, n_level = 4, 7, 5
    variables, grid = v1(n_level), invent_grid(rng, n_column, n_level)
    truth = invent_outputs(rng, n_time * n_column, n_level)
    prediction = truth + 0.5 * invent_outputs(rng, n_time * n_column, n_level)
    inputs = rng.normal(size=(n_time * n_column, variables.n_input))
    pressure = rng.uniform(5e4, 1.05e5, n_time * n_column)
    inputs[:, 2 * n_level] = pressure
    pairs = tuple(Pair(1, 1, 1 + t, 0, Path("mli"), Path("mlo")) for t in range(n_time))

    expected_truth = energy_by_loops(truth, pressure, grid)
    expected_prediction = energy_by_loops(prediction, pressure, grid)
    given_fluxes = to_energy_flux(truth, pressure, variables, grid)
    given = score(prediction, Columns(pairs, inputs, truth), variables, grid)
    assert set(given) == set(given_fluxes) == set(expected_truth)
    for label, flux in expected_truth.items():
        np.testing.assert_allclose(given_fluxes[label], flux, rtol=1e-12)
        expected = scores_by_loops(expected_prediction[label], flux)
        assert_scores(given[label], expected, float(np.mean(np.abs(flux))))


def test_scores_by_level_and_where_the_truth_is_constant() -> None:
    rng = np.random.default_rng(2)
    truth, prediction = rng.normal(size=(2, 5, 3, 4))
    truth[:, 1, 2] = 0.0
    given = compare(prediction, truth)
    assert given.r2 == -math.inf
    for k in range(4):
        expected = scores_by_loops(prediction[:, :, k : k + 1], truth[:, :, k : k + 1])
        assert given.mae_level[k] == pytest.approx(expected["mae"], rel=1e-12)
        assert given.r2_level[k] == pytest.approx(expected["r2_pooled"], rel=1e-10)
    prediction[:, 1, 2] = 0.0
    assert math.isnan(compare(prediction, truth).r2)


def read_with_netcdf4(pair: Pair) -> tuple[Array, Array, Array]:
    """V1 inputs and outputs (column, feature) and midpoint pressure (column, level)."""
    with netCDF4.Dataset(pair.mli) as mli, netCDF4.Dataset(pair.mlo) as mlo:
        before = {name: np.ma.getdata(mli[name][:]) for name in mli.variables}
        after = {name: np.ma.getdata(mlo[name][:]) for name in mlo.variables}
    inputs = [before["state_t"].T, before["state_q0001"].T]
    scalars = ("state_ps", "pbuf_SOLIN", "pbuf_LHFLX", "pbuf_SHFLX")
    inputs += [before[name][:, None] for name in scalars]
    outputs = [(after[n].T - before[n].T) / 1200.0 for n in ("state_t", "state_q0001")]
    outputs += [after[f"cam_out_{label}"][:, None] for label in SCALARS]
    return np.hstack(inputs), np.hstack(outputs), before["state_pmid"].T


def test_real_files(climsim_data: Path) -> None:
    pairs, variables = list_pairs(climsim_data)[:3], v1()
    grid = read_grid(find_grid(climsim_data))
    read = [read_with_netcdf4(pair) for pair in pairs]
    inputs, outputs, midpoint = (np.concatenate(part) for part in zip(*read, strict=True))
    columns = read_columns(pairs, variables)
    np.testing.assert_array_equal(columns.inputs, inputs)
    np.testing.assert_allclose(columns.outputs, outputs, rtol=1e-14, atol=0)
    np.testing.assert_allclose(grid.midpoint_pressure(inputs[:, 120]), midpoint, rtol=1e-15)

    # As a forecast serve the columns of another time step.
    n_column = len(grid.area)
    prediction = np.roll(outputs, n_column, axis=0)
    given = score(prediction, columns, variables, grid)
    truth_flux = energy_by_loops(outputs, inputs[:, 120], grid)
    prediction_flux = energy_by_loops(prediction, inputs[:, 120], grid)
    for label, flux in truth_flux.items():
        expected = scores_by_loops(prediction_flux[label], flux)
        assert_scores(given[label], expected, float(np.mean(np.abs(flux))))


def test_grid_file(climsim_data: Path) -> None:
    path = find_grid(climsim_data)
    grid = read_grid(path)
    with netCDF4.Dataset(path) as file:
        for name in ("area", "lat", "lon", "hyai", "hybi", "hyam", "hybm"):
            np.testing.assert_array_equal(getattr(grid, name), np.ma.getdata(file[name][:]))
        assert grid.p0 == float(file["P0"][...])
    assert grid.area.sum() == pytest.approx(4 * math.pi, rel=1e-6)
    pressure = np.array([7.0e4, 1.0e5])
    thickness = grid.layer_thickness(pressure)
    for i, ps in enumerate(pressure):
        for k in range(60):
            below = grid.hyai[k + 1] * 1e5 + grid.hybi[k + 1] * ps
            expected = below - (grid.hyai[k] * 1e5 + grid.hybi[k] * ps)
            assert thickness[i, k] == pytest.approx(expected, rel=1e-12)
