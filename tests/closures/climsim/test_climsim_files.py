"""Finding, ordering and reading pairs; what is said of bad folders."""

import shutil
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from closures.climsim.errors import DataError
from closures.climsim.files import Pair, list_pairs, read_columns, read_pair
from closures.climsim.grid import find_grid, read_grid
from closures.climsim.variables import v1

V1 = v1()


def test_v1_has_the_features_of_the_paper_in_its_order() -> None:
    inputs, outputs = V1.slices("inputs"), V1.slices("outputs")
    assert inputs["state_q0001"] == slice(60, 120)
    assert [inputs[f"pbuf_{name}"].start for name in ("solin", "lhflx", "shflx")] == [121, 122, 123]
    assert outputs["ptend_q0001"] == slice(60, 120)
    scalars = ("netsw", "flwds", "precsc", "precc", "sols", "soll", "solsd", "solld")
    assert [outputs[f"cam_out_{name}"].start for name in scalars] == list(range(120, 128))
    assert (V1.n_input, V1.n_output) == (124, 128)


def test_pairs_come_in_the_order_of_time(sample_folder: Path) -> None:
    pairs = list_pairs(sample_folder)
    assert len(pairs) == 9
    assert [pair.month for pair in pairs] == [1] * 3 + [7] * 3 + [10] * 3
    assert np.all(np.diff([pair.hours for pair in pairs]) > 0)
    assert all(pair.mlo.name == pair.mli.name.replace("mli", "mlo") for pair in pairs)


def test_hours_count_no_leap_days() -> None:
    first = Pair(4, 2, 28, 82800, Path("a"), Path("b"))
    second = Pair(4, 3, 1, 3600, Path("a"), Path("b"))
    assert second.hours - first.hours == pytest.approx(2.0)


def test_columns_are_the_files_values(any_folder: Path) -> None:
    pair = list_pairs(any_folder)[1]
    inputs, outputs = read_pair(pair, V1)
    with netCDF4.Dataset(pair.mli) as before, netCDF4.Dataset(pair.mlo) as after:
        assert inputs[17, 3] == before["state_t"][3, 17]
        assert inputs[17, 60 + 59] == before["state_q0001"][59, 17]
        assert inputs[5, 120] == before["state_ps"][5]
        assert inputs[5, 123] == before["pbuf_SHFLX"][5]
        assert outputs[9, 121] == after["cam_out_FLWDS"][9]
        change = after["state_q0001"][40, 200] - before["state_q0001"][40, 200]
        assert outputs[200, 60 + 40] == change / 1200.0


def test_columns_of_a_time_step_stay_together(sample_folder: Path) -> None:
    pairs = list_pairs(sample_folder)[:3]
    columns = read_columns(pairs, V1)
    assert columns.inputs.shape == (3 * 384, 124)
    assert columns.outputs.shape == (3 * 384, 128)
    for index, pair in enumerate(pairs):
        inputs, outputs = read_pair(pair, V1)
        part = slice(384 * index, 384 * (index + 1))
        np.testing.assert_array_equal(columns.inputs[part], inputs)
        np.testing.assert_array_equal(columns.outputs[part], outputs)


def test_grid_of_384_columns_covers_the_sphere(any_folder: Path) -> None:
    grid = read_grid(find_grid(any_folder))
    assert (grid.n_column, grid.n_level) == (384, 60)
    assert grid.area.sum() == pytest.approx(4 * np.pi, rel=1e-9)
    thickness = grid.layer_thickness(np.array([6e4, 1.03e5]))
    assert (thickness > 0).all()
    np.testing.assert_allclose(thickness.sum(axis=1), np.array([6e4, 1.03e5]) - grid.hyai[0] * 1e5)
    assert np.average(np.sin(np.radians(grid.lat)), weights=grid.area) == pytest.approx(0, abs=1e-9)


def test_folder_without_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected files named E3SM-MMF.mli.*found none"):
        list_pairs(tmp_path)
    with pytest.raises(DataError, match=r"expected one file \*grid-info.nc, found 0"):
        find_grid(tmp_path)
    with pytest.raises(DataError, match="expected at least one pair of files, got none"):
        read_columns([], V1)


def test_mli_without_mlo(sample_folder: Path, tmp_path: Path) -> None:
    shutil.copy(list_pairs(sample_folder)[0].mli, tmp_path)
    with pytest.raises(DataError, match=r"expected E3SM-MMF.mlo\..*beside it"):
        list_pairs(tmp_path)


def test_variable_missing(sample_folder: Path) -> None:
    first = list_pairs(sample_folder)[0]
    with pytest.raises(DataError, match=r"mli.*expected a variable cam_out_NETSW, found none"):
        read_pair(Pair(8, 1, 1, 0, first.mli, first.mli), V1)


def test_other_number_of_levels(sample_folder: Path) -> None:
    first = list_pairs(sample_folder)[0]
    message = r"state_t: expected shape \(72, 'ncol'\), got \(60, 384\)"
    with pytest.raises(DataError, match=message):
        read_pair(first, v1(n_level=72))


def test_grid_file_without_a_variable(sample_folder: Path) -> None:
    with pytest.raises(DataError, match=r"missing .*'hyai'"):
        read_grid(list_pairs(sample_folder)[0].mli)
