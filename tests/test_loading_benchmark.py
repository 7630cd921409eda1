"""Loading: each time is that of a process that has computed, and the table shows it."""

import sys
from dataclasses import asdict
from pathlib import Path

import performance_tables
import pytest

from benchmarks import loading
from benchmarks.engines import NATIVE
from benchmarks.interleaved import QUICK, Session
from benchmarks.interval import FEWEST
from benchmarks.loading import TORCHSCRIPT, LoadCost, Loads
from benchmarks.overhead_native import NativeError

BRIEF = Session(rounds=FEWEST, seconds_a_turn=QUICK.seconds_a_turn)


@pytest.fixture(scope="module")
def costs() -> list[LoadCost]:
    return list(loading.measure(["A"], BRIEF))


@pytest.mark.fortran
def test_the_native_engine_needs_less(costs: list[LoadCost]) -> None:
    found = {cost.engine: cost for cost in costs}
    assert list(found) == [TORCHSCRIPT, NATIVE]
    # Libtorch alone is tens of megabytes and hundreds of milliseconds.
    assert found[NATIVE].resident < 0.5 * found[TORCHSCRIPT].resident
    assert found[NATIVE].speed_up > 5.0
    assert found[NATIVE].low <= found[NATIVE].speed_up <= found[NATIVE].high
    assert [len(cost.comparisons) for cost in costs] == [0, 1]


@pytest.mark.fortran
def test_the_table_shows_milliseconds_and_megabytes(costs: list[LoadCost]) -> None:
    table = performance_tables.loading_table({"records": [asdict(cost) for cost in costs]})
    *_, native = table.splitlines()
    cells = [cell.strip() for cell in native.strip("|").split("|")]
    assert cells[:2] == ["A", NATIVE]
    assert float(cells[2]) == pytest.approx(1e3 * costs[1].seconds, rel=1e-2)
    assert float(cells[4]) == pytest.approx(costs[1].resident / 1024.0, abs=0.5)


def test_a_host_that_fails_is_told(tmp_path: Path) -> None:
    script = tmp_path / "host.py"
    script.write_text("import sys; sys.exit('no such archive')")
    with pytest.raises(NativeError, match="no such archive"):
        Loads((sys.executable, str(script)))(1)


def test_times_and_memory_are_of_the_host() -> None:
    loads = Loads((sys.executable, "-c", "print(0.25, 2048)"))
    assert loads(3) == 0.75
    assert loads.resident == [2048.0] * 3
