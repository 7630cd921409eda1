"""The archive: a TorchScript file with the specification, reference columns and hashes inside.

`fortran_bridge/FORMAT.md` documents the format; the native library reads the same entries.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.errors import SpecError
from closures.spec import ClosureSpec
from hybrid.errors import ArchiveError
from hybrid.versions import versions

FORMAT_MAJOR = 1
FORMAT_MINOR = 0
MANIFEST = "hybrid.json"
REFERENCE = "hybrid.reference.npz"
HASHES = "hybrid.sha256.json"


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself.

    Parameters
    ----------
    spec
        The closure contract.
    engine
        Name of the engine that runs the archive.
    format_version
        ``"major.minor"``.
    versions
        Software that wrote the archive.
    hashes
        SHA-256 of each entry, all of them verified.
    """

    spec: ClosureSpec
    engine: str
    format_version: str
    versions: dict[str, str]
    hashes: dict[str, str]


@dataclass(frozen=True)
class Reference:
    """Random in-range columns and what the Python closure made of them, batch by batch.

    A matrix product of another size may round differently, so the first columns were evaluated
    once for each batch size.

    Parameters
    ----------
    arguments
        Field name to array of shape ``(n, *field.shape)``, for the largest batch.
    results
        Batch size to field name to array of shape ``(batch, *field.shape)``; new state is named
        as the state.
    """

    arguments: dict[str, NDArray[Any]]
    results: dict[int, dict[str, NDArray[Any]]]

    @property
    def largest(self) -> dict[str, NDArray[Any]]:
        """Results of the largest batch."""
        return self.results[max(self.results)]


def manifest_text(spec: ClosureSpec, engine: str) -> str:
    """Return the content of ``hybrid.json``."""
    return json.dumps(
        {
            "format": {"major": FORMAT_MAJOR, "minor": FORMAT_MINOR},
            "engine": engine,
            "versions": versions(),
            "spec": spec.to_dict(),
        },
        indent=2,
    )


def reference_bytes(reference: Reference) -> bytes:
    """Return the content of ``hybrid.reference.npz``."""
    stream = io.BytesIO()
    named = {f"argument.{name}": array for name, array in reference.arguments.items()}
    for n, results in reference.results.items():
        named |= {f"result.{n}.{name}": array for name, array in results.items()}
    np.savez_compressed(stream, **named)  # type: ignore[arg-type]  # names are the keywords
    return stream.getvalue()


def seal(path: Path) -> None:
    """Append the SHA-256 of every entry to a TorchScript file."""
    with zipfile.ZipFile(path, "a") as file:
        folder = file.namelist()[0].split("/", 1)[0]
        hashes = _entry_hashes(file)
        file.writestr(f"{folder}/extra/{HASHES}", json.dumps({"entries": hashes}, indent=2))


def read_manifest(path: Path | str) -> Manifest:
    """Read and verify the manifest of an archive.

    Raises
    ------
    ArchiveError
        If the file is missing, not an archive, damaged, changed after the export, or of another
        major format version.
    """
    entries = _verified_entries(Path(path), (MANIFEST, HASHES))
    text = entries[MANIFEST].decode()
    try:
        data = json.loads(text)
        major, minor = data["format"]["major"], data["format"]["minor"]
        if major != FORMAT_MAJOR:
            raise ArchiveError(
                f"{path}: expected archive format {FORMAT_MAJOR}.x, got {major}.{minor}; "
                "install a hybrid-closures that reads it, or export the closure again"
            )
        return Manifest(
            spec=ClosureSpec.from_dict(data["spec"]),
            engine=data["engine"],
            format_version=f"{major}.{minor}",
            versions=data.get("versions", {}),
            hashes=json.loads(entries[HASHES])["entries"],
        )
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, ArchiveError):
            raise
        kind = "its spec is not valid" if isinstance(error, SpecError) else "does not read as one"
        raise ArchiveError(f"{path}: expected a closure manifest, but {kind} ({error})") from error


def read_reference(path: Path | str) -> Reference:
    """Read the reference columns of an archive; raise `ArchiveError` as `read_manifest` does."""
    content = _verified_entries(Path(path), (REFERENCE,))[REFERENCE]
    arguments: dict[str, NDArray[Any]] = {}
    results: dict[int, dict[str, NDArray[Any]]] = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        for key in arrays.files:
            kind, rest = key.split(".", 1)
            if kind == "argument":
                arguments[rest] = arrays[key]
            else:
                n, name = rest.split(".", 1)
                results.setdefault(int(n), {})[name] = arrays[key]
    return Reference(arguments, results)


def _entry_hashes(file: zipfile.ZipFile) -> dict[str, str]:
    return {
        _without_folder(name): hashlib.sha256(file.read(name)).hexdigest()
        for name in file.namelist()
        if _without_folder(name) != f"extra/{HASHES}"
    }


def _without_folder(name: str) -> str:
    return name.split("/", 1)[-1]


def _verified_entries(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    if not path.is_file():
        raise ArchiveError(f"{path}: expected a closure archive, got no such file; check the path")
    try:
        with zipfile.ZipFile(path) as file:
            entries = {_without_folder(name): name for name in file.namelist()}
            missing = [n for n in {*wanted, MANIFEST, HASHES} if f"extra/{n}" not in entries]
            if missing:
                raise ArchiveError(
                    f"{path}: expected {', '.join(sorted(missing))} inside, got a zip file "
                    "without; a plain TorchScript file must be exported with hybrid.export first"
                )
            expected = json.loads(file.read(entries[f"extra/{HASHES}"]))["entries"]
            found = _entry_hashes(file)
            differing = sorted(
                name for name in {*expected, *found} if expected.get(name) != found.get(name)
            )
            if differing:
                raise ArchiveError(
                    f"{path}: entries {differing} do not have the SHA-256 they were exported "
                    "with; the file was changed after the export: do not use it"
                )
            return {name: file.read(entries[f"extra/{name}"]) for name in wanted}
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        if isinstance(error, ArchiveError):
            raise
        raise ArchiveError(
            f"{path}: expected a closure archive, got a file that is not one ({error}); "
            "write it with hybrid.export"
        ) from error
