"""Shallow water: invariants, closed forms, orders, and the same equations in plain numpy."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import reference_shallow_water as reference

from solvers.errors import StabilityWarning
from solvers.shallow_water import ShallowWater, ShallowWaterIntegration
from solvers.shallow_water_kernel import SCHEMES

Array = NDArray[np.float64]

BOTTOM = 20.0 * np.random.default_rng(7).standard_normal((8, 10))
CHANNEL = ShallowWater(
    nx=10,
    ny=8,
    length_x=1e6,
    length_y=6e5,
    beta=1e-11,
    topography=BOTTOM,
    drag=0.0,
    viscosity=0.0,
    wind_stress=0.0,
)
TORUS = replace(CHANNEL, walls=False, beta=0.0)
EVERY_FORM = [replace(model, scheme=scheme) for model in (CHANNEL, TORUS) for scheme in SCHEMES]
# Exact for polynomials of the fourth degree; the energy is one of the third.
RATE_STEP = 10.0


def label(model: ShallowWater) -> str:
    return f"{model.scheme} {'channel' if model.walls else 'torus'}"


every_form = pytest.mark.parametrize("model", EVERY_FORM, ids=label)


def random_water(model: ShallowWater, seed: int = 3) -> Array:
    rng = np.random.default_rng(seed)
    state = rng.standard_normal(model.state_shape)
    state[0] = 500.0 + 30.0 * state[0]
    if model.walls:
        state[2, 0] = 0.0
    return state


def started(model: ShallowWater, state: Array) -> ShallowWaterIntegration:
    integration = model.start(state)
    assert isinstance(integration, ShallowWaterIntegration)
    return integration


def advanced(model: ShallowWater, state: Array, n_step: int) -> Array:
    integration = started(model, state)
    integration.advance(n_step)
    return np.array(integration.state[0])


def rate(total: Callable[[Array], Array], model: ShallowWater, state: Array) -> float:
    """Rate of change of a total along the model's tendency, relative to the total [s-1]."""
    tendency = model.tendency(state)

    def at(time: float) -> float:
        return float(total(state + time * tendency))

    near = at(RATE_STEP) - at(-RATE_STEP)
    far = at(2.0 * RATE_STEP) - at(-2.0 * RATE_STEP)
    return (8.0 * near - far) / (12.0 * RATE_STEP) / at(0.0)


def observed_orders(error_of: Callable[[int], float], *refinements: int) -> list[float]:
    errors = [error_of(n) for n in refinements]
    return [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]


def columns(profile: Array, n_x: int) -> Array:
    return np.tile(profile[:, np.newaxis], n_x)


@pytest.mark.parametrize("scheme", ["energy", "enstrophy"])
@pytest.mark.parametrize("walls", [True, False])
def test_trajectory_is_that_of_the_reference(scheme: str, walls: bool) -> None:
    model = replace(CHANNEL if walls else TORUS, scheme=scheme, drag=1e-6)
    p = reference.ShallowWaterParameters(
        nx=10,
        ny=8,
        lx=1e6,
        ly=6e5,
        dt=model.dt,
        coriolis=model.coriolis,
        beta=model.beta,
        drag=model.drag,
        walls=walls,
        conserves=cast("Literal['energy', 'enstrophy']", scheme),
    )
    start = random_water(model)
    there = reference.advance(reference.State(*start), BOTTOM, p, 100)
    for field, expected in zip(advanced(model, start, 100), there, strict=True):
        # Both round differently about 100 times a step, which over 100 steps adds up to 100 eps.
        np.testing.assert_allclose(field, expected, rtol=0.0, atol=3e-14 * np.abs(expected).max())


@every_form
def test_mass_is_conserved(model: ShallowWater) -> None:
    state = random_water(model)
    tendency = model.tendency(state)[0]
    assert abs(tendency.sum()) <= 1e-15 * np.abs(tendency).sum()
    later = advanced(model, state, 500)
    # What is left is rounding of the state, eps a step at random.
    assert later[0].sum() == pytest.approx(state[0].sum(), rel=1e-14)


@pytest.mark.parametrize("walls", [True, False])
def test_energy_is_conserved(walls: bool) -> None:
    model = CHANNEL if walls else TORUS
    state = random_water(model)
    for scheme in ("energy-enstrophy", "energy"):
        assert abs(rate(model.energy, replace(model, scheme=scheme), state)) < 1e-16
    assert abs(rate(model.energy, replace(model, scheme="enstrophy"), state)) > 1e-11


def test_potential_enstrophy_is_conserved_without_walls() -> None:
    state = random_water(TORUS)
    for scheme in ("energy-enstrophy", "enstrophy"):
        model = replace(TORUS, scheme=scheme)
        assert abs(rate(model.potential_enstrophy, model, state)) < 1e-16
    model = replace(TORUS, scheme="energy")
    assert abs(rate(model.potential_enstrophy, model, state)) > 1e-11


def test_drag_takes_twice_its_rate_of_kinetic_energy() -> None:
    model, state = replace(CHANNEL, drag=1e-3), random_water(CHANNEL)
    kinetic = model.energy(state) - model.energy(state * np.array([1.0, 0.0, 0.0])[:, None, None])
    expected = -2e-3 * float(kinetic / model.energy(state))
    assert rate(model.energy, model, state) == pytest.approx(expected, abs=1e-16)


def test_wind_gives_stress_times_velocity() -> None:
    windy = replace(CHANNEL, wind_stress=0.3)
    state = random_water(CHANNEL)
    gained = windy.tendency(state) - CHANNEL.tendency(state)
    y = (np.arange(8) + 0.5) / 8
    expected = 0.3 * np.sin(np.pi * y) ** 2 / (1000.0 * 500.0)
    np.testing.assert_allclose(gained[1], columns(expected, 10), rtol=1e-9)
    np.testing.assert_array_equal(gained[[0, 2]], 0.0)


@every_form
def test_viscosity_damps_waves_at_the_rate_of_the_grid(model: ShallowWater) -> None:
    # The difference of the tendencies with and without is nu lap (u, v) alone.
    thick = replace(model, viscosity=1e4)
    state = np.zeros(model.state_shape)
    state[0] = 500.0
    k, l = 2.0 * np.pi * 2.0 / 10, np.pi / 8 * (1 if model.walls else 2)  # noqa: E741
    wave = np.cos(k * np.arange(10))
    state[1] = np.cos(l * (np.arange(8)[:, np.newaxis] + 0.5)) * wave
    state[2] = np.sin(l * np.arange(8)[:, np.newaxis]) * wave
    damping = 1e4 * ((2 * np.sin(k / 2) / model.dx) ** 2 + (2 * np.sin(l / 2) / model.dy) ** 2)
    gained = thick.tendency(state) - model.tendency(state)
    np.testing.assert_allclose(gained[1:], -damping * state[1:], rtol=0.0, atol=1e-12 * damping)


@every_form
def test_a_lake_at_rest_stays_at_rest(model: ShallowWater) -> None:
    state = np.zeros(model.state_shape)
    state[0] = 700.0 - BOTTOM
    later = advanced(model, state, 200)
    # The surface rounds by an ulp of 700 m, whose slope pulls at most all the time.
    pull = model.gravity * np.spacing(700.0) / min(model.dx, model.dy)
    assert np.abs(later[1:]).max() < pull * 200 * model.dt
    np.testing.assert_allclose(later[0] + BOTTOM, 700.0, rtol=4 * np.finfo(float).eps)


@every_form
def test_geostrophic_balance_is_held(model: ShallowWater) -> None:
    # The thickness that balances a jet on this grid is that for which dv/dt vanishes everywhere.
    model = replace(model, topography="flat", nx=4, ny=12)
    y = (np.arange(12) + 0.5) / 12
    u = 2.0 * np.sin(2.0 * np.pi * y)
    state = np.stack([columns(500.0 + 0.0 * y, 4), columns(u, 4), np.zeros((12, 4))])

    def imbalance(h: Array) -> Array:
        state[0] = columns(h, 4)
        forces = model.tendency(state)[2, :, 0]
        # At y = 0 there is a wall, or balance by symmetry; the mean is given instead.
        forces[0] = 1e-6 * (h.mean() - 500.0)
        return forces

    h = np.full(12, 500.0)
    for _ in range(6):
        slopes = [imbalance(h + step) - imbalance(h) for step in np.eye(12)]
        h -= np.linalg.solve(np.transpose(slopes), imbalance(h))
    state[0] = columns(h, 4)
    # f u = -g dh/dy, roughly: half a wave of the jet lies between the lowest and the highest row.
    continuous = 2.0 * model.coriolis * model.length_y / (np.pi * model.gravity)
    assert np.ptp(state[0]) == pytest.approx(continuous, rel=0.1)
    np.testing.assert_allclose(advanced(model, state, 300), state, rtol=0.0, atol=1e-9)


@every_form
def test_geostrophic_balance_is_of_second_order(model: ShallowWater) -> None:
    # f u = -g dh/dy with u = U cos(2 pi y / ly), which slips along walls, at the middle of cells.
    def error(n: int) -> float:
        fine = replace(model, topography="flat", nx=4, ny=n, beta=0.0, gravity=10.0, depth=1000.0)
        y = (np.arange(n) + 0.5) / n
        height = 20.0 * 1e-4 / 10.0 * fine.length_y / (2.0 * np.pi)
        h = 1000.0 - height * np.sin(2.0 * np.pi * y)
        u = 20.0 * np.cos(2.0 * np.pi * y)
        tendency = fine.tendency(np.stack([columns(h, 4), columns(u, 4), np.zeros((n, 4))]))
        assert np.abs(tendency[:2]).max() == 0.0
        return float(np.abs(tendency[2]).max())

    np.testing.assert_allclose(observed_orders(error, 32, 64, 128), 2.0, atol=0.05)


@every_form
def test_an_inertia_gravity_wave_has_its_phase_speed(model: ShallowWater) -> None:
    # In x, on this grid: omega^2 = (f cos(k dx/2))^2 + g H (2 sin(k dx/2)/dx)^2.
    model = replace(model, topography="flat", nx=32, ny=4, beta=0.0, walls=False, dt=10.0)
    k = 2.0 * np.pi * 3.0 / model.length_x
    slope, mean = 2.0 * math.sin(0.5 * k * model.dx) / model.dx, math.cos(0.5 * k * model.dx)
    gravity_wave = math.sqrt(model.gravity * 500.0)
    omega = math.hypot(model.coriolis * mean, gravity_wave * slope)
    x_u = model.dx * np.arange(32)
    x_h = x_u + 0.5 * model.dx

    def wave(time: float) -> Array:
        h = 500.0 * slope / omega * np.cos(k * x_h - omega * time)
        v = model.coriolis * mean / omega * np.sin(k * x_h - omega * time)
        return np.stack([np.tile(a, (4, 1)) for a in (h, np.cos(k * x_u - omega * time), v)])

    rest = np.zeros((3, 4, 32))
    rest[0] = 500.0
    size = 1e-7
    later = advanced(model, rest + size * wave(0.0), 500)
    # Rounding of 500 m leaves 1e-6 of the wave, the time step less.
    np.testing.assert_allclose((later - rest) / size, wave(5000.0), atol=1e-5)
    # The continuous wave is omega^2 = f^2 + g H k^2; this grid is slower by (k dx)^2 / 24 or so.
    continuous = math.hypot(model.coriolis, gravity_wave * k)
    assert 0.0 < 1.0 - omega / continuous < (k * model.dx) ** 2 / 16.0


@every_form
def test_walls_are_mirrors(model: ShallowWater) -> None:
    # Without rotation a channel is half of a torus that is symmetric about y = 0 and y = ly.
    channel = replace(model, walls=True, beta=0.0, coriolis=0.0, viscosity=1e3)
    bottom = np.concatenate([BOTTOM, BOTTOM[::-1]])
    torus = replace(channel, walls=False, ny=16, length_y=1.2e6, topography=bottom)
    h, u, v = state = random_water(channel)
    mirrored = np.stack(
        [
            np.concatenate([h, h[::-1]]),
            np.concatenate([u, u[::-1]]),
            np.concatenate([v, np.zeros((1, 10)), -v[:0:-1]]),
        ]
    )
    there = advanced(torus, mirrored, 20)[:, :8]
    np.testing.assert_allclose(advanced(channel, state, 20), there, atol=1e-11)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_x_and_y_are_alike(scheme: str) -> None:
    # Exchanging x and y exchanges u and v and turns the sign of f.
    model = replace(TORUS, scheme=scheme, viscosity=1e3)
    turned = replace(
        model, nx=8, ny=10, length_x=6e5, length_y=1e6, coriolis=-1e-4, topography=BOTTOM.T
    )
    h, u, v = state = random_water(model)
    there = turned.tendency(np.stack([h.T, v.T, u.T]))
    expected = np.stack([there[0].T, there[2].T, there[1].T])
    np.testing.assert_allclose(model.tendency(state), expected, atol=1e-14)


def smooth_water(model: ShallowWater) -> tuple[Array, Array]:
    """Smooth fields at the points of a grid, and their tendency by hand; b = cos y, f = 1."""

    def fields(x: NDArray[Any], y: NDArray[Any]) -> tuple[Array, ...]:
        h, h_x, h_y = 5 + np.sin(x + y), np.cos(x + y), np.cos(x + y)
        u, u_x, u_y = np.cos(x) * np.sin(y), -np.sin(x) * np.sin(y), np.cos(x) * np.cos(y)
        v, v_x, v_y = np.sin(2 * x + y), 2 * np.cos(2 * x + y), np.cos(2 * x + y)
        absolute = 1.0 + v_x - u_y
        return (
            *(h, u, v),
            -(h_x * u + h * u_x) - (h_y * v + h * v_y),
            absolute * v - (h_x + u * u_x + v * v_x),
            -absolute * u - (h_y - np.sin(y) + u * u_y + v * v_y),
        )

    edge_x, edge_y = np.arange(model.nx) * model.dx, np.arange(model.nx)[:, None] * model.dx
    centre_x, centre_y = edge_x + 0.5 * model.dx, edge_y + 0.5 * model.dx
    h, u, v = fields(centre_x, centre_y), fields(edge_x, centre_y), fields(centre_x, edge_y)
    return np.stack([h[0], u[1], v[2]]), np.stack([h[3], u[4], v[5]])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tendency_converges_at_second_order_in_space(scheme: str) -> None:
    def errors(n: int) -> Array:
        y = np.broadcast_to((np.arange(n)[:, None] + 0.5) * 2 * np.pi / n, (n, n))
        model = ShallowWater(
            nx=n,
            ny=n,
            length_x=2.0 * np.pi,
            length_y=2.0 * np.pi,
            depth=5.0,
            gravity=1.0,
            coriolis=1.0,
            beta=0.0,
            walls=False,
            topography=np.cos(y),
            drag=0.0,
            viscosity=0.0,
            wind_stress=0.0,
            scheme=scheme,
        )
        state, exact = smooth_water(model)
        return np.asarray(np.abs(model.tendency(state) - exact).max(axis=(-2, -1)))

    orders = np.log2(errors(64) / errors(128))
    np.testing.assert_allclose(orders, 2.0, atol=0.05)


@every_form
def test_order_in_time(model: ShallowWater) -> None:
    model = replace(model, drag=1e-5, viscosity=1e3)
    start = random_water(model)
    exact = advanced(replace(model, dt=2e3 / 1024), start, 1024)

    def error(n: int) -> float:
        return float(np.abs(advanced(replace(model, dt=2e3 / n), start, n) - exact).max())

    np.testing.assert_allclose(observed_orders(error, 32, 64, 128), ShallowWater.order, atol=0.15)


def test_energy_of_a_run_drifts_no_faster_than_the_order() -> None:
    start = random_water(TORUS)

    def drift(n: int) -> float:
        later = advanced(replace(TORUS, dt=4e4 / n), start, n)
        return abs(float(TORUS.energy(later) / TORUS.energy(start)) - 1.0)

    assert drift(1600) < 1e-7
    assert min(observed_orders(drift, 400, 800, 1600)) > ShallowWater.order - 0.2


def test_stability_limit_is_where_the_shortest_wave_grows() -> None:
    base = replace(TORUS, topography="flat", coriolis=0.0, nx=8)
    state = np.zeros(base.state_shape)
    # The checkerboard of h is the shortest gravity wave; its velocities stand still at first.
    state[0] = 500.0 + 1e-6 * (-1.0) ** np.add.outer(np.arange(8), np.arange(8))
    limit = base.stability_limit(started(base, state))
    assert np.ptp(advanced(replace(base, dt=0.99 * limit), state, 2000)[0]) < 2e-6
    with pytest.warns(StabilityWarning, match="above the stability limit"):
        grown = advanced(replace(base, dt=1.01 * limit), state, 400)
    assert np.ptp(grown[0]) > 2e-5
