"""Convection, precipitation and mixing: what must be conserved, and independent solutions."""

from itertools import pairwise

import numpy as np
import pytest
from column_case import Case
from scipy.integrate import solve_ivp

from solvers.column_physics.betts_miller import adjust, lift_parcel, moist_step, moistest_layer
from solvers.column_physics.boundary_layer import (
    exchange_mass,
    factorise,
    heights,
    layer_depth,
    mix,
    mix_heat,
    mixing_diffusivity,
)
from solvers.column_physics.plume import convect
from solvers.column_physics.precipitation import convert, descend, evaporated, fall_out, melt
from solvers.column_physics.saturation import saturation_humidity, saturation_slope

CP, LV, LF = 1004.64, 2.501e6, 3.337e5
DT = 1200.0


def test_moist_adiabat_is_that_of_an_adaptive_solver() -> None:
    def slope(log_p: float, t: list[float]) -> list[float]:
        saturation = saturation_humidity(t[0], np.exp(log_p))
        growth = 1.0 + LV / CP * saturation_slope(t[0], saturation)
        return [(287.042 / CP * t[0] + LV / CP * saturation) / growth]

    exact = solve_ivp(slope, np.log([9e4, 3e4]), [295.0], rtol=1e-10, atol=1e-10).y[0, -1]
    errors = []
    for n in (16, 32):
        p, t = np.geomspace(9e4, 3e4, n + 1), 295.0
        for below, above in pairwise(p):
            t = moist_step(t, saturation_humidity(t, below), above, below)
        errors.append(abs(t - exact))
    assert errors[1] < 0.02
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.4)


def test_parcel_follows_the_dry_adiabat_below_its_cloud() -> None:
    p = np.linspace(2e3, 1e5, 60)
    t, q = 300.0 * (p / 1e5) ** 0.19, np.full(60, 1e-6)
    q[-1] = 0.012
    parcel, humidity = np.full(60, np.nan), np.full(60, np.nan)
    lift_parcel(t, q, p, (12, 59), parcel, humidity)
    dry = parcel[:-1][humidity[:-1] == 0.012]
    np.testing.assert_allclose(dry, 300.0 * (p[59 - dry.size : 59] / 1e5) ** (287.042 / CP))


def test_betts_miller_conserves_enthalpy_and_turns_vapour_into_rain(cases: list[Case]) -> None:
    wet = 0
    for case in cases:
        before = case.state.copy()
        liquid = CP * case.state[0] + LV * case.state[1]
        water = case.water
        rain = adjust(case.state[0], case.state[1], case.pressure, case.mass, case.highest, DT)
        after = CP * case.state[0] + LV * case.state[1]
        assert rain >= 0.0
        assert (case.mass * (after - liquid)).sum() == pytest.approx(0.0, abs=1e-5)
        assert water - case.water == pytest.approx(rain, abs=1e-12)
        assert (case.state[1] > 0.0).all()
        np.testing.assert_array_equal(case.state[:, :12], before[:, :12])
        wet += rain > 0.0
    assert wet > 3


def test_shallow_convection_mixes_without_rain(cases: list[Case]) -> None:
    mixed = 0
    for case in cases:
        # Too dry aloft for rain.
        case.state[1, :50] *= 0.2
        before, water = case.state.copy(), case.water
        enthalpy = case.enthalpy
        rain = adjust(case.state[0], case.state[1], case.pressure, case.mass, 12, DT)
        if rain > 0.0 or not (case.state != before).any():
            continue
        mixed += 1
        heat = CP * ((case.state[0] - before[0]) @ case.mass)
        assert heat == pytest.approx(0.0, abs=1e-5)
        assert case.water == pytest.approx(water, rel=1e-14)
        assert case.enthalpy == pytest.approx(enthalpy, abs=1e-4)
        assert (case.state[1] > 0.0).all()
    assert mixed > 3


def test_stable_column_does_not_convect(cases: list[Case]) -> None:
    case = cases[0]
    case.state[0] = np.linspace(320.0, 280.0, 60)
    before = case.state.copy()
    assert adjust(case.state[0], case.state[1], case.pressure, case.mass, 12, DT) == 0.0
    arguments = (case.pressure, case.mass, case.middle, 2e-4, 12, DT, np.zeros((2, 60)))
    assert convect(case.state[0], case.state[1:], *arguments) == 0.0
    np.testing.assert_array_equal(case.state, before)


def test_plume_conserves_water_enthalpy_and_momentum(cases: list[Case]) -> None:
    active = 0
    for case in cases:
        made = np.zeros((2, 60))
        water, enthalpy = case.water, case.enthalpy
        momentum = case.state[4:] @ case.mass
        before = case.state.copy()
        flux = convect(
            case.state[0],
            case.state[1:],
            case.pressure,
            case.mass,
            case.middle,
            2e-4,
            case.highest,
            DT,
            made,
        )
        rain, snow = made.sum(axis=1)
        assert water - case.water == pytest.approx(rain + snow, abs=1e-12)
        assert case.enthalpy - enthalpy == pytest.approx(LF * snow, abs=1e-4)
        np.testing.assert_allclose(case.state[4:] @ case.mass, momentum, rtol=0, atol=1e-9)
        assert (case.state[1:4] >= 0.0).all()
        np.testing.assert_array_equal(case.state[:, :12], before[:, :12])
        active += flux > 0.0
        assert 0.0 <= flux <= 0.15
    assert active > 5


def test_moistest_layer_is_near_the_ground(cases: list[Case]) -> None:
    for case in cases:
        k = moistest_layer(case.state[0], case.state[1], case.pressure)
        assert case.pressure[-1] - case.pressure[k] <= 1e4
        energy = CP * case.state[0] + LV * case.state[1] + 9.80616 * case.middle
        near = case.pressure[-1] - case.pressure <= 1e4
        # The function's dry part is linear in the pressure difference.
        assert energy[k] == pytest.approx(energy[near].max(), abs=0.7 * CP)


def test_what_falls_in_scheme_low_leaves_the_cloud(cases: list[Case]) -> None:
    case = cases[3]
    case.state[2:4, 40:] = 1e-4
    water = case.water
    fallen = fall_out(case.mass, case.state[2], case.state[3], 12, DT)
    assert fallen > 0.1
    assert water - case.water == pytest.approx(fallen, rel=1e-12)


def test_fall_of_scheme_high_conserves_water_and_enthalpy(cases: list[Case]) -> None:
    snowy = melted = 0
    for case in cases:
        case.state[2, 35:] += 1e-4
        case.state[3, 25:45] += 1e-4
        made = np.zeros((2, 60))
        made[0, 40], made[1, 30] = 0.2, 0.3
        water, enthalpy = case.water + made.sum(), case.enthalpy - LF * made[1].sum()
        t, q, liquid, ice = case.state[:4]
        arguments = (case.pressure, case.mass, made, case.highest, DT)
        rain, snow = descend(t, q, liquid, ice, *arguments)
        assert water - case.water == pytest.approx(rain + snow, abs=1e-12)
        assert case.enthalpy - enthalpy == pytest.approx(LF * snow, abs=1e-4)
        assert min(rain, snow) >= 0.0
        assert (case.state[1:4] >= 0.0).all()
        snowy += snow > 0.0
        melted += snow == 0.0
    assert snowy > 0
    assert melted > 0


def test_melting_stops_at_the_melting_point() -> None:
    t, snow = melt(274.16, 100.0, 5.0)
    assert t == pytest.approx(273.16)
    assert 5.0 - snow == pytest.approx(CP * 100.0 / LF)
    assert melt(280.0, 100.0, 0.1)[1] == 0.0
    assert melt(270.0, 100.0, 0.1) == (270.0, 0.1)


def test_evaporation_ends_in_moist_air_and_with_the_rain() -> None:
    p, t = 8e4, 285.0
    full = saturation_humidity(t, p)
    assert evaporated(t, full, p, 100.0, 1.0, DT) == 0.0
    assert evaporated(t, 0.2 * full, p, 100.0, 1e-6, DT) == 1e-6
    assert 0.0 < evaporated(t, 0.2 * full, p, 100.0, 1.0, DT) < 1.0
    assert evaporated(t, 0.2 * full, p, 100.0, 0.0, DT) == 0.0


def test_conversion_begins_at_the_threshold() -> None:
    assert convert(1e-5, 1e-5, 1000.0, DT) == 0.0
    assert convert(2e-5, 1e-5, 1200.0, 1200.0) == pytest.approx(1e-5 * (1.0 - np.exp(-1.0)))


def test_mixing_is_the_solution_of_the_dense_system(cases: list[Case]) -> None:
    for case in cases[::5]:
        n = 60
        t, q = case.state[:2]
        depth = layer_depth(
            case.interface[-1], case.pressure, t, q, case.state[4], case.state[5], case.middle
        )
        diffusivity, exchange, upper, pivot = (np.empty(n + 1) for _ in range(4))
        mixing_diffusivity(case.middle, depth, 8.0, case.highest, diffusivity)
        first = exchange_mass(case.interface, t, case.middle, diffusivity, DT, exchange)
        assert first == case.highest
        factorise(case.mass, exchange, first, upper, pivot)
        matrix = np.diag(case.mass + exchange[:-1] + exchange[1:])
        matrix -= np.diag(exchange[1:-1], 1) + np.diag(exchange[1:-1], -1)
        expected = np.linalg.solve(matrix, case.mass * q)
        mixed = q.copy()
        mix(case.mass, exchange, first, upper, pivot, mixed)
        np.testing.assert_allclose(mixed, expected, rtol=1e-11)
        assert mixed @ case.mass == pytest.approx(q @ case.mass, rel=1e-14)
        assert mixed.min() >= q.min() * (1.0 - 1e-12)
        assert mixed.max() <= q.max()
        energy = CP * (t @ case.mass)
        mix_heat(case.mass, exchange, first, np.stack([upper, pivot]), case.middle, t)
        assert CP * (t @ case.mass) == pytest.approx(energy, rel=1e-13)


def test_uniform_wind_stays_uniform(cases: list[Case]) -> None:
    case = cases[0]
    diffusivity, exchange, upper, pivot = (np.empty(61) for _ in range(4))
    mixing_diffusivity(case.middle, 1500.0, 10.0, 12, diffusivity)
    first = exchange_mass(case.interface, case.state[0], case.middle, diffusivity, DT, exchange)
    factorise(case.mass, exchange, first, upper, pivot)
    wind = np.full(60, 7.0)
    mix(case.mass, exchange, first, upper, pivot, wind)
    np.testing.assert_allclose(wind, 7.0, rtol=1e-13)


def test_heights_are_hydrostatic(cases: list[Case]) -> None:
    case = cases[5]
    t, q = np.full(60, 260.0), np.zeros(60)
    heights(case.interface, t, q, case.middle)
    scale = 287.042 * 260.0 / 9.80616
    exact = scale * np.log(case.interface[-1] / case.interface)
    middle = 0.5 * (exact[1:] + exact[:-1])
    np.testing.assert_allclose(case.middle[12:], middle[12:], rtol=2e-4)
