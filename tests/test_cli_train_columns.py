"""``hybrid train columns``: anyone's columns, in their own units and dimensions."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from typer.testing import CliRunner, Result

import hybrid
from closures import ClosureSpec, Field
from closures.training import Order
from closures.training.batches import MappedBatches
from hybrid.cli import app
from hybrid.training import column_files
from hybrid.training.column_files import ColumnSource, column_shards

N_LEVEL = 4
SPEC = ClosureSpec(
    "boundary_layer",
    "1.0",
    inputs=(Field("t", "K", ("lev",), (N_LEVEL,)), Field("ps", "Pa")),
    outputs=(Field("heating", "K s-1", ("lev",), (N_LEVEL,)), Field("rain", "kg m-2 s-1")),
)
QUICK = (
    *("--preset", "tiny", "--epochs", "15", "--set", "training.batch_size=16"),
    *("--set", "training.learning_rate=0.01"),
)


def dataset(n_time: int = 40, n_column: int = 8) -> xr.Dataset:
    """Columns in hPa and K per day, levels before time."""
    rng = np.random.default_rng(0)
    t = 250.0 + 10.0 * rng.normal(size=(N_LEVEL, n_time, n_column))
    ps = 1000.0 + 10.0 * rng.normal(size=(n_time, n_column))
    return xr.Dataset(
        {
            "t": (("lev", "time", "column"), t, {"units": "K"}),
            "ps": (("time", "column"), ps, {"units": "hPa"}),
            "heating": (("lev", "time", "column"), (250.0 - t) / 5.0, {"units": "K day-1"}),
            "rain": (("time", "column"), np.maximum(ps - 1000.0, 0.0), {"units": "mm day-1"}),
            "unused": (("time",), np.arange(n_time), {"units": "days since 2000-01-01"}),
        }
    ).pipe(_as_mass)


def _as_mass(data: xr.Dataset) -> xr.Dataset:
    data["rain"].attrs["units"] = "kg m-2 day-1"
    return data


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.json"
    path.write_text(SPEC.to_json())
    return path


def train(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["train", "columns", *(str(each) for each in arguments)])


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_columns_become_an_archive_in_the_units_of_the_contract(
    tmp_path: Path, spec: Path, suffix: str
) -> None:
    data, path, out = dataset(), tmp_path / f"data.{suffix}", tmp_path / "out"
    if suffix == "nc":
        data.to_netcdf(path)
    else:
        data.to_zarr(path, zarr_format=2)
    result = train("--spec", spec, "--data", path, "--out", out, "--nonnegative", "rain", *QUICK)
    assert result.exit_code == 0, result.stderr
    assert f"wrote {out / 'boundary_layer.pt'}" in result.stdout
    record = json.loads((out / "training.json").read_text())
    assert record["data"]["n_train"] == 32 * 8
    assert record["data"]["n_validation"] == 8 * 8
    assert record["history"]["validation"][-1] < 0.5 * record["history"]["validation"][0]
    archive = hybrid.load(out / "boundary_layer.pt")
    t = data["t"].transpose("time", "column", "lev").values.reshape(-1, N_LEVEL)
    found = archive.evaluate({"t": t, "ps": 100.0 * data["ps"].values.ravel()})
    expected = (250.0 - t) / 5.0 / 86400.0
    correlation = np.corrcoef(found["heating"].ravel(), expected.ravel())[0, 1]
    assert correlation > 0.9
    assert found["rain"].min() == 0.0
    low = archive.spec.inputs[0].valid_min
    assert isinstance(low, tuple)
    np.testing.assert_allclose(low, t[: 32 * 8].min(axis=0), rtol=1e-6)


def test_pieces_hold_every_sample_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset()
    data.to_netcdf(tmp_path / "data.nc")
    monkeypatch.setattr(column_files, "PIECE", 24)
    fractions: list[float] = []
    shards = column_shards(
        ColumnSource(tmp_path / "data.nc", SPEC), tmp_path / "shards", fractions.append
    )
    assert shards.n_part == 14
    assert fractions[-1] == 1.0
    batches = MappedBatches(shards, Order(64, seed=0, drop_last=False))
    inputs = torch.cat([x for x, _ in batches.epoch(0)]).numpy()
    assert inputs.shape == (320, 5)
    expected = data["t"].transpose("time", "column", "lev").values.reshape(-1, 4)
    np.testing.assert_allclose(np.sort(inputs[:, 0]), np.sort(expected[:, 0]), rtol=1e-6)
    np.testing.assert_allclose(shards.inputs.mean[:4], expected.mean(axis=0), rtol=1e-6)
    again = column_shards(
        ColumnSource(tmp_path / "data.nc", SPEC), tmp_path / "shards", fractions.append
    )
    assert len(fractions) == 14
    assert again.digest == shards.digest
    part = column_shards(ColumnSource(tmp_path / "data.nc", SPEC, 0.0, 0.5), tmp_path / "shards")
    assert part.n_sample == 160
    assert len(list((tmp_path / "shards").glob("*.npy"))) == 2 * part.n_part


def test_another_dataset_validates(tmp_path: Path, spec: Path) -> None:
    dataset().to_netcdf(tmp_path / "data.nc")
    dataset(n_time=10).to_netcdf(tmp_path / "held.nc")
    result = train(
        *("--spec", spec, "--data", tmp_path / "data.nc", "--validation", tmp_path / "held.nc"),
        *("--out", tmp_path / "out", *QUICK),
    )
    assert result.exit_code == 0, result.stderr
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    assert (record["data"]["n_train"], record["data"]["n_validation"]) == (320, 80)


def test_data_that_do_not_fit_are_named(tmp_path: Path, spec: Path) -> None:
    def message(data: xr.Dataset, *options: str) -> str:
        path = tmp_path / "data.nc"
        path.unlink(missing_ok=True)
        data.to_netcdf(path)
        result = train("--spec", spec, "--data", path, "--out", tmp_path / "out", *QUICK, *options)
        assert result.exit_code == 1
        assert not (tmp_path / "out" / "boundary_layer.pt").exists()
        return result.stderr

    data = dataset()
    assert "missing rain; it has t, ps, heating, unused" in message(data.drop_vars("rain"))
    assert "ps: expected an attribute units, such as 'Pa', got none" in message(
        data.assign(ps=data["ps"].drop_attrs())
    )
    in_metres = data.assign(ps=data["ps"].assign_attrs(units="m"))
    assert "ps: expected units that become 'Pa', got 'm'" in message(in_metres)
    assert "t: expected dimensions {'time': 40, 'column': 8, 'lev': 4}" in message(
        data.isel(lev=slice(3))
    )
    holed = data.copy(deep=True)
    holed["t"][0, 3, 2] = np.nan
    assert "t: expected finite values, got 1 that are not" in message(holed)
    assert "expected outputs out of heating, rain, got snow" in message(
        data, "--nonnegative", "snow"
    )
    assert "exact, which is for ClimSim's" in message(data, "--physics", "exact")


def test_a_contract_that_is_none(tmp_path: Path, spec: Path) -> None:
    dataset().to_netcdf(tmp_path / "data.nc")
    spec.write_text("{}")
    result = train("--spec", spec, "--data", tmp_path / "data.nc", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "expected a contract in JSON, as ClosureSpec.to_json writes, got" in result.stderr
