"""Small archives for the stub engine, made without torch."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from bridge.archives import HASHES, MANIFEST

Entries = Iterable[tuple[str, bytes]]


def field(name: str, shape: tuple[int | None, ...] = (), **more: Any) -> dict[str, Any]:
    """Return a field of a manifest, axes called level, row, point; `more` adds keys."""
    dims = ["level", "row", "point"][: len(shape)]
    return {"name": name, "units": "K", "dims": dims, "shape": list(shape), **more}


def manifest(
    inputs: Iterable[Mapping[str, Any]] = (field("x"),),
    outputs: Iterable[Mapping[str, Any]] = (field("y"),),
    **more: Any,
) -> dict[str, Any]:
    """Return a manifest for the stub engine; `more` adds keys to the specification."""
    return {
        "format": {"major": 1, "minor": 0},
        "engine": "torchscript",
        "spec": {
            "name": "stub",
            "version": "1.0",
            "inputs": list(inputs),
            "outputs": list(outputs),
            **more,
        },
    }


MANIFESTS: dict[str, dict[str, Any]] = {
    "scalar": manifest(),
    "profiles": manifest(
        [field("t", (3,), valid_min=100.0, valid_max=[400.0, 350.0, 300.0]), field("p")],
        [field("dt", (3,), units="K s-1"), field("sure", role="confidence", valid_min=0.5)],
    ),
    "stateful": manifest(
        [field("x", (2,), dtype="float64")],
        [field("y", (2,), dtype="float64")],
        state=[field("memory", (2,))],
        noise=[field("xi", (2,), units="1")],
    ),
    "not_finite": manifest([field("x", (2,))], [field("result_nan", (2,)), field("y")]),
    "failing": manifest([field("fail_run")]),
    "grid": manifest(
        [field("q", (2, None, None))],
        [field("dq", (2, None, None))],
        locality="grid",
        grid={"spacing": [1e4, 1e4], "boundary": ["periodic", "halo"], "halo_width": 1},
    ),
}
"""One manifest for each kind of closure."""


def with_hashes(entries: Entries) -> list[tuple[str, bytes]]:
    """Add the list of hashes that belongs to `entries`."""
    listed = list(entries)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in listed}
    return [*listed, (HASHES, json.dumps({"entries": hashes}).encode())]


def zipped(entries: Entries, method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip file with all entries below one folder."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        for name, content in entries:
            file.writestr(zipfile.ZipInfo(f"stub/{name}"), content, method)
    return stream.getvalue()


def archive(content: Mapping[str, Any] | bytes) -> bytes:
    """Return a sealed archive with this manifest, or text in its place."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return zipped(with_hashes([("data.pkl", b"stub"), (MANIFEST, text)]))
