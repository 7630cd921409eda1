"""Columns of Fortran hosts: guard, shares, chunks, grids, state, sessions and handles."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bridge.fortran_closures import Difference, Doubling, Guarded, Shaken
from closure_examples import N_LEVEL

import hybrid
from closures import Closure

pytestmark = pytest.mark.fortran
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("program", "closure", "says"),
    [
        ("guard", Guarded, "the guard does what it says"),
        ("coupling", Doubling, "shares are what they should be"),
        ("chunk", Shaken, "chunks agree"),
        ("grid", Difference, "the grid is right"),
        ("session", Guarded, hybrid.__version__),
    ],
)
def test_program(
    fortran_program: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    closure: Callable[[], Closure],
    says: str,
) -> None:
    monkeypatch.setenv("OMPI_COMM_WORLD_LOCAL_RANK", "5")
    hybrid.export(closure(), tmp_path / "closure.pt")
    result = fortran_program(program, tmp_path / "closure.pt")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == says


def test_handles_are_released_once(fortran_program: Run, column_archive: Path) -> None:
    result = fortran_program("handles", column_archive)
    assert result.returncode == 0, result.stderr
    after_a_third, at_the_end = map(float, result.stdout.split())
    # One binding of the 1200 that are lost on the way has half a megabyte.
    assert at_the_end - after_a_third < 5.0


def test_state_agrees_with_python(fortran_program: Run, persistence_archive: Path) -> None:
    result = fortran_program("state", persistence_archive)
    assert result.returncode == 0, result.stderr
    x, tendency = np.full(4, 0.25), np.zeros(4)
    ids = np.array([3, 1, 4, 15])
    binding = hybrid.load(persistence_archive).create(4, column_id=ids, seed=42)
    binding.bind("x", x, dims="column", units="1")
    binding.bind("x_tendency", tendency, dims="column", units="s-1")
    for step in range(1, 5):
        binding.run(step)
        binding.commit()
    np.testing.assert_array_equal(np.array(result.stdout.split(), dtype=float), tendency)
    assert binding.state_get("memory", N_LEVEL).shape == (4, N_LEVEL)
