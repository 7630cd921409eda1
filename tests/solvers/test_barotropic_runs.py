"""Runs of the barotropic model: the same bits however they are cut, closures, ends."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.errors import SolverBlewUp, TendencyError
from solvers.forcing import BandForcing, KolmogorovForcing

STEPPERS = ("AB3-CN", "AB2-CN", "IF-RK4")

Field = NDArray[Any]
Fields = Mapping[str, Field]

MODELS = [
    *(Barotropic(nx=32, dt=2e-3, beta=1.0, stepper=stepper) for stepper in STEPPERS),
    Barotropic(nx=32, dt=2e-3, dealias=False),
    Barotropic(nx=32, dt=2e-3, dtype="float32"),
    Barotropic(nx=32, dt=2e-3, forcing=BandForcing(seed=7)),
    Barotropic(nx=32, dt=2e-3, forcing=BandForcing(seed=7), stepper="IF-RK4"),
]


def label(model: Barotropic) -> str:
    forcing = "kicked" if isinstance(model.forcing, BandForcing) else "steady"
    return f"{model.stepper} {forcing} {model.dtype} {'' if model.dealias else 'aliased'}".strip()


def started(model: Barotropic, *arguments: Any, **how: Any) -> BarotropicIntegration:
    integration = model.start(*arguments, **how)
    assert isinstance(integration, BarotropicIntegration)
    return integration


def state(model: Barotropic, *chunks: int, **how: Any) -> Field:
    integration = started(model, **how)
    for n_step in chunks:
        integration.advance(n_step)
    return integration.vorticity_spectrum.copy()


def step_by_step(integration: BarotropicIntegration, n_step: int) -> None:
    for _ in range(n_step):
        integration.advance(1)


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_run_cut_in_two_has_the_same_bits(model: Barotropic) -> None:
    np.testing.assert_array_equal(state(model, 10), state(model, 3, 7))


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_restarted_run_has_the_same_bits(model: Barotropic) -> None:
    whole = model.run(steps=10, n_member=2)
    begun = model.run(steps=4, n_member=2)
    resumed = model.run(steps=6, initial=begun)
    for name in ("vorticity", "u", "v", "psi", "restart_vorticity"):
        last = {"time": -1} if "time" in whole[name].dims else {}
        np.testing.assert_array_equal(resumed[name].isel(last), whole[name].isel(last))


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_member_alone_has_the_same_bits(model: Barotropic) -> None:
    initial = model.random_state(3, np.random.default_rng(5))
    together = state(model, 10, initial=initial)
    alone = model
    if isinstance(model.forcing, BandForcing):
        alone = replace(model, forcing=replace(model.forcing, first_member=2))
    np.testing.assert_array_equal(state(alone, 10, initial=initial[2])[0], together[2])


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_two_threads_compute_the_same_bits(model: Barotropic) -> None:
    one, two = (state(model, 10, n_member=3, n_thread=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one[0] - one[1]).max() > 0.0


@pytest.mark.parametrize("stepper", STEPPERS)
def test_the_first_step_that_is_not_finite_is_named(stepper: str) -> None:
    model = Barotropic(nx=32, dt=0.1, stepper=stepper)
    start = 30.0 * model.random_state(2, np.random.default_rng(0))
    start[0] *= 1e-6
    with pytest.warns(UserWarning, match="above the stability limit"):
        single = started(model, start)
    with np.errstate(all="ignore"), pytest.raises(SolverBlewUp) as one_by_one:
        step_by_step(single, 1000)
    assert np.isfinite(single.vorticity_spectrum).all()
    with pytest.warns(UserWarning, match="above the stability limit"):
        at_once = started(model, start)
    with np.errstate(all="ignore"), pytest.raises(SolverBlewUp) as caught:
        at_once.advance(1000)
    assert caught.value.step == one_by_one.value.step == single.step + 1 == at_once.step + 1
    assert caught.value.member == 1
    assert "barotropic vorticity: vorticity of member 1 is not finite after" in str(caught.value)
    np.testing.assert_array_equal(at_once.vorticity_spectrum, single.vorticity_spectrum)


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_closure_that_gives_nothing_changes_nothing(model: Barotropic) -> None:
    def nothing(fields: Fields, step: int) -> Field:
        return np.zeros_like(fields["vorticity"])

    np.testing.assert_array_equal(state(model, 10, tendency=nothing), state(model, 10))


@pytest.mark.parametrize("stepper", STEPPERS)
def test_a_closure_can_be_the_forcing(stepper: str) -> None:
    model = Barotropic(nx=32, dt=2e-3, stepper=stepper)
    x = model.grid.dx * np.arange(32)
    pattern = 4.0 * (np.cos(4.0 * x) + np.cos(4.0 * x)[:, np.newaxis])
    unforced = replace(model, forcing=None)
    given = state(unforced, 50, tendency=lambda _fields, _step: pattern)
    expected = state(model, 50)
    np.testing.assert_allclose(given, expected, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize(("stepper", "n_stage"), [("AB3-CN", 1), ("AB2-CN", 1), ("IF-RK4", 4)])
@pytest.mark.parametrize("dealias", [True, False])
def test_a_closure_sees_the_flow_at_every_stage(stepper: str, n_stage: int, dealias: bool) -> None:
    model = Barotropic(nx=16, dt=2e-3, stepper=stepper, dealias=dealias)
    seen: list[tuple[int, dict[str, Field]]] = []

    def closure(fields: Fields, step: int) -> Field:
        seen.append((step, {name: values.copy() for name, values in fields.items()}))
        return -0.5 * fields["vorticity"]

    integration = started(model, tendency=closure)
    for step in range(2):
        now = integration.fields()
        integration.advance(1)
        assert [number for number, _ in seen] == [step] * n_stage
        assert set(seen[0][1]) == {"vorticity", "u", "v"}
        for name, values in seen[0][1].items():
            np.testing.assert_allclose(values, now[name][0], atol=1e-14)
        seen.clear()


def test_a_linear_closure_damps_as_drag_does() -> None:
    model = Barotropic(nx=32, dt=2e-3, drag=0.0, stepper="IF-RK4")
    given = state(model, 50, tendency=lambda fields, _step: -0.3 * fields["vorticity"])
    expected = state(replace(model, drag=0.3), 50)
    np.testing.assert_allclose(given, expected, atol=1e-10 * np.abs(expected).max())


def test_waves_of_a_closure_that_are_not_kept_are_left_out() -> None:
    model = Barotropic(nx=16, dt=2e-3, forcing=None)
    x = model.grid.dx * np.arange(16)
    waves = np.broadcast_to(np.cos(7 * x), (16, 16))
    integration = started(model, np.zeros((16, 16)), tendency=lambda _fields, _step: waves)
    integration.advance(3)
    # Kept, the wave would be 0.006 * 16**2 / 2.
    np.testing.assert_allclose(integration.vorticity_spectrum, 0.0, atol=1e-14)


def test_a_closure_of_the_wrong_shape() -> None:
    model = Barotropic(nx=16, dt=2e-3)
    integration = started(model, tendency=lambda _fields, _step: np.zeros((16, 9)))
    with pytest.raises(
        TendencyError, match=r"vorticity_tendency: expected shape \(16, 16\) \(y, x"
    ):
        integration.advance(1)


@pytest.mark.parametrize("shape", [(16, 8), (2, 16, 8), (16,)])
def test_an_initial_state_of_the_wrong_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"initial: expected shape \(16, 16\) or \(n_member, 16"):
        Barotropic(nx=16).start(np.zeros(shape))


def test_an_initial_state_that_is_not_finite() -> None:
    with pytest.raises(ValueError, match="initial: expected finite values, got 256 non-finite"):
        Barotropic(nx=16).start(np.full((16, 16), np.nan))


def test_a_run_of_another_stepper_cannot_be_continued() -> None:
    begun = Barotropic(nx=16, dt=2e-3, stepper="IF-RK4").run(steps=2)
    with pytest.raises(
        ValueError, match=r"initial: stepper: expected .* as in the model, got IF-RK4"
    ):
        Barotropic(nx=16, dt=2e-3).run(steps=2, initial=begun)


def test_forcings_differ_in_the_attributes() -> None:
    texts = {
        str(Barotropic(nx=32, forcing=forcing).attributes()["forcing"])
        for forcing in (None, KolmogorovForcing(wavenumber=2.0), BandForcing(), BandForcing(seed=1))
    }
    assert len(texts) == 4
    assert "None" in texts
