"""What cannot be continued from is refused, by name, and leaves the state as it was."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from solvers import TwoLayerQG
from solvers.integration import Integration
from solvers.restart_variables import RESTART

MODEL = TwoLayerQG(nx=8, fft="scipy")


@pytest.fixture(scope="module")
def run() -> xr.Dataset:
    return MODEL.run(steps=3, seed=1)


def with_nan(run: xr.Dataset) -> xr.Dataset:
    broken = run.copy(deep=True)
    broken["restart_q_tendency"].values[0, 0, 0, 0, 1] = np.nan
    return broken


REFUSED: dict[str, tuple[Callable[[xr.Dataset], xr.Dataset], str]] = {
    "missing": (
        lambda run: run.drop_vars("restart_q_tendency"),
        "initial: expected a dataset with restart_q_tendency, as run",
    ),
    "nan": (
        with_nan,
        r"initial: restart_q_tendency: expected finite values, got 2 non-finite of \d+; continue",
    ),
    "another precision": (
        lambda run: run.assign(restart_q_tendency=run.restart_q_tendency.astype("float32")),
        "initial: restart_q_tendency: expected float64 of shape .*, got float32 of shape",
    ),
    "joined": (
        lambda run: xr.concat([run, run], "time", data_vars="all"),
        r"initial: restart_step: expected one whole number, got int64 of shape \(8,\); continue",
    ),
    "step of no number": (
        lambda run: run.assign(restart_step=np.nan),
        "initial: restart_step: expected finite values, got 1 non-finite of 1",
    ),
    "fraction of a step": (
        lambda run: run.assign(restart_step=2.5),
        r"initial: restart_step: expected one whole number, got float64 of shape \(\)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_leaves_the_state(name: str, run: xr.Dataset) -> None:
    change, message = REFUSED[name]
    integration = MODEL.start(seed=2)
    integration.advance(1)
    before = integration.restart()
    with pytest.raises(ValueError, match=message):
        integration.continue_from(change(run))
    assert_same(integration, before)


def test_a_refused_state_of_a_closure_leaves_the_state(run: xr.Dataset) -> None:
    integration = MODEL.start(seed=2, tendency=lambda fields, _step: 0.0 * fields["q"])
    before = integration.restart()
    state = run.assign(restart_closure_memory=(("member", "a", "b"), np.ones((1, 2, 3))))
    with pytest.raises(ValueError, match="expected the state of the closure, none, got memory"):
        integration.continue_from(state)
    assert_same(integration, before)


def assert_same(integration: Integration, before: dict[str, xr.Variable]) -> None:
    now = integration.restart()
    assert now.keys() == before.keys()
    assert {f"{RESTART}step", f"{RESTART}q"} <= now.keys()
    for name, variable in before.items():
        xr.testing.assert_identical(now[name], variable)
