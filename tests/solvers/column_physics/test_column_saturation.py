"""Saturation against independent formulas, and condensation against a bracketing solver."""

import numpy as np
import pytest
from scipy.optimize import brentq

from solvers.column_physics.condensation import condensate, condense
from solvers.column_physics.saturation import (
    ice_vapour_pressure,
    liquid_fraction,
    liquid_vapour_pressure,
    saturation_humidities,
    saturation_humidity,
    saturation_slope,
)

CP, LV, LF = 1004.64, 2.501e6, 3.337e5


def murphy_koop_ice(t: float) -> float:
    """Murphy and Koop 2005, eq. 7."""
    return float(np.exp(9.550426 - 5723.265 / t + 3.53068 * np.log(t) - 0.00728332 * t))


def murphy_koop_liquid(t: float) -> float:
    """Murphy and Koop 2005, eq. 10."""
    cold = 54.842763 - 6763.22 / t - 4.210 * np.log(t) + 0.000367 * t
    rest = 53.878 - 1331.22 / t - 9.44523 * np.log(t) + 0.014025 * t
    return float(np.exp(cold + np.tanh(0.0415 * (t - 218.8)) * rest))


@pytest.mark.parametrize("t", [240.0, 255.0, 273.16, 290.0, 305.0, 318.0])
def test_pressure_over_liquid(t: float) -> None:
    assert liquid_vapour_pressure(t) == pytest.approx(murphy_koop_liquid(t), rel=4e-3)


@pytest.mark.parametrize("t", [208.0, 215.0, 230.0, 250.0, 270.0])
def test_pressure_over_ice(t: float) -> None:
    assert ice_vapour_pressure(t) == pytest.approx(murphy_koop_ice(t), rel=5e-3)


def test_ramp_between_ice_and_liquid() -> None:
    assert [liquid_fraction(t) for t in (253.16, 263.16, 273.16)] == pytest.approx([0, 0.5, 1])


def test_humidity_never_exceeds_one() -> None:
    humidity = saturation_humidities(np.array([200.0, 250.0, 320.0]), np.array([8.0, 8.0, 8.0]))
    assert (humidity <= 1.0).all()
    assert (humidity > 0.0).all()


@pytest.mark.parametrize("t", [230.0, 280.0, 300.0])
def test_slope_is_the_derivative(t: float) -> None:
    numeric = (saturation_humidity(t + 0.01, 8e4) - saturation_humidity(t - 0.01, 8e4)) / 0.02
    # The slope leaves out that vapour takes part of the pressure: up to the humidity itself.
    assert saturation_slope(t, saturation_humidity(t, 8e4)) == pytest.approx(numeric, rel=0.04)


@pytest.mark.parametrize("width", [0.0, 0.2])
@pytest.mark.parametrize("t", [225.0, 262.0, 285.0, 303.0])
@pytest.mark.parametrize("humidity", [0.3, 0.9, 1.2])
def test_equilibrium_conserves_and_is_that_of_a_bracketing_solver(
    width: float, t: float, humidity: float
) -> None:
    p = 7e4
    vapour, liquid, ice = humidity * saturation_humidity(t, p), 3e-4, 1e-4
    water, heat = vapour + liquid + ice, CP * t + LV * vapour - LF * ice
    found = condense(t, vapour, liquid, ice, p, width, LF)
    assert sum(found[1:]) == pytest.approx(water, rel=1e-14)
    assert CP * found[0] + LV * found[1] - LF * found[3] == pytest.approx(heat, rel=1e-14)
    assert min(found[1:]) >= 0.0

    def error(trial: float) -> float:
        cloud = condensate(water, saturation_humidity(trial, p), width)[0]
        frozen = (1.0 - liquid_fraction(trial)) * cloud
        return CP * trial + LV * (water - cloud) - LF * frozen - heat

    # Where all evaporates the root lies at the very edge.
    low, high = (heat - LV * water) / CP - 1e-6, (heat + LF * water) / CP
    exact = brentq(error, low, high, xtol=1e-11)
    assert found[0] == pytest.approx(exact, abs=1e-6)


def test_condensation_to_saturation() -> None:
    t, vapour, liquid, ice = condense(290.0, 0.02, 0.0, 0.0, 9e4, 0.0, LF)
    assert liquid > 1e-3
    assert ice == 0.0
    assert vapour == pytest.approx(saturation_humidity(t, 9e4), rel=1e-8)


def test_dry_clear_air_is_left_alone() -> None:
    assert condense(290.0, 0.005, 0.0, 0.0, 9e4, 0.2, LF) == (290.0, 0.005, 0.0, 0.0)


def test_distribution_of_water_is_smooth_at_its_ends() -> None:
    for water in (0.8e-2, 1.2e-2):
        below, above = (condensate(water + d, 1e-2, 0.2)[0] for d in (-1e-9, 1e-9))
        assert above == pytest.approx(below, abs=3e-9)
    numeric = (condensate(1e-2, 1.0001e-2, 0.2)[0] - condensate(1e-2, 0.9999e-2, 0.2)[0]) / 2e-6
    assert condensate(1e-2, 1e-2, 0.2)[1] == pytest.approx(numeric, rel=1e-6)
