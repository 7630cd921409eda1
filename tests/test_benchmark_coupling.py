"""The benchmark of coupling still runs against the interfaces it times."""

from benchmarks import coupling
from benchmarks.interleaved import Session
from benchmarks.interval import FEWEST


def test_every_way_to_couple_is_timed() -> None:
    costs = list(coupling.measure((16,), Session(rounds=FEWEST, seconds_a_turn=1e-4)))
    names = [cost.closure for cost in costs]
    assert names[:4] == ["none", "C, does nothing", "C", "Python"]
    assert sum(name.startswith("archive") for name in names) == 6
    assert all(1e-6 < cost.step < 1.0 for cost in costs)
    assert costs[0].step_by_bare_step == 1.0
    assert costs[0].comparisons == ()
    assert all(cost.comparisons[0].beside == "none" for cost in costs[1:])
    assert costs[1].crossing == 0.0
    assert {cost.row()["size"] for cost in costs} == {"16 x 16"}
