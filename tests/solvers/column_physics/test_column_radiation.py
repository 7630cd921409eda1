"""Radiation against plain numpy, closed forms and the first law."""

import numpy as np
import pytest
from column_case import Case
from numpy.typing import NDArray

from solvers.column_physics.longwave import (
    CARBON_WEIGHT,
    WINDOW_WEIGHT,
    band_flux,
    heating_rate,
    high_longwave,
    low_longwave,
    prescribed_depth,
)
from solvers.column_physics.shortwave import (
    cloud_transmission,
    ground_fluxes,
    high_shortwave,
    low_shortwave,
    ozone_absorption,
    vapour_absorption,
)

Array = NDArray[np.float64]

SIGMA, G, CP = 5.670374e-8, 9.80616, 1004.64
ALBEDOS = 0.1, 0.3, 0.12, 0.25


def fluxes_by_sums(t: Array, depth: Array, emission: float) -> tuple[Array, Array]:
    """Up and down fluxes at interfaces as sums of what each layer sends there."""
    n = depth.size
    source = SIGMA * t**4 * -np.expm1(-depth)
    total = np.concatenate([[0.0], np.cumsum(depth)])
    down, up = np.zeros(n + 1), np.zeros(n + 1)
    for j in range(n + 1):
        down[j] = sum(source[k] * np.exp(-(total[j] - total[k + 1])) for k in range(j))
        up[j] = sum(source[k] * np.exp(-(total[k] - total[j])) for k in range(j, n))
        up[j] += emission * np.exp(-(total[n] - total[j]))
    return up, down


def test_fluxes_are_sums_over_layers(cases: list[Case]) -> None:
    for case in cases[::6]:
        depth = np.empty(60)
        prescribed_depth(case.interface, case.surface[1], depth)
        up, down = fluxes_by_sums(case.state[0], depth, case.surface[4])
        net = np.zeros(61)
        ground = band_flux(case.state[0], depth, case.surface[4], 1.0, net)
        np.testing.assert_allclose(net, up - down, rtol=0, atol=1e-10)
        assert ground == pytest.approx(down[-1], rel=1e-13)


def test_isothermal_atmosphere_in_closed_form() -> None:
    interface = np.linspace(0.0, 1e5, 61)
    depth, net = np.empty(60), np.zeros(61)
    prescribed_depth(interface, 0.0, depth)
    assert depth.sum() == pytest.approx(6.0, rel=1e-13)
    emission = SIGMA * 280.0**4
    ground = band_flux(np.full(60, 280.0), depth, emission, 1.0, net)
    assert ground == pytest.approx(emission * (1.0 - np.exp(-6.0)), rel=1e-12)
    above = np.concatenate([[0.0], np.cumsum(depth)])
    np.testing.assert_allclose(net, emission * np.exp(-above), rtol=0, atol=1e-10)


def test_optical_depth_of_the_pole() -> None:
    depth = np.empty(60)
    prescribed_depth(np.linspace(0.0, 1e5, 61), 1.0, depth)
    assert depth.sum() == pytest.approx(1.5, rel=1e-13)


@pytest.mark.parametrize("scheme", ["low", "high"])
def test_longwave_heating_is_what_stays_of_the_fluxes(cases: list[Case], scheme: str) -> None:
    for case in cases:
        net, heating = np.empty(61), np.zeros(60)
        t, q, liquid, ice = case.state[:4]
        emission = case.surface[4]
        if scheme == "low":
            down = low_longwave(case.interface, t, case.surface[1], emission, net)
        else:
            down = high_longwave(case.interface, case.mass, t, q, liquid, ice, emission, net)
        heating_rate(case.interface, net, heating)
        gained = CP * (case.mass * heating).sum()
        assert gained == pytest.approx(net[-1] - net[0], rel=1e-11)
        assert net[-1] == pytest.approx(emission - down, rel=1e-12)
        assert 0.0 < down < 1.05 * SIGMA * t.max() ** 4
        assert 0.0 < net[0] < emission + SIGMA * t.max() ** 4


def test_more_vapour_and_cloud_send_more_to_the_ground(cases: list[Case]) -> None:
    for case in cases[::6]:
        t, q, liquid, ice = case.state[:4]
        net = np.empty(61)

        def down(vapour: Array, cloud: Array, case: Case = case, net: Array = net) -> float:
            return float(
                high_longwave(
                    case.interface,
                    case.mass,
                    case.state[0],
                    vapour,
                    cloud,
                    case.state[3],
                    case.surface[4],
                    net,
                )
            )

        assert down(q, liquid) < down(1.2 * q, liquid)
        assert down(q, liquid) < down(q, liquid + 1e-4)
        assert t.size == ice.size


def test_shares_of_the_bands_leave_room_for_the_rest() -> None:
    assert 0.5 < 1.0 - WINDOW_WEIGHT - sum(CARBON_WEIGHT) < 1.0


@pytest.mark.parametrize("scheme", ["low", "high"])
def test_sunlight_is_absorbed_reflected_or_reaches_the_ground(
    cases: list[Case], scheme: str
) -> None:
    lit = [case for case in cases if case.surface[2] > 0.0]
    assert len(lit) > 10
    for case in lit:
        cosine, sunlight = case.surface[2:4]
        down, heating = np.empty(61), np.zeros(60)
        if scheme == "low":
            clear = low_shortwave(case.interface, sunlight, down)
        else:
            clear = high_shortwave(
                case.interface, case.state[1], case.ozone, sunlight, cosine, down
            )
        through, direct = cloud_transmission(case.mass, case.state[2], case.state[3], cosine)
        assert 0.0 <= direct <= through + 1e-15 <= 1.0 + 1e-15
        net, *parts = ground_fluxes(clear, through, direct, ALBEDOS)
        heating_rate(case.interface, -down, heating)
        absorbed = CP * (case.mass * heating).sum()
        assert absorbed == pytest.approx(down[0] - down[-1], rel=1e-10, abs=1e-9)
        assert down[0] == pytest.approx(sunlight, rel=1e-6)
        assert net >= 0.0
        assert min(parts) >= 0.0
        assert absorbed + net <= sunlight
        assert (np.diff(down) <= 0.0).all()
        shares = [part * (1.0 - albedo) for part, albedo in zip(parts, ALBEDOS, strict=True)]
        assert net == pytest.approx(sum(shares), rel=1e-15)


def test_absorption_by_gases_at_published_values() -> None:
    # Lacis and Hansen 1974: 1 cm of water absorbs about 10 %, 0.3 cm of ozone about 2 %.
    assert vapour_absorption(1.0) == pytest.approx(0.0992, abs=0.01)
    assert ozone_absorption(0.3) == pytest.approx(0.0224, abs=0.003)
    assert vapour_absorption(0.0) == ozone_absorption(0.0) == 0.0


def test_cloud_lets_less_through_and_less_still_directly() -> None:
    mass, none = np.full(60, 170.0), np.zeros(60)
    assert cloud_transmission(mass, none, none, 0.5) == (1.0, 1.0)
    thin = cloud_transmission(mass, none + 1e-6, none, 0.5)
    thick = cloud_transmission(mass, none + 1e-4, none, 0.5)
    assert 0.0 < thick[1] < thick[0] < thin[0] < 1.0
    assert thick[1] < thin[1] < thin[0]
