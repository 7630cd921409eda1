"""The two schemes differ as they should, and the climate is that of ClimSim's files."""

import json
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from climsim_folder import real_climsim_folder

from hybrid.column_fidelity import (
    Recorded,
    level_r2,
    main,
    own_statistics,
    read_statistics,
    record,
    scheme_r2,
)
from solvers.column_physics import ColumnSettings, generated_grid


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return record(ColumnSettings("high"), 12)


def test_cheap_scheme_explains_part_of_the_rich_one(recorded: Recorded) -> None:
    """Neither the same nor unrelated: what a multi-fidelity closure needs."""
    for score in scheme_r2(recorded).values():
        assert 0.3 < score < 0.8


def test_agreement_does_not_hang_on_the_seed() -> None:
    scores = scheme_r2(record(ColumnSettings("high", seed=9), 6))
    assert all(0.3 < score < 0.8 for score in scores.values())


def test_agreement_is_perfect_with_itself(recorded: Recorded) -> None:
    same = Recorded(
        recorded.states,
        {"low": recorded.tendencies["high"], "high": recorded.tendencies["high"]},
        recorded.mass,
        recorded.area,
        recorded.precipitation,
    )
    assert set(scheme_r2(same).values()) == {1.0}
    assert np.nanmin(level_r2(same, "temperature")) == 1.0
    # Only radiation acts at the top.
    assert np.isnan(level_r2(same, "vapour")[:12]).all()


def test_rain_is_that_of_a_climate(recorded: Recorded) -> None:
    for rain in recorded.precipitation.values():
        daily = 86.4e6 * np.average(rain, weights=recorded.area)
        assert 2.0 < daily < 4.5  # mm/day; ClimSim: 2.6
        assert 0.05 < (rain == 0.0).mean() < 0.6


def test_levels_have_the_means_and_deviations_of_the_published_statistics(
    recorded: Recorded,
) -> None:
    """Tolerances: the reference climate is smooth in latitude and has no longitudes."""
    reference = read_statistics(real_climsim_folder() / "normalization")
    own = own_statistics(recorded)
    mean, deviation = reference["temperature"]
    assert np.abs(own["temperature"][0] - mean).max() < 2.5  # K
    ratio = own["temperature"][1] / deviation
    assert 0.85 < ratio[2:].min() < ratio[2:].max() < 1.15
    mean, deviation = reference["vapour"]
    troposphere = generated_grid().reference_pressure > 2e4
    ratio = own["vapour"][0][troposphere] / mean[troposphere]
    assert 0.85 < ratio.min() < ratio.max() < 1.25
    ratio = own["vapour"][1][troposphere] / deviation[troposphere]
    assert 0.8 < ratio.min() < ratio.max() < 1.25
    for name in ("eastward_wind", "northward_wind"):
        mean, deviation = reference[name]
        assert np.abs(own[name][0] - mean).max() < 6.0  # m/s
        ratio = own[name][1] / deviation
        assert 0.6 < ratio.min() < ratio.max() < 1.6


def test_heating_varies_as_much_as_in_the_published_statistics(recorded: Recorded) -> None:
    """Within a factor of two and a half at each level of the troposphere.

    Not in the lowest layer: it gets the surface fluxes whole, before they are mixed.
    """
    folder = real_climsim_folder() / "normalization"
    with netCDF4.Dataset(folder / "output_scale_std_lowerthred_v5.nc") as file:
        scale = np.asarray(file["ptend_t"][...])
    ratio = recorded.tendencies["high"]["temperature"].std(axis=0) * scale
    troposphere = generated_grid().reference_pressure > 2e4
    ratio = ratio[troposphere][:-1]
    assert 0.4 < ratio.min() < ratio.max() < 2.5


def test_script_writes_numbers_and_a_figure(tmp_path: Path) -> None:
    main(["--out", str(tmp_path), "--moments", "1", "--seed", "3"])
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert set(found) == {
        "r2_heating",
        "r2_moistening",
        "precipitation_low",
        "precipitation_high",
    }
    assert (tmp_path / "fidelity.png").stat().st_size > 10_000
