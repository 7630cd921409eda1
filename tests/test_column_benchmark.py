"""The benchmark of the moist columns times both schemes."""

from benchmarks import column_step
from benchmarks.interleaved import Session
from benchmarks.interval import FEWEST


def test_both_schemes_are_timed() -> None:
    costs = list(column_step.measure([16], Session(rounds=FEWEST, seconds_a_turn=0.02)))
    assert [(cost.variant, cost.size) for cost in costs] == [("low", "16"), ("high", "16")]
    low, high = costs
    assert low.step_by_work < high.step_by_work
    # A column has 60 levels of several exponentials: more than a microsecond.
    assert low.step_by_work > 1e-6
    assert low.step_by_work < 1e-3
