"""How the benchmarks time, what they say of a step, and the bridge's own."""

import doctest
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from types import ModuleType

import pytest

from benchmarks import bridge_call, interleaved, step_cost
from benchmarks.interleaved import (
    Session,
    Timings,
    Work,
    interleave,
    often,
    on_all_threads,
    on_processor,
    one_processor,
)
from benchmarks.interval import FEWEST
from benchmarks.step_cost import Case, StepCost, Variant, compare, transforms
from solvers.fft import plan_transform

CASE = Case("model", "8 x 8", 192)
BRIEF = Session(rounds=FEWEST, seconds_a_turn=1e-4)


def steady(seconds: float) -> Work:
    return lambda repeat: repeat * seconds


def costs(variants: dict[str, Variant], peers: dict[str, Work]) -> list[StepCost]:
    return list(compare(CASE, variants, peers, Session(rounds=FEWEST)))


def test_candidates_take_turns_of_equal_length() -> None:
    calls: list[tuple[str, int]] = []

    def work(name: str, seconds: float) -> Work:
        def run(repeat: int) -> float:
            calls.append((name, repeat))
            return repeat * seconds

        return run

    session = Session(rounds=2, seconds_a_turn=0.05)
    timings = interleave({"quick": work("quick", 1e-6), "slow": work("slow", 1.0)}, session, "")
    assert calls[-4:] == [("quick", 50_000), ("slow", 1)] * 2
    # Those before the first turn, which compile, are not counted.
    assert len(calls) > 8
    assert timings.rounds["slow"] == [1.0, 1.0]
    assert timings.median("quick") == pytest.approx(1e-6)


def test_a_ratio_is_that_of_turns_side_by_side() -> None:
    # The machine is ten times slower in the second round, for both.
    timings = Timings({"a": [2.0, 30.0, 3.0], "b": [1.0, 10.0, 2.0]})
    assert timings.ratio("a", "b") == 2.0
    assert timings.median("a") / timings.median("b") == 1.5


def test_progress_goes_from_nothing_to_all() -> None:
    told: list[tuple[str, float]] = []
    session = Session(rounds=4, progress=lambda *what: told.append(what))
    interleave({"a": steady(1.0)}, session, "model, 8 x 8")
    assert told == [("model, 8 x 8", i / 4) for i in range(5)]


def test_the_processor_does_not_count_sleep() -> None:
    nap = often(lambda: time.sleep(0.02))
    began = time.perf_counter()
    assert on_processor(nap)(2) < 0.02
    assert on_all_threads(nap)(2) < 0.02
    assert time.perf_counter() - began >= 0.08


def test_peers_run_on_the_same_processor() -> None:
    before = os.sched_getaffinity(0)
    ask = [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"]
    with one_processor():
        (here,) = os.sched_getaffinity(0)
        assert subprocess.check_output(ask, text=True).split() == [str(here)]
    assert os.sched_getaffinity(0) == before


def test_a_result_for_each_variant_and_peer() -> None:
    variants = {
        "simd": Variant(steady(1e-5), steady(8e-6), default=True),
        "fftw": Variant(steady(2e-5), steady(1e-5), default=False),
    }
    found = costs(variants, {"numpy": steady(6e-5), "pyqg": steady(4e-5)})
    assert [(c.variant, c.peer) for c in found] == [
        (fft, peer) for fft in ("simd", "fftw") for peer in ("numpy", "pyqg")
    ]
    assert [c.speed_up for c in found] == pytest.approx([6.0, 4.0, 3.0, 2.0])
    assert [c.step_by_transforms for c in found] == pytest.approx([1.25, 1.25, 2.0, 2.0])
    assert found[0].step_by_work == pytest.approx(1e-5 / 192)
    assert found[0].row() == {
        "size": "8 x 8",
        "variant": "simd *",
        "step [us]": "10",
        "transforms [us]": "8",
        "step / transforms": "1.25",
        "peer": "numpy",
        "peer [us]": "60",
        "peer / step": "6.00",
        "step / work [ns]": "52.1",
    }


def test_every_variant_is_compared_with_every_peer_and_once_with_its_transforms() -> None:
    variants = {
        "simd": Variant(steady(1e-5), steady(8e-6), default=True),
        "fftw": Variant(steady(2e-5), steady(1e-5), default=False),
    }
    found = costs(variants, {"numpy": steady(6e-5), "pyqg": steady(4e-5)})
    comparisons = [comparison for cost in found for comparison in cost.comparisons]
    assert [(c.what.rpartition(", ")[2], c.beside) for c in comparisons] == [
        (name, beside)
        for name in ("simd", "fftw")
        for beside in ("numpy", "its transforms", "pyqg")
    ]
    ratios = pytest.approx([1 / 6, 1.25, 0.25, 1 / 3, 2.0, 0.5])
    assert [c.ratio for c in comparisons] == ratios
    assert [c.low for c in comparisons] == ratios
    assert [c.high for c in comparisons] == ratios


def test_variants_with_nothing_beside_them_are_compared_with_the_first() -> None:
    first, second = costs({"low": Variant(steady(1e-5)), "high": Variant(steady(3e-5))}, {})
    assert first.comparisons == ()
    (found,) = second.comparisons
    assert (found.what, found.beside) == ("model, 8 x 8, high", "low")
    assert found.ratio == pytest.approx(3.0)


def test_without_a_peer_and_transforms_the_step_is_timed_alone() -> None:
    (found,) = costs({"float32": Variant(steady(1e-3))}, {})
    assert found.peer is None
    assert found.peer_step is None
    assert found.speed_up is None
    assert found.transforms is None
    row = found.row()
    assert row["variant"] == "float32"
    assert row["step [us]"] == "1000"
    assert row["peer"] == row["transforms [us]"] == row["step / transforms"] == ""


@pytest.mark.parametrize(
    ("counts", "expected"), [((6, 4, 1), 10), ((2, 2, 1), 4), ((1, 1, 4), 8), ((0, 1, 1), 1)]
)
def test_the_transforms_of_a_step_are_all_made(counts: tuple[int, int, int], expected: int) -> None:
    transform = plan_transform((256, 256), backend="rocket-fft")
    many, one = transforms(transform, *counts), transforms(transform, 0, 1)
    session = Session(rounds=5, seconds_a_turn=5e-3)
    ratio = interleave({"many": many, "one": one}, session, "").ratio("many", "one")
    # Transforms in either direction, and in memory that fits caches or not, differ in speed.
    assert 0.5 * expected < ratio < 2.0 * expected


@pytest.mark.parametrize("module", [interleaved, step_cost])
def test_examples_are_right(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def times(cost: bridge_call.CallCost) -> Iterable[float]:
    return cost.pytorch, cost.bridge, cost.not_reproducible


def test_every_network_is_timed_for_every_number_of_columns() -> None:
    found = list(bridge_call.measure((1, 3), BRIEF))
    rows = [(cost.closure, cost.n_column) for cost in found]
    assert rows == [("mlp_ar1", 1), ("mlp_ar1", 3), ("climsim_mlp", 1), ("climsim_mlp", 3)]
    # An interpreted call of six dense layers takes microseconds at least, and not a second.
    for cost in found:
        assert min(times(cost)) > 1e-6
        assert max(times(cost)) < 1.0
        assert cost.row()["columns"] == str(cost.n_column)
