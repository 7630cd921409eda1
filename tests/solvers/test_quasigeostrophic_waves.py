"""Small waves on the mean flow: what linear theory says of two layers, in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from two_layer_flow import OBLONG, Array, Spectrum, start

from solvers import StabilityWarning, TwoLayerQG
from solvers.spectral import to_grid

# So small that products of two waves are below the last bit of what the mean flow does to one.
TINY = 1e-25
ADAMS_BASHFORTH = ((1.0, 0.0, 0.0), (1.5, -0.5, 0.0), (23 / 12, -16 / 12, 5 / 12))


def inversion(model: TwoLayerQG) -> Array:
    """Return the 2 x 2 matrix from q-hat to psi-hat of each mode, shape (l, k, 2, 2)."""
    f1 = 1.0 / (model.deformation_radius**2 * (1.0 + model.delta))
    f2 = model.delta * f1
    k2 = model.grid.k**2 + model.grid.l[:, None] ** 2
    matrix = np.empty((*k2.shape, 2, 2))
    matrix[..., 0, 0], matrix[..., 0, 1] = -k2 - f1, f1
    matrix[..., 1, 0], matrix[..., 1, 1] = f2, -k2 - f2
    matrix[0, 0] = np.eye(2)
    inverse = np.linalg.inv(matrix)
    inverse[0, 0] = 0.0
    return np.asarray(inverse)


def linear_operator(model: TwoLayerQG) -> Spectrum:
    """Return the matrix M of dq-hat/dt = M q-hat of each mode, shape (l, k, 2, 2) [s-1]."""
    inverse, k = inversion(model), model.grid.k[None, :, None, None]
    f1 = 1.0 / (model.deformation_radius**2 * (1.0 + model.delta))
    shear = model.u1 - model.u2
    gradient = np.diag([model.beta + f1 * shear, model.beta - model.delta * f1 * shear])
    k2 = model.grid.k**2 + model.grid.l[:, None] ** 2
    drag = model.bottom_drag * k2[..., None, None] * np.diag([0.0, 1.0])
    wind = np.diag([model.u1, model.u2])
    return np.asarray(-1j * k * (wind + gradient @ inverse) + drag @ inverse)


def growth_rates(model: TwoLayerQG) -> Array:
    """Return the largest growth rate of each mode, shape (l, k) [s-1]."""
    return np.asarray(np.linalg.eigvals(linear_operator(model)).real.max(axis=-1))


def tiny_noise(model: TwoLayerQG) -> Array:
    return TINY * np.random.default_rng(4).standard_normal(model.state_shape)


def without_shortest(model: TwoLayerQG, spectrum: Spectrum) -> Spectrum:
    """Drop the waves of two points a period, which have no derivative on a grid."""
    n_y, n_x = model.grid.shape
    kept = spectrum.copy()
    kept[..., n_y // 2, :], kept[..., n_x // 2] = 0.0, 0.0
    return kept


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("model", [OBLONG, TwoLayerQG(nx=32)], ids=["oblong", "square"])
def test_every_small_wave_obeys_its_own_linear_equation(model: TwoLayerQG, filtered: bool) -> None:
    model = replace(model, filter=filtered)
    integration = start(model, tiny_noise(model))
    integration.q_spectrum[0] = without_shortest(model, integration.q_spectrum[0])
    q = np.moveaxis(integration.q_spectrum[0], 0, -1)[..., None].copy()
    matrix, past = linear_operator(model), [np.zeros_like(q)] * 2
    factor = model.grid.exponential_filter[..., None, None] if filtered else 1.0
    for step in range(100):
        past = [matrix @ q, *past[:2]]
        weights = ADAMS_BASHFORTH[min(step, 2)]
        q = factor * (q + model.dt * sum(w * f for w, f in zip(weights, past, strict=False)))
    integration.advance(100)
    expected = np.moveaxis(q[..., 0], -1, 0)
    np.testing.assert_allclose(
        integration.q_spectrum[0], expected, rtol=0.0, atol=1e-12 * np.abs(expected).max()
    )


def plane_wave(model: TwoLayerQG, mode: tuple[int, int], amplitudes: tuple[float, float]) -> Array:
    """Return the potential vorticity of psi_z = a_z cos(kx + ly) at a (k, l) mode [s-1]."""
    psi = np.zeros((2, *model.grid.spectral_shape), dtype=np.complex128)
    n_k, n_l = mode
    psi[:, n_l, n_k] = np.array(amplitudes) * psi[0].size
    f1, f2 = model.stretching
    k2 = model.grid.wavenumber_squared
    q = np.stack([-k2 * psi[0] + f1 * (psi[1] - psi[0]), -k2 * psi[1] + f2 * (psi[0] - psi[1])])
    return to_grid(q, model.grid.shape)


@pytest.mark.parametrize("kind", ["barotropic", "baroclinic"])
@pytest.mark.parametrize("mode", [(3, -2), (1, 0), (2, 5)])
def test_rossby_waves_have_their_phase_speed(mode: tuple[int, int], kind: str) -> None:
    # c = U - beta / K2 and U - beta / (K2 + F1 + F2). A plane wave does not advect itself; this
    # one is also too weak to be unstable.
    model = replace(OBLONG, u1=0.02, u2=0.02, bottom_drag=0.0, beta=2e-11, dt=7200.0, filter=False)
    k, l = model.grid.k[mode[0]], model.grid.l[mode[1]]  # noqa: E741
    stretching = sum(model.stretching) if kind == "baroclinic" else 0.0
    frequency = k * (0.02 - model.beta / (k**2 + l**2 + stretching))
    amplitudes = (10.0, 10.0) if kind == "barotropic" else (10.0, -10.0 * model.delta)
    q = plane_wave(model, mode, amplitudes)
    run = start(model, q)
    before = run.q_spectrum[0, :, mode[1], mode[0]].copy()
    n_step = 1000
    run.advance(n_step)
    ratio = run.q_spectrum[0, :, mode[1], mode[0]] / before
    # What the time step makes of exp(-i omega t), from the same formula for one number.
    z, known, factors = -1j * frequency * model.dt, [0.0j, 0.0j], [1.0 + 0.0j]
    for step in range(n_step):
        known = [z * factors[-1], *known[:2]]
        weights = ADAMS_BASHFORTH[min(step, 2)]
        change = sum(w * f for w, f in zip(weights, known, strict=False))
        factors.append(factors[-1] + change)
    np.testing.assert_allclose(ratio, factors[-1], rtol=0.0, atol=1e-12)
    phases = np.unwrap(np.angle(factors))
    assert np.angle(ratio / np.exp(1j * phases[-1])) == pytest.approx([0.0, 0.0], abs=1e-12)
    measured_speed = -phases[-1] / (k * n_step * model.dt)
    assert measured_speed == pytest.approx(frequency / k, rel=1e-3)
    assert abs(frequency) * n_step * model.dt > 0.1


def exponential_growth(model: TwoLayerQG, q: Array, n_spin_up: int, n_step: int) -> float:
    """Return the growth rate of the velocity once the fastest wave has won [s-1]."""
    integration = start(model, q)
    speeds = []
    for n in (n_spin_up, n_step):
        integration.advance(n)
        speeds.append(float(integration.fields()["v"].std()))
    assert speeds[1] > 10.0 * speeds[0]
    return float(np.log(speeds[1] / speeds[0]) / (n_step * model.dt))


def test_phillips_instability_grows_as_in_the_closed_form() -> None:
    # Equal layers, no beta, no drag: sigma = k U sqrt((kd2 - K2) / (kd2 + K2)) with U half the
    # shear and kd = 1 / r_d; the fastest wave has K2 = (sqrt(2) - 1) kd2, l = 0 and
    # sigma = (sqrt(2) - 1) kd U. Vallis (2017), chapter 9.
    radius, shear = 15e3, 0.05
    fastest = np.sqrt(np.sqrt(2.0) - 1.0) / radius
    model = TwoLayerQG(
        nx=32, length_x=2.0 * 2.0 * np.pi / fastest, dt=3600.0, beta=0.0, bottom_drag=0.0,
        delta=1.0, deformation_radius=radius, u1=shear, u2=0.0,
    )  # fmt: skip
    rate = (np.sqrt(2.0) - 1.0) / radius * shear / 2.0
    assert growth_rates(model).max() == pytest.approx(rate, rel=1e-12)
    # All waves begin; the predicted one is the first in the end.
    measured = exponential_growth(model, tiny_noise(model), 8000, 2000)
    assert measured == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize(
    "model",
    [
        TwoLayerQG(nx=32),
        TwoLayerQG(nx=32, ny=48, length_y=8e5, delta=0.6, u1=0.04, u2=-0.01, bottom_drag=2e-6),
    ],
    ids=["default", "other parameters"],
)
def test_the_fastest_wave_grows_as_the_eigenvalue_says(model: TwoLayerQG) -> None:
    rates = growth_rates(model)
    mode = np.unravel_index(rates.argmax(), rates.shape)
    assert rates[mode] > 0.0
    # Alone, because its neighbours grow nearly as fast.
    alone = np.zeros_like(rates)
    alone[mode] = 1.0
    q = to_grid(np.fft.rfft2(tiny_noise(model)) * alone, model.grid.shape)
    measured = exponential_growth(model, q, 5000, 6000)
    assert measured == pytest.approx(rates[mode], rel=0.01)


def test_shear_below_the_critical_one_is_stable() -> None:
    # Equal layers: waves grow if the lower gradient beta - F (U1 - U2) is negative only.
    model = TwoLayerQG(nx=32, delta=1.0, bottom_drag=0.0)
    critical = model.beta / model.stretching[1]
    assert growth_rates(replace(model, u1=0.99 * critical)).max() < 1e-12
    stable = start(replace(model, u1=0.99 * critical), tiny_noise(model))
    unstable = start(replace(model, u1=4.0 * critical), tiny_noise(model))
    speeds = {}
    for name, integration in (("stable", stable), ("unstable", unstable)):
        before = float(integration.fields()["v"].std())
        integration.advance(4000)
        speeds[name] = float(integration.fields()["v"].std()) / before
    assert speeds["stable"] < 10.0
    assert speeds["unstable"] > 1e3


def test_bottom_drag_spins_a_barotropic_wave_down() -> None:
    # A deformation radius much shorter than the wave couples the layers firmly: drag on one of
    # them slows both, at r H2 / (H1 + H2).
    model = TwoLayerQG(
        nx=16, dt=7200.0, beta=0.0, u1=0.0, delta=0.25, bottom_drag=5e-7, deformation_radius=1500.0
    )
    q, n_step = plane_wave(model, (2, 1), (1e4, 1e4)), 400
    integration = start(model, q)
    before = integration.fields()["psi"].values.copy()
    integration.advance(n_step)
    kept = np.exp(-model.bottom_drag / 1.25 * n_step * model.dt)
    # K2 / (F1 + F2), as far as the coupling is from perfect.
    slip = model.grid.wavenumber_squared[1, 2] / sum(model.stretching)
    assert slip < 1e-3
    psi = integration.fields()["psi"].values
    np.testing.assert_allclose(psi, kept * before, atol=2.0 * slip * np.abs(before).max())
    assert kept < 0.5


@pytest.mark.parametrize("filtered", [False, True])
def test_the_stability_limit_is_where_waves_begin_to_grow(filtered: bool) -> None:
    # Of a uniform flow, exactly known: the shortest wave that the filter does not touch.
    model = TwoLayerQG(nx=64, beta=0.0, u1=1.0, u2=1.0, bottom_drag=0.0, dt=1.0, filter=filtered)
    limit = model.stability_limit(start(model, np.zeros(model.state_shape)))
    n = 20 if filtered else 31
    shortest = (0.65 if filtered else 1.0) * 32
    growth = {}
    for part in (0.98, 1.02):
        # Scaled from the shortest wave to the nearest one of whole number.
        fast = replace(model, dt=part * limit * shortest / n)
        q = plane_wave(fast, (n, 0), (1e-12, 1e-12))
        if fast.dt > limit:
            with pytest.warns(StabilityWarning, match="above the stability limit"):
                integration = start(fast, q)
        else:
            integration = start(fast, q)
        integration.advance(200)
        before = np.abs(integration.q_spectrum[0, 0, 0, n])
        integration.advance(200)
        growth[part] = np.abs(integration.q_spectrum[0, 0, 0, n]) / before
    assert growth[0.98] < 1.0
    assert growth[1.02] > 1.0


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        # 12 / (5 sqrt 11) over the frequency beta / k of the longest wave.
        (
            TwoLayerQG(nx=16, length_x=1e7, dt=43200.0, u1=0.0, bottom_drag=0.0),
            12.0 / (5.0 * 11.0**0.5) * (2.0 * np.pi / 1e7) / 1.5e-11,
        ),
        # 6/11 over the decay of the lower layer by drag.
        (TwoLayerQG(nx=32, bottom_drag=1e-4, dt=43200.0, u1=0.0, beta=0.0), 6.0 / 11.0 / 9e-5),
    ],
    ids=["Rossby waves", "drag"],
)
def test_waves_and_drag_limit_the_time_step(model: TwoLayerQG, limit: float) -> None:
    state = 1e-12 * np.random.default_rng(0).standard_normal(model.state_shape)
    with pytest.warns(StabilityWarning, match="dt: 43200 is above the stability limit"):
        integration = model.start(state)
    assert model.stability_limit(integration) == pytest.approx(limit, rel=0.01)
