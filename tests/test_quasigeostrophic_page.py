"""The programs of the page on closures of two-layer flow run, one after the other."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "quasigeostrophic.md"


@pytest.mark.fortran
def test_the_programs_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 2
    # Tenth parts of the runs show as much.
    shorter = {
        "days=20, save_every=5": "days=2, save_every=1",
        "days=1000, save_every=50": "days=100, save_every=5",
    }
    names: dict[str, Any] = {}
    for block in blocks:
        program = block
        for long, short in shorter.items():
            program = program.replace(long, short)
        exec(program, names)
    assert names["run"].q.sizes["time"] == 3
    archives = {"backscatter.pt", "stresses.pt", "symbolic.pt"}
    assert archives <= {path.name for path in tmp_path.iterdir()}
    assert names["fitted"].spec.provenance["n_snapshot"] == "10"
    assert names["fitted"].weights.abs().min() > 0.0
