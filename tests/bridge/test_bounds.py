"""The bounds that FORMAT.md states: up to them an archive is read, beyond it is refused."""

import json
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from bridge.archives import MANIFEST, with_manifest
from bridge.sanitized.programs import Probe, build
from bridge.stub_archives import archive, field, manifest, with_hashes, zipped
from torch import Tensor

import fortran_bridge
import hybrid
from closures import Closure, ClosureSpec, Field, SpecError
from fortran_bridge import BridgeError
from fortran_bridge.build import Prefix
from fortran_bridge.native_closure import NativeClosure
from hybrid.archive import read_manifest
from hybrid.bounds import LARGEST_JSON, MOST_UNFOLDING, UNFOLDING_ALLOWANCE
from hybrid.errors import ArchiveError, ExportError

ARCHIVE = 2
# Layouts without gaps and of single precision: the largest columns fit into the probe's memory.
PLAIN = 4

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def probe(prefix: Prefix) -> Iterator[Probe]:
    """A sanitized process that no single allocation beyond 256 MiB is granted."""
    build(prefix.fortran_source)
    with Probe(max_allocation_size_mb=256, hard_rss_limit_mb=2048) as running:
        yield running


def depth(levels: int) -> bytes:
    """Make an archive whose manifest has this many objects and arrays inside each other."""
    inner: list[Any] = []
    for _ in range(levels - 2):
        inner = [inner]
    return archive({**manifest(), "versions": inner})


def json_bytes(size: int) -> bytes:
    text = json.dumps(manifest()).encode()
    return archive(text + b" " * (size - len(text)))


def fields(count: int) -> bytes:
    return archive(manifest([field(f"x{i}") for i in range(count - 1)]))


def elements(count: int) -> bytes:
    return archive(manifest([field("x", (count - 1,))]))


def dims(count: int) -> bytes:
    names = [f"d{i}" for i in range(count)]
    return archive(manifest([{**field("x"), "dims": names, "shape": [1] * count}]))


def halo(width: int) -> bytes:
    grid = {"spacing": [1.0], "boundary": ["halo"], "halo_width": width}
    x, y = field("x", (None,)), field("y", (None,))
    return archive(manifest([x], [y], locality="grid", grid=grid))


def letters(count: int) -> bytes:
    return archive(manifest([field("x" * count)]))


def text_bytes(count: int) -> bytes:
    return archive(manifest(version="1" * count))


BOUNDS: dict[str, tuple[Callable[[int], bytes], int, str]] = {
    "depth": (depth, 16, "expected at most 16 levels of objects and arrays"),
    "JSON": (json_bytes, 2**22, "hybrid.json: expected at most 4 MiB, got more"),
    "fields": (fields, 256, "expected at most 256 fields|a list of at most 256"),
    "elements": (elements, 2**20, "fields of at most 1048576 elements together for each column"),
    "dims": (dims, 14, "x: expected dims to be a list of at most 14"),
    "halo": (halo, 1024, "halo_width: expected a whole number from 0 to 1024, got 1025"),
    "name": (letters, 63, "field name: expected lower-case letters.* at most 63; got"),
    "text": (text_bytes, 255, "version: expected at most 255 bytes of text"),
}
"""Makes an archive of a size, the largest size, and the message beyond it."""


@pytest.mark.parametrize("bound", BOUNDS)
def test_up_to_the_bound_and_no_further(probe: Probe, bound: str) -> None:
    make, most, expected = BOUNDS[bound]
    assert probe.load(make(most), PLAIN) == (0, "")
    status, message = probe.load(make(most + 1), PLAIN)
    assert status == ARCHIVE
    assert re.search(expected, message), message


@pytest.mark.parametrize("bound", BOUNDS)
def test_the_format_states_the_bound(bound: str) -> None:
    table = (Path(fortran_bridge.__file__).parent / "FORMAT.md").read_text().split("## Bounds")[1]
    most = BOUNDS[bound][1]
    text = f"{most >> 20} MiB" if bound == "JSON" else f"{most:,}"
    assert re.search(rf"^\| {text}( |$)", table, re.MULTILINE)


def unfolding(excess: int) -> bytes:
    """Make an archive of which about so many bytes are more than its entries may unfold to."""
    zeros = bytes(UNFOLDING_ALLOWANCE + 2**20)

    def with_noise(n_byte: int) -> tuple[bytes, int]:
        # What cannot be compressed adds as much to the file as to what it unfolds to.
        noise = random.Random(0).randbytes(n_byte)
        text = json.dumps(manifest()).encode()
        entries = with_hashes([(MANIFEST, text), ("zeros", zeros), ("noise", noise)])
        content = zipped(entries, zipfile.ZIP_DEFLATED)
        unfolded = sum(len(entry) for _, entry in entries)
        return content, unfolded - MOST_UNFOLDING * len(content) - UNFOLDING_ALLOWANCE

    return with_noise((with_noise(0)[1] - excess) // (MOST_UNFOLDING - 1))[0]


def test_entries_unfold_to_so_much(probe: Probe, tmp_path: Path) -> None:
    few = 1000
    assert probe.load(unfolding(-few), PLAIN) == (0, "")
    bomb = unfolding(few)
    status, message = probe.load(bomb, PLAIN)
    assert status == ARCHIVE
    assert "unfold to at most 8 times the file and 16 MiB, got more" in message
    path = tmp_path / "bomb.pt"
    path.write_bytes(bomb)
    with pytest.raises(ArchiveError, match="unfold to at most 8 times the file and 16 MiB"):
        read_manifest(path)


def test_members_have_so_many_elements(periodic_archive: Path, tmp_path: Path) -> None:
    def of(points: int) -> Path:
        def edit(content: dict[str, Any]) -> None:
            for group in ("inputs", "outputs"):
                content["spec"][group][0]["shape"] = [1, points]

        return with_manifest(periodic_archive, tmp_path / f"{points}.pt", edit)

    NativeClosure(of(2**23))
    with pytest.raises(BridgeError, match="at most 16777216 elements together for each member"):
        NativeClosure(of(2**23 + 1))


class Wide(Closure):
    """Never evaluated: export refuses it before."""

    def __init__(self, n_level: int, **more: Any) -> None:
        level = (("level",), (n_level,))
        outputs = (Field("y", "1"),)
        super().__init__(
            ClosureSpec(
                "wide",
                inputs=(Field("x", "1", *level, **more),),
                outputs=outputs,
                version="1" if n_level > 1 else "1" * 256,
            )
        )

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (torch.sum(x, 1),)


@pytest.mark.parametrize(
    ("closure", "message"),
    [
        (Wide(2**20), "wide: expected fields of at most 1048576 elements .* column, got 1048577"),
        (Wide(2**18, valid_min=(0.1234567890123,) * 2**18), "a manifest of at most 4 MiB, got"),
        (Wide(1), "wide: expected version to be at most 255 bytes of printable text, got '11"),
    ],
)
def test_export_writes_nothing_beyond(closure: Closure, message: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=message):
        hybrid.export(closure, tmp_path / "a.pt")
    assert list(tmp_path.iterdir()) == []


def test_export_counts_fields(tmp_path: Path) -> None:
    class Many(Closure):
        def __init__(self) -> None:
            inputs = tuple(Field(f"x{i}", "1") for i in range(256))
            super().__init__(ClosureSpec("many", "1", inputs, (Field("y", "1"),)))

    with pytest.raises(ExportError, match="many: expected at most 256 fields, got 257; put"):
        hybrid.export(Many(), tmp_path / "a.pt")


def test_dims_are_counted_in_python_too() -> None:
    names = tuple(f"d{i}" for i in range(15))
    assert Field("x", "1", names[:14], (1,) * 14).size == 1
    with pytest.raises(SpecError, match="x: expected at most 14 dims, got 15"):
        Field("x", "1", names, (1,) * 15)


def test_one_json_bound() -> None:
    assert BOUNDS["JSON"][1] == LARGEST_JSON
