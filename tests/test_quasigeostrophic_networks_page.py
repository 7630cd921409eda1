"""The programs of the page on networks for two-layer flow run, one after the other."""

from pathlib import Path

import pytest
from page_programs import run_programs

from closures.quasigeostrophic.networks import NetworkClosure
from hybrid.runtime import load


@pytest.mark.fortran
def test_the_programs_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small grids and a season show as much.
    smaller = {
        'CONFIGURATIONS["eddy"]': 'replace(CONFIGURATIONS["eddy"], n_truth=32, n_coarse=16)',
        "years=10.0": "years=1.25",
        "n_epoch=30, batch_size=8": "n_epoch=2, batch_size=4",
        "n_epoch=10, batch_size=8": "n_epoch=1, batch_size=2",
        "spin_up=2.0, n_trajectory=64": "spin_up=0.1, n_trajectory=3, n_saved=1",
    }
    names = run_programs("quasigeostrophic_networks.md", smaller, 3, monkeypatch, tmp_path)
    assert len(names["history"].validation) == 2
    assert names["run"].q.sizes["time"] == 5
    closure = names["closure"]
    assert isinstance(closure, NetworkClosure)
    assert load(tmp_path / "network_online.pt").spec == closure.spec
    assert names["noisy_run"].q.sizes["time"] == 5
    assert names["noisy"].correlation_time == pytest.approx(10 * names["eddy"].coarse.dt, rel=1e-5)
