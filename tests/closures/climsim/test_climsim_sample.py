"""The generated sample: labelled, repeatable, on a sensible grid."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from closures.climsim.files import list_pairs, read_columns
from closures.climsim.sample import SampleConfig, write_sample
from closures.climsim.sample_grid import cubed_sphere, sample_grid
from closures.climsim.sample_physics import saturation_humidity
from closures.climsim.splits import interleaved, season
from closures.climsim.variables import v1

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


def test_cubed_sphere_is_symmetric() -> None:
    area, lat, lon = cubed_sphere(4)
    assert area.sum() == pytest.approx(4 * np.pi, rel=1e-14)
    x, y, z = (
        np.cos(np.radians(lat)) * np.cos(np.radians(lon)),
        np.cos(np.radians(lat)) * np.sin(np.radians(lon)),
        np.sin(np.radians(lat)),
    )
    second_moments = [float(np.sum(area * part**2)) for part in (x, y, z)]
    np.testing.assert_allclose(second_moments, second_moments[0], rtol=1e-12)
    points = {(round(a, 9), round(b, 9), round(c, 9)) for a, b, c in zip(x, y, z, strict=True)}
    assert len(points) == 96


def test_levels_run_from_the_top_to_the_ground() -> None:
    grid = sample_grid()
    assert (np.diff(grid.reference_pressure) > 0).all()
    assert grid.hyai[0] * grid.p0 == pytest.approx(6.0)
    assert (grid.hyai[-1], grid.hybi[0], grid.hybi[-1]) == pytest.approx((0.0, 0.0, 1.0), abs=1e-15)


def test_saturation_humidity_at_the_reference_point() -> None:
    # Bolton's formula is exact at 0 C: e = 611.2 Pa.
    vapour = 611.2
    expected = 0.622 * vapour / (1e5 - 0.378 * vapour)
    found = saturation_humidity(np.array([273.15]), np.array([1e5]))
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("count", [2, 29])
def test_month_of_too_few_or_too_many_pairs(count: int) -> None:
    with pytest.raises(ValueError, match=f"expected 3 to 28 pairs a month, got {count}"):
        SampleConfig(n_per_month=count)
