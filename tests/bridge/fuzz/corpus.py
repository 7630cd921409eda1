"""Seeds for the coverage-guided fuzzers, made from small real archives."""

import json
import zipfile
from pathlib import Path

from bridge.archives import MANIFEST
from bridge.stub_archives import MANIFESTS, archive, with_hashes, zipped

_WORDS = (
    *("format", "major", "minor", "engine", "spec", "name", "version", "inputs", "outputs"),
    *("state", "noise", "locality", "column", "grid", "spacing", "boundary", "halo_width"),
    *("periodic", "wall", "halo", "units", "dims", "shape", "dtype", "float32", "float64"),
    *("valid_min", "valid_max", "role", "confidence", "torchscript"),
)
_VALUES = (
    *("null", "true", "-1", "0", "1e300", "-0.0", "9223372036854775808", "1048577"),
    *("16777216", "1e400", "[[[[", "{}", "[]", r"\"\\u0000\"", r"\"\\ud800\"", r"\xff"),
)


def write_seeds(folder: Path) -> dict[str, Path]:
    """Write one folder of seeds for each target below `folder`; return the folders."""
    seeds: dict[str, dict[str, bytes]] = {"manifest": {}, "archive": {}, "closure": {}}
    for name, manifest in MANIFESTS.items():
        text = json.dumps(manifest).encode()
        seeds["manifest"][name] = seeds["closure"][name] = text
        seeds["archive"][name] = archive(manifest)
        entries = with_hashes([(MANIFEST, text), ("code/a.py", b"pass\n" * 50)])
        seeds["archive"][f"{name}-deflated"] = zipped(entries, zipfile.ZIP_DEFLATED)
    folders = {}
    for target, contents in seeds.items():
        folders[target] = folder / target
        folders[target].mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folders[target] / name).write_bytes(content)
    return folders


def write_dictionary(path: Path) -> Path:
    """Write what a mutation may insert into JSON, in libFuzzer's format."""
    words = [rf'"\"{word}\""' for word in _WORDS] + [f'"{value}"' for value in _VALUES]
    path.write_text("\n".join(words) + "\n")
    return path
