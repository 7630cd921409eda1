"""Eddy viscosities on flows by formulas, their invariants, symmetries and errors."""

from typing import Any

import numpy as np
import pytest
import sympy
import torch
from two_dimensional_flow import (
    X,
    Y,
    divergence_of_gradient,
    laplacian,
    on_grid,
    spacing,
    tensor,
    turbulence,
    turned,
)

from closures import SpecError
from closures.turbulence import Backscatter, DynamicEddyViscosity, EddyViscosity
from closures.turbulence.flow import gradients, to_spectrum, velocity, waves
from closures.turbulence.viscosity import closure_tendency, scale_of

N = 48
SPACING = spacing(N)
CLOSURES = [
    EddyViscosity(SPACING, scale="smagorinsky", c2=0.02),
    EddyViscosity(SPACING, scale="leith", c2=-0.007, c4=0.004),
    EddyViscosity(SPACING, scale="leith", c2=-0.03, c4=0.002, net_dissipation=0.1),
    EddyViscosity(SPACING, scale="uniform", c2=-0.1, c4=0.002),
    DynamicEddyViscosity(SPACING, scale="leith"),
    DynamicEddyViscosity(SPACING, scale="smagorinsky", average="local", clipping="numerator"),
    Backscatter(SPACING, c4=0.004, returned=0.6),
]
every_closure = pytest.mark.parametrize(
    "closure", CLOSURES, ids=lambda c: f"{c.spec.name}-{c.spec.description[-22:]}"
)

PSI = sympy.cos(2 * X) * sympy.cos(Y) + sympy.Rational(1, 2) * sympy.sin(X + 3 * Y)
OMEGA = laplacian(PSI)


def flow(omega: sympy.Expr, n: int = N) -> Any:
    field = tensor(on_grid(omega, n))
    w = waves(field, *spacing(n))
    spectrum = to_spectrum(field, w.kept)
    return field, w, gradients(spectrum, w, field), velocity(spectrum, w, field)


def close(values: Any, expression: sympy.Expr, tolerance: float = 2e-13) -> bool:
    expected = on_grid(expression, N)
    return bool(np.abs(values[0].numpy() - expected).max() <= tolerance * np.abs(expected).max())


def test_velocity_and_gradients_are_derivatives_of_the_streamfunction() -> None:
    _, _, g, (u, v) = flow(OMEGA)
    d = sympy.diff
    exact_u, exact_v = -d(PSI, Y), d(PSI, X)
    assert close(u, exact_u)
    assert close(v, exact_v)
    assert close(g.wx, d(OMEGA, X))
    assert close(g.wy, d(OMEGA, Y))
    assert close(g.px, d(laplacian(OMEGA), X))
    assert close(g.py, d(laplacian(OMEGA), Y))
    assert close(g.normal, d(exact_u, X) - d(exact_v, Y))
    assert close(g.shear, d(exact_u, Y) + d(exact_v, X))


def test_scales_of_taylor_green_vortices() -> None:
    # psi = cos x cos y: |S| = 2 |sin x sin y|, grad omega = 2 (sin x cos y, cos x sin y).
    _, _, g, _ = flow(laplacian(sympy.cos(X) * sympy.cos(Y)))
    assert close(scale_of("smagorinsky", g), 2 * abs(sympy.sin(X) * sympy.sin(Y)))
    squared = (sympy.sin(X) * sympy.cos(Y)) ** 2 + (sympy.cos(X) * sympy.sin(Y)) ** 2
    assert close(scale_of("leith", g), 2 * sympy.sqrt(squared))


def test_tendency_is_the_conservative_form_for_viscosities_that_vary() -> None:
    _, w, g, _ = flow(OMEGA)
    nu2 = 1 + sympy.cos(3 * X) * sympy.sin(Y) / 2
    nu4 = sympy.Rational(1, 10) * (2 + sympy.sin(2 * X - Y))
    exact = divergence_of_gradient(nu2, OMEGA) - divergence_of_gradient(nu4, laplacian(OMEGA))
    first, second = (tensor(on_grid(nu, N)) for nu in (nu2, nu4))
    # Four derivatives multiply the rounding of the shortest wave by 15^4.
    assert close(closure_tendency(first, second, g, w), exact, tolerance=1e-11)


def test_uniform_viscosity_damps_a_wave_at_its_known_rate() -> None:
    omega = sympy.cos(3 * X + 4 * Y)
    (tendency,) = EddyViscosity(SPACING, scale="uniform", c2=0.5, c4=0.01)(
        tensor(on_grid(omega, N))
    )
    assert close(tendency, -(0.5 * 25 + 0.01 * 625) * omega)


# omega = A cos kx has |grad omega| = A k |sin kx| and |S| = A |cos kx|; the means of |sin|^3 and of
# |cos| sin^2 are 4 / (3 pi) and 2 / (3 pi). Their kinks are why a sum over points is not exact.
@pytest.mark.parametrize(("scale", "power", "mean"), [("leith", 3, 4.0), ("smagorinsky", 2, 2.0)])
def test_enstrophy_taken_from_a_single_wave(scale: str, power: int, mean: float) -> None:
    n, k, amplitude, c2, c4, width = 1536, 2, 3.0, 0.3, 0.05, 0.4
    row = amplitude * torch.cos(k * 2.0 * np.pi / n * torch.arange(n, dtype=torch.float64))
    omega = row.expand(1, 12, n)
    step = (2.0 * np.pi / 12, 2.0 * np.pi / n)
    closure = EddyViscosity(step, scale=scale, c2=c2, c4=c4, filter_width=width)
    (tendency,) = closure(omega)
    s = amplitude * (k if scale == "leith" else 1)
    nu = (c2 + c4 * width**2 * k**2) * width**power * s
    expected = -nu * (amplitude * k) ** 2 * mean / (3.0 * np.pi)
    assert (omega * tendency).mean().item() == pytest.approx(expected, rel=3e-5)


def test_default_width_is_that_of_the_shortest_wave_kept() -> None:
    omega = tensor(turbulence(N)[0])
    named = EddyViscosity(SPACING, c2=0.01, filter_width=2.0 * np.pi / 32.0)(omega)[0]
    assert torch.allclose(EddyViscosity(SPACING, c2=0.01)(omega)[0], named, rtol=1e-12)


@every_closure
def test_mean_vorticity_does_not_change(closure: Any) -> None:
    (tendency,) = closure(tensor(turbulence(N)[0]))
    assert abs(tendency.mean().item()) <= 1e-15 * tendency.abs().max().item() * N


@every_closure
def test_a_quarter_turn_of_the_flow_turns_the_tendency(closure: Any) -> None:
    omega = turbulence(N)[0]
    (before,), (after,) = closure(tensor(omega)), closure(tensor(turned(omega)))
    expected = turned(before[0].numpy())
    assert np.abs(after[0].numpy() - expected).max() <= 1e-11 * np.abs(expected).max()


@every_closure
def test_a_mirrored_flow_has_the_mirrored_tendency(closure: Any) -> None:
    # Vorticity changes its sign in a mirror.
    omega = turbulence(N)[0]

    def mirrored(field: Any) -> Any:
        return -np.roll(field[:, ::-1], 1, axis=1)

    (before,), (after,) = closure(tensor(omega)), closure(tensor(mirrored(omega)))
    expected = mirrored(before[0].numpy())
    assert np.abs(after[0].numpy() - expected).max() <= 1e-11 * np.abs(expected).max()


@every_closure
def test_a_shifted_flow_has_the_shifted_tendency(closure: Any) -> None:
    omega = turbulence(N)[0]
    (before,), (after,) = (closure(tensor(f)) for f in (omega, np.roll(omega, (5, 11), (0, 1))))
    expected = torch.roll(before, (5, 11), (1, 2))
    assert torch.allclose(after, expected, rtol=0, atol=1e-11 * float(expected.abs().max()))


@every_closure
def test_torchscript_computes_the_same(closure: Any) -> None:
    omega = torch.from_numpy(turbulence(N, n_member=2))
    (eager,), (scripted,) = closure(omega), torch.jit.script(closure.scriptable())(omega)
    assert torch.allclose(scripted, eager, rtol=0, atol=1e-13 * float(eager.abs().max()))


def test_members_do_not_know_each_other() -> None:
    omega = torch.from_numpy(turbulence(N, n_member=3))
    for closure in CLOSURES:
        (together,) = closure(omega)
        (alone,) = closure(omega[1:2])
        assert torch.allclose(together[1:2], alone, rtol=0, atol=1e-13 * float(alone.abs().max()))


# Of the enstrophy that all but the negative viscosity takes out, it may give back all but a part.
@pytest.mark.parametrize("margin", [0.0, 0.1, 0.5])
def test_limiter_keeps_the_net_dissipation(margin: float) -> None:
    omega = torch.from_numpy(turbulence(N))

    def dissipation(**how: Any) -> float:
        closure = EddyViscosity(SPACING, **how)
        return float(-(omega * closure(omega)[0]).mean())

    rest = dissipation(c4=0.002)
    free = dissipation(c2=-0.05, c4=0.002)
    limited = dissipation(c2=-0.05, c4=0.002, net_dissipation=margin)
    assert free < 0.0 < rest
    assert limited == pytest.approx(margin * rest, rel=1e-9, abs=1e-9 * rest)


def test_limiter_leaves_a_closure_that_takes_out_enough_alone() -> None:
    omega = torch.from_numpy(turbulence(N))
    for c2 in (-1e-4, 0.02):
        free = EddyViscosity(SPACING, c2=c2, c4=0.004)(omega)[0]
        limited = EddyViscosity(SPACING, c2=c2, c4=0.004, net_dissipation=0.1)(omega)[0]
        assert torch.equal(free, limited)


@pytest.mark.parametrize("returned", [0.0, 0.4, 1.0])
def test_backscatter_returns_its_part_of_the_energy(returned: float) -> None:
    omega = torch.from_numpy(turbulence(N))
    k2 = waves(omega, *SPACING).squared
    psi = torch.fft.irfft2(-torch.fft.rfft2(omega) / torch.where(k2 > 0, k2, 1.0), s=[N, N])

    def energy_taken(closure: Any) -> float:
        return float((psi * closure(omega)[0]).mean())

    whole = energy_taken(EddyViscosity(SPACING, c4=0.004))
    net = energy_taken(Backscatter(SPACING, c4=0.004, returned=returned))
    assert whole > 0.0
    assert net == pytest.approx((1.0 - returned) * whole, rel=1e-9, abs=1e-9 * whole)


def test_a_flow_at_rest_stays_at_rest() -> None:
    rest = torch.zeros(1, N, N, dtype=torch.float64)
    for closure in CLOSURES:
        assert torch.equal(closure(rest)[0], rest)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: EddyViscosity(SPACING, scale="leech"),
            "scale: expected one of uniform, smagorinsky, leith, got 'leech'",
        ),
        (
            lambda: EddyViscosity(SPACING, net_dissipation=1.5),
            "net_dissipation: expected a number of 0 to 1, got 1.5",
        ),
        (
            lambda: EddyViscosity(SPACING, filter_width=0.0),
            "filter_width: expected a positive length or None, got 0.0",
        ),
        (
            lambda: DynamicEddyViscosity(SPACING, scale="uniform"),
            "scale: expected one of smagorinsky, leith, got 'uniform'",
        ),
        (
            lambda: DynamicEddyViscosity(SPACING, average="line"),
            "average: expected one of global, local, got 'line'",
        ),
        (
            lambda: DynamicEddyViscosity(SPACING, clipping="all"),
            "clipping: expected one of none, coefficient, numerator, got 'all'",
        ),
        (lambda: Backscatter(SPACING, c4=-1.0), "c4: expected no negative number, got -1.0"),
        (
            lambda: Backscatter(SPACING, returned=2.0),
            "returned: expected a number of 0 to 1, got 2.0",
        ),
    ],
)
def test_what_is_out_of_range_is_refused(make: Any, message: str) -> None:
    with pytest.raises(SpecError) as error:
        make()
    assert str(error.value) == message
