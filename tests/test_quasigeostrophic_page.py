"""The programs of the page on closures of two-layer flow run, one after the other."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fortran_bridge.build import Prefix
from hybrid.experiments.quasigeostrophic.learning.plan import Learning
from hybrid.experiments.quasigeostrophic.learning.states_file import write_states
from hybrid.experiments.quasigeostrophic.runs.configurations import CONFIGURATIONS, HOUR

PAGE = Path(__file__).parents[1] / "docs" / "quasigeostrophic.md"


#: Tenth parts of the runs show as much.
SHORTER = {
    "days=20, save_every=5": "days=2, save_every=1",
    "days=1000, save_every=50": "days=100, save_every=5",
}


def programs() -> list[str]:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for long, short in SHORTER.items():
        blocks = [block.replace(long, short) for block in blocks]
    return blocks


@pytest.mark.fortran
def test_the_programs_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path / "cache"))
    learning = Learning(n_run=2, years=0.2, every=100.0 * HOUR)
    write_states(tmp_path / "eddy.zarr", replace(CONFIGURATIONS["eddy"], n_truth=128), learning)
    names: dict[str, Any] = {}
    in_python = [block for block in programs() if "run_host" not in block]
    assert len(in_python) == 3
    for block in in_python:
        exec(block, names)
    assert names["run"].q.sizes["time"] == 3
    archives = {"backscatter.pt", "stresses.pt", "symbolic.pt", "sparse.pt"}
    assert archives <= {path.name for path in tmp_path.iterdir()}
    assert names["fitted"].spec.provenance["n_snapshot"] == "10"
    assert names["fitted"].weights.abs().min() > 0.0
    assert 2 <= names["found"].weights.count_nonzero() < 64
    assert 2 <= names["greedy"].weights.count_nonzero() <= 10
    assert names["with_terms"].q.sizes["time"] == 3


@pytest.mark.fortran
def test_the_fortran_host_of_the_page_goes_on_with_the_run(
    prefix: Prefix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not prefix.host("quasigeostrophic").exists():
        pytest.skip("no two-layer host: it is built where there is FFTW (libfftw3-dev)")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    first, in_fortran = programs()[0], [each for each in programs() if "run_host" in each]
    assert len(in_fortran) == 1
    for block in (first, in_fortran[0]):
        exec(block, names)
    assert dict(names["q"].sizes) == {"time": 3, "member": 1, "layer": 2, "y": 64, "x": 64}
    start, saved = names["run"].q[-1].to_numpy(), names["q"][0].to_numpy()
    # The file begins with what a transform and its inverse leave of the start.
    assert np.abs(saved - start).max() < 1e-14 * np.abs(start).max()
    assert np.isfinite(names["q"]).all()
