"""Evidence inside an archive: the key ``reduced_precision`` of its manifest."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hybrid.archive import HASHES, MANIFEST, read_manifest, rewritten
from hybrid.reduced_precision.errors import PrecisionError
from hybrid.reduced_precision.evidence import ON_TRIAL, UNDECIDED, Evidence

KEY = "reduced_precision"
BF16 = "bf16"
MINOR = 2
"""Minor version of the format that knows the key."""


def content_digest(path: Path) -> str:
    """Return a digest of what an archive computes: of all entries but the manifest and hashes."""
    own = {f"extra/{MANIFEST}", f"extra/{HASHES}"}
    hashes = {name: h for name, h in read_manifest(path).hashes.items() if name not in own}
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def keep(path: Path | str, evidence: Evidence) -> None:
    """Write evidence into the archive that it is of, in place of what was there.

    With evidence that did not pass, the archive is refused in bf16 with the reason.

    Raises
    ------
    ArchiveError
        As `hybrid.archive.read_manifest` does.
    PrecisionError
        If the evidence is of another archive, or the test was undecided.
    """
    path = Path(path)
    digest = content_digest(path)
    if evidence.archive != digest:
        raise PrecisionError(
            f"{path}: expected evidence of this archive, {digest[:12]}, got that of another, "
            f"{evidence.archive[:12]}; run the test with this archive"
        )
    if evidence.verdict == UNDECIDED:
        raise PrecisionError(
            f"{path}: expected evidence that decides, got {evidence.reason}; make runs longer"
        )
    _write(path, path, evidence.to_dict())


def put_on_trial(path: Path, target: Path) -> None:
    """Write a copy that may be run in bf16 for a test of it."""
    _write(path, target, {"verdict": ON_TRIAL, "reason": "an online test is running"})


def _write(path: Path, target: Path, entry: Mapping[str, Any]) -> None:
    def changed(manifest: dict[str, Any]) -> dict[str, Any]:
        form = manifest["format"]
        return {
            **manifest,
            "format": {**form, "minor": max(form["minor"], MINOR)},
            KEY: {BF16: dict(entry)},
        }

    content = rewritten(path, changed)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
