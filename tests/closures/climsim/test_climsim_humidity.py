"""Relative humidity and phase: reference values, limits, joints of the polynomials."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest

from closures.climsim.files import list_pairs, read_columns
from closures.climsim.humidity import (
    liquid_partition,
    relative_humidity,
    saturation_vapour_pressure,
)
from closures.climsim.variables import variable_set


def murphy_koop_ice(temperature: float) -> float:
    """Saturation over ice [Pa], Murphy & Koop 2005, eq. 7: an independent formula."""
    t = temperature
    return float(np.exp(9.550426 - 5723.265 / t + 3.53068 * np.log(t) - 0.00728332 * t))


@pytest.mark.parametrize("temperature", [210.0, 230.0, 250.0])
def test_ice_agrees_with_an_independent_formula(temperature: float) -> None:
    found = saturation_vapour_pressure(np.array(temperature))
    assert float(found) == pytest.approx(murphy_koop_ice(temperature), rel=0.01)


@pytest.mark.parametrize(
    ("temperature", "pascal"), [(273.16, 611.24), (283.15, 1227.9), (293.15, 2338.8)]
)
def test_liquid_agrees_with_steam_tables(temperature: float, pascal: float) -> None:
    found = saturation_vapour_pressure(np.array(temperature))
    assert float(found) == pytest.approx(pascal, rel=1e-3)


def test_the_ramp_mixes_both_phases() -> None:
    found = saturation_vapour_pressure(np.array([253.15, 263.16, 273.17]))
    ice, liquid = 259.9, 286.9  # at 263.16 K over each [Pa]
    assert found[1] == pytest.approx((ice + liquid) / 2, rel=2e-3)
    assert found[0] < found[1] < found[2]
    np.testing.assert_array_equal(liquid_partition(np.array([200.0, 253.16, 273.16, 300.0])),
                                  [0.0, 0.0, 1.0, 1.0])  # fmt: skip


@pytest.mark.parametrize("joint", [185.0, 273.15])
def test_pieces_meet(joint: float) -> None:
    """Within 0.001 Pa; the polynomials are fits of absolute, not relative, accuracy."""
    below, above = saturation_vapour_pressure(np.array([joint - 1e-6, joint + 1e-6]))
    assert below == pytest.approx(above, abs=1e-3)


def test_cold_air_has_a_finite_positive_saturation() -> None:
    found = saturation_vapour_pressure(np.linspace(100.0, 330.0, 2000))
    assert (found > 0).all()


def test_relative_humidity_of_saturated_air_is_one() -> None:
    temperature, pressure = np.array([300.0]), np.array([1e5])
    saturated = 287.0 / 461.0 * saturation_vapour_pressure(temperature) / pressure
    np.testing.assert_allclose(relative_humidity(temperature, saturated, pressure), 1.0)
    np.testing.assert_allclose(relative_humidity(temperature, saturated / 2, pressure), 0.5)


def test_real_air_is_hardly_ever_far_above_saturation(real_folder: Path) -> None:
    with netCDF4.Dataset(list_pairs(real_folder)[0].mli) as file:
        t, q, p = (np.asarray(file[f"state_{name}"][...]) for name in ("t", "q0001", "pmid"))
    found = relative_humidity(t, q, p)[25:]
    assert found.min() > 0.0
    assert np.quantile(found, 0.999) < 1.2
    assert 0.3 < found.mean() < 0.8


@pytest.mark.parametrize("name", ["state_rh", "state_qn", "state_t"])
def test_means_and_spreads_are_those_published_for_all_of_climsim(
    real_folder: Path, name: str
) -> None:
    """Of ten million columns; ours are 25,728 of them, from 67 hours."""
    folder = real_folder / "normalization" / "kaggle"
    if not folder.is_dir():
        pytest.skip(f"no published statistics in {folder}")
    variables = variable_set("v2_rh_mc")
    found = read_columns(list_pairs(real_folder), variables).inputs
    found = found[:, variables.slices("inputs")[name]]
    with (
        netCDF4.Dataset(folder / "per_lev_sub.nc") as means,
        netCDF4.Dataset(folder / "per_lev_div.nc") as spreads,
    ):
        mean, spread = (np.asarray(file[name][...]) for file in (means, spreads))
    varies = found.std(axis=0) > 0.01 * np.abs(found).max()
    assert varies.sum() > 20
    assert (np.abs(found.mean(axis=0) - mean) < 0.15 * spread)[varies].all()
    np.testing.assert_allclose(found.std(axis=0)[varies], spread[varies], rtol=0.15)
