"""``hybrid train sweep``: what it finds, keeps and refuses."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from closures.climsim.conversion import Conversion, convert
from closures.climsim.files import list_pairs
from closures.climsim.grid import find_grid
from closures.climsim.splits import season
from closures.climsim.variables import variable_set
from closures.columns.recipe import RecipeError
from hybrid.cli import app
from hybrid.climsim_sample import SampleConfig, write_sample
from hybrid.training import sweep
from hybrid.training.sweep import parsed_range

QUICK = (
    *("--preset", "tiny", "--epochs", "2", "--variables", "V1"),
    *("--set", "training.batch_size=128", "--search", "training.learning_rate=1e-9:1e-2:log"),
    *("--search", "training.schedule=one_cycle,cosine"),
)
FILES = (*QUICK, "--split", "season")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["train", "sweep", *(str(each) for each in arguments)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep")
    write_sample(folder, SampleConfig(n_per_month=3, months=(1, 7, 10), seed=2))
    return folder


def test_the_least_validation_loss_is_found_and_a_search_goes_on(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = run("--data", data, "--out", out, "--trials", "3", *FILES)
    assert first.exit_code == 0, first.stderr
    assert [line[:8] for line in first.stderr.splitlines() if line.startswith("trial")] == [
        "trial 0:",
        "trial 1:",
        "trial 2:",
    ]
    record = json.loads((out / "sweep.json").read_text())
    losses = [trial["loss"] for trial in record["trials"]]
    assert record["best"]["loss"] == min(losses)
    assert f"best: trial {record['best']['number']}" in first.stdout
    rate = record["best"]["settings"]["training.learning_rate"]
    assert record["recipe"]["training"]["learning_rate"] == rate
    assert not (out / "checkpoint.pt").exists()
    more = run("--data", data, "--out", out, "--trials", "5", *FILES)
    assert more.exit_code == 0, more.stderr
    again = json.loads((out / "sweep.json").read_text())
    assert again["trials"][:3] == record["trials"]
    assert len(again["trials"]) == 5
    other = run("--data", data, "--out", out, *FILES, "--seed", "1")
    assert other.exit_code == 1
    assert "got one that differs in training.seed; choose another --out" in other.stderr


def test_ranges() -> None:
    assert parsed_range("a=1:2") == ("a", {"low": 1.0, "high": 2.0, "log": False})
    assert parsed_range("a=3,x,true,none") == ("a", {"choices": [3, "x", True, None]})
    for wrong in ("a", "a=1", "a=1:2:sqrt", "a=x:y"):
        with pytest.raises(RecipeError, match="expected NAME=LOW:HIGH"):
            parsed_range(wrong)


def test_shards_and_a_grid_file_serve_a_search(data: Path, tmp_path: Path) -> None:
    split = season(list_pairs(data), validation=True)
    for part in ("train", "validation"):
        convert(getattr(split, part), tmp_path / part, Conversion(variable_set("V1")))
    arguments = (
        *("--data", tmp_path / "train", "--validation", tmp_path / "validation", *QUICK),
        *("--set", "loss.weighting=energy", "--trials", "1"),
    )
    without = run(*arguments, "--out", tmp_path / "without")
    assert without.exit_code == 1
    assert "expected a grid file" in without.stderr
    result = run(*arguments, "--grid", find_grid(data), "--out", tmp_path / "with")
    assert result.exit_code == 0, result.stderr
    assert not (tmp_path / "with" / "shards").exists()
    files = ("--data", data, "--validation", tmp_path / "validation", *FILES)
    refused = run(*files, "--out", tmp_path / "refused")
    assert refused.exit_code == 1
    assert "expected shards, to go with --validation, got none" in refused.stderr
    unfit = run(*arguments, "--split", "season", "--out", tmp_path / "unfit")
    assert unfit.exit_code == 1
    assert "expected a folder of files, to go with --split, got shards" in unfit.stderr


def test_wrong_searches_are_named(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = tmp_path / "shards"

    def message(*options: str) -> str:
        result = run("--data", data, "--out", tmp_path, "--shards", shards, *FILES, *options)
        assert result.exit_code == 1
        return result.stderr

    assert "above 0 for log, or choices, got training.rate" in message(
        "--search", "training.rate=1:2"
    )
    assert "expected validation samples to choose by, got none" in message("--split", "all")
    monkeypatch.setattr(sweep, "find_spec", lambda _: None)
    assert "found none; install 'hybrid-closures[sweep]'" in message()
