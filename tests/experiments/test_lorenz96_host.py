"""The Fortran host against the same equations in numba and numpy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from numpy.typing import NDArray

import hybrid
from closures import Closure
from closures.lorenz96 import AR1Closure, CubicClosure
from fortran_bridge.errors import HostError
from fortran_bridge.hosts import run_host
from hybrid.experiments.lorenz96.coupled import HostRun
from hybrid.experiments.lorenz96.training import Compiled
from hybrid.noise import standard_normal
from solvers.lorenz96 import Lorenz96

pytestmark = pytest.mark.fortran

Array = NDArray[np.float64]
FORCING = 20.0
CUBIC = [-0.7, -1.11, 0.0004, 0.0028]
EPS32 = 2.0**-24


@pytest.fixture(scope="module")
def x() -> Array:
    start = 3.0 + np.random.default_rng(0).normal(size=(3, 8))
    return np.asarray(numba_run(start, 1000, tuple(CUBIC))[-1])


@pytest.fixture(scope="module")
def cubic(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return compiled(CubicClosure(CUBIC), tmp_path_factory.mktemp("cubic") / "cubic.pt")


@pytest.fixture(scope="module")
def cubic_ar1(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    path = tmp_path_factory.mktemp("cubic_ar1") / "cubic_ar1.pt"
    return compiled(CubicClosure(CUBIC) + AR1Closure(0.98, 1.8), path)


def numba_run(x: Array, n_step: int, coefficients: tuple[float, ...] | None = None) -> Array:
    """Every tenth state after the first."""
    model = Lorenz96(n_k=8, forcing=FORCING, coefficients=coefficients, dt=0.005)
    return model.run(steps=n_step, save_every=10, initial=x)["x"].to_numpy()[1:]


def compiled(closure: Closure, path: Path) -> Compiled:
    hybrid.export(closure, path)
    return Compiled(path, tuple(field.name for field in closure.spec.state))


def host_run(name: str, closure: Compiled | None, x: Array, n_step: int, seed: int = 1) -> HostRun:
    return HostRun(name, name, closure, x, n_step, seed)


def test_without_closure_the_host_solves_the_same_equations(x: Array, tmp_path: Path) -> None:
    found = host_run("none", None, x, 200).run(tmp_path, FORCING)
    expected = numba_run(x, 200)
    # Sums are in another order; values are below 20 and errors grow tenfold in a time unit.
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e2 * 20.0 * 2.0**-52)


def test_with_a_cubic_the_host_follows_the_numba_model(
    x: Array, cubic: Compiled, tmp_path: Path
) -> None:
    found = host_run("cubic", cubic, x, 200).run(tmp_path, FORCING)
    expected = numba_run(x, 200, tuple(CUBIC))
    # The closure rounds terms below 25 to float32; errors grow tenfold in a time unit.
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=20 * 25.0 * EPS32)


def test_a_stochastic_closure_sees_one_noise_a_step_and_commits_once(
    x: Array, cubic_ar1: Compiled, tmp_path: Path
) -> None:
    run = host_run("cubic_ar1", cubic_ar1, x, 60, seed=7)
    found = run.run(tmp_path, FORCING)
    with xr.open_dataset(tmp_path / "cubic_ar1" / "initial.nc") as initial:
        residual = initial["ar1_residual"].to_numpy()
    expected = stochastic_run(x, residual, n_step=60, seed=7)
    # Same float32 arithmetic: at most a rounding of the closure over 0.3 time units.
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=25.0 * EPS32)


def stochastic_run(x: Array, residual: Array, n_step: int, seed: int) -> Array:
    """Step the model in numpy with the bridge's random numbers; every tenth state."""
    closure = CubicClosure(CUBIC) + AR1Closure(0.98, 1.8)
    column_id = np.arange(1, x.size + 1)
    state = torch.from_numpy(residual.ravel()).float()
    saved = []
    for step in range(1, n_step + 1):
        noise = torch.from_numpy(standard_normal(seed, 0, step, column_id, 1)[:, 0]).float()
        total, tendency, new = np.zeros_like(x), np.zeros_like(x), state
        for offset, weight in ((0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
            stage = x + offset * 0.005 * tendency
            subgrid, new = closure(torch.from_numpy(stage.ravel()).float(), state, noise)
            tendency = (
                -np.roll(stage, 1, 1) * (np.roll(stage, 2, 1) - np.roll(stage, -1, 1))
                - stage
                + FORCING
                + subgrid.double().numpy().reshape(x.shape)
            )
            total += weight / 6.0 * tendency
        x, state = x + 0.005 * total, new
        if step % 10 == 0:
            saved.append(x)
    return np.array(saved)


def test_a_seed_determines_a_stochastic_run(x: Array, cubic_ar1: Compiled, tmp_path: Path) -> None:
    first, again, other = (
        host_run(name, cubic_ar1, x, 50, seed).run(tmp_path, FORCING)
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_a_member_does_not_depend_on_those_that_come_along(
    x: Array, cubic: Compiled, tmp_path: Path
) -> None:
    together = host_run("all", cubic, x, 100).run(tmp_path, FORCING)
    alone = host_run("one", cubic, x[1:2], 100).run(tmp_path, FORCING)
    np.testing.assert_array_equal(together[:, 1:2], alone)


def test_the_output_says_what_it_is(x: Array, cubic: Compiled, tmp_path: Path) -> None:
    host_run("cubic", cubic, x, 25, seed=5).run(tmp_path, FORCING)
    with xr.open_dataset(tmp_path / "cubic" / "output.nc") as output:
        assert output["x"].dims == ("time", "member", "k")
        assert output["x"].attrs["units"] == output["time"].attrs["units"] == "1"
        np.testing.assert_allclose(output["time"], [0.0, 0.05, 0.1])
        np.testing.assert_array_equal(output["x"][0], x)
        assert output.attrs["source"] == "hybrid-lorenz96-host"
        assert output.attrs["archive"] == str(cubic.archive.resolve())
        assert output.attrs["seed"] == "5"
        assert (output.attrs["forcing"], output.attrs["dt"]) == (20.0, 0.005)


def test_progress_is_reported(x: Array, tmp_path: Path) -> None:
    write_initial(tmp_path, {"x": x})
    said: list[float] = []
    run_host("lorenz96", {"settings": {**SETTINGS, "n_step": 100}}, tmp_path, said.append)
    assert said == sorted(said)
    assert said[-1] == 1.0
    assert len(said) == 50


SETTINGS = {"initial_file": "initial.nc", "output_file": "output.nc", "n_step": 5}


def write_initial(folder: Path, fields: dict[str, Array]) -> None:
    variables = {name: (("member", "k"), values) for name, values in fields.items()}
    xr.Dataset(variables).to_netcdf(folder / "initial.nc")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"initial_file": "missing.nc"}, r"missing\.nc: No such file or directory"),
        ({"initial_file": ""}, "initial_file: expected a netCDF file, got none"),
        ({"output_file": ""}, "output_file: expected a path, got none"),
        ({"n_step": 0}, "n_step: expected at least one step"),
        ({"save_every": 0}, "save_every: expected at least 1"),
        ({"dt": -0.005}, "dt: expected a positive time step"),
        ({"sead": 3}, "group settings: .*sead"),
        ({"archive": "missing.pt"}, r"missing\.pt"),
        ({"dt": 1.0, "n_step": 50}, "x is no longer finite at step"),
    ],
)
def test_messages_of_the_host(
    x: Array, changed: dict[str, Any], message: str, tmp_path: Path
) -> None:
    write_initial(tmp_path, {"x": x})
    with pytest.raises(HostError, match=message):
        run_host("lorenz96", {"settings": {**SETTINGS, **changed}}, tmp_path)


def test_state_that_the_closure_does_not_have(x: Array, cubic: Compiled, tmp_path: Path) -> None:
    write_initial(tmp_path, {"x": x, "memory": x})
    settings = {**SETTINGS, "archive": str(cubic.archive)}
    with pytest.raises(HostError, match="memory"):
        run_host("lorenz96", {"settings": settings}, tmp_path)


def test_initial_file_without_x(x: Array, tmp_path: Path) -> None:
    write_initial(tmp_path, {"y": x})
    with pytest.raises(HostError, match=r"initial\.nc: variable x: .*[Vv]ariable not found"):
        run_host("lorenz96", {"settings": SETTINGS}, tmp_path)
