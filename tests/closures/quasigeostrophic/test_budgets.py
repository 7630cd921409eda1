"""Energy and enstrophy that closures of two-layer flow take out, move or return."""

from typing import Any

import numpy as np
import pytest
from two_dimensional_flow import spacing
from two_layer_fields import (
    SHARES,
    STRATIFICATION,
    Field,
    dx,
    dy,
    flow_of,
    tendency_of,
    turbulence,
)

from closures import Closure
from closures.quasigeostrophic import (
    Hyperviscosity,
    JansenHeldBackscatter,
    Leith,
    QGLeith,
    Smagorinsky,
    ZannaBolton2020,
)

N = 32
STEP = spacing(N)


def energy_gained(closure: Closure, q: Field) -> Field:
    """Energy gained by each layer per depth, ``-<psi dq/dt>``, shape (member, 2)."""
    return np.asarray(-(flow_of(q)["psi"] * tendency_of(closure, q)).mean(axis=(-2, -1)))


def enstrophy_gained(closure: Closure, q: Field, vorticity: Field) -> Field:
    return np.asarray((vorticity * tendency_of(closure, q)).mean(axis=(-2, -1)))


def test_smagorinsky_takes_the_work_of_its_stress_out_of_each_layer() -> None:
    q = turbulence(N, n_member=2)
    flow = flow_of(q)
    normal, shear = dx(flow["u"]) - dy(flow["v"]), dy(flow["u"]) + dx(flow["v"])
    cubed = (normal**2 + shear**2) ** 1.5
    expected = -((0.2 * STEP[0]) ** 2) * cubed.mean(axis=(-2, -1))
    found = energy_gained(Smagorinsky(STEP, 0.2), q)
    assert found == pytest.approx(expected, rel=1e-11)
    assert np.all(found < 0.0)


def test_zanna_bolton_only_moves_energy() -> None:
    q = turbulence(N, n_member=2)
    closure = ZannaBolton2020(STEP, -0.02)
    size = np.abs(flow_of(q)["psi"] * tendency_of(closure, q)).mean(axis=(-2, -1))
    assert np.all(np.abs(energy_gained(closure, q)) <= 1e-13 * size)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("make", "which"),
    [
        (lambda sign: Leith(STEP, c2=0.1 * sign), "relative"),
        (lambda sign: Leith(STEP, c4=0.01 * sign), "relative"),
        (lambda sign: QGLeith(STEP, c2=0.1 * sign), "potential"),
        (lambda sign: QGLeith(STEP, c4=0.01 * sign), "potential"),
        (lambda sign: Hyperviscosity(STEP, 1e-2 * sign, 1), "potential"),
        (lambda sign: Hyperviscosity(STEP, 1e-6 * sign, 4), "potential"),
    ],
)
def test_enstrophy_goes_by_the_sign_of_the_coefficient(make: Any, which: str, sign: float) -> None:
    q = turbulence(N, n_member=2)
    flow = flow_of(q)
    vorticity = q if which == "potential" else dx(flow["v"]) - dy(flow["u"])
    assert np.all(sign * enstrophy_gained(make(sign), q, vorticity) < 0.0)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_hyperviscosity_takes_energy_out_of_both_layers_together(order: int) -> None:
    gained = energy_gained(Hyperviscosity(STEP, 1e-4, order), turbulence(N, n_member=2))
    assert np.all((SHARES * gained).sum(axis=-1) < 0.0)


@pytest.mark.parametrize("returned", [0.0, 0.4, 1.0, 1.2])
def test_backscatter_returns_its_part_of_the_energy(returned: float) -> None:
    q = turbulence(N, n_member=3)

    def gained(part: float) -> Field:
        closure = JansenHeldBackscatter(STEP, STRATIFICATION, returned=part)
        return np.asarray((SHARES * energy_gained(closure, q)).sum(axis=-1))

    whole = gained(0.0)
    assert np.all(whole < 0.0)
    expected = (1.0 - returned) * whole
    assert np.abs(gained(returned) - expected).max() <= 1e-12 * np.abs(whole).max()


def test_backscatter_takes_enstrophy_out_and_returns_less() -> None:
    q = turbulence(N, n_member=2)
    found = {
        part: (SHARES * enstrophy_gained(
            JansenHeldBackscatter(STEP, STRATIFICATION, returned=part), q, q
        )).sum(axis=-1)
        for part in (0.0, 1.0)
    }  # fmt: skip
    assert np.all(found[0.0] < found[1.0])
    assert np.all(found[1.0] < 0.0)
