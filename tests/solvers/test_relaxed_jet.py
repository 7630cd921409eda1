"""The relaxed jet: steady and wavelike solutions, invariants, orders, the equations in numpy."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from solvers.errors import StabilityWarning
from solvers.relaxed_jet import RelaxedJetIntegration, RelaxedJetQG

Array = NDArray[np.float64]

NATURE = RelaxedJetQG(nx=24, ny=48, hills=((10.0, -4.0, 3.0),))
# Nothing but advection by the flow itself.
INERTIA = replace(NATURE, beta=0.0, tau_d1=0.0, tau_d2=0.0, tau_f=0.0, sponge=0.0, viscosity=0.0)
# Nothing at all: tests switch on what they look at.
NOTHING = replace(INERTIA, jacobian=0.0, hills=())


def turbulence(model: RelaxedJetQG, seed: int = 1) -> Array:
    """Eddies as strong as the jet, at all wavenumbers but Nyquist's."""
    eddies = 2.0 * np.random.default_rng(seed).standard_normal(model.state_shape)
    return model.relaxed_state() + without_nyquist(model, eddies)


def without_nyquist(model: RelaxedJetQG, field: Array) -> Array:
    spectrum = np.fft.rfft2(field)
    spectrum[..., model.ny // 2, :] = 0.0
    spectrum[..., -1] = 0.0
    return np.asarray(np.fft.irfft2(spectrum, s=model.grid.shape))


def streamfunction(model: RelaxedJetQG, q: Array) -> Array:
    return np.fft.irfft2(model.invert(np.fft.rfft2(q)), s=model.grid.shape)


def vorticity_of(model: RelaxedJetQG, psi: Array) -> Array:
    """Potential vorticity by its definition."""
    laplacian = np.fft.irfft2(
        -model.grid.wavenumber_squared * np.fft.rfft2(psi), s=model.grid.shape
    )
    shear = psi[0] - psi[1]
    return np.asarray(laplacian + np.stack([-shear, shear]))


def wave(model: RelaxedJetQG, m: int, n: int, phase: float = 0.0) -> Array:
    x = 2.0 * np.pi * m * np.arange(model.nx) / model.nx
    y = 2.0 * np.pi * n * np.arange(model.ny)[:, np.newaxis] / model.ny
    return np.asarray(np.cos(x + y + phase))


def started(model: RelaxedJetQG, q: Array) -> RelaxedJetIntegration:
    integration = model.start(q)
    assert isinstance(integration, RelaxedJetIntegration)
    return integration


def advanced(model: RelaxedJetQG, q: Array, n_step: int) -> Array:
    integration = started(model, q)
    integration.advance(n_step)
    return np.fft.irfft2(integration.q_spectrum[0], s=model.grid.shape)


def observed_orders(error_of: Callable[[int], float], *refinements: int) -> list[float]:
    errors = [error_of(n) for n in refinements]
    return [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]


def test_defaults_are_those_of_the_published_truth() -> None:
    model = RelaxedJetQG()
    assert (model.nx, model.ny, model.length_x, model.length_y) == (96, 192, 46.0, 68.0)
    assert model.fine_shape == (288, 144)
    assert (model.beta, model.tau_d1, model.tau_d2, model.tau_f) == (0.196, 0.01, 0.01, 0.07)
    assert (model.dt, model.time_filter, model.viscosity) == (0.025, 0.04, 1e-6)


def test_the_jet_is_one_at_the_middle_and_returns_at_the_ends() -> None:
    model = RelaxedJetQG()
    middle, end = model.jet[[95, 96]], model.jet[[0, -1]]
    np.testing.assert_allclose(middle, 1.0 / np.cosh(0.5 * model.grid.dy / 3.5) ** 2, rtol=1e-6)
    np.testing.assert_allclose(end, -middle, rtol=1e-12)
    assert abs(model.jet.sum()) < 1e-12
    np.testing.assert_allclose(model.y, -model.y[::-1], atol=1e-12)


def test_inversion_undoes_the_definition() -> None:
    psi = np.random.default_rng(2).standard_normal(NATURE.state_shape)
    psi -= psi.mean(axis=(-2, -1), keepdims=True)
    q = vorticity_of(NATURE, psi)
    np.testing.assert_allclose(streamfunction(NATURE, q), psi, rtol=0.0, atol=1e-12)


def test_the_relaxed_state_is_the_jet_over_a_layer_at_rest() -> None:
    run = NATURE.run(steps=1, initial=NATURE.relaxed_state())
    u = run.u[0, 0]
    np.testing.assert_allclose(u[0], np.tile(NATURE.jet[:, None], (1, 24)), atol=1e-8)
    np.testing.assert_allclose(u[1], 0.0, atol=1e-14)
    np.testing.assert_allclose(run.v[0, 0], 0.0, atol=1e-14)


def test_the_relaxed_state_is_steady() -> None:
    model = replace(NATURE, viscosity=0.0, hills=())
    jet = without_nyquist(model, model.relaxed_state())
    assert np.abs(model.tendency(jet)).max() < 1e-14
    # It is unstable: rounding may grow a little.
    np.testing.assert_allclose(advanced(model, jet, 200), jet, atol=1e-12)
    # A model that forgets half of the relaxation has none of it left.
    assert np.abs(replace(model, tau_d2=0.0).tendency(jet)).max() > 1e-2


def test_the_jacobian_conserves_energy_and_enstrophy() -> None:
    model, q = INERTIA, turbulence(NATURE)
    tendency, psi = model.tendency(q), streamfunction(model, q)
    assert abs((psi * tendency).sum()) < 1e-13 * np.abs(psi * tendency).sum()
    carried = without_nyquist(model, q + np.stack([np.zeros(model.grid.shape), model.topography]))
    for layer in range(2):
        terms = carried[layer] * tendency[layer]
        assert abs(terms.sum()) < 1e-13 * np.abs(terms).sum()
        assert abs(tendency[layer].sum()) < 1e-13 * np.abs(tendency[layer]).sum()


def test_energy_is_that_of_the_velocities_and_the_interface() -> None:
    q = turbulence(NATURE)
    fields = started(NATURE, q).fields()
    u, v, psi = (fields[name].to_numpy()[0] for name in ("u", "v", "psi"))
    kinetic = 0.5 * (u**2 + v**2).mean(axis=(-2, -1)).sum()
    potential = 0.5 * ((psi[0] - psi[1]) ** 2).mean()
    assert float(NATURE.energy(q)) == pytest.approx(kinetic + potential, rel=1e-12)


def test_products_are_not_aliased() -> None:
    # Twice the points in each direction leave the tendency of the same waves as it is.
    model = replace(INERTIA, beta=0.2, tau_d1=0.1, tau_f=0.1, hills=())
    finer = replace(model, nx=48, ny=96)
    q = turbulence(model)
    there = np.zeros((2, 96, 25), dtype=np.complex128)
    # Points lie in the middle of cells along y: half a fine cell from one grid to the other.
    shift = np.exp(-1j * model.grid.l[:, None] * 0.25 * model.grid.dy)
    spectrum = 4.0 * np.fft.rfft2(q) * shift
    there[:, :24, :12], there[:, -23:, :12] = spectrum[:, :24, :12], spectrum[:, -23:, :12]
    got = np.fft.rfft2(finer.tendency(np.fft.irfft2(there, s=(96, 48))))
    expected = 4.0 * np.fft.rfft2(model.tendency(q)) * shift
    scale = np.abs(expected).max()
    for rows in (slice(0, 24), slice(-23, None)):
        np.testing.assert_allclose(got[:, rows, :12], expected[:, rows, :12], atol=1e-13 * scale)


def test_a_mirrored_flow_stays_mirrored() -> None:
    model = replace(NATURE, hills=())
    q = turbulence(model)
    mirrored = -model.tendency(-q[:, ::-1])[:, ::-1]
    np.testing.assert_allclose(model.tendency(q), mirrored, atol=1e-12)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"beta": 0.3}, lambda psi, _: -0.3 * along_x(psi)),
        ({"tau_d1": 0.2}, lambda psi, _: 0.2 * np.stack([psi[0] - psi[1], psi[1] - psi[0]])),
        ({"tau_f": 0.4}, lambda psi, _: np.stack([0 * psi[0], -0.4 * laplacian(psi[1])])),
        ({"jacobian": 0.5}, lambda psi, q: -0.5 * jacobian(psi, q)),
    ],
    ids=["beta", "tau_d1", "tau_f", "jacobian"],
)
def test_every_coefficient_has_its_term(
    changed: dict[str, float], expected: Callable[[Array, Array], Array]
) -> None:
    psi = np.stack([wave(NATURE, 2, 1), 0.5 * wave(NATURE, 1, -3, 1.0)])
    q = vorticity_of(NATURE, psi)
    change = replace(NOTHING, **changed).tendency(q) - NOTHING.tendency(q)  # type: ignore[arg-type]
    np.testing.assert_allclose(change, expected(psi, q), atol=1e-13)


def derivative(a: Array, axis: int) -> Array:
    wavenumber = NATURE.grid.k if axis == 1 else NATURE.grid.l[:, None]
    return np.fft.irfft2(1j * wavenumber * np.fft.rfft2(a), s=a.shape[-2:])


def along_x(a: Array) -> Array:
    return derivative(a, 1)


def laplacian(a: Array) -> Array:
    return derivative(derivative(a, 0), 0) + derivative(derivative(a, 1), 1)


def jacobian(psi: Array, q: Array) -> Array:
    return derivative(psi, 1) * derivative(q, 0) - derivative(psi, 0) * derivative(q, 1)


def test_the_jet_forces_both_layers_oppositely() -> None:
    still = np.zeros(NATURE.state_shape)
    tendency = replace(NOTHING, tau_d2=0.03).tendency(still)
    np.testing.assert_array_equal(tendency[0], -tendency[1])
    # -d psi_R/dy is the jet.
    np.testing.assert_allclose(
        derivative(tendency[0], 0), np.tile(0.03 * NATURE.jet[:, None], (1, 24)), atol=1e-9
    )


def test_the_sponge_damps_eddies_but_not_their_mean() -> None:
    model = replace(NOTHING, ny=96, sponge=1.0)
    eddy = np.broadcast_to(np.cos(2.0 * np.pi * np.arange(24) / 8), (2, 96, 24))
    expected = -model.sponge_rate[:, None] * eddy
    np.testing.assert_allclose(model.tendency(eddy), expected, atol=1e-10)
    zonal = np.broadcast_to(np.cos(model.y)[:, None], (2, 96, 24))
    np.testing.assert_allclose(model.tendency(zonal), 0.0, atol=1e-14)


def test_hills_are_below_the_lower_layer() -> None:
    flat = replace(NOTHING, nx=48, ny=96, jacobian=1.0)
    hilly = replace(flat, hills=((10.0, -4.0, 3.0), (44.0, 10.0, 2.5)), hill_height=5.0)
    q = np.stack([wave(flat, 1, 2), wave(flat, 2, -1)])
    change = hilly.tendency(q) - flat.tendency(q)
    np.testing.assert_array_equal(change[0], 0.0)
    psi, grid, hills = streamfunction(flat, q)[1], flat.grid, hilly.topography
    slope_x = np.fft.irfft2(1j * grid.k * np.fft.rfft2(hills), s=grid.shape)
    slope_y = np.fft.irfft2(1j * grid.l[:, None] * np.fft.rfft2(hills), s=grid.shape)
    u = np.fft.irfft2(-1j * grid.l[:, None] * np.fft.rfft2(psi), s=grid.shape)
    v = np.fft.irfft2(1j * grid.k * np.fft.rfft2(psi), s=grid.shape)
    np.testing.assert_allclose(change[1], -(u * slope_x + v * slope_y), atol=1e-10)
    # At the points next to it the first one is about 5 high.
    top = hills[np.abs(hilly.y + 4.0).argmin(), round(10.0 / grid.dx)]
    assert top == pytest.approx(5.0, rel=0.05)
    # The second one goes on where the channel closes, at a distance of 2.
    side = hills[np.abs(hilly.y - 10.0).argmin(), 0]
    assert side == pytest.approx(5.0 * np.exp(-0.5 * (2.0 / 2.5) ** 2), rel=0.05)


def test_trajectory_is_that_of_plain_numpy() -> None:
    model = replace(NATURE, viscosity=1e-5)
    h, dt, g = model.hyperviscosity, model.dt, model.time_filter

    def forcing(q: NDArray[Any]) -> NDArray[Any]:
        fields = np.fft.irfft2(q, s=model.grid.shape)
        return np.asarray(np.fft.rfft2(model.tendency(fields)) + h * q)

    before = np.fft.rfft2(turbulence(model))
    now = (before + dt * forcing(before)) / (1.0 + dt * h)
    for _ in range(99):
        new = (before + 2.0 * dt * forcing(now)) / (1.0 + 2.0 * dt * h)
        before, now = now + g * (new - 2.0 * now + before), new
    integration = started(model, turbulence(model))
    integration.advance(100)
    # Rounding of each step, some eps, adds up over 100 of them.
    scale = np.abs(now).max()
    np.testing.assert_allclose(integration.q_spectrum[0], now, rtol=0.0, atol=1e-13 * scale)
    np.testing.assert_allclose(integration.q_before[0], before, rtol=0.0, atol=1e-13 * scale)


@pytest.mark.parametrize(("baroclinic", "name"), [(False, "barotropic"), (True, "baroclinic")])
def test_a_rossby_wave_has_its_phase_speed(baroclinic: bool, name: str) -> None:
    base = replace(NOTHING, jacobian=1.0, beta=0.5, time_filter=0.0)
    k, l = base.grid.k[2], base.grid.l[3]  # noqa: E741
    frequency = -0.5 * k / (k**2 + l**2 + (2.0 if baroclinic else 0.0))
    signs = np.array([1.0, -1.0 if baroclinic else 1.0])[:, None, None]

    def error(n: int) -> float:
        later = advanced(replace(base, dt=4.0 / n), signs * wave(base, 2, 3), n)
        return float(np.abs(later - signs * wave(base, 2, 3, -4.0 * frequency)).max())

    assert error(1280) < 1e-5
    np.testing.assert_allclose(observed_orders(error, 80, 160, 320), base.order, atol=0.1)


def test_hyperviscosity_is_implicit() -> None:
    model = replace(NOTHING, viscosity=1e-3, time_filter=0.0)
    q = np.stack([wave(model, 3, 5), wave(model, 8, -4)])
    damping = [1e-3 * (model.grid.k[m] ** 8 + model.grid.l[n] ** 8) for m, n in ((3, 5), (8, 4))]
    factors = [
        1.0 / (1.0 + model.dt * rate) / (1.0 + 2.0 * model.dt * rate) ** 2 for rate in damping
    ]
    expected = q * np.array(factors)[:, None, None]
    np.testing.assert_allclose(advanced(model, q, 5), expected, atol=1e-14)
    np.testing.assert_allclose(
        model.tendency(q), -q * np.array(damping)[:, None, None], rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize("time_filter", [0.0, 0.1])
def test_order_in_time(time_filter: float) -> None:
    model = replace(NATURE, hills=(), viscosity=0.0, time_filter=time_filter)
    rng = np.random.default_rng(3)
    q = model.random_state(1, rng)[0] + turbulence(model) * 0.1
    exact = advanced(replace(model, dt=0.4 / 8192, time_filter=0.0), q, 8192)

    def error(n: int) -> float:
        return float(np.abs(advanced(replace(model, dt=0.4 / n), q, n) - exact).max())

    np.testing.assert_allclose(observed_orders(error, 256, 512, 1024), model.order, atol=0.15)


def test_stability_limit_is_where_a_rossby_wave_grows() -> None:
    model = replace(NOTHING, beta=3.0, time_filter=0.1)
    q = np.stack(2 * [wave(model, 1, 0)])
    limit = model.stability_limit(started(model, 1e-6 * q))
    assert limit == pytest.approx(np.sqrt(0.9 / 1.1) * model.grid.k[1] / 3.0, rel=1e-6)
    assert np.abs(advanced(replace(model, dt=0.98 * limit), q, 3000)).max() < 3.0
    with pytest.warns(StabilityWarning, match="above the stability limit"):
        grown = advanced(replace(model, dt=1.02 * limit), q, 600)
    assert np.abs(grown).max() > 30.0


def test_eddies_grow_out_of_the_jet_and_stay_finite() -> None:
    model = RelaxedJetQG(nx=32, ny=64, viscosity=1e-4)
    run = model.run(steps=4000, save_every=400)
    eddies = np.sqrt((run.v**2).mean(("layer", "y", "x")))[:, 0]
    assert float(eddies[0]) < 0.05
    assert float(eddies[-1]) > 0.1
    assert float(np.abs(run.u).max()) < 4.0
    # The jet feeds them: what is left of the shear is below that of the relaxed state.
    shear = (run.u.isel(layer=0) - run.u.isel(layer=1)).mean("x")[:, 0]
    assert float(shear[-1].max()) < float(shear[0].max())
    # Beside the sponge they hardly cross the ends of the channel.
    v = run.v.isel(time=-1, member=0, layer=0)
    assert float(np.abs(v[0]).max()) < 0.2 * float(np.abs(v).max())
