"""What a closure carries from step to step belongs to the state of the run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from coupling_examples import MODEL, N_POINT, Archives, drag

from hybrid.coupling import couple
from solvers import SolverBlewUp


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    return Archives(tmp_path_factory.mktemp("archives"))


def run(archive: Path, steps: int, **options: Any) -> xr.Dataset:
    """Run with the closure of an archive and save the last state."""
    return MODEL.run(steps=steps, save_every=steps, tendency=couple(archive, seed=3), **options)


def last(dataset: xr.Dataset, name: str) -> np.ndarray[Any, Any]:
    variable = dataset[name]
    return (variable.isel(time=-1) if "time" in variable.dims else variable).to_numpy()


def test_a_restart_continues_the_closure_bit_for_bit(archives: Archives, tmp_path: Path) -> None:
    archive = archives["weather"]
    whole, first = run(archive, 20, n_member=2), run(archive, 8, n_member=2)
    state = first.restart_closure_residual
    assert dict(state.sizes) == {"member": 2, "closure_column": N_POINT, "closure_residual": 1}
    first.to_netcdf(tmp_path / "first.nc")
    with xr.open_dataset(tmp_path / "first.nc") as stored:
        second = run(archive, 12, initial=stored)
    for name in ("q", "restart_q", "restart_closure_residual"):
        np.testing.assert_array_equal(last(second, name), last(whole, name))
    # The state matters: without it the run goes elsewhere.
    forgetful = run(archive, 12, initial=first.drop_vars("restart_closure_residual"))
    assert not np.array_equal(last(forgetful, "q"), last(whole, "q"))


def test_a_closure_may_be_coupled_before_or_after_the_state(archives: Archives) -> None:
    first = run(archives["weather"], 5)
    after = MODEL.start(first, tendency=couple(archives["weather"], seed=3))
    before = MODEL.start(tendency=couple(archives["weather"], seed=3))
    before.advance(1)
    before.continue_from(first)
    for integration in (before, after):
        integration.advance(5)
    np.testing.assert_array_equal(before.prognostic["q"], after.prognostic["q"])


def test_the_state_of_another_closure_is_refused(archives: Archives) -> None:
    first = run(archives["weather"], 2)
    message = (
        r"initial: expected the state of the closure, count \(1, 2048, 2\), got residual "
        r"\(1, 2048, 1\); continue with the closure and .* drop its variables restart_closure_\*"
    )
    changed = "begun with the closure weather .* continues with"
    with (
        pytest.warns(UserWarning, match=f"{changed} growth"),
        pytest.raises(ValueError, match=message),
    ):
        run(archives["growth"], 2, initial=first)
    message = "expected the state of the closure, none, got residual"
    with (
        pytest.warns(UserWarning, match=f"{changed} drag"),
        pytest.raises(ValueError, match=message),
    ):
        MODEL.run(steps=2, initial=first, tendency=drag)


def test_a_run_may_lose_or_gain_a_closure(archives: Archives) -> None:
    with pytest.warns(UserWarning, match="begun with the closure weather .* continues with none"):
        alone = MODEL.run(steps=2, initial=run(archives["weather"], 2))
    assert not [name for name in alone if str(name).startswith("restart_closure")]
    joined = run(archives["weather"], 2, initial=alone)
    assert np.all(joined.restart_closure_residual != 0.0)


def test_the_state_goes_back_with_a_run_that_blows_up(archives: Archives) -> None:
    integration = MODEL.start(seed=1, tendency=couple(archives["growth"]))
    with pytest.raises(SolverBlewUp) as blown:
        integration.advance(500)
    finite_steps = blown.value.step - 1
    assert 5 < finite_steps < 400
    assert np.all(integration.restart()["restart_closure_count"] == finite_steps)
    assert np.isfinite(integration.prognostic["q"]).all()
