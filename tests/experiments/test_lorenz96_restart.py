"""The Fortran host stops, writes a restart file and goes on bit for bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from closure_examples import Persistence

import hybrid
from closures.lorenz96 import AR1Closure, CubicClosure
from fortran_bridge.errors import HostError
from fortran_bridge.hosts import run_host

pytestmark = pytest.mark.fortran

N_MEMBER, N_K = 3, 8
CUBIC = [-0.7, -1.11, 0.0004, 0.0028]


class Remembering(Persistence):
    """A profile of state in each column; its tendency has no dimension, as the host's has not."""

    def __init__(self) -> None:
        super().__init__()
        tendency = hybrid.Field("x_tendency", "1")
        self.spec = hybrid.ClosureSpec(
            name="remembering",
            version="1.0",
            inputs=self.spec.inputs,
            outputs=(tendency,),
            state=self.spec.state,
            noise=self.spec.noise,
        )


@pytest.fixture(scope="module", params=["cubic_ar1", "remembering"])
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stochastic closure with one, or with five numbers of state a column."""
    path = tmp_path_factory.mktemp("closures") / f"{request.param}.pt"
    cubic_ar1 = CubicClosure(CUBIC) + AR1Closure(0.98, 1.8)
    hybrid.export(cubic_ar1 if request.param == "cubic_ar1" else Remembering(), path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Working folder with an initial file."""
    x = 3.0 + np.random.default_rng(0).normal(size=(N_MEMBER, N_K))
    xr.Dataset({"x": (("member", "k"), x)}).to_netcdf(tmp_path / "initial.nc")
    return tmp_path


def run(
    folder: Path, archive: Path | None, start: str, name: str, n_step: int, **more: Any
) -> xr.Dataset:
    """Run the host from a file; return its output and leave a restart file."""
    settings = {
        "archive": str(archive or ""),
        "initial_file": start,
        "output_file": f"{name}.nc",
        "restart_file": f"{name}_restart.nc",
        "n_step": n_step,
        "save_every": 10,
        "seed": 5,
    }
    run_host("lorenz96", {"settings": {**settings, **more}}, folder)
    with xr.open_dataset(folder / f"{name}.nc") as output:
        return output.load()


def test_fifty_steps_and_fifty_more_are_a_hundred(archive: Path, folder: Path) -> None:
    whole = run(folder, archive, "initial.nc", "whole", 100)
    first = run(folder, archive, "initial.nc", "first", 50)
    second = run(folder, archive, "first_restart.nc", "second", 50)
    for name in ("time", "x"):
        # The second run begins with the state that the first one ended with.
        parts = np.concatenate([first[name].to_numpy(), second[name].to_numpy()[1:]])
        assert parts.tobytes() == whole[name].to_numpy().tobytes()
    with (
        xr.open_dataset(folder / "whole_restart.nc") as expected,
        xr.open_dataset(folder / "second_restart.nc") as found,
    ):
        assert int(expected["step"]) == 100
        assert len(expected.data_vars) == 3
        for variable in map(str, expected.data_vars):
            a, b = expected[variable], found[variable]
            assert a.to_numpy().tobytes() == b.to_numpy().tobytes(), variable
            assert variable == "step" or a.attrs["units"] == "1"


def test_an_interruption_between_saved_states(archive: Path, folder: Path) -> None:
    whole = run(folder, archive, "initial.nc", "whole", 60)
    first = run(folder, archive, "initial.nc", "first", 37)
    second = run(folder, archive, "first_restart.nc", "second", 23)
    np.testing.assert_allclose(second["time"][:2], [37 * 0.005, 40 * 0.005], rtol=1e-15)
    parts = np.concatenate([first["x"].to_numpy(), second["x"].to_numpy()[1:]])
    assert parts.tobytes() == whole["x"].to_numpy().tobytes()


def test_state_is_needed_to_go_on(archive: Path, folder: Path) -> None:
    whole = run(folder, archive, "initial.nc", "whole", 100)
    run(folder, archive, "initial.nc", "first", 50)
    # The step alone determines the noise: what differs below is the state that is missing.
    with xr.open_dataset(folder / "first_restart.nc") as file:
        (state,) = set(map(str, file.data_vars)) - {"step", "x"}
        file.load().drop_vars(state).to_netcdf(folder / "without.nc")
        zero = file.load().assign({state: file[state] * 0.0})
        zero.to_netcdf(folder / "zero.nc")
    with pytest.raises(HostError, match=f"without.nc: expected the state field {state}"):
        run(folder, archive, "without.nc", "second", 50)
    second = run(folder, archive, "zero.nc", "second", 50)
    assert np.abs(second["x"][-1] - whole["x"][-1]).max() > 1e-3


def test_without_closure_the_restart_file_is_x_alone(folder: Path) -> None:
    run(folder, None, "initial.nc", "first", 5)
    with xr.open_dataset(folder / "first_restart.nc") as file:
        assert set(file.data_vars) == {"step", "x"}


def test_state_on_other_dimensions_than_x(archive: Path, folder: Path) -> None:
    with xr.open_dataset(folder / "initial.nc") as file:
        turned = file.load().assign(memory=(("k", "member"), file["x"].to_numpy().T))
    turned.to_netcdf(folder / "turned.nc")
    with pytest.raises(HostError, match=r"turned\.nc: memory: expected dimensions \(member, k\)"):
        run(folder, archive, "turned.nc", "run", 5)


def test_a_restart_file_that_cannot_be_written(archive: Path, folder: Path) -> None:
    with pytest.raises(HostError, match=r"nowhere/restart\.nc: No such file or directory"):
        run(folder, archive, "initial.nc", "run", 5, restart_file="nowhere/restart.nc")
