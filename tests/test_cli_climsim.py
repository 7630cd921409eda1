"""``hybrid climsim``: what it writes, says and refuses."""

import re
from pathlib import Path

import pytest
from consecutive_steps import consecutive_steps, truncate
from typer.testing import CliRunner, Result

from closures.climsim.files import list_pairs
from closures.climsim.loader import Shards
from closures.climsim.variables import set_names
from hybrid.cli import app
from hybrid.climsim_sample import SampleConfig, write_sample


def convert(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["climsim", "convert", *(str(each) for each in arguments)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("climsim_cli")
    write_sample(folder, SampleConfig(n_per_month=3, months=(1, 4), seed=2))
    return folder


def test_a_folder_becomes_shards(data: Path, tmp_path: Path) -> None:
    result = convert(data, tmp_path / "out", "--variables", "V2", "--seed", "7")
    assert result.exit_code == 0
    assert result.stdout == (
        "V2: 2304 samples of 557 inputs and 368 outputs, from 6 time steps, in 1 shard; "
        f"0 files skipped\nwrote {tmp_path / 'out' / 'manifest.json'}\n"
    )
    assert "time steps converted: done in" in result.stderr
    manifest = Shards.open(tmp_path / "out").manifest
    assert (manifest.variables.name, manifest.seed, manifest.n_sample) == ("V2", 7, 2304)
    again = convert(data, tmp_path / "out", "--variables", "V2", "--seed", "7")
    assert again.stdout == result.stdout


def test_selection_and_order(data: Path, tmp_path: Path) -> None:
    options = ("--no-shuffle", "--from", "0008-04", "--stride", "2", "--shard-size", "1")
    assert convert(data, tmp_path / "out", *options).exit_code == 0
    manifest = Shards.open(tmp_path / "out").manifest
    expected = [pair.mli.name for pair in list_pairs(data) if pair.month == 4][::2]
    assert [source.mli for source in manifest.sources] == expected
    assert manifest.seed is None


def test_bad_files_are_named_on_the_terminal(data: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "in", SampleConfig(n_per_month=3, months=(1,), seed=2))
    pairs = list_pairs(tmp_path / "in")
    truncate(pairs[0].mlo)
    pairs[2].mlo.unlink()
    result = convert(tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 0
    assert "384 samples" in result.stdout
    assert "2 files skipped" in result.stdout
    lines = [line for line in result.stderr.splitlines() if line.startswith("skipped ")]
    assert len(lines) == 2
    assert lines[0].startswith(f"skipped {pairs[2].mli.name}: ")
    assert lines[0].endswith(f"expected {pairs[2].mlo.name} beside it; download the missing file")
    assert lines[1].startswith(f"skipped {pairs[0].mli.name}: {pairs[0].mlo}: expected ")


def test_no_pair_at_all(tmp_path: Path) -> None:
    write_sample(tmp_path / "in", SampleConfig(n_per_month=3, months=(1,), seed=2))
    pairs = list_pairs(tmp_path / "in")
    for pair in pairs:
        pair.mlo.unlink()
    result = convert(tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 1
    assert f"{pairs[0].mli}: expected {pairs[0].mlo.name} beside it" in result.stderr
    assert not (tmp_path / "out").exists()


def test_memory_finds_its_grid_and_steps_and_names_what_has_none(
    data: Path, tmp_path: Path
) -> None:
    steps = consecutive_steps(data, tmp_path / "in" / "train", 4)
    result = convert(tmp_path / "in", tmp_path / "out", "--variables", "v6")
    assert result.exit_code == 1
    assert "expected one file *grid-info.nc, found 0" in result.stderr
    grid = next(data.rglob("*grid-info.nc"))
    result = convert(tmp_path / "in", tmp_path / "out", "--variables", "v6", "--grid", grid)
    assert result.exit_code == 0
    assert "768 samples of 1399 inputs" in result.stdout
    assert f"skipped {steps[0].mli.name}: " in result.stderr
    # Earlier steps are looked for among all files, not only the chosen ones.
    options = ("--variables", "v6", "--grid", grid, "--from", "0008-01", "--stride", "3")
    result = convert(tmp_path / "in", tmp_path / "other", *options)
    assert "384 samples" in result.stdout


def test_many_skipped_files_are_cut_short(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid.commands.climsim_convert.SHOWN", 1)
    steps = consecutive_steps(data, tmp_path / "in", 3)
    grid = next(data.rglob("*grid-info.nc"))
    result = convert(tmp_path / "in", tmp_path / "out", "--variables", "v6", "--grid", grid)
    assert steps[1].mli.name not in result.stderr
    assert "skipped 1 more, which manifest.json names" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--variables", "V3"), "variables: expected one of V1, V1_albedo, V2"),
        (("--levels", "72"), "expected pairs that can be read, got none"),
        (("--from", "8-1"), "month: expected YYYY-MM, got '8-1'"),
        (("--from", "0008-05"), "expected pairs from 0008-05 to the end, got none of 6"),
    ],
)
def test_what_is_wrong_is_one_message(
    data: Path, tmp_path: Path, options: tuple[str, str], message: str
) -> None:
    result = convert(data, tmp_path / "out", *options)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_scheduler_that_does_not_answer(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        result = convert(data, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    assert result.exit_code == 1
    assert "error: tcp://127.0.0.1:9: expected a dask scheduler, got" in result.stderr
    assert not (tmp_path / "out").exists()


def test_an_interruption_says_how_to_go_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("closures.climsim.shard_writer._write_rows", interrupt)
    result = convert(data, tmp_path / "out")
    assert result.exit_code == 130
    assert "interrupted; the same command continues it" in result.stderr
    monkeypatch.undo()
    assert convert(data, tmp_path / "out").exit_code == 0


def test_help_names_every_variable_set() -> None:
    text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", convert("--help").output).split())
    assert f"{', '.join(set_names()[:-1])} or {set_names()[-1]}." in text


@pytest.mark.slow
def test_two_processes_make_the_same_shards(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    options = ("--shard-size", "1")
    assert convert(data, tmp_path / "one", *options).exit_code == 0
    result = convert(data, tmp_path / "two", *options, "--workers", "2")
    assert result.exit_code == 0, result.stderr
    for path in (tmp_path / "one").glob("*.npy"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
