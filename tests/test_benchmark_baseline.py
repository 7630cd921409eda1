"""A report of the benchmarks is held against an earlier one, ratio by ratio."""

import doctest
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from benchmarks import __main__ as command
from benchmarks import baseline, comparison, groups, suite
from benchmarks.baseline import BaselineError, Change, Verdict
from benchmarks.comparison import Comparison
from benchmarks.interleaved import Session, Timings

WIDTH = 0.02


def ratio(value: float, what: str = "ours", beside: str = "peer") -> Comparison:
    return Comparison(what, beside, value, value * (1 - WIDTH), value * (1 + WIDTH))


def report(group: str = "bridge", **ratios: float) -> dict[str, Any]:
    records = [
        {"group": group, "comparisons": [asdict(ratio(value, what))]}
        for what, value in ratios.items()
    ]
    return {"machine": "A", "threads": 1, "versions": {"numpy": "2.4"}, "records": records}


def verdicts(before: dict[str, Any], now: dict[str, Any]) -> dict[str, str]:
    return {change.what: change.verdict().value for change in baseline.changes(before, now)}


def test_only_what_is_beyond_both_intervals_and_the_tolerance_counts() -> None:
    before = report(a=1.0, b=1.0, c=1.0, d=1.0)
    now = report(a=1.2, b=1.07, c=0.8, d=0.95)
    assert verdicts(before, now) == {"a": "slower", "b": "same", "c": "faster", "d": "same"}
    # 1.07 (1.0486 to 1.0914) is beyond 1.02, not beyond 1.02 * 1.05.
    change = Change("bridge", "b", "peer", ratio(1.0), ratio(1.07))
    assert change.verdict(0.0) is Verdict.SLOWER
    assert change.verdict(0.05) is Verdict.SAME


def test_missing_and_new_ratios_are_named_and_groups_that_were_not_measured_are_not() -> None:
    before, now = report(a=1.0, gone=1.0), report(a=1.0, fresh=1.0)
    before["records"] += report("engines", far=1.0)["records"]
    assert verdicts(before, now) == {"a": "same", "fresh": "new", "gone": "missing"}
    assert list(baseline.differences(before, now)) == [
        "in the baseline and not measured now: engines"
    ]


def test_the_same_pair_of_names_in_two_groups_is_two_ratios() -> None:
    before = report(a=1.0)
    before["records"] += report("engines", a=2.0)["records"]
    assert len(baseline.comparisons(before)) == 2


def test_another_machine_and_other_versions_are_said() -> None:
    before, now = report(a=1.0), report(a=1.0)
    before |= {"machine": "B", "versions": {"numpy": "2.3", "fftw": "3"}}
    assert list(baseline.differences(before, now)) == [
        "machine: A; the baseline has B",
        "numpy: 2.4; the baseline has 2.3",
        "fftw: none; the baseline has 3",
    ]


def test_of_two_measurements_the_lesser_counts() -> None:
    before = report(a=1.0, b=1.0)
    first = baseline.changes(before, report(a=1.5, b=1.5))
    again = baseline.changes(before, report(a=1.01, b=1.6))
    assert baseline.slower_groups(first) == ["bridge"]
    best = {c.what: c.now.ratio for c in baseline.best_of(first, again) if c.now}
    assert best == {"a": 1.01, "b": 1.5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected a report of the benchmarks, got"),
        ("[]", "expected a report with comparisons, got one without"),
        ('{"records": [{"group": "bridge"}]}', "expected a report with comparisons, got one"),
    ],
)
def test_what_is_no_baseline_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    file.write_text(text)
    with pytest.raises(BaselineError, match=said) as raised:
        baseline.read_baseline(file)
    assert str(raised.value).endswith("write one with: python -m benchmarks --json FILE")


def test_an_interval_is_of_turns_side_by_side() -> None:
    turns = {"ours": [1.0, 2.0, 4.0] * 2, "theirs": [2.0, 8.0, 5.0] * 2}
    found = Comparison.of(Timings(turns), "ours", "theirs", what="A", called="B")
    assert found == Comparison("A", "B", 0.5, 0.25, 0.8)
    few = Timings({name: times[:5] for name, times in turns.items()})
    with pytest.raises(ValueError, match="expected at least 6, got 5"):
        Comparison.of(few, "ours", "theirs")


@dataclass(frozen=True)
class Cost:
    comparisons: tuple[Comparison, ...]

    def row(self) -> dict[str, str]:
        return {"name": "nothing"}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Let every group have one ratio: the first of a list, until that has but one."""
    ratios = [1.0]

    def measure(sizes: Sequence[int], session: Session) -> Iterator[Cost]:
        yield Cost((ratio(ratios.pop(0) if len(ratios) > 1 else ratios[0]),))

    module: Any = ModuleType("benchmarks.nothing")
    module.TITLE, module.SIZES, module.measure = "One step of nothing", (8,), measure
    monkeypatch.setitem(sys.modules, "benchmarks.nothing", module)
    nothing = dict.fromkeys(groups.Group, groups.Subject("nothing", 1.0, 1.0))
    monkeypatch.setattr(suite, "SUBJECTS", nothing)
    n_thread = torch.get_num_threads()
    yield ratios
    torch.set_num_threads(n_thread)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command.app, [str(argument) for argument in arguments])


def saved(folder: Path) -> Path:
    file = folder / "before.json"
    assert call("bridge", "--json", file).exit_code == 0
    return file


def test_nothing_became_slower(measured: list[float], tmp_path: Path) -> None:
    file = saved(tmp_path)
    result = call("bridge", "--compare", file)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "1 same"


def test_what_is_slower_twice_is_a_failure(measured: list[float], tmp_path: Path) -> None:
    file = saved(tmp_path)
    measured[:] = [1.5, 1.4]
    result = call("bridge", "--compare", file, "--json", file)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "1 slower"
    assert "slower: bridge; measured once more" in result.stderr
    # The report is that of the first measurement, the table shows the lesser.
    (record,) = json.loads(file.read_text())["records"]
    assert record["comparisons"][0]["ratio"] == 1.5
    assert "1.40" in result.stdout
    assert call("bridge", "--compare", file, "--tolerance", "1").exit_code == 0


def test_what_is_slower_once_is_noise(measured: list[float], tmp_path: Path) -> None:
    file = saved(tmp_path)
    measured[:] = [1.5, 1.0]
    result = call("bridge", "--compare", file)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "1 same"


def test_a_baseline_that_is_none_is_one_line_and_nothing_is_measured(
    measured: list[float], tmp_path: Path
) -> None:
    result = call("bridge", "--compare", tmp_path / "none.json")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert "expected a report of the benchmarks" in line


@pytest.mark.parametrize("module", [comparison, groups])
def test_examples_are_right(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
