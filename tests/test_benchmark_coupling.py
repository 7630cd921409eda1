"""The benchmark of coupling still runs against the interfaces it times."""

import pytest

from benchmarks import coupling
from solvers import TwoLayerQG


def test_every_way_to_couple_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupling, "MODEL", TwoLayerQG(nx=16))
    costs = list(coupling.measure(rounds=1, n_step=2))
    names = [cost.closure for cost in costs]
    assert names[:4] == ["none", "C, does nothing", "C", "Python"]
    assert sum(name.startswith("archive") for name in names) == 6
    assert all(1e-6 < cost.step < 1.0 for cost in costs)
    assert costs[0].ratio == 1.0
    assert coupling.table(costs).row_count == len(costs)
