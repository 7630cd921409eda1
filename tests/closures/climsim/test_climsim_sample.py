"""The generated sample: labelled, repeatable, on a sensible grid."""

from pathlib import Path

import netCDF4
import pytest

from closures.climsim.files import list_pairs, read_columns
from closures.climsim.splits import interleaved, season
from closures.climsim.variables import v1
from hybrid.climsim_sample import SampleConfig, write_sample

ONE_MONTH = SampleConfig(n_per_month=3, months=(5,), seed=4)


def test_every_file_says_that_it_is_generated(sample_folder: Path) -> None:
    files = sorted(sample_folder.rglob("*.nc"))
    assert len(files) == 19
    for path in files:
        with netCDF4.Dataset(path) as file:
            assert "Generated sample" in file.title
            assert "not output of a climate model" in file.title


def test_same_seed_same_sample(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_sample(tmp_path / name, ONE_MONTH)
    write_sample(tmp_path / "other", SampleConfig(n_per_month=3, months=(5,), seed=5))
    first, second, other = (list_pairs(tmp_path / name) for name in ("first", "second", "other"))
    assert [pair.mli.read_bytes() for pair in first] == [pair.mli.read_bytes() for pair in second]
    assert [pair.mlo.read_bytes() for pair in first] == [pair.mlo.read_bytes() for pair in second]
    assert first[0].mlo.read_bytes() != other[0].mlo.read_bytes()


def test_both_splits_find_their_months(sample_folder: Path) -> None:
    pairs = list_pairs(sample_folder)
    assert len(interleaved(pairs).test) == 3
    assert {pair.month for pair in season(pairs).test} == {10}


def test_columns_are_plausible(sample_folder: Path) -> None:
    columns = read_columns(list_pairs(sample_folder), v1())
    temperature, humidity = columns.inputs[:, :60], columns.inputs[:, 60:120]
    assert 170 < temperature.min() < 230
    assert 290 < temperature.max() < 330
    assert (humidity > 0).all()
    after = humidity + 1200 * columns.outputs[:, 60:120]
    assert (after > 0).all()
    assert 100 < columns.outputs[:, 120].mean() < 250  # net sunlight, W/m2
    assert 200 < columns.outputs[:, 121].mean() < 450  # downward longwave, W/m2


@pytest.mark.parametrize("count", [2, 29])
def test_month_of_too_few_or_too_many_pairs(count: int) -> None:
    with pytest.raises(ValueError, match=f"expected 3 to 28 pairs a month, got {count}"):
        SampleConfig(n_per_month=count)
