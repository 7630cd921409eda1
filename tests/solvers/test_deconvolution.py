"""A part of the model's filter undone in the time loop of two-layer flow."""

from dataclasses import replace

import numpy as np
import pytest
from in_loop_tendency import Field, evaluated

from solvers import Barotropic, Deconvolution, LeithE, TendencyError, TwoLayerQG

DT, CUTOFF = 100.0, 0.75
CLOSURE = Deconvolution(dt=DT, cutoff=CUTOFF)
LEITH = LeithE(c2=(-0.5, -0.2), c4=(0.01, 0.02), returned=1.1, largest_factor=1.0, delta=0.25)


def response(part_of_pi: float, cutoff: float) -> float:
    """Filter of one wave, as pyqg has it."""
    return float(np.exp(-23.6 * max(0.0, np.pi * (part_of_pi - cutoff)) ** 4))


def waves(numbers: tuple[int, int], shape: tuple[int, int]) -> Field:
    """q of one wave in the upper layer, and of half of it in the lower; u and v of noise."""
    (l, k), (n_y, n_x) = numbers, shape  # noqa: E741 -- the name of the literature
    y, x = np.arange(n_y)[:, np.newaxis] / n_y, np.arange(n_x) / n_x
    flow = np.random.default_rng(0).standard_normal((3, 2, n_y, n_x))
    wave = np.cos(2.0 * np.pi * (l * y + k * x) + 0.3)
    flow[0] = wave, 0.5 * wave
    return flow


@pytest.mark.parametrize("shape", [(32, 32), (24, 32), (20, 36)])
@pytest.mark.parametrize("numbers", [(0, 0), (3, 5), (0, 11), (8, 8), (-7, 9), (10, 2)])
def test_each_wave_is_as_if_the_filter_began_later(
    numbers: tuple[int, int], shape: tuple[int, int]
) -> None:
    flow = waves(numbers, shape)
    part = float(np.hypot(2.0 * numbers[0] / shape[0], 2.0 * numbers[1] / shape[1]))
    f, g = response(part, 0.65), response(part, CUTOFF)
    expected = (g / f - 1.0) / DT * flow[0] if f > 1e-3 else 0.0 * flow[0]
    found = evaluated(CLOSURE, flow)
    # Rounding of all waves is multiplied by their gains, which are up to 500.
    rounding = 500 * 1e-15 / DT + 5e-14 * np.abs(expected).max()
    assert np.abs(found - expected).max() <= rounding
    single = evaluated(CLOSURE, flow, "float32")
    assert single.dtype == np.float32
    assert np.abs(single - expected).max() <= 5e8 * rounding


def test_waves_that_the_filter_leaves_next_to_nothing_of_are_left_alone() -> None:
    flow = waves((15, 15), (32, 32))
    assert response(15 * 2**0.5 / 16, 0.65) < 1e-3
    assert np.abs(evaluated(CLOSURE, flow)).max() <= 1e-10
    more = replace(CLOSURE, least=1e-12)
    assert np.abs(evaluated(more, waves((0, 15), (32, 32)))).max() > 1.0


def test_with_the_models_own_cutoff_nothing_is_done() -> None:
    flow = np.random.default_rng(1).standard_normal((3, 2, 16, 16))
    assert np.abs(evaluated(replace(CLOSURE, cutoff=0.65), flow)).max() <= 1e-15


def test_it_is_added_to_another_closure() -> None:
    flow = np.random.default_rng(2).standard_normal((3, 2, 16, 16))
    together = evaluated(replace(CLOSURE, closure=LEITH), flow)
    apart = evaluated(CLOSURE, flow) + evaluated(LEITH, flow)
    assert np.abs(together - apart).max() <= 1e-13 * np.abs(apart).max()
    assert "LeithE" in replace(CLOSURE, closure=LEITH).description


def test_a_flow_that_does_not_change_is_filtered_from_the_new_cutoff_on() -> None:
    model = TwoLayerQG(nx=32, u1=0.0, u2=0.0, bottom_drag=0.0)
    # Without variation along x nothing is advected.
    q = np.stack([1e-6 * np.cos(2.0 * np.pi * 12 * np.arange(32) / 32)] * 2)[:, :, np.newaxis]
    state = np.broadcast_to(q, (2, 32, 32)).copy()
    closure = Deconvolution(dt=model.dt, cutoff=CUTOFF)
    for tendency, cutoff in ((None, 0.65), (closure, CUTOFF)):
        integration = model.start(state, tendency=tendency)
        integration.advance(1)
        found = np.fft.irfft2(integration.prognostic["q"][0], s=(32, 32))
        assert np.abs(found - response(0.75, cutoff) * state).max() <= 1e-12 * 1e-6


def test_members_have_work_space_of_their_own() -> None:
    model = TwoLayerQG(nx=32, dt=7200.0)
    q = model.random_state(3, np.random.default_rng(0)) * 100.0
    closure = Deconvolution(dt=model.dt, cutoff=0.7, closure=LEITH)
    together = model.start(q, n_thread=2, tendency=closure)
    together.advance(20)
    for member in range(3):
        alone = model.start(q[member], tendency=closure)
        alone.advance(20)
        found = together.prognostic["q"][member]
        assert np.array_equal(found, alone.prognostic["q"][0])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dt": 0.0}, "dt: expected a positive number, got 0"),
        ({"cutoff": 0.6}, r"cutoff: expected a number from 0\.65, .* to 1, got 0\.6"),
        ({"cutoff": 1.1}, r"got 1\.1"),
        ({"least": 0.0}, "least: expected a number between 0 and 1, got 0"),
    ],
)
def test_what_is_out_of_range_is_refused(changed: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CLOSURE, **changed)  # type: ignore[arg-type]


def test_another_model_is_refused() -> None:
    model = Barotropic(nx=16)
    with pytest.raises(TendencyError, match=r"Deconvolution: expected q .* of two layers"):
        model.start(np.zeros((16, 16)), tendency=CLOSURE)
