"""How bridges to networks fail, each by name: from Fortran, the right result or a clear error.

FTorch ends the process for a missing file and for numbers of another kind, fills all rows of an
array from a result of one row, and drops the end of a longer tuple. AOTInductor by itself takes
Fortran strides, float64 and another number of features for what it expects, and computes.
"""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
import torch
from bridge.archives import with_manifest
from closure_examples import N_LEVEL, ColumnNetwork
from numpy.typing import NDArray

import hybrid

pytestmark = pytest.mark.fortran
Run = Callable[..., CompletedProcess[str]]

N = 9
ERRORS = {
    "missing file": (1, "nowhere.pt: expected a readable archive file, got 'No such file"),
    "more results than declared": (3, "expected 1 results (outputs, new state), got 2"),
    "wrong kind": (7, "state_t: expected an array of 4-byte or 8-byte reals, got 16-byte"),
    "wrong feature count": (6, "state_t: expected 5 along 'level', got 6; regrid the array"),
    "wrong rows of an input": (6, "state_t: expected 9 along 'column', got 8"),
    "wrong rank of an output": (6, "ptend_t: expected rank 2 (column,level), got rank 1"),
    "wrong rows of an output": (6, "ptend_t: expected 1 along 'column', got 5"),
    "NaN": (9, "state_t: expected finite values, got NaN in column 4 of 9 (column id 4), element"),
}
RIGHT_RESULTS = ("float64", "float32", "Fortran strides", "NaN left to the host")


@pytest.fixture(
    scope="module", params=["closure.pt", pytest.param("closure.pt2", marks=pytest.mark.slow)]
)
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that begins with normalisation, which strides of another order would ruin."""
    path = tmp_path_factory.mktemp("failure_modes") / str(request.param)
    hybrid.export(ColumnNetwork(), path)
    return path


def without_precipitation(manifest: dict[str, Any]) -> None:
    manifest["spec"]["outputs"].pop()


def test_failure_modes(fortran_program: Run, archive: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    t, ps = rng.uniform(210, 300, (N, N_LEVEL)), rng.uniform(6e4, 1e5, N)
    (tmp_path / "inputs").write_bytes(t.tobytes(order="F") + ps.tobytes())
    more_results = with_manifest(
        archive, tmp_path / f"more_results{archive.suffix}", without_precipitation
    )
    result = fortran_program("failure_modes", archive, more_results, tmp_path / "inputs")
    assert result.returncode == 0, result.stderr

    found = {line.split("|", 2)[0]: line.split("|", 2)[1:] for line in result.stdout.splitlines()}
    assert found.keys() == ERRORS.keys()
    for case, (stat, part) in ERRORS.items():
        assert int(found[case][0]) == stat, case
        assert part in found[case][1], case

    expected = reference(t, ps)
    for case in RIGHT_RESULTS:
        values = np.fromfile(tmp_path / case).reshape(N_LEVEL, N).T
        if case == "NaN left to the host":
            assert np.all(values[3] == -7.0)
            values[3] = expected[3]
        # Sums of 32 float32 products, of magnitude one before the factor 1e-5.
        np.testing.assert_allclose(values, expected, rtol=0.0, atol=1e-5 * 64 * 2.0**-24)


def reference(t: NDArray[np.float64], ps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The temperature tendency by the Python closure in float64."""
    network = ColumnNetwork().double()
    with torch.no_grad():
        tendency, _ = network(torch.from_numpy(t), torch.from_numpy(ps))
    result: NDArray[np.float64] = tendency.numpy()
    return result
