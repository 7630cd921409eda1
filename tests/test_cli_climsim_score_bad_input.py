"""``hybrid climsim score`` on bad files and a full disk: a clear error, nothing half written."""

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from climsim_closures import Linear
from consecutive_steps import spoil, truncate, with_columns, with_levels, without
from typer.testing import CliRunner, Result

import hybrid
from closures.climsim.files import list_pairs
from closures.climsim.splits import interleaved
from hybrid.cli import app
from hybrid.climsim_sample import SampleConfig, write_sample


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A sample to be damaged."""
    write_sample(tmp_path / "data", SampleConfig(n_per_month=3, months=(1, 10), seed=3))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archives") / "linear.pt"
    hybrid.export(Linear(), path)
    return path


def score(archive: Path, data: Path, out: Path) -> Result:
    runner = CliRunner(env={"HYBRID_CLIMSIM_DATA": "", "COLUMNS": "200"})
    arguments = ["climsim", "score", str(archive), "--data", str(data), "--out", str(out)]
    return runner.invoke(app, [*arguments, "--no-figures"])


@pytest.mark.parametrize("kind", ["mli", "mlo"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, r"expected \d+ bytes by its header, got \d+: the file is cut off"),
        (spoil, "state_t: expected finite values, got 1 that are not"),
        (lambda path: without(path, "state_q0001"), "expected a variable state_q0001, found none"),
        (lambda path: with_levels(path, 40), r"state_t: expected shape \(60, 'ncol'\), got \(40"),
        (lambda path: with_columns(path, 96), r"column"),
        (lambda path: path.write_bytes(b""), "expected a netCDF file, got one that cannot be read"),
    ],
    ids=["cut off", "NaN", "variable missing", "levels", "columns", "empty"],
)
def test_a_damaged_file_is_named_and_nothing_is_written(
    kind: str, damage: Callable[[Path], object], message: str, archive: Path, data: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    test = interleaved(list_pairs(data)).test
    bad = getattr(test[0], kind)
    damage(bad)
    result = score(archive, data, tmp_path / "out")
    assert result.exit_code == 1, result.output
    said = " ".join(result.output.split())
    assert re.search(message, said), said
    assert not list((tmp_path / "out").rglob("*.*"))


def test_a_pair_without_its_mlo_file_is_named(archive: Path, data: Path, tmp_path: Path) -> None:
    missing = list_pairs(data)[1].mlo
    missing.unlink()
    result = score(archive, data, tmp_path / "out")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert f"expected {missing.name} beside it; download the missing file" in said
    assert not list((tmp_path / "out").rglob("*.*"))


def test_a_full_disk_leaves_no_scores(
    archive: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: xr.Dataset, path: Path, *__: Any, **___: Any) -> None:
        Path(path).write_bytes(b"some bytes")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    result = score(archive, data, tmp_path / "out")
    assert result.exit_code == 1
    assert "No space left on device" in result.output
    monkeypatch.undo()
    assert not list((tmp_path / "out").rglob("scores.*"))
    assert score(archive, data, tmp_path / "out").exit_code == 0
