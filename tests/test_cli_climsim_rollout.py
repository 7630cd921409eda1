"""``hybrid climsim rollout``: what it prints and writes, and what it refuses."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from climsim_closures import Linear
from matplotlib.image import imread
from rollout_closures import Counting
from typer.testing import CliRunner, Result

import hybrid
from closures.climsim.pair_files import write_grid
from hybrid.cli import app
from hybrid.climsim_generator import column_grid
from hybrid.climsim_rollout.summary import COLUMNS
from hybrid.versions import versions
from solvers.column_physics import generated_grid

PLAIN = re.compile(r"\x1b\[[0-9;]*m")
PICTURES = {"error_growth", "error_profiles", "error_sections", "drift", "precipitation"}


def call(*arguments: str | Path) -> Result:
    runner = CliRunner(env={"COLUMNS": "200"})
    return runner.invoke(app, ["climsim", "rollout", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """A day of a closure that heats more and more, without precipitation."""
    folder = tmp_path_factory.mktemp("rollout")
    hybrid.export(Counting(), folder / "counting.pt")
    hybrid.export(Linear(), folder / "linear.pt")
    given: tuple[str, ...] = (
        "--days",
        "1",
        "--scheme",
        "low",
        "--spin-up",
        "2",
        "--damping",
        "inf",
        "--seed",
        "3",
    )
    archives = folder / "counting.pt", folder / "linear.pt"
    write_grid(folder / "few.nc", column_grid(generated_grid(60, 1)), "24 columns")
    given += ("--grid", str(folder / "few.nc"))
    return call(*archives, *given, "--out", folder / "made"), folder / "made"


def test_files(done: tuple[Result, Path]) -> None:
    result, out = done
    assert result.exit_code == 0, result.output
    content = json.loads((out / "rollout.json").read_text())
    scores = xr.load_dataset(out / "rollout.nc")
    assert content["seed"] == 3
    assert content["settings"]["damping"] == "inf"
    assert content["versions"] == versions()
    assert content["archives"]["counting"]["predicted"] == ["temperature"]
    assert content["archives"]["linear"]["provenance"] == {"variables": "V1"}
    assert len(content["time_days"]) == 8
    error = content["series"]["rmse_column"]["counting"]["temperature"]
    np.testing.assert_allclose(
        error, scores["rmse_column"].sel(run="counting", profile="temperature")
    )
    assert all(np.diff(error) > 0.0)
    # It says nothing of precipitation, and JSON has no NaN.
    assert set(content["series"]["precipitation"]["counting"]) == {None}
    assert content["summary"]["counting"]["water_residual_rms"] is None
    assert content["summary"]["truth"]["blow_up"] is None
    assert content["units"]["energy_residual_rms"] == "W m-2"
    assert content["units"]["profiles"]["vapour"] == "kg kg-1"
    assert {"physics", "surface", "flow"} == set(content["budgets"]["energy_budget"]["truth"])
    assert "rmse_column" not in content["units"]
    assert scores["rmse"].attrs["comment"] == "units differ by profile, see profile_units"
    assert scores["time"].values.tolist() == content["time_days"]
    assert scores.attrs["truth"] == "scheme low, +0 K"
    assert [path.suffix for path in sorted(out.iterdir())].count(".png") == len(PICTURES)
    for name in ("rollout.json", "rollout.nc"):
        assert f"wrote {out / name}" in result.output


def test_pictures(done: tuple[Result, Path]) -> None:
    result, out = done
    assert {path.stem for path in out.glob("*.png")} == PICTURES
    for path in out.glob("*.png"):
        assert f"wrote {path}" in result.output
        pixels = imread(path)
        assert pixels.shape[0] > 300
        assert float(pixels[..., :3].std()) > 0.02, f"{path.name} is empty"


def test_tables(done: tuple[Result, Path]) -> None:
    text = done[0].output
    words = " ".join(text.split())
    assert "differences from the truth are not damped by the flow" in words
    for row in ("truth", "counting", "linear", "scheme", "perturbed", "no"):
        found = re.findall(rf"^ {re.escape(row)} ", text, flags=re.MULTILINE)
        assert len(found) == len(COLUMNS), row
    for title in ("Errors of temperature and vapour", "Tendencies against", "Budgets and columns"):
        assert title in text
    assert "1 days of 6 runs: done" in done[0].stderr


def test_refusals(tmp_path: Path, column_archive: Path) -> None:
    result = call(column_archive, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "that of the columns, got (5,)" in " ".join(result.output.split())
    assert not list((tmp_path / "out").glob("*"))
    result = call(column_archive, "--damping", "2", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "expected at least 6 h, the relaxation time of the flow" in result.output
    assert call(tmp_path / "none.pt").exit_code == 2


def test_help_shows_examples() -> None:
    text = PLAIN.sub("", call("--help").output)
    assert "hybrid climsim rollout mlp.pt ridge.pt --out results/rollout" in text
