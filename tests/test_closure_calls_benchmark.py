"""Closures natively and by TorchScript: all of them are native, and the table shows each."""

from dataclasses import asdict
from pathlib import Path

import performance_tables
import pytest

import hybrid
from benchmarks import closure_calls
from benchmarks.closure_calls import CLOSURES
from benchmarks.interleaved import Session
from benchmarks.interval import FEWEST

FEW = ("cubic polynomial, float64", "cnn, tiny", "mlp, small, with positivity and moisture")


@pytest.mark.parametrize("name", FEW)
def test_a_closure_is_native(name: str, tmp_path: Path) -> None:
    report = hybrid.export(CLOSURES[name](), tmp_path / "closure.pt")
    assert report.native is not None
    assert report.native.expressed


@pytest.mark.fortran
def test_every_number_of_columns_is_timed_and_shown() -> None:
    few = {name: CLOSURES[name] for name in FEW[:2]}
    costs = list(closure_calls.measure((1, 5), Session(FEWEST, 1e-4), few))
    assert [(cost.closure, cost.n_column) for cost in costs] == [
        (n, k) for n in few for k in (1, 5)
    ]
    for cost in costs:
        assert cost.seconds > 0.0
        assert cost.low <= cost.speed_up <= cost.high
        (comparison,) = cost.comparisons
        assert comparison.ratio == pytest.approx(1.0 / cost.speed_up)
    table = performance_tables.closures_table({"records": [asdict(cost) for cost in costs]})
    header, _, *rows = table.splitlines()
    assert "| 1 | 5 |" in header
    assert [row.strip("| ").split(" | ")[0] for row in rows] == list(few)
