"""The compiled two-layer model against its equations in plain numpy, trajectory by trajectory.

Both round differently in every operation. Over 100 steps that stays near round-off; over 1000
steps turbulence amplifies it, here about a hundredfold.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
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
    spun_up,
    start,
    turbulence,
)

from solvers import TwoLayerQG
from solvers.fft import backends_for

Array = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

AFTER_100, AFTER_1000 = 1e-12, 1e-10

SQUARE = TwoLayerQG(nx=64)
FLOWS = {
    "64": SQUARE,
    "128": TwoLayerQG(nx=128, dt=3600.0),
    "64x48": TwoLayerQG(nx=64, ny=48),
    "48x64": TwoLayerQG(nx=48, ny=64, length_y=1.6e6, deformation_radius=2e4, bottom_drag=1e-6),
    "32x64": TwoLayerQG(
        nx=32, ny=64, length_x=6e5, length_y=9e5, dt=3600.0, delta=0.6, bottom_drag=1e-6
    ),
    "64x48, other parameters": OBLONG,
}


@cache
def truth(model: TwoLayerQG) -> tuple[Spectrum, Spectrum]:
    """Return q-hat 100 and 1000 steps after the spun-up state."""
    p = parameters(model)
    early, history = reference.advance(np.fft.rfft2(turbulence(model)), p, 100)
    return early, reference.advance(early, p, 900, history)[0]


@pytest.mark.parametrize(
    ("flow", "fft"),
    [(flow, fft) for flow, model in FLOWS.items() for fft in backends_for(model.grid.shape)],
)
def test_trajectory_is_that_of_the_reference(flow: str, fft: str) -> None:
    model = FLOWS[flow]
    early, late = truth(model)
    integration = start(replace(model, fft=fft), turbulence(model))
    integration.advance(100)
    assert relative_difference(integration.q_spectrum[0], early) <= AFTER_100
    integration.advance(900)
    assert relative_difference(integration.q_spectrum[0], late) <= AFTER_1000


@pytest.mark.parametrize("flow", FLOWS)
def test_the_spun_up_flow_is_turbulent(flow: str) -> None:
    # Otherwise parity would say little about advection, and nothing about chaos.
    model, integration = FLOWS[flow], spun_up(FLOWS[flow])
    eddies = float(integration.fields()["u"].values.std())
    assert eddies > abs(model.u1 - model.u2)
    assert integration.courant_number() > 0.05
    early, late = truth(model)
    assert relative_difference(early, late) > 0.5


@pytest.mark.parametrize("flow", FLOWS)
def test_without_a_filter(flow: str) -> None:
    # Whatever is done with the waves of two points a period is then seen by all others.
    model = replace(FLOWS[flow], dt=FLOWS[flow].dt / 2, filter=False)
    q = turbulence(FLOWS[flow]) + 1e-8 * np.random.default_rng(0).standard_normal(model.state_shape)
    expected, _ = reference.advance(np.fft.rfft2(q), parameters(model), 100)
    integration = start(model, q)
    integration.advance(100)
    assert relative_difference(integration.q_spectrum[0], expected) <= AFTER_100


def test_a_flow_that_goes_on_remembers_its_tendencies() -> None:
    # No Euler step here: the reference takes over the history too.
    begun = spun_up(OBLONG)
    state, past = begun.q_spectrum[0].copy(), known_tendencies(begun)[:2]
    integration = start(OBLONG)
    integration.q_spectrum[...], integration.history[...] = begun.q_spectrum, begun.history
    integration.step = begun.step
    integration.advance(100)
    expected, past = reference.advance(state, parameters(OBLONG), 100, past)
    assert relative_difference(integration.q_spectrum[0], expected) <= AFTER_100
    for ours, theirs in zip(known_tendencies(integration), past, strict=False):
        assert relative_difference(ours, theirs) <= AFTER_100


def mixing(q: Array, u: Array, v: Array) -> Array:
    """Damp and advect in ways that no other term does: nonlinear, each field and layer."""
    across = np.array([[[2e-3]], [[-5e-3]]]) * u / 1e6
    return -1e-7 * q * np.tanh(np.hypot(u, v) / 0.05) + across * v


def mixing_of_fields(fields: Mapping[str, NDArray[Any]], step: int) -> NDArray[Any]:
    return mixing(fields["q"], fields["u"], fields["v"])


@pytest.mark.parametrize(
    ("model", "fft"),
    [(model, fft) for model in (SQUARE, OBLONG) for fft in backends_for(model.grid.shape)],
    ids=lambda value: value if isinstance(value, str) else f"{value.nx}x{value.ny}",
)
def test_trajectory_with_a_closure(model: TwoLayerQG, fft: str) -> None:
    q, p = turbulence(model), parameters(model)
    integration = start(replace(model, fft=fft), q, tendency=mixing_of_fields)
    early, past = reference.advance(np.fft.rfft2(q), p, 100, source=mixing)
    # It matters: without the closure the trajectory is another one.
    assert relative_difference(early, truth(model)[0]) > 1e-3
    integration.advance(100)
    assert relative_difference(integration.q_spectrum[0], early) <= AFTER_100
    late, _ = reference.advance(early, p, 900, past, mixing)
    integration.advance(900)
    assert relative_difference(integration.q_spectrum[0], late) <= AFTER_1000


@pytest.mark.parametrize("model", [SQUARE, OBLONG], ids=["square", "oblong"])
def test_the_tendency_in_numpy_is_that_of_the_reference(model: TwoLayerQG) -> None:
    q, p = turbulence(model), parameters(model)
    expected = reference.to_grid(reference.tendency(np.fft.rfft2(q), p), p)
    np.testing.assert_allclose(model.tendency(q), expected, atol=1e-13 * np.abs(expected).max())
    # Any leading axes.
    both = model.tendency(np.stack([q, 2.0 * q]))
    np.testing.assert_array_equal(both[0], model.tendency(q))


def test_the_compiled_tendency_is_that_of_the_reference() -> None:
    q, p = turbulence(OBLONG), parameters(OBLONG)
    integration = start(OBLONG, q)
    integration.advance(1)
    expected = reference.tendency(np.fft.rfft2(q), p)
    assert relative_difference(known_tendencies(integration)[0], expected) <= 1e-13


def test_fields_are_those_of_the_reference() -> None:
    integration, p = spun_up(OBLONG), parameters(OBLONG)
    spectrum = integration.q_spectrum[0]
    u, v = reference.velocities(spectrum, p)
    psi = reference.to_grid(reference.streamfunction(spectrum, p), p)
    expected = {"q": reference.to_grid(spectrum, p), "u": u, "v": v, "psi": psi}
    fields = integration.fields()
    assert fields.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(
            fields[name].values[0], values, atol=1e-13 * np.abs(values).max(), err_msg=name
        )
    wind = np.abs(u + np.array([OBLONG.u1, OBLONG.u2])[:, None, None])
    courant = OBLONG.dt * np.max(wind / OBLONG.grid.dx + np.abs(v) / OBLONG.grid.dy)
    assert integration.courant_number() == pytest.approx(courant, rel=1e-12)
