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


def block(language: str) -> str:
    """Return the only fenced block in `language`."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"expected one {language} block in the README, got {len(found)}"
    return str(found[0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def python_names(folder: Path) -> dict[str, Any]:
    """Run the Python example in `folder`; return the variables it leaves."""
    names: dict[str, Any] = {"__name__": "readme"}
    before = Path.cwd()
    os.chdir(folder)
    try:
        exec(compile(block("python"), str(README), "exec"), names)
    finally:
        os.chdir(before)
    return names


def test_python_example_runs_the_closure_that_was_fitted(python_names: dict[str, Any]) -> None:
    names = python_names
    columns, x, tendency = names["columns"], names["x"].copy(), names["tendency"]
    columns.run(200)
    cubic = np.polynomial.Polynomial([getattr(names["cubic"], f"b{i}") for i in range(4)])
    columns.commit()
    residual = columns.state_get("ar1_residual").ravel()
    expected = cubic(x) + names["closure"].graph_module.second.sigma * residual
    # The closure computes in float32, here written out in float64.
    np.testing.assert_allclose(tendency, expected, rtol=0.0, atol=2e-5)
    assert np.abs(residual).max() > 0.0


def test_python_example_stays_on_the_attractor(python_names: dict[str, Any]) -> None:
    pairs = python_names["pairs"]["x"]
    x = python_names["x"]
    # The range of a short sample is no bound; three standard deviations of X leave none out.
    distance = np.abs(x - float(pairs.mean())) / float(pairs.std())
    assert distance.max() < 3.0
    assert np.unique(x).size == 8


@pytest.mark.fortran
def test_fortran_example_gives_the_same_as_python(
    folder: Path, python_names: dict[str, Any]
) -> None:
    (folder / "host.f90").write_text(block("fortran"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block("sh")],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    x = np.array(result.stdout.split(), dtype=float)
    # Same archive, seed and columns; over one time unit of a chaotic system, single rounding
    # differences (float32 inside the closure, 1e-7) may grow by a factor of about ten.
    np.testing.assert_allclose(x, python_names["x"], rtol=0.0, atol=1e-5)
