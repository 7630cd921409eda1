"""Threads: one and several take turns, and the table shows what more of them gain."""

from dataclasses import asdict

import performance_tables
import pytest

from benchmarks import threads
from benchmarks.interleaved import Session
from benchmarks.interval import FEWEST

pytestmark = pytest.mark.fortran


def test_every_number_of_threads_is_timed_and_shown() -> None:
    costs = list(threads.measure([96], Session(rounds=FEWEST, seconds_a_turn=1e-3)))
    assert [(cost.net, cost.n_thread) for cost in costs] == [
        (net, n) for net in threads.NETS for n in threads.THREADS
    ]
    for cost in costs:
        assert cost.seconds > 0.0
        assert cost.low <= cost.speed_up <= cost.high
        assert len(cost.comparisons) == (cost.n_thread > 1)
    _, _, first, second, *_ = performance_tables.threads_table(
        {"records": [asdict(cost) for cost in costs]}
    ).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (first, second)]
    assert [row[:3] for row in cells] == [["A", "96", "1"], ["A", "96", "2"]]
    assert cells[0][4].startswith("1.00 ")
