"""Bad input and full disks: named, skipped or refused, and nothing half done left as if whole."""

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consecutive_steps import spoil, truncate, with_columns, with_levels, without
from filelock import FileLock

from closures.climsim import shard_writer
from closures.climsim.cluster import ClusterError, cluster
from closures.climsim.conversion import Conversion, convert
from closures.climsim.errors import DataError
from closures.climsim.files import find_pairs, list_pairs, read_pair
from closures.climsim.loader import Shards
from closures.climsim.manifest import Manifest
from closures.climsim.variables import variable_set
from hybrid.climsim_sample import SampleConfig, write_sample

V1 = variable_set("V1")
SMALL = Conversion(V1, shard_bytes=800_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sample of three pairs, to be damaged."""
    write_sample(tmp_path / "in", SampleConfig(n_per_month=3, months=(1,), seed=1))
    return tmp_path / "in"


@pytest.mark.parametrize("kind", ["mli", "mlo"])
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, r"expected \d+ bytes by its header, got \d+: the file is cut off"),
        (spoil, "state_t: expected finite values, got 1 that are not"),
        (lambda path: without(path, "state_q0001"), "expected a variable state_q0001, found none"),
        (
            lambda path: with_levels(path, 40),
            r"state_t: expected shape \(60, 'ncol'\), got \(40, 384\)",
        ),
        (lambda path: path.write_bytes(b""), "expected a netCDF file, got one that cannot be read"),
        (lambda path: with_columns(path, 96), r"(columns.*384.*96|columns.*\[96, 384\])"),
    ],
    ids=["cut off", "NaN", "variable missing", "levels", "empty", "columns"],
)
def test_a_damaged_file_is_named_and_left_out(
    folder: Path, kind: str, damage: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    pairs = list_pairs(folder)
    bad = pairs[1]
    damage(getattr(bad, kind))
    manifest = convert(pairs, tmp_path / "out", SMALL)
    (skipped,) = manifest.skipped
    assert skipped.name == bad.mli.name
    assert (getattr(bad, kind).name in skipped.reason) or "one number of columns" in skipped.reason
    assert re.search(reason, skipped.reason)
    assert manifest.n_sample == 2 * 384
    assert {source.mli for source in manifest.sources} == {pairs[0].mli.name, pairs[2].mli.name}
    inputs, outputs = Shards.open(tmp_path / "out").rows(manifest.shards[0])
    assert np.isfinite(inputs).all()
    assert np.isfinite(outputs).all()
    assert Manifest.read(tmp_path / "out").skipped == manifest.skipped


def test_a_damaged_pair_cannot_be_read_alone(folder: Path) -> None:
    pair = list_pairs(folder)[0]
    truncate(pair.mlo)
    with pytest.raises(DataError, match=rf"{pair.mlo.name}: expected .* cut off; download"):
        read_pair(pair, V1)


def test_nothing_that_can_be_read_is_an_error_and_leaves_no_claim(
    folder: Path, tmp_path: Path
) -> None:
    pairs = list_pairs(folder)
    for pair in pairs:
        spoil(pair.mlo)
    out = tmp_path / "out"
    with pytest.raises(DataError, match=r"expected pairs that can be read, got none; E3SM.*finite"):
        convert(pairs, out, SMALL)
    assert [path.name for path in out.iterdir()] == [".lock"]
    for pair in pairs:
        pair.mli.write_bytes(b"")
    with pytest.raises(DataError, match="expected at least one file that can be read"):
        convert(pairs, out, SMALL)
    with pytest.raises(DataError, match="expected pairs to convert, got none"):
        convert([], out, SMALL)


def test_files_without_their_partner_are_found(folder: Path) -> None:
    pairs = list_pairs(folder)
    pairs[0].mlo.unlink()
    pairs[2].mli.unlink()
    found, alone = find_pairs(folder)
    assert found == pairs[1:2]
    assert alone == (pairs[0].mli, pairs[2].mlo)
    with pytest.raises(DataError, match=rf"{pairs[0].mli.name}: expected {pairs[0].mlo.name} bes"):
        list_pairs(folder)


def test_a_full_disk_ends_the_conversion_and_room_lets_it_go_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs, out = list_pairs(folder), tmp_path / "out"
    write_rows, count = shard_writer._write_rows, 0

    def full(stream: Any, rows: Any, order: Any) -> None:
        nonlocal count
        count += 1
        if count == 4:
            stream.write(b"some bytes")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), stream.name)
        write_rows(stream, rows, order)

    monkeypatch.setattr(shard_writer, "_write_rows", full)
    with pytest.raises(OSError, match=r"No space left on device.*shard-00001\.outputs\.npy"):
        convert(pairs, out, SMALL)
    monkeypatch.undo()
    # The first shard is whole, of the second only a file that nothing refers to.
    names = {path.name for path in out.iterdir()}
    assert names == {
        ".lock", "plan.sha256", "unfinished", "shard-00000.inputs.npy", "shard-00000.outputs.npy",
        "shard-00001.inputs.npy",
    }  # fmt: skip
    with pytest.raises(DataError, match="the conversion has not ended"):
        Shards.open(out)
    manifest = convert(pairs, out, SMALL)
    assert manifest.n_sample == 3 * 384
    assert Shards.open(out).manifest.n_sample == 3 * 384


def test_another_conversion_in_the_same_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    pairs = list_pairs(folder)
    convert(pairs, tmp_path / "out", SMALL)
    message = "expected a conversion with these files, variables, seed and size"
    for other in (
        Conversion(V1, seed=1, shard_bytes=800_000),
        Conversion(variable_set("V2"), shard_bytes=800_000),
        Conversion(V1),
    ):
        with pytest.raises(DataError, match=message):
            convert(pairs, tmp_path / "out", other)
    with pytest.raises(DataError, match=message):
        convert(pairs[:2], tmp_path / "out", SMALL)
    os.utime(pairs[0].mli, (0, 0))
    with pytest.raises(DataError, match=message):
        convert(pairs, tmp_path / "out", SMALL)


def test_a_folder_with_other_shards_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "shard-00000.inputs.npy").write_bytes(b"mine")
    with pytest.raises(DataError, match="got one with some of unknown origin"):
        convert(list_pairs(folder), tmp_path, SMALL)
    assert (tmp_path / "shard-00000.inputs.npy").read_bytes() == b"mine"


def test_two_conversions_at_once_are_refused(folder: Path, tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / ".lock"),
        pytest.raises(DataError, match="expected a folder that nobody writes"),
    ):
        convert(list_pairs(folder), tmp_path, SMALL)


def test_a_grid_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="variables v6: expected the grid of the columns, got none"):
        Conversion(variable_set("v6"))
    with pytest.raises(ValueError, match="expected a size of at least 1, got 0"):
        Conversion(V1, shard_bytes=0)


def test_shards_that_were_cut_off_are_not_opened(folder: Path, tmp_path: Path) -> None:
    convert(list_pairs(folder), tmp_path / "out", SMALL)
    truncate(tmp_path / "out" / "shard-00001.inputs.npy")
    with pytest.raises(
        DataError, match=r"shard-00001\.inputs\.npy: expected 384 samples here and in"
    ):
        Shards.open(tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected JSON, got"),
        ("[]", r"expected format climsim-shards 1, got None"),
        ('{"format": "climsim-shards", "format_version": 2}', r"got \('climsim-shards', 2\)"),
    ],
)
def test_a_manifest_of_something_else(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=message):
        Manifest.read(tmp_path)


def test_a_manifest_with_other_features(folder: Path, tmp_path: Path) -> None:
    convert(list_pairs(folder), tmp_path / "out", SMALL)
    path = tmp_path / "out" / "manifest.json"
    path.write_text(path.read_text().replace("state_q0001", "state_q0009"))
    with pytest.raises(DataError, match="expected the inputs of variables V1 as this version"):
        Manifest.read(tmp_path / "out")


def test_workers_need_a_number_and_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClusterError, match="expected at least 1, got 0"), cluster(0):
        pass
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'hybrid-closures\[cluster\]'"), cluster(2):
        pass
