"""The page about training names every setting, and its program runs."""

import re
from pathlib import Path
from typing import get_args

import pytest

from closures.climsim.recipes import recipe
from closures.columns.objective_choice import LossKind
from closures.columns.weighting import Weighting
from closures.training.settings import Schedule
from hybrid.climsim_sample import SampleConfig, write_sample

PAGE = (Path(__file__).parents[1] / "docs" / "training.md").read_text(encoding="utf-8")


def row(name: str) -> str:
    (found,) = re.findall(rf"^\| `{re.escape(name)}`.*$", PAGE, re.MULTILINE)
    return str(found)


def test_choices_are_complete() -> None:
    for name, kind in (
        ("training.schedule", Schedule),
        ("loss.kind", LossKind),
        ("loss.weighting", Weighting),
    ):
        for choice in get_args(kind):
            assert f"`{choice}`" in row(name)


def test_entries_exist() -> None:
    table = PAGE.split("| entry | |", 1)[1].split("\n\n", 1)[0]
    known = {*recipe("mlp").flat(), "sizes.NAME"}
    known |= {"loss.weights.FIELD", "scaling.prune.FIELD=[A, B]", "scaling.floors.FIELD"}
    for line in table.splitlines()[2:]:
        names = re.findall(r"`([^`]+)`", line.split("|")[1])
        group = names[0].partition(".")[0]
        for name in names:
            assert (group + name if name.startswith(".") else name) in known


def test_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    write_sample(tmp_path / "climsim", SampleConfig(n_per_month=3, months=(1, 7, 10)))
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "training.md", "exec"), {})
    assert capsys.readouterr().out.startswith("results/mlp/mlp.pt (")
    assert (tmp_path / "results" / "mlp" / "mlp.pt").is_file()
