"""``hybrid climsim run``: a closure in the Fortran column host, from the command line."""

from pathlib import Path

import pytest
from bridge.host_programs import needs_mpi
from climsim_emulators import columns_of, emulator
from typer.testing import CliRunner, Result

import hybrid
from closures.climsim.files import list_pairs
from hybrid.cli import app
from hybrid.climsim_sample import SampleConfig, write_sample

pytestmark = pytest.mark.fortran


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("climsim_run")
    write_sample(folder, SampleConfig(n_per_month=3, months=(1, 4), seed=2))
    return folder


@pytest.fixture(scope="module")
def archive(data: Path) -> Path:
    path = data / "mlp.pt"
    hybrid.export(emulator("mlp", *columns_of(list_pairs(data), "V1")), path)
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["climsim", "run", *(str(each) for each in arguments)])


def test_a_month_is_run(data: Path, archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(archive, "--data", data, "--out", out, "--from", "0008-04", "--to", "0008-04")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("1152 columns in ")
    assert "columns/s" in result.stdout
    assert result.stdout.endswith(f"wrote 3 files to {out}\n")
    expected = [pair.mlo.name for pair in list_pairs(data) if pair.month == 4]
    assert sorted(path.name for path in out.glob("*.nc")) == expected


@needs_mpi
def test_ranks_write_the_same(data: Path, archive: Path, tmp_path: Path) -> None:
    for ranks in ("1", "2"):
        options = ("--data", data, "--out", tmp_path / ranks, "--to", "0008-01", "--ranks", ranks)
        assert run(archive, *options).exit_code == 0
    for path in (tmp_path / "1").glob("*.nc"):
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()


def test_what_is_wrong_is_one_message(data: Path, archive: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(archive.read_bytes()[:1000])
    result = run(broken, "--data", data, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "broken.pt" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list((tmp_path / "out").glob("*.nc"))
