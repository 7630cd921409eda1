"""Time loops that save by themselves save what others would, and say so when they blow up."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from solvers import Lorenz63, Lorenz96, TwoScaleLorenz96Rasp, TwoScaleLorenz96Wilks
from solvers.model import Model
from solvers.recorder import MemoryRecorder
from solvers.saving_integration import SavingIntegration

MODELS = [
    Lorenz63(),
    Lorenz96(n_k=9, coefficients=(0.1, -0.2)),
    TwoScaleLorenz96Wilks(n_k=9, n_j=4, save_fast=True),
    TwoScaleLorenz96Rasp(n_k=8, n_j=4, dtype="float32"),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.title)


def started(model: Model, **options: Any) -> SavingIntegration:
    integration = model.start(n_member=3, seed=1, **options)
    assert isinstance(integration, SavingIntegration)
    return integration


@every_model
@pytest.mark.parametrize("save_every", [1, 4])
def test_the_time_loop_saves_the_fields_of_each_moment(model: Model, save_every: int) -> None:
    saving, stopping = started(model, n_thread=2), started(model)
    saved = saving.advance_and_save(5, save_every)
    for i in range(5):
        stopping.advance(save_every)
        for name, field in stopping.fields().items():
            assert saved[name].dims == ("time", *field.dims)
            assert saved[name].attrs == field.attrs
            assert saved[name].dtype == model.dtype  # type: ignore[attr-defined]
            np.testing.assert_array_equal(saved[name][i], field, err_msg=name)
    assert saving.step == stopping.step == 5 * save_every
    # What comes afterwards is not saved.
    saving.advance(7)
    stopping.advance(7)
    for name, field in stopping.fields().items():
        np.testing.assert_array_equal(saving.fields()[name], field, err_msg=name)


@every_model
def test_a_run_does_not_depend_on_who_saves(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the last interval is shorter, and where a run begins at a step of another."""
    first = model.run(steps=203, save_every=10, n_member=2)
    second = model.run(steps=101, save_every=10, initial=first)
    monkeypatch.setattr("solvers.run_loop.SavingIntegration", Lorenz63)
    xr.testing.assert_identical(model.run(steps=203, save_every=10, n_member=2), first)
    xr.testing.assert_identical(model.run(steps=101, save_every=10, initial=first), second)
    steps = np.array([*range(0, 201, 10), 203])
    np.testing.assert_array_equal(first["time"], steps * model.dt)
    np.testing.assert_array_equal(second["time"], np.array([*range(213, 304, 10), 304]) * model.dt)


def test_many_moments_are_recorded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    class Counting(MemoryRecorder):
        def save(self, snapshot: xr.Dataset) -> None:
            sizes.append(snapshot.sizes["time"])
            super().save(snapshot)

    monkeypatch.setattr("solvers.run_loop.MemoryRecorder", Counting)
    run = Lorenz63().run(steps=50_000, save_every=5)
    assert run.sizes["time"] == sum(sizes) == 10_001
    assert len(sizes) < 100


def test_progress_is_told_on_the_way() -> None:
    said: list[float] = []
    Lorenz63().run(steps=1000, save_every=2, on_progress=said.append)
    assert said == sorted(said)
    assert said[-1] == 1.0
    assert len(said) > 5


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_a_file_is_the_same_as_memory(suffix: str, tmp_path: Path) -> None:
    model, options = MODELS[2], {"steps": 303, "save_every": 5, "n_member": 2}
    expected = model.run(**options)  # type: ignore[arg-type]

    def interrupt(fraction: float) -> None:
        if fraction > 0.3:
            raise KeyboardInterrupt

    path = tmp_path / f"run{suffix}"
    with pytest.raises(KeyboardInterrupt):
        model.run(**options, path=path, on_progress=interrupt)  # type: ignore[arg-type]
    with model.run(**options, path=path, resume=True) as found:  # type: ignore[arg-type]
        xr.testing.assert_equal(found.load(), expected)


def test_a_closure_that_fails_names_its_step() -> None:
    def fail(fields: Any, step: int) -> Any:
        if step == 17:
            raise ZeroDivisionError("seventeen")
        return {}

    integration = started(Lorenz96(), tendency=fail)
    with pytest.raises(ZeroDivisionError, match="seventeen"):
        integration.advance_and_save(10, 3)
    assert integration.step == 0
    integration.advance(17)
    assert integration.step == 17
