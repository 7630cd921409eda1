"""The test bed of ClimSim's columns: what is held out, and what the cheap physics makes of it."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from climsim_folder import real_climsim_folder
from numpy.typing import NDArray

from closures.climsim.errors import DataError
from closures.climsim.files import list_pairs, read_columns
from closures.climsim.grid import find_grid, read_grid
from closures.climsim.pair_files import write_grid
from closures.climsim.splits import interleaved
from closures.climsim.variables import variables_named
from hybrid.climsim_generator import STATE, Generation, column_grid, generate
from hybrid.experiments.multifidelity.bed import Table, Tables
from hybrid.experiments.multifidelity.climsim import (
    ClimsimSizes,
    climsim_bed,
    climsim_tables,
    surface_temperature,
    warmer_columns,
)
from hybrid.experiments.multifidelity.moist_columns import tendencies
from solvers.column_physics import Columns, ColumnSettings, generated_grid
from solvers.column_physics.saturation import saturation_humidities
from solvers.column_physics.surface import emission

Array = NDArray[np.float64]

N_LEVEL = 20
STARTS = ((2, 10), (6, 30), (10, 40), (10, 60), (14, 50), (18, 70))
"""Of these moments of one month the third is tested, and the fourth is only hours from it."""
TRAIN, APART = (0, 1, 4, 5), (2, 3)
SIZES = ClimsimSizes(warmings=(0.0, 4.0), low_per_high=2, low_steps=1)
SURFACE = "cam_in_lwup"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("columns")
    generate(path, Generation(STARTS, scheme="low", n_spin_up=2, n_level=N_LEVEL))
    return path


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    seen: list[float] = []
    found = climsim_tables(folder, SIZES, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    return found


def from_files(folder: Path, moments: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """Return the bed's inputs, its outputs and the surface temperature, read by the field names."""
    spec = climsim_bed(folder).spec
    variables = variables_named(
        [field.name for field in spec.inputs], [field.name for field in spec.outputs], N_LEVEL
    )
    pairs = list_pairs(folder)
    found = read_columns([pairs[i] for i in moments], variables)
    emitted = found.inputs[:, variables.slices("inputs")[SURFACE]][:, 0]
    return found.inputs, found.outputs, surface_temperature(emitted)


def test_training_holds_the_colder_columns_of_the_training_moments(
    folder: Path, tables: Tables
) -> None:
    inputs, outputs, surface = from_files(folder, TRAIN)
    cold = surface <= np.quantile(surface, 0.95)
    assert np.array_equal(tables.high.inputs, inputs[cold])
    assert np.array_equal(tables.high.outputs, outputs[cold])
    assert len(tables.high) == round(0.95 * 4 * 384)


def test_tests_are_the_moments_apart_on_either_side_of_the_same_threshold(
    folder: Path, tables: Tables
) -> None:
    _, _, of_training = from_files(folder, TRAIN)
    inputs, outputs, surface = from_files(folder, APART)
    warm = surface > np.quantile(of_training, 0.95)
    assert 0 < warm.sum() < 200
    for name, chosen in (("present", ~warm), ("warm", warm)):
        table = tables.tests[name]
        assert np.array_equal(table.inputs, inputs[chosen])
        assert np.array_equal(table.outputs, outputs[chosen])
        assert set(table.group) <= {0, 1}
    assert list(tables.tests) == ["present", "warm"]


def test_moments_of_training_and_tests_are_those_of_the_split(folder: Path) -> None:
    pairs = list_pairs(folder)
    split = interleaved(pairs)
    assert split.train == tuple(pairs[i] for i in TRAIN)
    assert split.test == (pairs[2],)


def test_cheap_scheme_gives_back_what_it_wrote(tables: Tables) -> None:
    """Files of the cheap scheme are its own truth: names, order and units all have to fit."""
    for table in (tables.high, *tables.tests.values()):
        assert table.code is not None
        # Tendencies are differences of files' states: rounding of these is all that remains.
        largest = np.abs(table.outputs).max(axis=0)
        np.testing.assert_allclose(table.code, table.outputs, atol=1e-9 * largest.max(), rtol=1e-9)


def test_low_fidelity_is_the_training_in_several_climates(tables: Tables) -> None:
    low, high = tables.low, tables.high
    assert len(low) == 2 * len(high)
    assert np.array_equal(np.unique(low.group), np.unique(high.group))
    same, warmer = by_turn(low)
    order = np.argsort(high.group, kind="stable")
    # The surface's emission goes through its temperature.
    assert np.allclose(same.inputs, high.inputs[order], rtol=1e-14, atol=0.0)
    assert np.allclose(same.outputs, high.outputs[order], rtol=1e-9, atol=1e-12)
    lowest = N_LEVEL - 1
    assert np.allclose(warmer.inputs[:, lowest] - same.inputs[:, lowest], 4.0)
    assert (warmer.inputs[:, 2 * N_LEVEL - 1] > same.inputs[:, 2 * N_LEVEL - 1]).all()
    assert not np.allclose(warmer.outputs, same.outputs, rtol=0.1, atol=0.0)


def by_turn(low: Table) -> tuple[Table, Table]:
    """Return the low-fidelity samples at 0 K and at 4 K, which take turns in each moment."""
    halves = [np.split(np.flatnonzero(low.group == moment), 2) for moment in np.unique(low.group)]
    first = np.concatenate([half[0] for half in halves])
    second = np.concatenate([half[1] for half in halves])
    return (
        Table(low.inputs[first], low.outputs[first], low.group[first]),
        Table(low.inputs[second], low.outputs[second], low.group[second]),
    )


def test_several_steps_are_the_mean_of_the_steps() -> None:
    columns = Columns(ColumnSettings("low"), generated_grid(N_LEVEL))
    step = next(columns.run(100 * 86400.0, 1))
    first = tendencies(columns, step.before, "low")
    later = step.before.assign({name: step.after[name] for name in STATE.values()})
    second = tendencies(columns, later, "low")
    both = tendencies(columns, step.before, "low", n_step=2)
    np.testing.assert_allclose(both, 0.5 * (first + second), rtol=1e-9, atol=1e-16)


def test_stride_takes_every_so_many_moments(folder: Path, tables: Tables) -> None:
    fewer = climsim_tables(
        folder, ClimsimSizes(warmings=(0.0,), low_per_high=1, low_steps=1, stride=2), lambda _: None
    )
    assert np.array_equal(np.unique(fewer.high.group), [0, 1])
    assert len(fewer.high) == math.floor(0.95 * 2 * 384)
    n_test = sum(len(table) for table in fewer.tests.values())
    assert 2 * n_test == sum(len(table) for table in tables.tests.values())


def test_warmer_columns_keep_their_relative_humidity() -> None:
    columns = Columns(ColumnSettings("low"), generated_grid(N_LEVEL))
    before = next(columns.run(100 * 86400.0, 1)).before
    same, warmer = warmer_columns(before, 0.0), warmer_columns(before, 4.0)
    pressure = np.asarray(before["pressure"])

    def humidity(of: xr.Dataset) -> Array:
        saturated = saturation_humidities(np.asarray(of["temperature"]), pressure)
        return np.asarray(of["vapour"], dtype=np.float64) / saturated

    for name in before:
        assert np.allclose(same[name], before[name], rtol=1e-14, atol=0.0), name
    assert np.allclose(humidity(warmer), humidity(before), rtol=1e-12)
    assert np.allclose(warmer["temperature"][:, -1] - before["temperature"][:, -1], 4.0)
    ground = [surface_temperature(np.asarray(of["surface_emission"])) for of in (before, warmer)]
    assert np.allclose(ground[1] - ground[0], 4.0)
    assert set(warmer) == set(before)


def test_surface_temperature_is_that_of_its_emission() -> None:
    assert np.allclose(surface_temperature(emission(np.array([250.0, 310.0]))), [250.0, 310.0])


def test_bed_has_the_levels_of_the_data(folder: Path, tables: Tables) -> None:
    bed = climsim_bed(folder)
    assert bed.shifted == ("warm",)
    assert tables.high.inputs.shape[1] == sum(field.size for field in bed.spec.inputs)
    assert tables.high.outputs.shape[1] == sum(field.size for field in bed.spec.outputs)
    assert bed.vertical is not None
    assert np.allclose(bed.vertical, read_grid(find_grid(folder)).reference_pressure)


def test_grid_of_other_columns_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "train", tmp_path / "train")
    grid = column_grid(generated_grid(N_LEVEL, n_element=2))
    write_grid(tmp_path / "other_grid-info.nc", grid, "another grid")
    with pytest.raises(DataError, match="expected 96 columns as the grid file has, got 384"):
        climsim_tables(tmp_path, SIZES, lambda _: None)


def test_real_columns() -> None:
    """Warm columns of the real files are hotter than anything the training has."""
    folder = real_climsim_folder()
    found = climsim_tables(
        folder, ClimsimSizes(low_per_high=1, low_steps=1, stride=14), lambda _: None
    )
    place = climsim_bed(folder).spec.inputs
    start = sum(field.size for field in place[: [f.name for f in place].index(SURFACE)])
    hottest = surface_temperature(found.high.inputs[:, start]).max()
    assert 300.0 < hottest < surface_temperature(found.tests["warm"].inputs[:, start]).min() < 310.0
    assert len(found.tests["warm"]) > 20
    assert found.high.code is not None
    assert np.isfinite(found.high.code).all()
