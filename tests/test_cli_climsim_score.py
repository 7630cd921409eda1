"""``hybrid climsim score``: what it prints and writes, and what it refuses."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from climsim_closures import Drawn, Linear, Members
from matplotlib.image import imread
from typer.testing import CliRunner, Result

import hybrid
from closures.climsim.files import list_pairs, read_columns
from closures.climsim.grid import find_grid, read_grid
from closures.climsim.pair_files import write_grid
from closures.climsim.scoring import score
from closures.climsim.splits import interleaved
from closures.climsim.variables import v1
from hybrid.cli import app
from hybrid.climsim_generator import column_grid
from hybrid.climsim_sample import SampleConfig, write_sample
from hybrid.climsim_scores.models import ArchiveModel
from hybrid.errors import ScoreError
from solvers.column_physics.grid import generated_grid

V1 = v1()


def call(*arguments: str | Path) -> Result:
    runner = CliRunner(env={"HYBRID_CLIMSIM_DATA": "", "COLUMNS": "200"})
    return runner.invoke(app, ["climsim", "score", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_sample(folder, SampleConfig(n_per_month=3, months=(1, 10), seed=3))
    return folder


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("archives")
    closures = {"linear": Linear(), "members": Members(3), "drawn": Drawn()}
    for name, closure in closures.items():
        hybrid.export(closure, folder / f"{name}.pt")
    return {name: folder / f"{name}.pt" for name in closures}


@pytest.fixture(scope="module")
def scored(
    data: Path, archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Result, Path]:
    """All archives, without figures."""
    out = tmp_path_factory.mktemp("scores") / "made"
    given = ("--data", data, "--out", out, "--samples", "4", "--no-figures")
    return call(*archives.values(), *given), out


def test_scores_of_an_archive_are_those_of_its_arithmetic(
    scored: tuple[Result, Path], data: Path
) -> None:
    result, out = scored
    assert result.exit_code == 0, result.output
    grid = read_grid(find_grid(data))
    truth = read_columns(interleaved(list_pairs(data)).test, V1)
    inputs = truth.inputs.astype(np.float32)
    rain, sunlight = 1e-13 * inputs[:, 120:121], 0.25 * inputs[:, 121:122]
    longwave = inputs[:, 122:123] + inputs[:, 123:124]
    heating, drying = 1e-8 * inputs[:, :60], -1e-6 * inputs[:, 60:120]
    one = np.hstack([heating, drying, sunlight, longwave, 0.1 * rain, rain, *[sunlight] * 4])
    given = xr.load_dataset(out / "scores.nc").sel(region="globe", light="day and night")
    # The mean of members 1, 2 and 3 is twice the first.
    for model, prediction in (("linear", one), ("members", 2 * one)):
        expected = score(prediction.astype(np.float64), truth, V1, grid)
        for label, found in expected.items():
            here = given.sel(model=model, variable=label)
            assert float(here["mae"]) == pytest.approx(found.mae, rel=1e-6)
            assert float(here["r2_pooled"]) == pytest.approx(found.r2_pooled, rel=1e-4, abs=1e-4)
    assert given["members"].values.tolist() == [1, 3, 4, 1, 1]
    assert float(given["spread"].sel(model="drawn", variable="NETSW")) > 0


def test_files(scored: tuple[Result, Path], archives: dict[str, Path]) -> None:
    result, out = scored
    content = json.loads((out / "scores.json").read_text())
    dataset = xr.load_dataset(out / "scores.nc")
    assert content["split"] == "interleaved"
    assert content["archives"]["members"]["members"] == 3
    assert content["archives"]["linear"]["file"] == archives["linear"].name
    day = {"model": "linear", "region": "tropics", "light": "day", "variable": "dT"}
    number = content["scores"]["mae"]["linear"]["tropics"]["day"]["dT"]
    assert number == pytest.approx(float(dataset["mae"].sel(day)))
    # Sunlight at night does not vary, and JSON has no NaN.
    assert content["scores"]["r2"]["linear"]["globe"]["night"]["SOLS"] is None
    assert content["published"]["scores"]["mae"]["MLP"]["dT"] == 2.683
    assert content["units"]["crps"] == "W m-2"
    written = ("scores.json", "scores.nc")
    assert sorted(path.name for path in out.iterdir()) == list(written)
    for name in written:
        assert f"wrote {out / name}" in result.output


def test_pictures(data: Path, archives: dict[str, Path], tmp_path: Path) -> None:
    result = call(archives["members"], "--data", data, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert {path.stem for path in tmp_path.glob("*.png")} == {
        "input_drift",
        "level_profiles",
        "maps_bias_members",
        "maps_mae_members",
        "maps_r2_members",
        "precipitation",
        "r2_sections_members",
        "rank_histograms",
        "response_members",
        "spread_skill",
    }
    for path in tmp_path.glob("*.png"):
        assert f"wrote {path}" in result.output
        pixels = imread(path)
        assert pixels.shape[0] > 300
        assert float(pixels[..., :3].std()) > 0.02, f"{path.name} is empty"


def test_tables(scored: tuple[Result, Path]) -> None:
    text = scored[0].output
    for title in (
        "Mean absolute error [W m-2]",
        "R2, pooled over columns and times [1]",
        "CRPS, fair [W m-2]",
        "half the weight on the spread, not proper",
    ):
        assert title in text
    rows = ("linear", "climatology, global mean", "climatology, column and hour", "MLP, published")
    for row in rows:
        assert re.search(rf"^ {re.escape(row)} ", text, flags=re.MULTILINE), row
    assert "are not comparable" in " ".join(text.split())
    night = next(line for line in text.splitlines()[::-1] if line.startswith(" linear: night"))
    assert night.split()[-1] == "-"


def test_all_steps_without_figures(data: Path, archives: dict[str, Path], tmp_path: Path) -> None:
    result = call(
        archives["linear"], "--data", data, "--split", "all", "--out", tmp_path, "--no-figures"
    )
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scores.json", "scores.nc"]
    scores = xr.load_dataset(tmp_path / "scores.nc")
    assert scores.attrs["n_step"] == len(list_pairs(data))
    assert "input_shift" not in scores
    assert "the scored ones themselves, which flatters them" in " ".join(result.output.split())
    # The climatology of the scored steps has no bias.
    bias = scores["bias"].sel(region="globe", light="day and night", variable="FLWDS")
    hourly = float(bias.sel(model="climatology, column and hour"))
    assert abs(hourly) < 1e-9


def test_a_grid_file_elsewhere(data: Path, archives: dict[str, Path], tmp_path: Path) -> None:
    arguments = (archives["linear"], "--split", "all", "--no-figures")
    without = call(*arguments, "--data", data / "train", "--out", tmp_path / "without")
    assert without.exit_code == 1
    assert "or name it with --grid" in " ".join(without.output.split())
    given = ("--data", data / "train", "--grid", find_grid(data), "--out", tmp_path / "named")
    assert call(*arguments, *given).exit_code == 0
    assert call(*arguments, "--data", data, "--out", tmp_path / "beside").exit_code == 0
    named, beside = (xr.load_dataset(tmp_path / name / "scores.nc") for name in ("named", "beside"))
    xr.testing.assert_identical(named["mae"], beside["mae"])
    other = tmp_path / "other_grid-info.nc"
    write_grid(other, column_grid(generated_grid(n_element=2)), "a grid of fewer columns")
    refused = call(*arguments, "--data", data, "--grid", other, "--out", tmp_path / "refused")
    assert refused.exit_code == 1
    said = " ".join(refused.output.split())
    assert "expected the 96 columns of the grid file, got 384 columns" in said


def exported(closure: Linear, path: Path, **changes: object) -> Path:
    closure.spec = replace(closure.spec, **changes)  # type: ignore[arg-type]
    hybrid.export(closure, path)
    return path


def test_archives_that_cannot_be_scored(
    data: Path, archives: dict[str, Path], column_archive: Path, tmp_path: Path
) -> None:
    other = exported(Linear(), tmp_path / "other.pt", provenance={"variables": "mine"})
    cases = [
        ([column_archive], "expected a variable set in the provenance: variables: expected one of"),
        ([other], "got 'mine'"),
        ([archives["linear"], other], "expected one variable set, got V1, mine"),
        ([archives["linear"], archives["linear"]], "expected each archive once, got it several"),
    ]
    for paths, message in cases:
        out = tmp_path / "out"
        result = call(*paths, "--data", data, "--out", out)
        assert result.exit_code == 1
        assert message in " ".join(result.output.split()), result.output
        assert not list(out.glob("*"))
    outputs = (replace(V1.outputs[0].field, name="warming"), *(v.field for v in V1.outputs[1:]))
    renamed = exported(Linear(), tmp_path / "renamed.pt", outputs=outputs)
    hybrid.export(Members(1), tmp_path / "one.pt")
    with pytest.raises(ScoreError, match=r"two or more, got \[1\]; export the mean"):
        ArchiveModel("one", tmp_path / "one.pt", 2)
    result = call(renamed, "--data", data, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "expected an output ptend_t[60] as in V1" in " ".join(result.output.split())


def test_no_data(archives: dict[str, Path], tmp_path: Path) -> None:
    result = call(archives["linear"], "--data", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "expected files named E3SM-MMF.mli.YYYY-MM-DD-SSSSS.nc" in result.output
    assert call(archives["linear"]).exit_code == 2


def test_same_file_name_in_two_folders(
    data: Path, archives: dict[str, Path], tmp_path: Path
) -> None:
    second = tmp_path / "later" / "linear.pt"
    second.parent.mkdir()
    second.write_bytes(archives["linear"].read_bytes())
    out = tmp_path / "out"
    result = call(archives["linear"], second, "--data", data, "--out", out, "--no-figures")
    assert result.exit_code == 0, result.output
    names = xr.load_dataset(out / "scores.nc")["model"].values.tolist()
    assert names[:2] == [f"{archives['linear'].parent.name}/linear", "later/linear"]
