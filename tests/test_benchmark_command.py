"""The command that runs the benchmarks: help, errors, what it prints and writes."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from rich.text import Text
from typer.testing import CliRunner, Result

from benchmarks import __main__ as command
from benchmarks import groups, suite
from benchmarks.comparison import Comparison
from benchmarks.groups import Subject
from benchmarks.interleaved import FULL, QUICK, Session


@dataclass(frozen=True)
class Cost:
    size: int
    step: float
    name: str = "[us]"
    comparisons: tuple[Comparison, ...] = ()

    def row(self) -> dict[str, str]:
        return {
            "size": str(self.size),
            "name": self.name,
            "step [us]": f"{1e6 * self.step:.1f}",
            "peer": "",
        }


def beside(size: int) -> Comparison:
    return Comparison(f"nothing, {size}", "pyqg", 0.5, 0.45, 0.55)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Sequence[int], Session]]]:
    """Let every group measure next to nothing; what it was asked for."""
    calls: list[tuple[Sequence[int], Session]] = []

    def measure(sizes: Sequence[int], session: Session) -> Iterator[Cost]:
        calls.append((sizes, session))
        session.note("the peer is not there")
        session.progress("model", 0.5)
        return (Cost(size, 1e-6 * size, comparisons=(beside(size),)) for size in sizes)

    module: Any = ModuleType("benchmarks.nothing")
    module.TITLE, module.SIZES, module.measure = "One step of nothing", (8, 16), measure
    monkeypatch.setitem(sys.modules, "benchmarks.nothing", module)
    nothing = Subject("nothing", 10.0, 70.0)
    monkeypatch.setattr(groups, "SUBJECTS", dict.fromkeys(groups.Group, nothing))
    monkeypatch.setattr(suite, "SUBJECTS", groups.SUBJECTS)
    n_thread = torch.get_num_threads()
    yield calls
    torch.set_num_threads(n_thread)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command.app, [str(argument) for argument in arguments])


def words(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def test_help_names_groups_and_shows_examples() -> None:
    result = call("--help")
    assert result.exit_code == 0
    shown = words(result.output)
    assert all(group in shown for group in groups.Group)
    assert "$ python -m benchmarks two-layer barotropic" in shown.partition("Examples")[2]


def test_every_group_has_what_the_command_needs() -> None:
    assert set(groups.SUBJECTS) == set(groups.Group)
    for subject in groups.SUBJECTS.values():
        module = import_module(f"benchmarks.{subject.module}")
        assert 0.0 < subject.quick_seconds <= subject.full_seconds
        assert module.TITLE.startswith("One ")
        assert len(module.SIZES) >= 1
        assert callable(module.measure)


def test_an_unknown_group_is_refused() -> None:
    result = call("nonsense")
    assert result.exit_code == 2
    assert "'two-layer'" in result.output


def test_a_file_in_no_folder_is_refused_before_anything_is_measured(
    asked: list[Any], tmp_path: Path
) -> None:
    result = call("--json", tmp_path / "none" / "speed.json")
    assert result.exit_code == 2
    assert "expected a file in a folder that exists" in words(result.output)
    assert asked == []


def test_what_is_printed_and_written(
    asked: list[tuple[Sequence[int], Session]], tmp_path: Path
) -> None:
    file = tmp_path / "speed.json"
    result = call("barotropic", "lorenz96", "--json", file)
    assert result.exit_code == 0
    assert result.stdout.count("One step of nothing") == 2
    # Brackets are no markup, and a column without content is left out.
    assert "step [us]" in result.stdout
    assert "peer" not in result.stdout
    assert result.stderr.count("note: the peer is not there") == 2
    written = json.loads(file.read_text())
    assert written["threads"] == 1
    assert written["machine"]
    assert {"numpy", "numba", "rocket-fft", "simd", "xarray"} <= set(written["versions"])
    assert all(written["versions"].values())
    assert written["command"] == "python -m benchmarks barotropic lorenz96"
    assert list(written["seconds"]) == ["barotropic", "lorenz96"]
    assert written["records"] == [
        {"group": group, "size": size, "step": 1e-6 * size, "name": "[us]",
         "comparisons": [asdict(beside(size))]}
        for group in ("barotropic", "lorenz96")
        for size in (8, 16)
    ]  # fmt: skip
    assert [(sizes, session.rounds) for sizes, session in asked] == [((8, 16), FULL.rounds)] * 2


def test_rows_of_several_kinds_are_one_table() -> None:
    shown = suite.table("both", [{"a": "1", "b": ""}, {"a": "2", "c": "x"}])
    assert [str(column.header) for column in shown.columns] == ["a", "c"]
    assert [list(column.cells) for column in shown.columns] == [
        [Text("1"), Text("2")],
        [Text(""), Text("x")],
    ]


def test_by_default_all_groups_run_and_nothing_is_downloaded(
    asked: list[tuple[Sequence[int], Session]],
) -> None:
    assert call().exit_code == 0
    assert [session.download for _, session in asked] == [False] * len(groups.Group)
    assert call("two-layer").exit_code == 0
    assert asked[-1][1].download
    assert call("--download").exit_code == 0
    assert asked[-1][1].download


def test_what_it_takes_is_said_first(asked: list[Any]) -> None:
    shown = call().stderr
    assert f"{len(groups.Group)} groups, about 21 minutes on a quiet machine" in words(shown)
    assert "1 groups, about 10 s on a quiet machine" in words(call("bridge", "--quick").stderr)


def test_the_quick_suite_takes_six_minutes_at_most() -> None:
    assert groups.expected_seconds(groups.Group, quick=True) <= 360.0


def test_quick_measures_the_smallest_size(asked: list[tuple[Sequence[int], Session]]) -> None:
    assert call("--quick", "shallow-water").exit_code == 0
    ((sizes, session),) = asked
    assert sizes == (8,)
    assert (session.rounds, session.seconds_a_turn) == (QUICK.rounds, QUICK.seconds_a_turn)


def test_an_expected_error_is_one_line(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = call("bridge", "--json", tmp_path)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("error: [Errno 21] Is a directory")


def test_one_real_measurement() -> None:
    n_thread = torch.get_num_threads()
    try:
        result = call("kuramoto-sivashinsky", "--quick")
    finally:
        torch.set_num_threads(n_thread)
    assert result.exit_code == 0
    assert "One step of the Kuramoto-Sivashinsky equation" in result.stdout
    assert "rocket-fft" in result.stdout
