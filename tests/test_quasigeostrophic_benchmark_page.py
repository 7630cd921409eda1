"""The programs of the page on the benchmark of two-layer closures run, one after the other."""

from pathlib import Path

import numpy as np
import pytest
from page_programs import run_programs


@pytest.mark.fortran
def test_the_programs_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small grids and a season show as much.
    smaller = {
        'CONFIGURATIONS["eddy"]': 'replace(CONFIGURATIONS["eddy"], n_truth=64, n_coarse=32)',
        "years=10.0": "years=0.25",
        "Duration()": "Duration(years=0.25, spin_up=0.1, n_snapshot=2)",
        "range(3)": "range(2)",
    }
    names = run_programs("quasigeostrophic_benchmark.md", smaller, 3, monkeypatch, tmp_path)
    assert np.isfinite(names["fitted"].q).all()
    assert names["pairs"].sizes["time"] == 2
    assert -1.0 <= names["scores"]["corr_upper"] <= 1.0
    assert not any(map(names["is_lost"], names["made"]))
    assert np.isfinite(list(names["mine_scores"].values())).all()
