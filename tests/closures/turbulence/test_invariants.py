"""Invariants of the local flow, by formulas and by symmetries, and the policy made of them."""

from typing import Any

import numpy as np
import pytest
import sympy
import torch
from two_dimensional_flow import X, Y, laplacian, on_grid, spacing, tensor, turbulence, turned

from closures import SpecError
from closures.turbulence import INVARIANTS, EddyViscosity, LinearPolicy, local_invariants
from closures.turbulence.flow import gradients, to_spectrum, waves

N = 48
STEP = spacing(N)
# Phases that keep points of the grid away from where fractions are 0 / 0.
PSI = sympy.cos(2 * X + 0.3) * sympy.cos(Y + 0.2) + sympy.sin(X + 3 * Y + 0.1) / 2


def invariants(omega: Any) -> Any:
    field = tensor(omega)
    w = waves(field, *STEP)
    values = local_invariants(field, gradients(to_spectrum(field, w.kept), w, field))[0].numpy()
    return dict(zip(INVARIANTS, values, strict=True))


def test_invariants_are_those_of_the_streamfunction() -> None:
    d = sympy.diff
    u, v, omega = -d(PSI, Y), d(PSI, X), laplacian(PSI)
    velocity_gradient = sympy.Matrix([[d(u, X), d(u, Y)], [d(v, X), d(v, Y)]])
    strain = (velocity_gradient + velocity_gradient.T) / 2
    gradient = sympy.Matrix([d(omega, X), d(omega, Y)])
    s2, g2 = 2 * (strain * strain).trace(), gradient.dot(gradient)
    pull = -2 * gradient.dot(strain * gradient) / (g2 * sympy.sqrt(s2))

    def relative(magnitude: sympy.Expr) -> Any:
        values = on_grid(magnitude, N)
        return values / np.sqrt((values**2).mean()) - 1.0

    found = invariants(on_grid(omega, N))
    expected = {
        "one": np.ones((N, N)),
        "vorticity_gradient": relative(sympy.sqrt(g2)),
        "strain_dominance": on_grid((s2 - omega**2) / (s2 + omega**2), N),
        "strain": relative(sympy.sqrt(s2)),
        "alignment": on_grid(pull, N),
        "vorticity": relative(abs(omega)),
    }
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert np.abs(found[name] - values).max() <= 1e-10, name


def test_bounds_and_means_of_invariants() -> None:
    found = invariants(turbulence(N)[0])
    for name in ("strain_dominance", "alignment"):
        assert -1.0 <= found[name].min() < -0.9
        assert 0.9 < found[name].max() <= 1.0
    for name in ("vorticity_gradient", "strain", "vorticity"):
        assert ((found[name] + 1.0) ** 2).mean() == pytest.approx(1.0)


def test_symmetries_of_the_flow_are_symmetries_of_the_invariants() -> None:
    omega = turbulence(N)[0]
    found = invariants(omega)
    for name, values in invariants(turned(omega)).items():
        assert np.allclose(values, turned(found[name]), rtol=0, atol=1e-10), name
    # Vorticity changes its sign in a mirror, and all velocities double in a faster flow.
    for name, values in invariants(-omega[:, ::-1]).items():
        assert np.allclose(values, found[name][:, ::-1], rtol=0, atol=1e-10), name
    for name, values in invariants(2.0 * omega).items():
        assert np.allclose(values, found[name], rtol=0, atol=1e-12), name


def test_a_flow_at_rest_has_finite_invariants_and_no_tendency() -> None:
    rest = np.zeros((N, N))
    assert all(np.isfinite(values).all() for values in invariants(rest).values())
    (tendency,) = LinearPolicy(STEP, weights2=(0.01, 0.0, 0.01, 0.0, 0.01, 0.0))(tensor(rest))
    assert tendency.abs().max() == 0.0


def test_a_policy_that_sees_nothing_is_a_constant() -> None:
    omega = tensor(turbulence(N)[0])
    policy = LinearPolicy(
        STEP, weights2=(-0.007, 0, 0, 0, 0, 0), weights4=(0.004, 0, 0, 0, 0, 0), bounds4=(0.0, 1.0)
    )
    constant = EddyViscosity(STEP, c2=-0.007, c4=0.004, net_dissipation=0.1)
    assert torch.allclose(policy(omega)[0], constant(omega)[0], rtol=1e-12, atol=1e-12)
    cut = LinearPolicy(STEP, weights2=(0.5, 0, 0, 0, 0, 0), bounds2=(0.0, 0.02))
    assert torch.allclose(cut(omega)[0], EddyViscosity(STEP, c2=0.02)(omega)[0], rtol=1e-12)


def test_torchscript_computes_the_same() -> None:
    omega = torch.from_numpy(turbulence(N, n_member=2))
    policy = LinearPolicy(STEP, weights2=(-0.008, 0.004, 0.017, -0.003, 0.02, 0.005))
    (eager,), (scripted,) = policy(omega), torch.jit.script(policy.scriptable())(omega)
    assert torch.allclose(scripted, eager, rtol=0, atol=1e-13 * float(eager.abs().max()))


def test_wrong_numbers_of_weights_are_refused() -> None:
    with pytest.raises(SpecError, match=r"weights2: expected 6 weights, those of one, .* got 2"):
        LinearPolicy(STEP, weights2=(1.0, 2.0))
