"""The programs of the page on the benchmark of two-layer closures run, one after the other."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "quasigeostrophic_benchmark.md"


@pytest.mark.fortran
def test_the_programs_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path))
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 2
    # Small grids and a season show as much.
    smaller = {
        'CONFIGURATIONS["eddy"]': 'replace(CONFIGURATIONS["eddy"], n_truth=64, n_coarse=32)',
        "years=10.0": "years=0.25",
        "Duration()": "Duration(years=0.25, spin_up=0.1, n_snapshot=2)",
        "range(3)": "range(2)",
    }
    names: dict[str, Any] = {}
    exec("from dataclasses import replace", names)
    for block in blocks:
        program = block
        for large, small in smaller.items():
            program = program.replace(large, small)
        exec(program, names)
    assert names["pairs"].sizes["time"] == 2
    assert -1.0 <= names["scores"]["corr_upper"] <= 1.0
    assert not any(map(names["is_lost"], names["made"]))
    assert np.isfinite(list(names["mine_scores"].values())).all()
