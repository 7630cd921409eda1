"""The tables of the reference climate: fitted by least squares, and those that are shipped."""

from pathlib import Path

import numpy as np

from closures.climsim.climatology import (
    column_table,
    level_table,
    seasonal_basis,
    write_table,
)
from closures.climsim.files import list_pairs
from closures.climsim.grid import find_grid, read_grid
from solvers.column_physics import reference
from solvers.column_physics.saturation import saturation_humidities

SHIPPED = Path(reference.__file__).parent


def test_shipped_tables_are_those_of_the_real_files(real_folder: Path, tmp_path: Path) -> None:
    pairs, grid = list_pairs(real_folder), read_grid(find_grid(real_folder))
    write_table(tmp_path / "levels.csv", level_table(pairs, grid, saturation_humidities))
    write_table(tmp_path / "columns.csv", column_table(pairs, grid))
    for name in ("levels", "columns"):
        made = np.loadtxt(tmp_path / f"{name}.csv", delimiter=",")
        shipped = np.loadtxt(SHIPPED / f"reference_{name}.csv", delimiter=",")
        # Five digits are kept; a coefficient near zero may lose some.
        scale = np.abs(shipped).max(axis=0)
        np.testing.assert_allclose(made / scale, shipped / scale, rtol=1e-3, atol=1e-4)


def test_fit_of_the_sample_leaves_its_weather(sample_folder: Path) -> None:
    pairs, grid = list_pairs(sample_folder), read_grid(find_grid(sample_folder))
    table = level_table(pairs, grid, saturation_humidities)
    assert all(column.shape == (60,) for column in table.values())
    assert 280.0 < table["t_0"][-1] < 290.0
    assert (table["t_equator"] >= 0.0).all()
    assert 1.0 < table["t_pole"][-1] < 15.0


def test_basis_is_antisymmetric_in_latitude_and_season() -> None:
    lat = np.array([-60.0, 60.0])
    basis = seasonal_basis(lat, 200.0)
    np.testing.assert_allclose(basis[[0, 2, 3], 0], basis[[0, 2, 3], 1])
    np.testing.assert_allclose(basis[[1, 4, 5], 0], -basis[[1, 4, 5], 1])
    np.testing.assert_allclose(seasonal_basis(lat, 200.0 + 182.5)[4:], -basis[4:], atol=1e-12)
