"""The plain-numpy shallow-water reference against closed forms, invariants and its order."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from oracle import reference_shallow_water as sw

Array = npt.NDArray[np.float64]

CHANNEL = sw.ShallowWaterParameters(nx=10, ny=8, lx=1e6, ly=6e5, beta=1e-11, walls=True)
TORUS = replace(CHANNEL, walls=False)
ENSTROPHY_CHANNEL = replace(CHANNEL, conserves="enstrophy")
ENSTROPHY_TORUS = replace(TORUS, conserves="enstrophy")
EVERY_FORM = [CHANNEL, TORUS, ENSTROPHY_CHANNEL, ENSTROPHY_TORUS]


def observed_orders(error_of: Callable[[int], float], *refinements: int) -> list[float]:
    """Orders from the errors at successive refinements, each twice the one before."""
    errors = [error_of(n) for n in refinements]
    return [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]


def random_water(p: sw.ShallowWaterParameters) -> tuple[sw.State, Array]:
    rng = np.random.default_rng(3)
    bottom = 20.0 * rng.standard_normal((p.ny, p.nx))
    h = 500.0 + 30.0 * rng.standard_normal((p.ny, p.nx))
    u, v = rng.standard_normal((2, p.ny, p.nx))
    if p.walls:
        v[0] = 0.0
    return sw.State(h, u, v), bottom


def relative_drift(
    total: Callable[[sw.State], float], state: sw.State, bottom: Array, p: sw.ShallowWaterParameters
) -> float:
    """Rate of change of a total along the tendency, relative to the total [s-1]."""
    rate = sw.tendency(state, bottom, p)

    def at(time: float) -> float:
        return total(sw.State(*(a + time * d for a, d in zip(state, rate, strict=True))))

    # Exact for polynomials of the fourth degree; the energy is one of the third.
    step = 10.0
    near, far = at(step) - at(-step), at(2.0 * step) - at(-2.0 * step)
    return (8.0 * near - far) / (12.0 * step) / at(0.0)


@pytest.mark.parametrize("p", EVERY_FORM)
def test_lake_at_rest(p: sw.ShallowWaterParameters) -> None:
    _, bottom = random_water(p)
    nothing = np.zeros_like(bottom)
    rate = sw.tendency(sw.State(700.0 - bottom, nothing, nothing), bottom, p)
    assert max(np.abs(d).max() for d in rate) < 1e-15 * p.gravity * 700.0 / p.dy


@pytest.mark.parametrize("p", EVERY_FORM)
def test_shallow_water_mass(p: sw.ShallowWaterParameters) -> None:
    state, bottom = random_water(p)
    rate = sw.tendency(state, bottom, p)
    assert abs(np.sum(rate.h)) < 1e-14 * np.sum(np.abs(rate.h))
    if p.walls:
        assert np.all(rate.v[0] == 0.0)


@pytest.mark.parametrize("p", [CHANNEL, TORUS])
def test_energy_form_conserves_energy(p: sw.ShallowWaterParameters) -> None:
    state, bottom = random_water(p)
    energy = sw.total_energy(state, bottom, p)
    kinetic = sw.total_energy(state, bottom, replace(p, gravity=0.0))

    def drift(form: sw.ShallowWaterParameters) -> float:
        return relative_drift(lambda s: sw.total_energy(s, bottom, p), state, bottom, form)

    assert abs(drift(p)) < 1e-16
    assert abs(drift(replace(p, conserves="enstrophy"))) > 1e-11
    assert drift(replace(p, drag=1e-3)) == pytest.approx(-2e-3 * kinetic / energy, abs=1e-16)


def test_enstrophy_form_conserves_potential_enstrophy() -> None:
    p = ENSTROPHY_TORUS
    state, bottom = random_water(p)

    def drift(form: sw.ShallowWaterParameters) -> float:
        return abs(relative_drift(lambda s: sw.potential_enstrophy(s, p), state, bottom, form))

    assert drift(p) < 1e-16
    assert drift(TORUS) > 1e-11


def test_planetary_vorticity_is_centred() -> None:
    still = sw.State(np.full((8, 10), 50.0), np.zeros((8, 10)), np.zeros((8, 10)))
    y = np.linspace(-3e5, 3e5, 9)[:, np.newaxis]
    expected = np.broadcast_to((1e-4 + 1e-11 * y) / 50.0, (9, 10))
    np.testing.assert_allclose(sw.potential_vorticity(still, CHANNEL), expected, rtol=1e-13)


@pytest.mark.parametrize("conserves", ["energy", "enstrophy"])
def test_shallow_water_transposed(conserves: Literal["energy", "enstrophy"]) -> None:
    # Exchanging x and y exchanges u and v and turns the sign of f.
    p = replace(TORUS, beta=0.0, conserves=conserves)
    turned = replace(p, nx=8, ny=10, lx=6e5, ly=1e6, coriolis=-1e-4)
    (h, u, v), bottom = random_water(p)
    rate = sw.tendency(sw.State(h, u, v), bottom, p)
    mirrored = sw.tendency(sw.State(h.T, v.T, u.T), bottom.T, turned)
    pairs = zip(rate, (mirrored.h, mirrored.v, mirrored.u), strict=True)
    for there, here in pairs:
        np.testing.assert_allclose(here.T, there, atol=1e-14)


@pytest.mark.parametrize("conserves", ["energy", "enstrophy"])
def test_walls_are_mirrors(conserves: Literal["energy", "enstrophy"]) -> None:
    # Without rotation a channel is half of a torus that is symmetric about y = 0 and y = ly.
    p = replace(CHANNEL, beta=0.0, coriolis=0.0, conserves=conserves, dt=100.0)
    double = replace(p, ny=16, ly=1.2e6, walls=False)
    state, bottom = random_water(p)
    h, u, v = state
    mirrored = sw.State(
        np.concatenate([h, h[::-1]]),
        np.concatenate([u, u[::-1]]),
        np.concatenate([v, np.zeros((1, 10)), -v[:0:-1]]),
    )
    channel = sw.advance(state, bottom, p, 20)
    torus = sw.advance(mirrored, np.concatenate([bottom, bottom[::-1]]), double, 20)
    for there, here in zip(torus, channel, strict=True):
        np.testing.assert_allclose(there[:8], here, atol=1e-11)


@pytest.mark.parametrize("p", EVERY_FORM)
def test_geostrophic_balance_holds_to_second_order(p: sw.ShallowWaterParameters) -> None:
    # f u = -g dh/dy with u = U sin(2 pi y / ly), at the middle of the cells.
    def error(n: int) -> float:
        fine = replace(p, nx=4, ny=n, beta=0.0, coriolis=1e-4, gravity=10.0)
        y = (np.arange(n) + 0.5) / n
        u = 20.0 * np.sin(2.0 * np.pi * y)
        depth = 20.0 * 1e-4 / 10.0 * fine.ly / (2.0 * np.pi)
        h = 1000.0 + depth * np.cos(2.0 * np.pi * y)
        columns = [np.tile(a[:, np.newaxis], 4) for a in (h, u, np.zeros(n))]
        rate = sw.tendency(sw.State(*columns), np.zeros((n, 4)), fine)
        assert np.abs(rate.h).max() == np.abs(rate.u).max() == 0.0
        return float(np.abs(rate.v).max())

    np.testing.assert_allclose(observed_orders(error, 32, 64, 128), 2.0, atol=0.05)


@pytest.mark.parametrize("p", EVERY_FORM)
def test_inertia_gravity_wave(p: sw.ShallowWaterParameters) -> None:
    # In x, on this grid: omega^2 = (f cos(k dx/2))^2 + g H (2 sin(k dx/2)/dx)^2.
    p = replace(p, nx=16, ny=4, beta=0.0, dt=10.0, walls=False)
    depth, k = 500.0, 2.0 * np.pi * 3.0 / p.lx
    slope, mean = 2.0 * math.sin(0.5 * k * p.dx) / p.dx, math.cos(0.5 * k * p.dx)
    omega = math.hypot(p.coriolis * mean, math.sqrt(p.gravity * depth) * slope)
    x_u = p.dx * np.arange(16)
    x_h = x_u + 0.5 * p.dx

    def wave(time: float) -> list[Array]:
        angle_u, angle_h = k * x_u - omega * time, k * x_h - omega * time
        h = depth * slope / omega * np.cos(angle_h)
        v = p.coriolis * mean / omega * np.sin(angle_h)
        return [np.tile(a, (4, 1)) for a in (h, np.cos(angle_u), v)]

    size = 1e-7
    start = sw.State(*(size * a for a in wave(0.0)))
    start = start._replace(h=depth + start.h)
    later = sw.advance(start, np.zeros((4, 16)), p, 300)
    given = (later.h - depth, later.u, later.v)
    for field, expected in zip(given, wave(3000.0), strict=True):
        np.testing.assert_allclose(field / size, expected, atol=1e-4)


@pytest.mark.parametrize(("stepper", "order"), [("rk4", 4), ("ssprk3", 3)])
def test_shallow_water_order_in_time(stepper: Literal["rk4", "ssprk3"], order: int) -> None:
    p = replace(CHANNEL, stepper=stepper, drag=1e-5)
    start, bottom = random_water(p)
    exact = sw.advance(start, bottom, replace(p, dt=2e3 / 1024, stepper="rk4"), 1024)

    def error(n: int) -> float:
        state = sw.advance(start, bottom, replace(p, dt=2e3 / n), n)
        return max(float(np.abs(a - b).max()) for a, b in zip(state, exact, strict=True))

    np.testing.assert_allclose(observed_orders(error, 32, 64, 128), order, atol=0.15)


def test_flow_through_a_wall_is_refused() -> None:
    state, bottom = random_water(CHANNEL)
    state.v[0, 3] = -0.5
    message = re.escape("v[0] is the south wall: expected 0, got up to 0.5; set it to 0")
    with pytest.raises(ValueError, match=message):
        sw.advance(state, bottom, CHANNEL, 1)
