"""The page about ClimSim's emulators in Fortran: its program runs, its command is there."""

import re
from pathlib import Path

import pytest
from climsim_emulators import columns_of, emulator
from typer.testing import CliRunner

import hybrid
from closures.climsim.files import list_pairs
from hybrid.cli import app
from hybrid.climsim_sample import SampleConfig, write_sample

PAGE = (Path(__file__).parents[1] / "docs" / "column_host.md").read_text(encoding="utf-8")


@pytest.mark.fortran
def test_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    write_sample(tmp_path / "low-res", SampleConfig(n_per_month=3, months=(1,)))
    pairs = list_pairs(tmp_path / "low-res")
    hybrid.export(emulator("mlp", *columns_of(pairs, "V1")), tmp_path / "mlp.pt")
    names: dict[str, object] = {}
    exec(compile(program, "column_host.md", "exec"), names)
    assert re.search(r"\d+ columns/s\n", capsys.readouterr().out)
    assert sorted(path.name for path in Path("written").iterdir()) == [p.mlo.name for p in pairs]


def test_the_command_has_its_options() -> None:
    (command,) = re.findall(r"^hybrid (climsim run .*)$", PAGE, re.MULTILINE)
    helped = CliRunner().invoke(app, ["climsim", "run", "--help"], env={"COLUMNS": "200"}).output
    for option in re.findall(r"--[a-z]+", command):
        assert option in helped
