"""Closures of two-layer flow on streamfunctions whose derivatives are written by hand."""

from typing import Any

import numpy as np
import pytest
import sympy
import torch
from two_dimensional_flow import X, Y, laplacian, spacing
from two_layer_fields import (
    POTENTIAL_VORTICITY,
    PSI,
    SHARES,
    STRATIFICATION,
    VORTICITY,
    WEIGHTS,
    Field,
    U,
    V,
    batch,
    by_formulas,
    close,
    dx,
    dy,
    layers,
    without_shortest,
)

from closures.quasigeostrophic import (
    HybridSymbolic,
    Hyperviscosity,
    JansenHeldBackscatter,
    Leith,
    QGLeith,
    Smagorinsky,
    Stratification,
    ZannaBolton2020,
)
from closures.quasigeostrophic.plane import whole_plane
from closures.quasigeostrophic.stratification import streamfunction

N = 24
STEP = spacing(N)
WIDTH = 2.0 * np.pi / N


def on(closure: Any) -> Field:
    """Tendency of the flow by formulas, shape (2, N, N)."""
    fields = by_formulas(N)
    (tendency,) = closure(*(fields[field.name] for field in closure.spec.inputs))
    return np.asarray(tendency[0].numpy())


def strain() -> tuple[Field, Field, Field, Field]:
    """S_xx, S_yy, S_xy and |S| of both layers."""
    d = sympy.diff
    xx, yy = (layers(tuple(d(f, a) for f in flow), N) for flow, a in ((U, X), (V, Y)))
    xy = layers(tuple((d(u, Y) + d(v, X)) / 2 for u, v in zip(U, V, strict=True)), N)
    return xx, yy, xy, np.sqrt(2.0 * (xx**2 + yy**2 + 2.0 * xy**2))


def test_streamfunction_of_potential_vorticity() -> None:
    q = batch(layers(POTENTIAL_VORTICITY, N))
    w = whole_plane(q, *STEP)
    spectrum = streamfunction(torch.fft.rfft2(q), w, STRATIFICATION.f1, STRATIFICATION.f2)
    assert close(torch.fft.irfft2(spectrum, s=(N, N))[0], layers(PSI, N), 1e-13)


def test_stratification_of_the_model() -> None:
    stratification = Stratification.of(deformation_radius=15e3, delta=0.25)
    assert stratification.f1 + stratification.f2 == pytest.approx(15e3**-2, rel=1e-14)
    assert stratification.f2 == pytest.approx(0.25 * stratification.f1, rel=1e-14)
    assert stratification.depth_shares == pytest.approx((0.2, 0.8), rel=1e-14)
    assert STRATIFICATION.depth_shares == tuple(SHARES)


def test_smagorinsky_is_the_curl_of_the_viscous_acceleration() -> None:
    xx, yy, xy, magnitude = strain()
    nu = (0.2 * WIDTH) ** 2 * magnitude
    acceleration_x = 2.0 * dx(nu * xx) + 2.0 * dy(nu * xy)
    acceleration_y = 2.0 * dx(nu * xy) + 2.0 * dy(nu * yy)
    expected = without_shortest(dx(acceleration_y) - dy(acceleration_x))
    assert close(on(Smagorinsky(STEP, 0.2)), expected)


def leith(vorticity: tuple[sympy.Expr, ...], c2: float, c4: float) -> Field:
    def gradient(formulas: tuple[sympy.Expr, ...]) -> tuple[Field, Field]:
        x, y = (layers(tuple(sympy.diff(f, a) for f in formulas), N) for a in (X, Y))
        return x, y

    zx, zy = gradient(vorticity)
    px, py = gradient(tuple(map(laplacian, vorticity)))
    nu2, nu4 = (c * WIDTH**power * np.hypot(zx, zy) for c, power in ((c2, 3), (c4, 5)))
    return without_shortest(dx(nu2 * zx - nu4 * px) + dy(nu2 * zy - nu4 * py))


@pytest.mark.parametrize(("c2", "c4"), [(0.3, 0.0), (0.0, 0.05), (-0.2, 0.1)])
def test_leith_is_the_divergence_of_both_fluxes(c2: float, c4: float) -> None:
    assert close(on(Leith(STEP, c2=c2, c4=c4)), leith(VORTICITY, c2, c4))
    assert close(on(QGLeith(STEP, c2=c2, c4=c4)), leith(POTENTIAL_VORTICITY, c2, c4))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_hyperviscosity_damps_a_wave_at_its_known_rate(order: int) -> None:
    waves = layers((sympy.cos(3 * X + 4 * Y), sympy.sin(4 * X - 3 * Y)), N)
    (tendency,) = Hyperviscosity(STEP, 0.01, order)(batch(waves))
    assert close(tendency[0], -0.01 * 25.0**order * waves, 1e-10)


@pytest.mark.parametrize("returned", [0.0, 1.2])
def test_backscatter_is_the_published_sum(returned: float) -> None:
    psi = layers(PSI, N)
    biharmonic = layers(tuple(laplacian(laplacian(f)) for f in PSI), N)
    stress = (0.15 * WIDTH) ** 2 * strain()[-1] * WIDTH**2 * biharmonic
    dissipation = -without_shortest(dx(dx(stress)) + dy(dy(stress)))
    lost, unit = ((SHARES * (psi * f).mean(axis=(1, 2))).sum() for f in (dissipation, biharmonic))
    expected = dissipation - returned * biharmonic * lost / unit
    closure = JansenHeldBackscatter(STEP, STRATIFICATION, smagorinsky=0.15, returned=returned)
    assert close(on(closure), expected)


def test_zanna_bolton_is_the_curl_of_their_acceleration() -> None:
    d, expected = sympy.diff, []
    for u, v in zip(U, V, strict=True):
        zeta, shear, stretch = d(v, X) - d(u, Y), d(u, Y) + d(v, X), d(u, X) - d(v, Y)
        pressure = (zeta**2 + shear**2 + stretch**2) / 2
        acceleration_x = d(pressure - zeta * shear, X) + d(zeta * stretch, Y)
        acceleration_y = d(pressure + zeta * shear, Y) + d(zeta * stretch, X)
        expected.append(-0.02 * (d(acceleration_y, X) - d(acceleration_x, Y)))
    assert close(on(ZannaBolton2020(STEP, -0.02)), layers(tuple(expected), N))


def symbolic_terms(mean_flow: tuple[float, float]) -> list[Field]:
    """The terms in advective form, of products that need waves up to 9."""
    q, u, v = (layers(formulas, N) for formulas in (POTENTIAL_VORTICITY, U, V))
    whole = u + np.array(mean_flow)[:, np.newaxis, np.newaxis]

    def advected(f: Field) -> Field:
        return np.asarray(whole * dx(f) + v * dy(f))

    def lap(f: Field) -> Field:
        return dx(dx(f)) + dy(dy(f))

    first, biharmonic = lap(advected(q)), lap(lap(q))
    turns = [lap(layers(tuple(sympy.diff(f, a) for f in flow), N)) for flow, a in ((V, X), (U, Y))]
    return [
        *(first, lap(first), lap(lap(first)), biharmonic, lap(biharmonic)),
        *(advected(advected(f)) for f in turns),
    ]


def test_symbolic_terms_are_derivatives_of_products() -> None:
    mean_flow = (0.4, -0.7)
    closure = HybridSymbolic(STEP, WEIGHTS, mean_flow=mean_flow)
    expected = symbolic_terms(mean_flow)
    fields = by_formulas(N)
    found = closure.terms(fields["q"], fields["u"], fields["v"])[0]
    assert len(found) == len(expected) == 7
    for i, values in enumerate(expected):
        # Eight derivatives multiply the rounding of the shortest waves.
        assert close(found[i], values, 1e-9), i
    total = sum(WEIGHTS[:, i, np.newaxis, np.newaxis] * f for i, f in enumerate(expected))
    assert close(on(closure), total, 1e-9)


# psi = A cos kx has |S| = A k^2 |cos kx|, and the mean of |cos|^3 is 4 / (3 pi). Its kinks are why
# a sum over points is not exact.
def test_energy_that_smagorinsky_takes_from_a_wave() -> None:
    n, k, amplitude, constant = 1536, 2, 3.0, 0.3
    x = 2.0 * np.pi / n * np.arange(n)
    psi = np.broadcast_to(amplitude * np.cos(k * x), (2, 12, n))
    v = np.broadcast_to(-amplitude * k * np.sin(k * x), (2, 12, n))
    step = (2.0 * np.pi / 12, 2.0 * np.pi / n)
    (tendency,) = Smagorinsky(step, constant)(torch.zeros_like(batch(v)), batch(v))
    taken = (psi * tendency[0].numpy()).mean(axis=(1, 2))
    expected = constant**2 * step[0] * step[1] * (amplitude * k**2) ** 3 * 4.0 / (3.0 * np.pi)
    assert taken == pytest.approx([expected, expected], rel=3e-5)
