"""The Fortran host's own scheme acts in the columns that the guard takes from the closure."""

import subprocess
from pathlib import Path
from typing import Any

import f90nml
import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import hybrid
from closures.lorenz96 import CubicClosure
from fortran_bridge.build import Prefix
from solvers.lorenz96 import Lorenz96

pytestmark = pytest.mark.fortran

Array = NDArray[np.float64]
FORCING, DT, N_STEP = 20.0, 0.005, 100
OWN = (-0.7, -1.11, 0.0004, 0.0028)
CONSTANT = 0.25  # what the closure says everywhere; a float32 holds it
RANGE = (-4.0, 9.0)  # in which the closure may be used
N_MEMBER, N_K = 3, 8


@pytest.fixture(scope="module")
def x() -> Array:
    start = 3.0 + np.random.default_rng(0).normal(size=(N_MEMBER, N_K))
    model = Lorenz96(n_k=N_K, forcing=FORCING, coefficients=OWN, dt=DT)
    spun_up: Array = model.run(steps=1000, save_every=1000, initial=start)["x"].to_numpy()[-1]
    return spun_up


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("constant") / "constant.pt"
    hybrid.export(CubicClosure([CONSTANT, 0.0, 0.0, 0.0], *RANGE), path)
    return path


def run_host(prefix: Prefix, folder: Path, x: Array, **settings: Any) -> tuple[Array, str]:
    """Return all states after the first, and the last line that the host printed."""
    xr.Dataset({"x": (("member", "k"), x)}).to_netcdf(folder / "initial.nc")
    group = {
        "initial_file": "initial.nc",
        "output_file": "output.nc",
        "coefficients": list(OWN),
        "n_step": N_STEP,
        **settings,
    }
    f90nml.Namelist({"settings": group}).write(folder / "host.nml", force=True)
    command = [str(prefix.host("lorenz96")), "host.nml"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    with xr.open_dataset(folder / "output.nc") as output:
        return output["x"].to_numpy()[1:], result.stdout.splitlines()[-1]


def mixed_run(x: Array) -> tuple[Array, int, int]:
    """Step the same in numpy; also return how many stage values were below and above the range."""
    b0, b1, b2, b3 = OWN
    below = above = 0
    saved = []
    for _ in range(N_STEP):
        total, tendency = np.zeros_like(x), np.zeros_like(x)
        for offset, weight in ((0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
            stage = x + offset * DT * tendency
            is_below, is_above = stage < RANGE[0], stage > RANGE[1]
            below, above = below + int(is_below.sum()), above + int(is_above.sum())
            own = ((b3 * stage + b2) * stage + b1) * stage + b0
            tendency = (
                np.where(is_below | is_above, own, CONSTANT)
                - np.roll(stage, 1, 1) * (np.roll(stage, 2, 1) - np.roll(stage, -1, 1))
                - stage
                + FORCING
            )
            total += weight / 6.0 * tendency
        x = x + DT * total
        saved.append(x)
    return np.array(saved), below, above


def test_own_scheme_acts_in_the_flagged_columns_and_nowhere_else(
    prefix: Prefix, x: Array, archive: Path, tmp_path: Path
) -> None:
    found, summary = run_host(prefix, tmp_path, x, archive=str(archive), policy="host")
    expected, below, above = mixed_run(x)
    n = 4 * N_STEP * x.size
    assert min(below, above, n - below - above) > n / 20
    # Sums are in another order; values are below 20 and errors grow tenfold in a time unit. One
    # column that took the other scheme at one stage would differ by 1e-4 and more.
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e2 * 20.0 * 2.0**-52)
    share = f"{100.0 * (below + above) / n:.3g}"
    assert summary == (
        f"cubic 1.0: {below + above} of {n} column evaluations flagged ({share} %), "
        f"policy host: x {below} below, {above} above"
    )


def test_with_policy_flag_the_closure_is_used_everywhere(
    prefix: Prefix, x: Array, archive: Path, tmp_path: Path
) -> None:
    found, summary = run_host(prefix, tmp_path, x, archive=str(archive), policy="flag")
    model = Lorenz96(n_k=N_K, forcing=FORCING, coefficients=(CONSTANT, 0.0, 0.0, 0.0), dt=DT)
    expected = np.asarray(model.run(steps=N_STEP, save_every=1, initial=x)["x"])[1:]
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e2 * 20.0 * 2.0**-52)
    assert "policy flag: x " in summary


def test_without_closure_the_own_scheme_acts_everywhere(
    prefix: Prefix, x: Array, tmp_path: Path
) -> None:
    found, last_line = run_host(prefix, tmp_path, x)
    model = Lorenz96(n_k=N_K, forcing=FORCING, coefficients=OWN, dt=DT)
    expected = np.asarray(model.run(steps=N_STEP, save_every=1, initial=x)["x"])[1:]
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e2 * 20.0 * 2.0**-52)
    assert last_line == "progress 1.0000"
