"""What every model's `run` does, shown with the two-layer model."""

import signal
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from solvers import SolverBlewUp, StabilityWarning, TwoLayerQG
from solvers.errors import TendencyError
from solvers.netcdf_file import read_netcdf

MODEL = TwoLayerQG(nx=16, fft="scipy")
unstable = pytest.mark.filterwarnings("ignore::solvers.errors.StabilityWarning")


def violent_state(seed: int, n_member: int = 1, strength: float = 1e-3) -> NDArray[np.float64]:
    """Potential vorticity [s-1] that is far too strong for the default time step."""
    shape = (n_member, *MODEL.state_shape)
    return strength * np.random.default_rng(seed).standard_normal(shape)


def first_step_not_finite(model: TwoLayerQG, state: NDArray[np.float64]) -> int:
    """Advance one step at a time and look at the whole state after each of them."""
    integration = model.start(state)
    while np.isfinite(integration.prognostic["q"]).all():
        integration._advance(1)
        integration.step += 1
    return integration.step


def test_a_run_is_a_dataset_with_units() -> None:
    run = TwoLayerQG(nx=64).run(days=30)
    assert run.sizes["time"] == 31
    np.testing.assert_array_equal(run.time, np.arange(31) * 86400.0)
    assert all(run[name].attrs["units"] for name in ("q", "u", "v", "psi", "x", "y", "time"))
    assert (run.attrs["nx"], run.attrs["seed"]) == (64, 0)
    assert np.isfinite(run.q).all()


def test_parameters_become_attributes_that_make_the_model_again() -> None:
    model = TwoLayerQG(nx=16, ny=32, beta=2e-11, filter=False, dtype="float32", fft="scipy")
    attributes = model.run(steps=1).attrs
    again = TwoLayerQG(**{field.name: attributes[field.name] for field in fields(model)})
    assert again.attributes() == model.attributes()


def test_the_seed_makes_the_run() -> None:
    first, same, other = (MODEL.run(steps=3, seed=seed) for seed in (1, 1, 2))
    xr.testing.assert_identical(first, same)
    assert not np.allclose(first.q[-1], other.q[-1], rtol=1e-3)


def test_how_often_a_run_saves_does_not_change_it() -> None:
    often, seldom = MODEL.run(steps=60, save_every=1), MODEL.run(steps=60, save_every=20)
    np.testing.assert_array_equal(often.q[::20], seldom.q)


def test_a_run_continues_another_bit_for_bit() -> None:
    first = MODEL.run(steps=7, n_member=2)
    second = MODEL.run(steps=5, save_every=5, initial=first)
    np.testing.assert_array_equal(second.q[-1], MODEL.run(steps=12, n_member=2).q[-1])
    np.testing.assert_array_equal(second.time, [12 * MODEL.dt])


def test_the_callback_is_told_how_far_the_run_is() -> None:
    fractions = list[float]()
    MODEL.run(steps=100, on_progress=fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.01
    assert fractions[-1] == 1.0


def test_compiled_code_is_left_seldom() -> None:
    fractions = list[float]()
    TwoLayerQG(nx=8, fft="scipy").run(steps=2000, save_every=2000, on_progress=fractions.append)
    # 1 + 2 + 4 + ... + 1024 steps, however slow the machine: twice as many at a time at least
    # until that takes a fifth of a second.
    assert len(fractions) < 40


@unstable
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(4))
def test_the_first_step_that_is_not_finite_is_named(dtype: str, seed: int) -> None:
    model = TwoLayerQG(nx=16, fft="scipy", dtype=dtype)
    state = violent_state(seed)
    step = first_step_not_finite(model, state)
    with pytest.raises(SolverBlewUp) as caught:
        model.run(steps=500, initial=state)
    assert caught.value.step == step
    assert caught.value.time == step * model.dt
    assert caught.value.field == "q"
    # Neither the saves nor the earlier steps change it.
    with pytest.raises(SolverBlewUp) as caught:
        model.run(steps=501, save_every=3, initial=state)
    assert caught.value.step == step


@unstable
def test_the_member_that_blew_up_first_is_named() -> None:
    state = violent_state(0, n_member=3, strength=1e-4)
    state[1] *= 100.0
    state[2] *= 0.0
    with pytest.raises(SolverBlewUp) as caught:
        MODEL.run(steps=500, initial=state)
    assert caught.value.member == 1
    assert caught.value.step == first_step_not_finite(MODEL, state[1:2])


@unstable
def test_the_courant_number_is_that_of_the_last_finite_state() -> None:
    state = violent_state(3)
    with pytest.raises(SolverBlewUp) as caught:
        MODEL.run(steps=500, initial=state)
    integration = MODEL.start(state)
    integration.advance(caught.value.step - 1)
    assert caught.value.courant_number == integration.courant_number()


@unstable
def test_what_a_blow_up_says() -> None:
    with pytest.raises(SolverBlewUp) as caught:
        MODEL.run(steps=500, initial=violent_state(0))
    step, courant = caught.value.step, caught.value.courant_number
    assert str(caught.value) == (
        f"two-layer quasi-geostrophic: q of member 0 is not finite after step {step} "
        f"(time {step * 7200:g} s); the last finite state had Courant number {courant:.3g} with "
        "dt = 7200 s; use a shorter dt or more dissipation"
    )


@unstable
def test_a_blow_up_leaves_a_file_that_is_whole(tmp_path: Path) -> None:
    state = violent_state(0, strength=1e-4)
    last = first_step_not_finite(MODEL, state) - 1
    with pytest.raises(SolverBlewUp):
        MODEL.run(steps=500, save_every=1, initial=state, path=tmp_path / "run.nc")
    with read_netcdf(tmp_path / "run.nc") as left:
        np.testing.assert_array_equal(left.time, np.arange(last + 1) * MODEL.dt)
        assert np.isfinite(left.q).all()
        finite = MODEL.run(steps=last, save_every=1, initial=state)
        np.testing.assert_array_equal(left.q, finite.q)


def test_an_interrupt_ends_a_run() -> None:
    def interrupt(_done: float) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        MODEL.run(steps=10, on_progress=interrupt)


def test_an_interrupt_in_a_python_closure_ends_a_run() -> None:
    def closure(_fields: Any, step: int) -> NDArray[np.float64]:
        if step == 3:
            signal.raise_signal(signal.SIGINT)
        return np.zeros(MODEL.state_shape)

    with pytest.raises(KeyboardInterrupt):
        MODEL.run(steps=10, tendency=closure)


def test_a_closure_of_another_shape() -> None:
    message = r"q_tendency: expected shape \(2, 16, 16\) \(layer, y, x\), got \(16, 16\)"
    with pytest.raises(TendencyError, match=message):
        MODEL.run(steps=2, tendency=lambda _fields, _step: np.zeros((16, 16)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"nx": 15}, "nx: expected an even number of at least 4 points, got 15"),
        ({"nx": 0}, "nx: expected an even number of at least 4 points, got 0"),
        ({"nx": 2}, "nx: expected an even number of at least 4 points, got 2"),
        ({"nx": -8}, "nx: expected an even number of at least 4 points, got -8"),
        ({"nx": 16, "ny": 7}, "ny: expected an even number of at least 4 points, got 7"),
        ({"dt": -1.0}, "dt: expected a positive number, got -1.0"),
        ({"dt": 0.0}, "dt: expected a positive number, got 0.0"),
        ({"dt": float("nan")}, "dt: expected a positive number, got nan"),
        ({"dtype": "float16"}, "dtype: expected float64 or float32, got float16"),
    ],
)
def test_what_is_wrong_with_a_parameter(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        TwoLayerQG(**parameters)
    assert str(caught.value) == message


def test_a_step_above_the_stability_limit_is_a_warning_with_the_limit() -> None:
    state = violent_state(0, strength=1e-4)
    with pytest.warns(StabilityWarning) as caught:
        integration = MODEL.start(state)
    limit = MODEL.stability_limit(integration)
    assert 0.0 < limit < MODEL.dt
    assert str(caught[0].message) == (
        f"two-layer quasi-geostrophic: dt: 7200 is above the stability limit {limit:.4g} [s] of "
        "this state; use a shorter dt"
    )


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        (
            np.zeros((2, 8, 8)),
            "initial: expected shape (2, 16, 16) or (n_member, 2, 16, 16), got (2, 8, 8)",
        ),
        (np.zeros(3), "initial: expected shape (2, 16, 16) or (n_member, 2, 16, 16), got (3,)"),
        (0.0, "initial: expected shape (2, 16, 16) or (n_member, 2, 16, 16), got ()"),
        (
            np.full((2, 16, 16), np.nan),
            "initial: expected finite values, got 512 non-finite of 512",
        ),
        (
            np.full((2, 16, 16), np.inf),
            "initial: expected finite values, got 512 non-finite of 512",
        ),
    ],
)
def test_what_is_wrong_with_an_initial_state(initial: Any, message: str) -> None:
    with pytest.raises(ValueError, match="initial: expected") as caught:
        MODEL.run(steps=1, initial=initial)
    assert str(caught.value) == message


def test_an_initial_state_of_another_number_of_members() -> None:
    with pytest.raises(ValueError, match=r"initial: expected shape .*, got \(2, 2, 16, 16\)"):
        MODEL.run(steps=1, n_member=3, initial=np.zeros((2, 2, 16, 16)))


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        ({}, "run: expected one of steps, time, days, got none"),
        ({"steps": 1, "days": 1}, "run: expected one of steps, time, days, got steps, days"),
        ({"days": 1.01}, "days: expected a positive multiple of dt = 7200, got 1.01, which is"),
        ({"steps": -3}, "steps: expected a positive multiple of dt = 7200, got -3, which is -3"),
        ({"steps": 4, "save_every": 0}, "save_every: expected a positive multiple of dt = 7200"),
    ],
)
def test_what_is_wrong_with_a_duration(duration: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        MODEL.run(**duration)
    assert str(caught.value).startswith(message)


def test_a_dataset_of_another_grid_is_not_continued() -> None:
    other = TwoLayerQG(nx=32, fft="scipy").run(steps=1)
    message = "initial: nx: expected 16 as in the model, got 32 in the dataset; to begin anew"
    with pytest.raises(ValueError, match=message):
        MODEL.run(steps=1, initial=other)


def test_a_dataset_without_restart_variables_is_not_continued() -> None:
    fields = MODEL.run(steps=1)[["q"]]
    with pytest.raises(ValueError, match="initial: expected a dataset with restart_"):
        MODEL.run(steps=1, initial=fields)


@pytest.mark.parametrize("n_member", [0, -1])
def test_a_number_of_members_that_is_not_positive(n_member: int) -> None:
    with pytest.raises(ValueError, match=f"n_member: expected .*, got {n_member}"):
        MODEL.run(steps=1, n_member=n_member)


@pytest.mark.parametrize("n_thread", [0, -1])
def test_a_number_of_threads_that_is_not_positive(n_thread: int) -> None:
    with pytest.raises(ValueError, match=f"n_thread: expected .*, got {n_thread}"):
        MODEL.run(steps=1, n_thread=n_thread)


def test_a_dataset_that_was_being_written_is_not_continued() -> None:
    torn = MODEL.run(steps=1).assign(restart_step=-1)
    with pytest.raises(ValueError, match=r"restart_step: expected .*resume=True"):
        MODEL.run(steps=1, initial=torn)
