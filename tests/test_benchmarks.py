"""The benchmarks still run against the interfaces they time."""

from pathlib import Path

import pytest

from benchmarks import bridge_call
from benchmarks.networks import networks


def test_every_network_is_timed_at_every_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge_call, "N_COLUMN", (1, 3))
    monkeypatch.setattr(bridge_call, "ROUNDS", 1)
    monkeypatch.setattr(bridge_call, "SECONDS_A_ROUND", 1e-3)
    costs = [cost for network in networks() for cost in bridge_call.measure(network, tmp_path)]
    rows = [(cost.closure, cost.n_column) for cost in costs]
    assert rows == [("mlp_ar1", 1), ("mlp_ar1", 3), ("climsim_mlp", 1), ("climsim_mlp", 3)]
    # An interpreted call of six dense layers takes microseconds at least, and not a second.
    for cost in costs:
        assert min(cost.eager, cost.bridge, cost.bridge_not_reproducible) > 1e-6
        assert max(cost.eager, cost.bridge, cost.bridge_not_reproducible) < 1.0
