"""What two-layer flow keeps, and the exact account of what it does not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import reference_quasigeostrophic as reference
from two_layer_flow import (
    OBLONG,
    known_tendencies,
    parameters,
    relative_difference,
    set_past,
    start,
    turbulence,
    vigorous,
)

from solvers import TwoLayerQG
from solvers.spectral import to_grid

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

# Nothing but advection of potential vorticity by the flow that it induces.
ADVECTION = replace(OBLONG, u1=0.0, u2=0.0, beta=0.0, bottom_drag=0.0, filter=False)
WEIGHTS = reference.layer_weights(parameters(OBLONG))


def tendencies(model: TwoLayerQG, q: Array) -> dict[str, Array]:
    """Return dq/dt on the grid as numpy and as the compiled step compute it."""
    integration = start(model, q)
    integration.advance(1)
    compiled = to_grid(known_tendencies(integration)[0], model.grid.shape)
    return {"numpy": model.tendency(q), "compiled": compiled}


def product(a: Array, b: Array) -> float:
    """Return the mean of a product over the volume."""
    return float(np.sum(WEIGHTS * np.mean(a * b, axis=(1, 2))))


def streamfunction(q: Array) -> Array:
    p = parameters(OBLONG)
    return reference.to_grid(reference.streamfunction(np.fft.rfft2(q), p), p)


def noise() -> Array:
    """Draw potential vorticity at all scales, whose products alias."""
    q = 1e-6 * np.random.default_rng(3).standard_normal(OBLONG.state_shape)
    return np.asarray(q - q.mean(axis=(1, 2), keepdims=True))


@pytest.mark.parametrize("way", ["numpy", "compiled"])
@pytest.mark.parametrize("state", ["turbulence", "noise"])
def test_advection_makes_no_energy(state: str, way: str) -> None:
    # Aliased or not: at each point of the grid the flux of q by u is orthogonal to grad psi.
    q = turbulence(OBLONG) if state == "turbulence" else noise()
    rate, psi = tendencies(ADVECTION, q)[way], streamfunction(q)
    assert abs(product(psi, rate)) <= 1e-12 * product(np.abs(psi), np.abs(rate))


@pytest.mark.parametrize("way", ["numpy", "compiled"])
def test_advection_makes_no_enstrophy_in_any_layer_if_products_are_resolved(way: str) -> None:
    q = to_grid(np.fft.rfft2(noise()) * OBLONG.grid.two_thirds, OBLONG.grid.shape)
    rate = tendencies(ADVECTION, q)[way]
    for z in range(2):
        assert abs(np.mean(q[z] * rate[z])) <= 1e-12 * np.mean(np.abs(q[z] * rate[z]))


def test_advection_of_aliased_products_does_make_enstrophy() -> None:
    # Which is why the test above is one of resolved products, and not of nothing.
    q = noise()
    rate = tendencies(ADVECTION, q)["compiled"]
    assert abs(product(q, rate)) > 1e-4 * product(np.abs(q), np.abs(rate))


def backscatter(fields: Mapping[str, NDArray[Any]], step: int) -> NDArray[Any]:
    return np.asarray(2e-7 * np.array([[[1.0]], [[-0.5]]]) * fields["q"])


def test_the_energy_budget_of_every_step_closes() -> None:
    # E is quadratic, E(q + dt g) = E(q) + dt <q, g> + dt^2/2 <g, g>, so that the change splits
    # without remainder into the work at the old state, what the time step makes of it, and the
    # loss in the filter. E(b) - E(a) is taken as <b - a, b + a> / 2, which does not cancel.
    p, dt = parameters(OBLONG), OBLONG.dt
    integration = start(OBLONG, turbulence(OBLONG), tendency=backscatter)
    shear, drag = p.u1 - p.u2, p.bottom_drag
    smooth, f1 = reference.spectral_filter(p), reference.stretching(p)[0]

    def energy_product(a: Spectrum, b: Spectrum) -> float:
        psi = reference.to_grid(reference.streamfunction(a, p), p)
        return -product(psi, reference.to_grid(b, p))

    def energy_change(a: Spectrum, b: Spectrum) -> float:
        return 0.5 * energy_product(b - a, b + a)

    terms: dict[str, float] = dict.fromkeys(("shear", "drag", "closure", "stepping", "filter"), 0.0)
    for _ in range(50):
        state = integration.q_spectrum[0].copy()
        u, v = reference.velocities(state, p)
        psi = reference.to_grid(reference.streamfunction(state, p), p)
        q = reference.to_grid(state, p)
        work = {
            "shear": dt * WEIGHTS[0] * f1 * shear * float(np.mean(psi[0] * v[1])),
            "drag": -dt * WEIGHTS[1] * drag * float(np.mean(u[1] ** 2 + v[1] ** 2)),
            "closure": -dt * product(psi, backscatter({"q": q}, 0)),
        }
        integration.advance(1)
        known = known_tendencies(integration)
        weights = reference.ADAMS_BASHFORTH[len(known) - 1]
        g = sum((a * f for a, f in zip(weights, known, strict=True)), np.zeros_like(state))
        work["stepping"] = dt * energy_product(state, g - known[0])
        work["stepping"] += dt**2 / 2.0 * energy_product(g, g)
        work["filter"] = energy_change(state + dt * g, smooth * (state + dt * g))
        final = integration.q_spectrum[0]
        change = energy_change(state, final)
        assert change == pytest.approx(sum(work.values()), abs=1e-10 * work["shear"])
        energies = reference.total_energy(final, p), reference.total_energy(state, p)
        assert energies[0] - energies[1] == pytest.approx(change, abs=1e-14 * energies[0])
        for name, amount in work.items():
            terms[name] += amount
    # All of them matter, and those whose sign is known have it.
    assert min(terms["shear"], -terms["drag"], terms["closure"], -terms["filter"]) > 0.0
    assert min(map(abs, terms.values())) > 1e-6 * terms["shear"]


def past_tendencies(model: TwoLayerQG, q: Array) -> list[Spectrum]:
    """Return the tendencies one and two steps before q, from two Runge-Kutta steps backwards."""
    past, dt = [], -model.dt
    for _ in range(2):
        k1 = model.tendency(q)
        k2 = model.tendency(q + 0.5 * dt * k1)
        k3 = model.tendency(q + 0.5 * dt * k2)
        k4 = model.tendency(q + dt * k3)
        q = q + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        past.append(np.fft.rfft2(model.tendency(q)))
    return past


def after(model: TwoLayerQG, q: Array, n_step: int, *, exact_start: bool) -> Spectrum:
    """Return q-hat after a number of steps that begin with Euler's or with known tendencies."""
    integration = start(model, q)
    if exact_start:
        set_past(integration, *past_tendencies(model, q))
    integration.advance(n_step)
    final: Spectrum = integration.q_spectrum[0]
    return final


def modal_energy(spectrum: Spectrum, p: reference.TwoLayerParameters) -> float:
    """Return minus half the sum of conj(psi-hat) q-hat over all modes.

    Without a filter, the waves of two points a period along y have a part that no grid field
    shows. Advection exchanges energy with it.
    """
    twice = np.full(spectrum.shape[-1], 2.0)
    twice[[0, -1]] = 1.0
    psi = reference.streamfunction(spectrum, p)
    sums = np.sum(twice * np.real(np.conj(psi) * spectrum), axis=(1, 2))
    return float(-0.5 * np.sum(reference.layer_weights(p) * sums) / (p.nx * p.ny) ** 2)


@pytest.mark.parametrize(("exact_start", "order"), [(False, 2), (True, 3)])
def test_energy_of_a_free_flow_drifts_by_the_time_step_alone(exact_start: bool, order: int) -> None:
    # The first Euler step leaves second order; with exact tendencies before, it is the third.
    free = TwoLayerQG(
        nx=32, ny=24, length_x=5e5, length_y=4e5, dt=1200.0, delta=0.4, u1=0.0, bottom_drag=0.0,
        filter=False,
    )  # fmt: skip
    q, duration, drifts = vigorous(free), 2e5, []
    for n_step in (500, 1000):
        model = replace(free, dt=duration / n_step)
        p = parameters(model)
        final = after(model, q, n_step, exact_start=exact_start)
        drifts.append(modal_energy(final, p) / modal_energy(np.fft.rfft2(q), p) - 1.0)
    assert np.log2(drifts[0] / drifts[1]) == pytest.approx(order, abs=0.1)


def test_a_uniform_flow_only_moves_the_eddies() -> None:
    # By eight cells here, while the eddies turn; what else differs is the error of the time step.
    wind, n_cell = 5.0, 8
    still = replace(OBLONG, filter=False)
    q, duration, errors = vigorous(still), n_cell * OBLONG.grid.dx / wind, []
    for n_step in (100, 200):
        model = replace(still, dt=duration / n_step)
        moving = replace(model, u1=model.u1 + wind, u2=model.u2 + wind)
        eddies, moved = (
            to_grid(after(m, q, n_step, exact_start=True), model.grid.shape)
            for m in (model, moving)
        )
        assert np.abs(eddies - q).max() > 0.2 * np.abs(q).max()
        errors.append(np.abs(np.roll(eddies, n_cell, axis=-1) - moved).max())
    assert errors[1] < 1e-4 * np.abs(q).max()
    assert np.log2(errors[0] / errors[1]) == pytest.approx(3, abs=0.1)


def test_mean_potential_vorticity_is_kept_to_the_last_bit() -> None:
    q = turbulence(OBLONG) + np.array([[[2e-6]], [[-3e-6]]])
    integration = start(OBLONG, q)
    before = integration.q_spectrum[0, :, 0, 0].copy()
    integration.advance(200)
    np.testing.assert_array_equal(integration.q_spectrum[0, :, 0, 0], before)
    # No flow belongs to it, and none is changed by it.
    without = start(OBLONG, turbulence(OBLONG))
    without.advance(200)
    with_mean = integration.q_spectrum[0].copy()
    with_mean[:, 0, 0] = without.q_spectrum[0, :, 0, 0]
    assert relative_difference(with_mean, without.q_spectrum[0]) < 1e-12


def test_the_filter_leaves_waves_below_its_cutoff() -> None:
    with_filter, without = start(OBLONG, noise()), start(replace(OBLONG, filter=False), noise())
    with_filter.advance(1)
    without.advance(1)
    grid = OBLONG.grid
    scaled = np.sqrt((grid.k * grid.dx) ** 2 + (grid.l[:, None] * grid.dy) ** 2)
    kept, lost = scaled <= 0.65 * np.pi, scaled > 0.65 * np.pi
    filtered, free = with_filter.q_spectrum[0], without.q_spectrum[0]
    np.testing.assert_array_equal(filtered[:, kept], free[:, kept])
    factor = np.exp(-23.6 * (scaled[lost] - 0.65 * np.pi) ** 4)
    np.testing.assert_allclose(filtered[:, lost], factor * free[:, lost], rtol=1e-11, atol=0.0)
    assert factor.min() < 1e-15
