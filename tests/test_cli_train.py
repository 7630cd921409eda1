"""``hybrid train climsim``: what it writes, says and refuses."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from consecutive_steps import consecutive_steps
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

import hybrid
from closures.climsim.conversion import Conversion, convert
from closures.climsim.files import list_pairs, read_pair
from closures.climsim.grid import find_grid
from closures.climsim.pair_files import write_grid
from closures.climsim.recipes import recipe
from closures.climsim.splits import season
from closures.climsim.variables import variable_set
from hybrid.cli import app
from hybrid.climsim_generator import column_grid
from hybrid.climsim_sample import SampleConfig, write_sample
from solvers.column_physics.grid import generated_grid

QUICK = (
    *("--preset", "tiny", "--epochs", "2", "--set", "training.batch_size=128"),
    *("--variables", "V1_albedo"),
)


def train(*arguments: str | Path | int) -> Result:
    return CliRunner().invoke(app, ["train", "climsim", *(str(each) for each in arguments)])


def columns_of(data: Path) -> dict[str, NDArray[np.float64]]:
    """First time step, by field of V1 with albedos."""
    variables = variable_set("V1_albedo")
    inputs, _ = read_pair(list_pairs(data)[0], variables)
    return {
        v.field.name: inputs[:, part] if v.field.dims else inputs[:, part.start]
        for v, part in zip(variables.inputs, variables.slices("inputs").values(), strict=True)
    }


def heating(data: Path, archive: Path) -> NDArray[np.floating]:
    """What an archive makes of the first time step."""
    return hybrid.load(archive).evaluate(columns_of(data))["ptend_t"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train_cli")
    write_sample(folder, SampleConfig(n_per_month=3, months=(1, 7, 10), seed=2))
    return folder


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shards")


def test_a_folder_of_pairs_becomes_one_verified_archive(
    data: Path, shards: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = train(
        *("--data", data, "--out", out, "--split", "season", "--shards", shards, "--seed", 4),
        *("--name", "first", *QUICK),
    )
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("kept epoch ")
    assert lines[1:] == [
        f"wrote {out / name}" for name in ("first.pt", "training.json", "losses.png")
    ]
    assert "     epoch    training  validation        best" in result.stderr
    record = json.loads((out / "training.json").read_text())
    assert record["name"] == "first"
    assert record["recipe"]["training"]["seed"] == 4
    assert record["recipe"]["model"] == "mlp"
    assert len(record["history"]["training"]) == 2
    assert record["data"]["n_train"] == 3 * 384
    assert record["data"]["n_validation"] == 3 * 384
    spec = hybrid.load(out / "first.pt").spec
    assert spec.provenance["variables"] == "V1_albedo"
    assert spec.provenance["split"] == "season"
    assert float(spec.provenance["validation_loss"]) == pytest.approx(
        min(record["history"]["validation"]), rel=1e-5
    )


def test_physics_is_in_the_archive(data: Path, shards: Path, tmp_path: Path) -> None:
    arguments = ("--data", data, "--split", "season", "--shards", shards, *QUICK)
    assert train(*arguments, "--out", tmp_path / "with").exit_code == 0
    assert train(*arguments, "--out", tmp_path / "none", "--physics", "none").exit_code == 0
    largest = {}
    columns = columns_of(data)
    albedo = {"sols": "asdir", "soll": "aldir", "solsd": "asdif", "solld": "aldif"}
    for name in ("with", "none"):
        found = hybrid.load(tmp_path / name / "mlp.pt").evaluate(columns)
        net = sum(
            found[f"cam_out_{flux}"] * (1.0 - columns[f"cam_in_{a}"]) for flux, a in albedo.items()
        )
        largest[name] = np.abs(found["cam_out_netsw"] - net).max()
    assert largest["with"] < 1e-3
    assert largest["none"] > 0.1


def test_ridge_needs_no_epochs(data: Path, shards: Path, tmp_path: Path) -> None:
    result = train(
        *("--model", "ridge", "--data", data, "--split", "season", "--shards", shards),
        *("--out", tmp_path),
    )
    assert result.exit_code == 0, result.stderr
    assert [line.split("/")[-1] for line in result.stdout.splitlines()] == [
        "ridge.pt",
        "training.json",
    ]


def test_a_finished_training_is_exported_again_and_another_one_refused(
    data: Path, shards: Path, tmp_path: Path
) -> None:
    arguments = ("--data", data, "--split", "season", "--shards", shards, "--out", tmp_path, *QUICK)
    first = train(*arguments)
    before = heating(data, tmp_path / "mlp.pt")
    again = train(*arguments)
    assert again.stdout == first.stdout
    np.testing.assert_array_equal(heating(data, tmp_path / "mlp.pt"), before)
    other = train(*arguments, "--seed", "3", "--set", "loss.delta=2")
    assert other.exit_code == 1
    assert "got one with loss.delta=1.0 (now 2), training.seed=0 (now 3)" in other.stderr
    anew = train(*arguments, "--seed", "3", "--no-resume")
    assert anew.exit_code == 0
    assert not np.array_equal(heating(data, tmp_path / "mlp.pt"), before)


def test_shards_are_taken_as_they_are(data: Path, tmp_path: Path) -> None:
    split = season(list_pairs(data), validation=True)
    for part in ("train", "validation"):
        convert(getattr(split, part), tmp_path / part, Conversion(variable_set("V1")))
    arguments = (
        *("--data", tmp_path / "train", "--validation", tmp_path / "validation", *QUICK),
        *("--variables", "V1"),
    )
    without = train(*arguments, "--out", tmp_path / "out")
    assert without.exit_code == 1
    assert "expected a grid file" in without.stderr
    assert "or name it with --grid, or --set loss.weighting=std" in without.stderr
    result = train(*arguments, "--out", tmp_path / "out", "--grid", find_grid(data))
    assert result.exit_code == 0, result.stderr
    assert hybrid.load(tmp_path / "out" / "mlp.pt").spec.provenance["variables"] == "V1"
    assert not (tmp_path / "out" / "shards").exists()


def test_a_memory_is_trained_on_consecutive_steps(data: Path, tmp_path: Path) -> None:
    consecutive_steps(data, tmp_path / "data", 4)
    arguments = (
        *("--model", "vertical_rnn", "--variables", "V1", "--data", tmp_path / "data"),
        *("--split", "all", "--set", "training.batch_size=64", "--preset", "tiny", "--epochs", 1),
        *("--set", "loss.weighting=std"),
    )
    result = train(*arguments, "--set", "loss.rollout=3", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    spec = hybrid.load(tmp_path / "out" / "vertical_rnn.pt").spec
    (memory,) = spec.state
    assert (memory.name, memory.valid_min, memory.valid_max) == ("memory", -1.0, 1.0)
    # Two windows of three steps in four, 384 columns: 12 batches of 64.
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert record["data"]["n_train"] == 4 * 384
    assert "validation_loss" not in record["provenance"]
    too_long = train(*arguments, "--set", "loss.rollout=5", "--out", tmp_path / "long")
    assert too_long.exit_code == 1
    assert "expected 5 consecutive time steps, found none among 4" in too_long.stderr


def test_losses_can_be_weighted_by_energy(data: Path, shards: Path, tmp_path: Path) -> None:
    arguments = ("--data", data, "--split", "season", "--shards", shards, *QUICK)
    weighted = ("--set", "loss.kind=mae", "--set", "loss.weighting=energy_by_variable")
    result = train(*arguments, *weighted, "--out", tmp_path / "out", "--tensorboard")
    assert result.exit_code == 0, result.stderr
    assert list((tmp_path / "out" / "tensorboard").iterdir())
    # Shards alone have no levels.
    given = ("--data", shards / "V1_albedo-season-train", *QUICK, *weighted)
    without = train(*given, "--out", tmp_path / "without")
    assert without.exit_code == 1
    assert "expected a grid file, which tells the mass of each layer" in without.stderr
    assert train(*given, "--grid", find_grid(data), "--out", tmp_path / "with").exit_code == 0


@pytest.fixture
def without_grid(data: Path, tmp_path: Path) -> Path:
    """The pairs alone, as links."""
    folder = tmp_path / "low-res"
    folder.symlink_to(data / "train")
    return folder


def test_a_grid_file_elsewhere_serves_pairs(
    data: Path, without_grid: Path, shards: Path, tmp_path: Path
) -> None:
    arguments = (
        *("--data", without_grid, "--split", "season", "--shards", shards, *QUICK),
        *("--set", "loss.weighting=energy"),
    )
    without = train(*arguments, "--out", tmp_path / "without")
    assert without.exit_code == 1
    assert "put ClimSim's *grid-info.nc, and no other, beside the files" in without.stderr
    named = train(*arguments, "--grid", find_grid(data), "--out", tmp_path / "named")
    assert named.exit_code == 0, named.stderr
    whole = ("--data", data, *arguments[2:])
    beside = train(*whole, "--out", tmp_path / "beside")
    assert beside.exit_code == 0, beside.stderr
    columns = columns_of(data)
    first, second = (
        hybrid.load(tmp_path / name / "mlp.pt").evaluate(columns)["ptend_t"]
        for name in ("named", "beside")
    )
    np.testing.assert_array_equal(first, second)


def test_a_grid_file_that_does_not_fit_is_refused(
    data: Path, shards: Path, without_grid: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other_grid-info.nc"
    write_grid(other, column_grid(generated_grid(n_level=30)), "a grid of 30 levels")
    out = ("--out", tmp_path / "out")
    of_files = ("--split", "season", "--shards", shards)
    for given in (
        ("--data", without_grid, *of_files),
        ("--data", shards / "V1_albedo-season-train"),
    ):
        result = train(*given, *QUICK, "--grid", other, *out)
        assert result.exit_code == 1
        assert "expected the 60 levels of the samples, got a file with 30" in result.stderr
    pair = list_pairs(data)[0].mli
    result = train("--data", data, "--split", "season", "--grid", pair, *out, *QUICK)
    assert result.exit_code == 1
    assert "expected variables ['area', 'lat', 'lon'" in result.stderr
    text = tmp_path / "text.nc"
    text.write_text("no netCDF")
    result = train("--data", data, "--split", "season", "--grid", text, *out, *QUICK)
    assert result.exit_code == 1
    assert "Unknown file format" in result.stderr


@pytest.mark.parametrize("variables", ["V2", "v2_rh_mc"])
def test_the_recipe_is_that_of_the_variables_that_shards_hold(
    data: Path, tmp_path: Path, variables: str
) -> None:
    convert(list_pairs(data)[:1], tmp_path / "shards", Conversion(variable_set(variables)))
    result = train(
        *("--model", "hsr", "--data", tmp_path / "shards", "--out", tmp_path / "out"),
        *("--preset", "tiny", "--epochs", 1, "--set", "training.batch_size=128"),
        *("--grid", find_grid(data)),
    )
    assert result.exit_code == 0, result.stderr
    chosen = json.loads((tmp_path / "out" / "training.json").read_text())["recipe"]
    assert chosen["variables"] == variables
    expected = recipe("hsr", [f"variables={variables}"]).to_dict()
    assert chosen["scaling"]["prune"] == expected["scaling"]["prune"]


def test_what_shards_hold_is_said(shards: Path, tmp_path: Path) -> None:
    folder = shards / "V1_albedo-season-train"
    result = train("--data", folder, "--variables", "V2", "--out", tmp_path)
    assert result.exit_code == 1
    assert "expected shards of variables V2, got those of V1_albedo" in result.stderr
    for option in (
        ("--split", "interleaved"),
        ("--final",),
        ("--levels", 60),
        ("--shards", tmp_path / "other"),
    ):
        result = train("--data", folder, *option, "--out", tmp_path)
        assert result.exit_code == 1
        assert f"expected a folder of files, to go with {option[0]}, got shards" in result.stderr
    unfinished = tmp_path / "unfinished"
    shutil.copytree(folder, unfinished)
    (unfinished / "manifest.json").unlink()
    result = train("--data", unfinished, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "or the conversion has not ended; 'hybrid climsim convert' continues" in result.stderr


def test_wrong_settings_are_named(data: Path, tmp_path: Path) -> None:
    def message(*arguments: str) -> str:
        result = train("--data", data, "--out", tmp_path, *arguments)
        assert result.exit_code == 1
        return result.stderr

    assert "expected shards, to go with --validation, got none" in message(
        "--validation", str(data)
    )
    assert "model: expected one of ridge, mlp, cnn" in message("--model", "forest")
    assert "expected training. out of n_epoch, batch_size" in message("--set", "training.epochs=3")
    assert "expected training.n_epoch to be int, got 'many'" in message(
        "--set", "training.n_epoch=many"
    )
    assert "mlp: expected a preset of tiny, small" in message("--preset", "huge")
    assert "physics: expected different layers out of quantiles" in message("--physics", "gravity")
    assert "expected NAME=VALUE such as training.n_epoch=5" in message("--set", "n_epoch")


def test_what_is_trained_on_all_files_scores_months_it_has_never_seen(
    data: Path, tmp_path: Path
) -> None:
    for name, months in (("seen", ("01", "07")), ("unseen", ("10",))):
        for month in months:
            part = Path("train") / f"0008-{month}"
            shutil.copytree(data / part, tmp_path / name / part)
        shutil.copytree(data / "grid_info", tmp_path / name / "grid_info")
    out = tmp_path / "out"
    result = train("--model", "ridge", "--data", tmp_path / "seen", "--split", "all", "--out", out)
    assert result.exit_code == 0, result.stderr
    scored = CliRunner().invoke(
        app,
        [
            *("climsim", "score", str(out / "ridge.pt"), "--data", str(tmp_path / "unseen")),
            *("--split", "all", "--no-figures", "--out", str(out / "scores")),
        ],
    )
    assert scored.exit_code == 0, scored.stderr
    scores = json.loads((out / "scores" / "scores.json").read_text())
    assert "0008-10" in scores["first_step"]
    assert "0008-10" in scores["last_step"]
    provenance = scores["archives"]["ridge"]["provenance"]
    assert provenance["split"] == "all"
    mae = {model: by_place["globe"] for model, by_place in scores["scores"]["mae"].items()}
    whole = {model: next(iter(found.values())) for model, found in mae.items()}
    assert whole["ridge"]["NETSW"] < 0.5 * whole["climatology, global mean"]["NETSW"]
