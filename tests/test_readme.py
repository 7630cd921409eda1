"""The examples in the README do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

README = Path(__file__).resolve().parents[1] / "README.md"
N_BLOCKS = {"python": 3, "fortran": 2, "sh": 1}


def blocks(language: str) -> list[str]:
    """Return the fenced blocks in `language`, in order."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
    assert len(found) == N_BLOCKS[language], f"{language}: got {len(found)} blocks"
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def python_names(folder: Path) -> list[dict[str, Any]]:
    """Run the Python examples in `folder`; return the variables that each leaves."""
    ran = []
    before = Path.cwd()
    os.chdir(folder)
    try:
        for i, source in enumerate(blocks("python")):
            # In a file, because TorchScript reads the source of a closure's forward.
            script = folder / f"example_{i}.py"
            script.write_text(source)
            names: dict[str, Any] = {"__name__": script.stem}
            exec(compile(source, str(script), "exec"), names)
            ran.append(names)
    finally:
        os.chdir(before)
    return ran


def run_fortran(folder: Path, example: int, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Compile and run `name`.f90 as the README says; return the numbers it prints."""
    (commands,) = blocks("sh")
    assert commands.count("host") == 3
    assert f"`{name}.f90`" in README.read_text()
    commands = commands.replace("host", name)
    (folder / f"{name}.f90").write_text(blocks("fortran")[example])
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return np.array(result.stdout.split(), dtype=float)


def test_python_example_runs_the_closure_that_was_fitted(
    python_names: list[dict[str, Any]],
) -> None:
    names = python_names[0]
    columns, x, tendency = names["columns"], names["x"].copy(), names["tendency"]
    columns.run(200)
    cubic = np.polynomial.Polynomial([getattr(names["cubic"], f"b{i}") for i in range(4)])
    columns.commit()
    residual = columns.state_get("ar1_residual").ravel()
    expected = cubic(x) + names["closure"].graph_module.second.sigma * residual
    # The closure computes in float32, here written out in float64.
    np.testing.assert_allclose(tendency, expected, rtol=0.0, atol=2e-5)
    assert np.abs(residual).max() > 0.0


def test_python_example_stays_on_the_attractor(python_names: list[dict[str, Any]]) -> None:
    pairs = python_names[0]["pairs"]["x"]
    x = python_names[0]["x"]
    # The range of a short sample is no bound; three standard deviations of X leave none out.
    distance = np.abs(x - float(pairs.mean())) / float(pairs.std())
    assert distance.max() < 3.0
    assert np.unique(x).size == 8


@pytest.mark.fortran
def test_fortran_example_gives_the_same_as_python(
    folder: Path, python_names: list[dict[str, Any]]
) -> None:
    x = run_fortran(folder, 0, "host")
    # Same archive, seed and columns; over one time unit of a chaotic system, single rounding
    # differences (float32 inside the closure, 1e-7) may grow by a factor of about ten.
    np.testing.assert_allclose(x, python_names[0]["x"], rtol=0.0, atol=1e-5)


@pytest.mark.fortran
def test_own_closure_gives_the_same_in_host_units_and_order(
    folder: Path, python_names: list[dict[str, Any]]
) -> None:
    expected = 86400.0 * python_names[1]["tendency"]
    # Columns and levels differ by far more than the tolerance: a swapped order would show.
    assert np.abs(np.diff(expected, axis=0)).max() > 0.01
    assert np.abs(np.diff(expected, axis=1)).max() > 0.1
    found = run_fortran(folder, 1, "own").reshape(expected.shape)
    # Four decimals are printed; real32 adds 1e-7 of values of a few K day-1.
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-4)
