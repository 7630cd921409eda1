"""Make damaged and altered archives."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

MANIFEST = "extra/hybrid.json"
HASHES = "extra/hybrid.sha256.json"


def read_entries(path: Path) -> dict[str, bytes]:
    """Return all entries of an archive, names without the folder."""
    with zipfile.ZipFile(path) as file:
        return {name.split("/", 1)[1]: file.read(name) for name in file.namelist()}


def write_entries(path: Path, entries: dict[str, bytes], *, seal: bool) -> Path:
    """Write entries to a zip file; `seal` brings the list of hashes up to date."""
    if seal:
        hashes = {
            name: hashlib.sha256(content).hexdigest()
            for name, content in entries.items()
            if name != HASHES
        }
        entries = {**entries, HASHES: json.dumps({"entries": hashes}).encode()}
    with zipfile.ZipFile(path, "w") as file:
        for name, content in entries.items():
            file.writestr(f"archive/{name}", content)
    return path


def with_manifest(source: Path, target: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    """Copy an archive with an edited manifest and valid hashes."""
    entries = read_entries(source)
    manifest = json.loads(entries[MANIFEST])
    edit(manifest)
    entries[MANIFEST] = json.dumps(manifest).encode()
    return write_entries(target, entries, seal=True)


def of_newer_major(source: Path, target: Path) -> Path:
    """Copy an archive as if a later version with another format had written it."""

    def edit(manifest: dict[str, Any]) -> None:
        manifest["format"] = {"major": 2, "minor": 3}

    return with_manifest(source, target, edit)
