"""The Lorenz-96 host in this process makes the steps that its program makes."""

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from bridge.test_memory_plateau import resident_mb
from numpy.typing import NDArray

import hybrid
from closures.lorenz96 import AR1Closure, CubicClosure
from fortran_bridge import HostError
from fortran_bridge.hosts import Lorenz96Host, run_host

pytestmark = pytest.mark.fortran

Array = NDArray[np.float64]
CUBIC = (-0.7, -1.11, 0.0004, 0.0028)
N_MEMBER, N_K, N_STEP = 3, 8, 20


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stochastic closure with state."""
    path = tmp_path_factory.mktemp("closures") / "cubic_ar1.pt"
    hybrid.export(CubicClosure(CUBIC) + AR1Closure(0.98, 1.8), path)
    return path


def start() -> Array:
    return 3.0 + np.random.default_rng(0).normal(size=(N_MEMBER, N_K))


def program(folder: Path, archive: Path | None, **more: Any) -> tuple[Array, xr.Dataset]:
    """X at every step after the start, and the restart file."""
    xr.Dataset({"x": (("member", "k"), start())}).to_netcdf(folder / "initial.nc")
    settings = {
        "archive": str(archive or ""),
        "initial_file": "initial.nc",
        "output_file": "output.nc",
        "restart_file": "restart.nc",
        "n_step": N_STEP,
        "seed": 5,
        **more,
    }
    run_host("lorenz96", {"settings": settings}, folder)
    with xr.open_dataset(folder / "output.nc") as output:
        x = output["x"].to_numpy()[1:]
    with xr.open_dataset(folder / "restart.nc") as restart:
        return x, restart.load()


def in_process(host: Lorenz96Host) -> Array:
    """X after each of the steps."""
    states = []
    for _ in range(N_STEP):
        host.advance()
        states.append(host.x.copy())
    return np.array(states)


@pytest.mark.parametrize("coefficients", [(0.0, 0.0, 0.0, 0.0), CUBIC])
def test_without_a_closure_every_bit_is_the_programs(
    coefficients: tuple[float, float, float, float], tmp_path: Path
) -> None:
    expected, _ = program(tmp_path, None, coefficients=list(coefficients))
    host = Lorenz96Host(start(), coefficients=coefficients)
    assert np.array_equal(in_process(host), expected)
    assert host.step == N_STEP
    assert host.summary == ""
    assert host.state_names == ()


def test_with_a_closure_every_bit_is_the_programs(archive: Path, tmp_path: Path) -> None:
    expected, restart = program(tmp_path, archive)
    host = Lorenz96Host(start())
    host.couple(archive, seed=5)
    assert np.array_equal(in_process(host), expected)
    assert len(host.state_names) == 1
    for name in host.state_names:
        state = restart[name].to_numpy()
        assert state.any()
        assert np.array_equal(host.state_get(name), state)
    # Four evaluations a step.
    assert f"0 of {4 * N_STEP * N_MEMBER * N_K} column evaluations flagged" in host.summary


def test_it_goes_on_from_where_another_stopped(archive: Path) -> None:
    whole = Lorenz96Host(start())
    whole.couple(archive, seed=5)
    whole.advance(10)
    (name,) = whole.state_names
    continued = Lorenz96Host(whole.x, step=whole.step)
    continued.couple(archive, seed=5)
    continued.state_set(name, whole.state_get(name))
    for host in (whole, continued):
        host.advance(10)
    assert np.array_equal(continued.x, whole.x)


def test_its_arrays_are_seen_while_it_runs() -> None:
    host, twin = Lorenz96Host(start()), Lorenz96Host(start() + 1.0)
    x = host.x
    assert np.array_equal(x, start())
    host.advance()
    assert np.array_equal(x, host.x)
    assert not np.array_equal(x, start())
    # What Python writes, Fortran reads.
    x[:] = start() + 1.0
    host.advance()
    twin.advance()
    assert np.array_equal(x, twin.x)


def test_what_acts_where_is_seen_while_it_runs(archive: Path) -> None:
    host = Lorenz96Host(start(), coefficients=CUBIC)
    subgrid, reasons = host.subgrid, host.reasons
    assert subgrid.shape == reasons.shape == (N_MEMBER, N_K)
    # 128: nothing was written, the host's own scheme acts.
    assert (reasons == 128).all()
    host.advance()
    assert (subgrid < 0.0).any()
    host.couple(archive, policy="host", seed=5)
    host.advance()
    assert (reasons == 0).all()


def test_an_array_outlives_its_host() -> None:
    host = Lorenz96Host(np.tile(start(), (100, 1)))
    host.advance()
    x, expected = host.x, host.x.copy()
    del host
    gc.collect()
    # Take the memory that was freed, if it was.
    others = [np.full_like(expected, np.nan) for _ in range(100)]
    assert len(others) == 100
    assert np.array_equal(x, expected)


def test_a_missing_archive_raises() -> None:
    host = Lorenz96Host(start())
    with pytest.raises(HostError, match=r"^lorenz96 host: nowhere\.pt: expected a readable arch"):
        host.couple("nowhere.pt")
    # It has no closure, and goes on.
    host.advance()
    assert np.isfinite(host.x).all()


def test_an_error_on_the_way_leaves_the_last_whole_step(archive: Path) -> None:
    host = Lorenz96Host(start())
    host.couple(archive, seed=5)
    host.advance(3)
    host.x[1, 2] = np.nan
    before = host.x.copy()
    with pytest.raises(HostError, match="x: expected finite values, got NaN in column 11 of 24"):
        host.advance()
    assert host.step == 3
    assert np.array_equal(host.x, before, equal_nan=True)
    host.x[1, 2] = 3.0
    host.advance()
    assert host.step == 4


@pytest.mark.parametrize(
    ("shape", "dt", "message"),
    [
        ((2, 3), 0.005, "n_k at least 4 and n_member at least 1, got 6 for n_k = 3 and n_member ="),
        ((0, 8), 0.005, "x: expected n_k * n_member values"),
        ((1, 8), 0.0, "dt: expected a positive time step, got  0.000E+00"),
    ],
)
def test_what_cannot_be_begun(shape: tuple[int, int], dt: float, message: str) -> None:
    with pytest.raises(HostError) as caught:
        Lorenz96Host(np.ones(shape), dt=dt)
    assert message in str(caught.value)


def test_a_hundred_hosts_leave_no_memory_behind(archive: Path) -> None:
    x = np.tile(start(), (50, 1))

    def cycle() -> None:
        # Its arrays take 50 kB.
        host = Lorenz96Host(x)
        host.couple(archive)
        host.advance()

    for _ in range(10):
        cycle()
    before = resident_mb()
    for _ in range(100):
        cycle()
    assert resident_mb() - before < 1.0
