"""Whatever is wrong with an archive, Python and the native library say so and go on."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bridge.archives import HASHES, of_newer_major, read_entries, with_manifest, write_entries
from closure_examples import ColumnNetwork

import hybrid
from fortran_bridge import BridgeError
from hybrid.archive import read_manifest
from hybrid.errors import ArchiveError


def refused(path: Path, native: str, python: str) -> None:
    with pytest.raises(BridgeError, match=native):
        hybrid.load(path)
    with pytest.raises(ArchiveError, match=python):
        read_manifest(path)


def test_folder_and_empty_file(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="expected an archive file, got a folder"):
        hybrid.load(tmp_path)
    path = tmp_path / "empty.pt"
    path.touch()
    with pytest.raises(BridgeError, match=r"empty.pt: expected a closure archive, got an empty"):
        hybrid.load(path)


def test_missing_file(tmp_path: Path) -> None:
    refused(
        tmp_path / "none.pt",
        r"none.pt: expected a readable archive file, got 'No such file or directory'; check",
        r"none.pt: expected a closure archive, got no such file; check the path",
    )


def test_not_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "text.pt"
    path.write_text("not a zip file\n" * 100)
    message = r"text.pt: expected a closure archive, got a file that is not one .*hybrid.export"
    refused(path, message, message)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.pt"
    path.touch()
    refused(path, "empty.pt: expected", "empty.pt: expected a closure archive")


def test_plain_torchscript(tmp_path: Path) -> None:
    path = tmp_path / "plain.pt"
    torch.jit.save(torch.jit.script(ColumnNetwork()), str(path))
    message = r"hybrid.json.* inside, got a zip file without.*exported with hybrid.export first"
    refused(path, message, message)


def test_newer_major_format(column_archive: Path, tmp_path: Path) -> None:
    path = of_newer_major(column_archive, tmp_path / "newer.pt")
    message = r"expected archive format 1.x, got 2.3; install a hybrid-closures that reads it"
    refused(path, message, message)


def test_newer_minor_format_is_read(column_archive: Path, tmp_path: Path) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["format"]["minor"] = 7
        manifest["something_new"] = True

    path = with_manifest(column_archive, tmp_path / "minor.pt", edit)
    assert hybrid.load(path).spec.name == "column_network"
    assert read_manifest(path).format_version == "1.7"


def test_changed_entry(column_archive: Path, tmp_path: Path) -> None:
    entries = read_entries(column_archive)
    name = next(name for name in entries if name.startswith("code/") and name.endswith(".py"))
    entries[name] += b"\n"
    path = write_entries(tmp_path / "changed.pt", entries, seal=False)
    refused(path, rf"entry {name}: expected SHA-256 .* changed after", "changed after the export")


def test_added_and_missing_entries(column_archive: Path, tmp_path: Path) -> None:
    entries = read_entries(column_archive)
    added = write_entries(tmp_path / "added.pt", {**entries, "extra/more": b"x"}, seal=False)
    refused(added, "entry extra/more is not in the list of hashes", "extra/more")
    removed = {name: content for name, content in entries.items() if name != "version"}
    lacking = write_entries(tmp_path / "lacking.pt", removed, seal=False)
    refused(lacking, "entry version is missing", "version")


def test_damaged_bytes(column_archive: Path, tmp_path: Path) -> None:
    content = bytearray(column_archive.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    path = tmp_path / "damaged.pt"
    path.write_bytes(content)
    refused(path, "damaged.pt: ", "damaged.pt: ")


def test_one_flipped_byte_is_called_damage(column_archive: Path, tmp_path: Path) -> None:
    content = column_archive.read_bytes()
    path = tmp_path / "flipped.pt"
    messages = []
    for position in np.linspace(0, len(content) - 1, 400, dtype=int):
        flipped = bytearray(content)
        flipped[position] ^= 0xFF
        path.write_bytes(flipped)
        try:
            read_manifest(path)
        except ArchiveError as error:
            messages.append(str(error))
    # Padding between entries, dates and the like carry nothing.
    assert len(messages) > 300
    assert [m for m in messages if not re.search("damaged.* cop(y|ied).* again", m)] == []


def test_folder(tmp_path: Path) -> None:
    message = "expected a closure archive, got a folder; name a file in it"
    with pytest.raises(ArchiveError, match=message):
        read_manifest(tmp_path)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_truncated_file(column_archive: Path, tmp_path: Path, keep: float) -> None:
    content = column_archive.read_bytes()
    path = tmp_path / "short.pt"
    path.write_bytes(content[: int(keep * len(content))])
    # zipfile may find the end of the reference columns, themselves a zip file, and read on.
    refused(path, "short.pt: expected a closure archive", "short.pt: expected")


def _remove_outputs(manifest: dict[str, Any]) -> None:
    manifest["spec"]["outputs"] = []


def _zero_levels(manifest: dict[str, Any]) -> None:
    manifest["spec"]["inputs"][0]["shape"] = [0]


def _half_precision(manifest: dict[str, Any]) -> None:
    manifest["spec"]["inputs"][0]["dtype"] = "float16"


def _rank_mismatch(manifest: dict[str, Any]) -> None:
    manifest["spec"]["inputs"][0]["dims"] = []


def _spec_is_text(manifest: dict[str, Any]) -> None:
    manifest["spec"] = "none"


def _no_name(manifest: dict[str, Any]) -> None:
    del manifest["spec"]["name"]


def _same_name_twice(manifest: dict[str, Any]) -> None:
    manifest["spec"]["outputs"][0]["name"] = manifest["spec"]["inputs"][0]["name"]


def _unknown_locality(manifest: dict[str, Any]) -> None:
    manifest["spec"]["locality"] = "planet"


@pytest.mark.parametrize(
    "edit",
    [
        _same_name_twice,
        _unknown_locality,
        _remove_outputs,
        _zero_levels,
        _half_precision,
        _rank_mismatch,
        _spec_is_text,
        _no_name,
    ],
)
def test_malformed_manifest(
    column_archive: Path, tmp_path: Path, edit: Callable[[dict[str, Any]], None]
) -> None:
    path = with_manifest(column_archive, tmp_path / "malformed.pt", edit)
    refused(path, "hybrid.json: expected|hybrid.json: .*expected", "expected a closure manifest")


def test_sizes_that_no_memory_holds(column_archive: Path, tmp_path: Path) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["spec"]["inputs"][0]["shape"] = [2**40]

    path = with_manifest(column_archive, tmp_path / "huge.pt", edit)
    with pytest.raises(BridgeError, match="size: expected a whole number from 1 to 16777216"):
        hybrid.load(path)


def test_spec_that_disagrees_with_forward(column_archive: Path, tmp_path: Path) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["spec"]["outputs"][1]["shape"] = [3]
        manifest["spec"]["outputs"][1]["dims"] = ["level"]

    path = with_manifest(column_archive, tmp_path / "disagree.pt", edit)
    # FTorch broadcasts a result of another shape in silence; here it never gets that far.
    with pytest.raises(BridgeError, match=r"precipitation: expected float32 .*, got float32"):
        hybrid.load(path)


def test_unknown_engine(column_archive: Path) -> None:
    with pytest.raises(
        BridgeError, match=r"expected engine 'auto', 'native' or 'torchscript'.*got 'onnx'"
    ):
        hybrid.load(column_archive, engine="onnx")


def test_list_of_hashes_is_required(column_archive: Path, tmp_path: Path) -> None:
    entries = read_entries(column_archive)
    del entries[HASHES]
    path = write_entries(tmp_path / "unsealed.pt", entries, seal=False)
    refused(path, "got a zip file without them", "got a zip file without")
