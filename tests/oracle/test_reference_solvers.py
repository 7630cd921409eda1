"""The plain-numpy references against closed forms, conservation laws and orders of accuracy."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from oracle import reference_barotropic as bt
from oracle import reference_kuramoto_sivashinsky as ks
from oracle import reference_lorenz as lz
from oracle import reference_quasigeostrophic as qg

Array = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex128]


def observed_orders(error_of: Callable[[int], float], *refinements: int) -> list[float]:
    """Orders from the errors at successive refinements, each twice the one before."""
    errors = [error_of(n) for n in refinements]
    return [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]


def within_modes(field: Array, n_mode: int) -> Spectrum:
    """Transform of the modes |m| <= n_mode of a field of shape (..., ny, nx), without its mean."""
    ny, nx = field.shape[-2:]
    m_y = np.abs(np.fft.fftfreq(ny, 1.0 / ny))[:, np.newaxis]
    m_x = np.arange(nx // 2 + 1)[np.newaxis, :]
    inside = (m_y <= n_mode) & (m_x <= n_mode) & (m_x + m_y > 0)
    return np.where(inside, np.fft.rfft2(field, axes=(-2, -1)), 0.0)


# Two-layer quasi-geostrophic model.

OBLONG = qg.TwoLayerParameters(nx=24, ny=16, lx=9e5, ly=7e5, delta=0.4, u2=-0.01)


def random_pv(p: qg.TwoLayerParameters, seed: int = 0) -> Spectrum:
    rng = np.random.default_rng(seed)
    field = 1e-5 * rng.standard_normal((2, p.ny, p.nx))
    return np.fft.rfft2(field - field.mean(axis=(1, 2), keepdims=True), axes=(1, 2))


def layer_mean(p: qg.TwoLayerParameters, a: Array, b: Array) -> float:
    return float(np.sum(qg.layer_weights(p) * np.mean(a * b, axis=(1, 2))))


def test_two_layer_inversion_and_velocities() -> None:
    p = OBLONG
    x = p.lx / p.nx * np.arange(p.nx)[np.newaxis, :]
    y = p.ly / p.ny * np.arange(p.ny)[:, np.newaxis]
    k, m = 4.0 * np.pi / p.lx, -6.0 * np.pi / p.ly
    psi = np.array([[[3.0]], [[-1.0]]]) * np.sin(k * x + m * y)
    f1 = 1.0 / (p.deformation_radius**2 * 1.4)
    q = -(k**2 + m**2) * psi + np.array([[[f1]], [[0.4 * f1]]]) * (psi[::-1] - psi)
    qh = np.fft.rfft2(q, axes=(1, 2))
    np.testing.assert_allclose(qg.to_grid(qg.streamfunction(qh, p), p), psi, atol=1e-13)
    u, v = qg.velocities(qh, p)
    slope = np.array([[[3.0]], [[-1.0]]]) * np.cos(k * x + m * y)
    np.testing.assert_allclose(u, -m * slope, atol=1e-17)
    np.testing.assert_allclose(v, k * slope, atol=1e-17)
    ph = qg.streamfunction(random_pv(p), p)
    back = qg.streamfunction(qg.potential_vorticity(ph, p), p)
    np.testing.assert_allclose(back, ph, atol=1e-13 * np.abs(ph).max())


def test_two_layer_advection_makes_no_energy() -> None:
    # Aliased or not: the flux of q by u is orthogonal to grad psi at every point of the grid.
    p = replace(OBLONG, u1=0.0, u2=0.0, bottom_drag=0.0)
    qh = random_pv(p)
    psi = qg.to_grid(qg.streamfunction(qh, p), p)
    rate = qg.to_grid(qg.tendency(qh, p), p)
    assert abs(layer_mean(p, psi, rate)) < 1e-14 * layer_mean(p, np.abs(psi), np.abs(rate))


def test_two_layer_energy_budget() -> None:
    # Shear makes energy, w_1 F_1 (U_1 - U_2) mean(psi_1 v_2), and drag takes 2 r of that below.
    p = OBLONG
    qh = within_modes(qg.to_grid(random_pv(p), p), 7)
    psi = qg.to_grid(qg.streamfunction(qh, p), p)
    u, v = qg.velocities(qh, p)
    weights = qg.layer_weights(p)
    made = weights[0] * qg.stretching(p)[0] * (p.u1 - p.u2) * np.mean(psi[0] * v[1])
    taken = p.bottom_drag * weights[1] * np.mean(u[1] ** 2 + v[1] ** 2)
    rate = qg.to_grid(qg.tendency(qh, p), p)
    scale = layer_mean(p, np.abs(psi), np.abs(rate))
    assert min(abs(made), taken) > 1e-4 * scale
    assert -layer_mean(p, psi, rate) == pytest.approx(made - taken, abs=1e-14 * scale)
    energy = -0.5 * layer_mean(p, psi, qg.to_grid(qh, p))
    assert qg.total_energy(qh, p) == pytest.approx(energy, rel=1e-13)


def test_two_layer_advection_conserves_enstrophy_of_resolved_products() -> None:
    p = replace(OBLONG, u1=0.0, u2=0.0, bottom_drag=0.0, beta=0.0)
    qh = within_modes(qg.to_grid(random_pv(p), p), 5)
    q, rate = qg.to_grid(qh, p), qg.to_grid(qg.tendency(qh, p), p)
    assert abs(layer_mean(p, q, rate)) < 1e-14 * layer_mean(p, np.abs(q), np.abs(rate))
    assert qg.total_enstrophy(qh, p) == pytest.approx(0.5 * layer_mean(p, q, q), rel=1e-14)


@pytest.mark.parametrize("baroclinic", [False, True])
def test_two_layer_rossby_waves(baroclinic: bool) -> None:
    p = replace(OBLONG, u1=0.03, u2=0.03, bottom_drag=0.0)
    k, m = qg.wavenumbers(p)
    mode = (-3, 2)
    k2 = k[0, 2] ** 2 + m[-3, 0] ** 2
    ph = np.zeros((2, p.ny, p.nx // 2 + 1), dtype=np.complex128)
    ph[:, mode[0], mode[1]] = (1.0 + 2.0j) * np.array([1.0, -p.delta if baroclinic else 1.0])
    coupling = sum(qg.stretching(p)) if baroclinic else 0.0
    frequency = k[0, 2] * (0.03 - p.beta / (k2 + coupling))
    qh = qg.potential_vorticity(ph, p)
    expected = -1j * frequency * qh
    difference = np.abs(qg.tendency(qh, p) - expected).max()
    assert difference < 1e-13 * np.abs(expected).max()


def two_layer_rossby_error(n_step: int, *, exact_history: bool) -> float:
    p = qg.TwoLayerParameters(nx=8, ny=8, u1=0.0, bottom_drag=0.0, dt=2e6 / n_step)
    ph = np.zeros((2, 8, 5), dtype=np.complex128)
    ph[:, 1, 1] = 1.0
    qh = qg.potential_vorticity(ph, p)
    rate = -1j * -p.beta * p.lx / (4.0 * np.pi)
    history = [rate * np.exp(-rate * p.dt * m) * qh for m in (1, 2)] if exact_history else []
    result, _ = qg.advance(qh, p, n_step, tuple(history))
    exact = qh * np.exp(rate * 2e6)
    return float(np.abs(result - exact).max() / np.abs(qh).max())


@pytest.mark.parametrize(("exact_history", "order"), [(False, 2), (True, 3)])
def test_two_layer_order(exact_history: bool, order: int) -> None:
    # A first Euler step leaves second order; with exact tendencies before, it is the third.
    orders = observed_orders(
        lambda n: two_layer_rossby_error(n, exact_history=exact_history), 64, 128, 256
    )
    np.testing.assert_allclose(orders, order, atol=0.1)


def test_two_layer_growth_rate() -> None:
    # Phillips with equal layers, winds U and -U, no beta:
    # k U sqrt((k_d^2 - k^2) / (k_d^2 + k^2)) with k_d = 1 / r_d; Vallis (2017), chapter 9.
    radius, wind = 15000.0, 0.02
    k = 0.64 / radius
    p = qg.TwoLayerParameters(
        nx=8,
        ny=8,
        lx=2.0 * np.pi / k,
        dt=7200.0,
        beta=0.0,
        bottom_drag=0.0,
        deformation_radius=radius,
        delta=1.0,
        u1=wind,
        u2=-wind,
    )
    expected = k * wind * math.sqrt((1.0 - 0.64**2) / (1.0 + 0.64**2))
    qh = np.zeros((2, 8, 5), dtype=np.complex128)
    qh[:, 0, 1] = 1e-9, 2e-9j
    grown, history = qg.advance(qh, p, 4000)
    later, _ = qg.advance(grown, p, 100, history)
    rates = np.log(np.abs(later[:, 0, 1] / grown[:, 0, 1])) / (100 * p.dt)
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_two_layer_filter() -> None:
    p = OBLONG
    factor = qg.spectral_filter(p)
    x_nyquist, y_half = p.nx // 2, p.ny // 4
    assert factor[0, 7] == 1.0
    assert factor[0, x_nyquist] == pytest.approx(math.exp(-23.6 * (0.35 * math.pi) ** 4))
    diagonal = math.sqrt(1.25) * math.pi - 0.65 * math.pi
    assert factor[y_half, x_nyquist] == pytest.approx(math.exp(-23.6 * diagonal**4))
    qh = random_pv(p)
    qh_new, (rate,) = qg.advance(qh, p, 1)
    np.testing.assert_array_equal(qh_new, factor * (qh + p.dt * rate))
    assert np.all(qg.spectral_filter(replace(p, filtered=False)) == 1.0)


def test_two_layer_source_and_restart() -> None:
    p = replace(OBLONG, dt=600.0)

    def relaxation(q: Array, u: Array, v: Array) -> Array:
        assert u.shape == v.shape == q.shape
        return -1e-6 * q

    qh = random_pv(p)
    added = qg.tendency(qh, p, relaxation) - qg.tendency(qh, p)
    np.testing.assert_allclose(added, -1e-6 * qh, atol=1e-14 * np.abs(qh).max())
    whole, _ = qg.advance(qh, p, 9, source=relaxation)
    half, history = qg.advance(qh, p, 4, source=relaxation)
    rest, _ = qg.advance(half, p, 5, history, relaxation)
    np.testing.assert_array_equal(rest, whole)


# One layer.


def smooth_vorticity(p: bt.BarotropicParameters, n_mode: int, seed: int = 1) -> Spectrum:
    rng = np.random.default_rng(seed)
    return within_modes(3.0 * rng.standard_normal((p.ny, p.nx)), n_mode)


def test_barotropic_tendency_is_the_convolution() -> None:
    # J_k = sum over p + q = k of (p_y q_x - p_x q_y) psi_p omega_q, within the kept modes.
    p = bt.BarotropicParameters(nx=8, ny=10, lx=5.0, ly=7.0)
    wh = smooth_vorticity(p, 5)
    kept = [(m, n) for m in range(-2, 3) for n in range(-3, 4)]
    w = np.fft.fft2(bt.to_grid(wh, p)) / (p.nx * p.ny)
    expected = np.zeros((p.ny, p.nx // 2 + 1), dtype=np.complex128)
    x, y = 2.0 * np.pi / p.lx, 2.0 * np.pi / p.ly
    for m, n in [mode for mode in kept if mode != (0, 0)]:
        psi = -w[n, m] / ((x * m) ** 2 + (y * n) ** 2)
        for i, j in kept:
            if (m + i, n + j) in kept and m + i >= 0:
                cross = x * y * (n * i - m * j)
                expected[n + j, m + i] -= cross * psi * w[j, i]
    given = bt.explicit_tendency(wh, p) / (p.nx * p.ny)
    np.testing.assert_allclose(given, expected, atol=1e-14 * np.abs(expected).max())


def test_barotropic_conservation_and_budget() -> None:
    p = bt.BarotropicParameters(nx=20, ny=28, lx=6.0, ly=9.0, beta=3.0, viscosity=0.02, drag=0.3)
    wh = smooth_vorticity(p, 6)
    omega, psi = bt.to_grid(wh, p), bt.to_grid(bt.streamfunction(wh, p), p)
    rate = bt.to_grid(bt.explicit_tendency(wh, p), p)
    for field in (omega, psi):
        assert abs(np.mean(field * rate)) < 1e-14 * np.mean(np.abs(field * rate))
    damping = bt.to_grid(bt.linear_rate(p) * wh, p)
    energy, enstrophy = bt.kinetic_energy(wh, p), bt.enstrophy(wh, p)
    lost = 2.0 * p.viscosity * enstrophy + 2.0 * p.drag * energy
    assert np.mean(psi * damping) == pytest.approx(lost, rel=1e-13)


def test_barotropic_mirror() -> None:
    # omega'(x, y) = -omega(y, x) obeys the same equation on the transposed grid.
    p = bt.BarotropicParameters(nx=12, ny=16, lx=3.0, ly=5.0, viscosity=0.01, dt=0.01)
    turned = replace(p, nx=16, ny=12, lx=5.0, ly=3.0)
    omega = bt.to_grid(smooth_vorticity(p, 4), p)
    there, _ = bt.advance(np.fft.rfft2(omega), p, 10)
    mirrored, _ = bt.advance(np.fft.rfft2(-omega.T), turned, 10)
    np.testing.assert_allclose(-bt.to_grid(mirrored, turned).T, bt.to_grid(there, p), atol=1e-12)


@pytest.mark.parametrize("stepper", ["ab2-cn", "ab3-cn", "if-rk4"])
def test_taylor_green_decay(stepper: bt.Stepper) -> None:
    p = bt.BarotropicParameters(
        nx=16, ny=16, dt=0.02, viscosity=0.1, drag=0.3, stepper=stepper, dealiased=False
    )
    x = np.arange(16) * np.pi / 8.0
    omega = 2.0 * np.cos(x)[np.newaxis, :] * np.cos(x)[:, np.newaxis]
    wh, _ = bt.advance(np.fft.rfft2(omega), p, 50)
    rate = -(2.0 * p.viscosity + p.drag)
    factor = (1.0 + 0.01 * rate) / (1.0 - 0.01 * rate)
    expected = math.exp(rate) if stepper == "if-rk4" else factor**50
    np.testing.assert_allclose(bt.to_grid(wh, p), expected * omega, atol=1e-14)


@pytest.mark.parametrize("stepper", ["ab2-cn", "ab3-cn", "if-rk4"])
def test_kolmogorov_flow_settles(stepper: bt.Stepper) -> None:
    p = bt.BarotropicParameters(nx=16, ny=12, dt=0.1, viscosity=0.5, drag=0.5, stepper=stepper)
    forcing = bt.kolmogorov_forcing(p, 3.0)
    assert forcing[0, 0] == 6.0
    x, y = 2.0 * np.pi / 16 * np.arange(16), 2.0 * np.pi / 12 * np.arange(12)[:, np.newaxis]
    np.testing.assert_allclose(forcing, 3.0 * (np.cos(3.0 * x) + np.cos(3.0 * y)), atol=1e-14)
    wh, _ = bt.advance(np.zeros((12, 9), dtype=np.complex128), p, 150, forcing)
    rate = 9.0 * p.viscosity + p.drag
    steady = 1.0 / rate
    if stepper == "if-rk4":
        # The integrating factor moves a steady state: Simpson's rule in place of the integral.
        e = math.exp(-rate * p.dt)
        steady = p.dt / 6.0 * (e + 4.0 * math.sqrt(e) + 1.0) / (1.0 - e)
    np.testing.assert_allclose(bt.to_grid(wh, p), steady * forcing, atol=1e-12)


def barotropic_rossby_error(stepper: bt.Stepper, n_step: int, *, exact_history: bool) -> float:
    p = bt.BarotropicParameters(nx=8, ny=12, dt=2.0 / n_step, beta=3.0, stepper=stepper)
    wh = np.zeros((12, 5), dtype=np.complex128)
    wh[2, 1] = 1.0
    rate = 1j * p.beta / 5.0
    n_known = {"ab2-cn": 1, "ab3-cn": 2, "if-rk4": 0}[stepper] if exact_history else 0
    history = tuple(rate * np.exp(-rate * p.dt * (m + 1)) * wh for m in range(n_known))
    result, _ = bt.advance(wh, p, n_step, history=history)
    return float(np.abs(result - np.exp(2.0 * rate) * wh).max())


@pytest.mark.parametrize(
    ("stepper", "exact_history", "order"),
    [("ab2-cn", False, 2), ("ab3-cn", False, 2), ("ab3-cn", True, 3), ("if-rk4", False, 4)],
)
def test_barotropic_order_on_a_rossby_wave(
    stepper: bt.Stepper, exact_history: bool, order: int
) -> None:
    orders = observed_orders(
        lambda n: barotropic_rossby_error(stepper, n, exact_history=exact_history), 32, 64, 128
    )
    np.testing.assert_allclose(orders, order, atol=0.1)


@pytest.mark.parametrize(("stepper", "order"), [("ab2-cn", 2), ("ab3-cn", 2), ("if-rk4", 4)])
def test_barotropic_order_in_turbulence(stepper: bt.Stepper, order: int) -> None:
    p = bt.BarotropicParameters(nx=16, ny=16, beta=1.0, viscosity=0.05, drag=0.1, stepper=stepper)
    start = smooth_vorticity(p, 3)
    forcing = bt.kolmogorov_forcing(p, 2.0)
    exact, _ = bt.advance(start, replace(p, dt=0.5 / 512, stepper="if-rk4"), 512, forcing)

    def error(n: int) -> float:
        wh, _ = bt.advance(start, replace(p, dt=0.5 / n), n, forcing)
        return float(np.abs(wh - exact).max())

    np.testing.assert_allclose(observed_orders(error, 32, 64, 128), order, atol=0.25)


@pytest.mark.parametrize("stepper", ["ab2-cn", "ab3-cn", "if-rk4"])
def test_barotropic_restart(stepper: bt.Stepper) -> None:
    p = bt.BarotropicParameters(nx=12, ny=12, beta=1.0, viscosity=0.05, stepper=stepper)
    start = smooth_vorticity(p, 4)
    whole, _ = bt.advance(start, p, 7)
    half, history = bt.advance(start, p, 3)
    np.testing.assert_array_equal(bt.advance(half, p, 4, history=history)[0], whole)


# Kuramoto-Sivashinsky equation.


def test_etdrk4_coefficients() -> None:
    p = ks.KuramotoSivashinskyParameters()
    q, z = ks.coefficients(p), p.dt * ks.linear_growth_rate(p)
    far = np.abs(z) > 2.0
    e, w = np.exp(z[far]), z[far]
    closed = (
        (q.stage, (np.exp(w / 2.0) - 1.0) / w),
        (q.first, (-4.0 - w + e * (4.0 - 3.0 * w + w**2)) / w**3),
        (q.middle, 2.0 * (2.0 + w + e * (w - 2.0)) / w**3),
        (q.last, (-4.0 - 3.0 * w - w**2 + e * (4.0 - w)) / w**3),
    )
    assert far.sum() > 10
    for given, expected in closed:
        np.testing.assert_allclose(given[far], p.dt * expected, rtol=1e-11, atol=1e-14)
    # At z = 0 the weights are those of the classical method.
    limits = [a[0] / p.dt for a in (q.stage, q.first, q.middle, q.last)]
    np.testing.assert_allclose(limits, [1 / 2, 1 / 6, 1 / 3, 1 / 6], rtol=1e-14)


@pytest.mark.parametrize("mode", [1, 11, 16, 20])
def test_kuramoto_sivashinsky_linear_growth(mode: int) -> None:
    p = ks.KuramotoSivashinskyParameters()
    x = p.length / p.n * np.arange(p.n)
    k = 2.0 * np.pi * mode / p.length
    u = ks.advance(1e-9 * np.cos(k * x), p, 20)
    expected = 1e-9 * math.exp((k**2 - k**4) * 5.0)
    assert 2.0 * np.mean(u * np.cos(k * x)) == pytest.approx(expected, rel=1e-12)


def test_kuramoto_sivashinsky_order() -> None:
    # On 16 points: where h L is large, ETDRK4 shows its lower stiff order for moderate steps.
    p = ks.KuramotoSivashinskyParameters(n=16, length=22.0)
    x = 2.0 * np.pi / p.n * np.arange(p.n)
    start = np.sin(x) + 0.5 * np.cos(2.0 * x)
    exact = ks.advance(start, replace(p, dt=4.0 / 2048), 2048)

    def error(n: int) -> float:
        return float(np.abs(ks.advance(start, replace(p, dt=4.0 / n), n) - exact).max())

    np.testing.assert_allclose(observed_orders(error, 128, 256, 512), 4.0, atol=0.1)


def test_kuramoto_sivashinsky_against_an_explicit_method() -> None:
    p = ks.KuramotoSivashinskyParameters(n=32, length=22.0, dt=2e-3)
    x = 2.0 * np.pi / p.n * np.arange(p.n)
    start = np.sin(x) + 0.5 * np.cos(2.0 * x)

    def rate(u: Array) -> Array:
        uh = np.fft.rfft(u)
        linear = ks.linear_growth_rate(p) * uh
        return np.fft.irfft(linear + ks.nonlinear_tendency(uh, p), p.n)

    explicit = lz.advance(rate, start, p.dt, 1000)
    np.testing.assert_allclose(ks.advance(start, p, 1000), explicit, atol=1e-8)


def test_kuramoto_sivashinsky_mean_and_parity() -> None:
    p = ks.KuramotoSivashinskyParameters(n=32, length=22.0, dt=0.1)
    x = 2.0 * np.pi / p.n * np.arange(p.n)
    odd = ks.advance(np.sin(x) + 0.5 * np.sin(2.0 * x), p, 50)
    np.testing.assert_allclose(odd[1:], -odd[:0:-1], atol=1e-12)
    assert np.abs(odd).max() > 0.1
    assert ks.advance(np.cos(x) + 0.7, p, 50).mean() == pytest.approx(0.7, rel=1e-13)


def test_kuramoto_sivashinsky_advection_conserves_energy() -> None:
    p = ks.KuramotoSivashinskyParameters(n=32, length=22.0)
    uh = np.fft.rfft(np.random.default_rng(2).standard_normal(32))
    uh[11:] = 0.0
    u, rate = np.fft.irfft(uh), np.fft.irfft(ks.nonlinear_tendency(uh, p))
    slope = np.fft.irfft(1j * ks.wavenumbers(p) * uh)
    assert abs(np.mean(u * rate)) < 1e-14 * np.mean(np.abs(u * rate))
    resolved = np.fft.rfft(-u * slope)[:11]
    np.testing.assert_allclose(np.fft.rfft(rate)[:11], resolved, atol=1e-12)


# Lorenz models.


def jacobian_times(
    tendency: Callable[[Array], Array], state: Array, direction: Spectrum
) -> Spectrum:
    """Exact for quadratic tendencies: central differences of real and imaginary part."""
    parts = [
        0.5 * (tendency(state + part) - tendency(state - part))
        for part in (direction.real, direction.imag)
    ]
    return parts[0] + 1j * parts[1]


def test_lorenz63_fixed_points_and_jacobian() -> None:
    p = lz.Lorenz63Parameters()
    r = math.sqrt(p.beta * (p.rho - 1.0))
    for sign in (1.0, -1.0):
        fixed = np.array([sign * r, sign * r, p.rho - 1.0])
        np.testing.assert_allclose(lz.lorenz63_tendency(fixed, p), 0.0, atol=1e-13)
    at = np.array([1.0, -2.0, 3.0])
    axes = np.eye(3, dtype=np.complex128)
    columns = [jacobian_times(lambda s: lz.lorenz63_tendency(s, p), at, axis) for axis in axes]
    expected = [[-10.0, 10.0, 0.0], [25.0, -1.0, -1.0], [-2.0, 1.0, -8.0 / 3.0]]
    np.testing.assert_allclose(np.transpose(columns).real, expected, atol=1e-13)


def test_runge_kutta_order() -> None:
    p = lz.Lorenz63Parameters()
    start = np.array([1.0, 3.0, 20.0])

    def final(n: int) -> Array:
        return lz.advance(lambda s: lz.lorenz63_tendency(s, p), start, 0.5 / n, n)

    exact = final(1600)
    orders = observed_orders(lambda n: float(np.linalg.norm(final(n) - exact)), 50, 100, 200)
    np.testing.assert_allclose(orders, 4.0, atol=0.05)


@pytest.mark.parametrize("mode", [1, 8, 13])
def test_one_scale_waves(mode: int) -> None:
    # About X = F, exp(i a k): growth rate F (exp(i a) - exp(-2 i a)) - 1; Lorenz & Emanuel (1998).
    rest = np.full(40, 8.0)
    np.testing.assert_array_equal(lz.one_scale_tendency(rest, 8.0), np.zeros(40))
    a = 2.0 * np.pi * mode / 40
    wave: Spectrum = np.exp(1j * a * np.arange(40))
    given = jacobian_times(lambda x: lz.one_scale_tendency(x, 8.0), rest, wave)
    rate = 8.0 * (np.exp(1j * a) - np.exp(-2j * a)) - 1.0
    np.testing.assert_allclose(given, rate * wave, atol=1e-12)


def test_rasp_waves_run_the_other_way() -> None:
    p = lz.RaspTwoScaleParameters(n_k=9, n_j=4, forcing=7.0, h=0.5, c=3.0, b=6.0)
    state = np.concatenate([np.full(9, 2.0), np.full(36, 0.3)])
    a, b = 2.0 * np.pi * 2.0 / 9, 2.0 * np.pi * 5.0 / 36
    slow = np.concatenate([np.exp(1j * a * np.arange(9)), np.zeros(36)])
    fast = np.concatenate([np.zeros(9), np.exp(1j * b * np.arange(36))])

    def image(direction: Spectrum) -> Spectrum:
        return jacobian_times(lambda s: lz.rasp_two_scale_tendency(s, p), state, direction)

    rate = -2.0 * (np.exp(2j * a) - np.exp(-1j * a)) - 1.0
    forced = 3.0 * 0.5 / 4.0 * np.repeat(slow[:9], 4)
    np.testing.assert_allclose(image(slow), np.concatenate([rate * slow[:9], forced]), atol=1e-13)
    rate = 3.0 * (-6.0 * 0.3 * (np.exp(-2j * b) - np.exp(1j * b)) - 1.0)
    means = fast[9:].reshape(9, 4).mean(axis=1)
    expected = np.concatenate([-0.5 * 3.0 * means, rate * fast[9:]])
    np.testing.assert_allclose(image(fast), expected, atol=1e-13)


def test_lorenz96_energy_budgets() -> None:
    # Advection and coupling conserve the sums of squares; only forcing and damping remain.
    rng = np.random.default_rng(5)
    x = rng.standard_normal(36)
    given = np.sum(x * lz.one_scale_tendency(x, 8.0))
    assert given == pytest.approx(np.sum(8.0 * x - x**2), rel=1e-12)
    p = lz.RaspTwoScaleParameters()
    state = rng.standard_normal(36 + 360)
    x, y = state[:36], state[36:]
    given = np.sum(state * lz.rasp_two_scale_tendency(state, p))
    assert given == pytest.approx(np.sum(10.0 * x - x**2) - 10.0 * np.sum(y**2), rel=1e-12)
