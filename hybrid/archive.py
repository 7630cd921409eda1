"""The archive: what torch compiled, with specification, reference columns and hashes inside.

`fortran_bridge/FORMAT.md` documents the format; the native library reads the same entries.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Container, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.errors import SpecError
from closures.spec import ClosureSpec
from hybrid.bounds import MOST_UNFOLDING, UNFOLDING_ALLOWANCE
from hybrid.errors import ArchiveError
from hybrid.versions import versions

FORMAT_MAJOR = 1
FORMAT_MINOR = 1
MANIFEST = "hybrid.json"
REFERENCE = "hybrid.reference.npz"
HASHES = "hybrid.sha256.json"
ZIP_MAGIC = b"PK\x03\x04"
SERIALIZATION_ID = ".data/serialization_id"
"""Entry in which torch identifies what it saved, by a hash of what it wrote."""
_CONSTANTS = re.compile(rb"(?:^ +\w+ : Final\[.*\n)+", re.MULTILINE)
EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)
"""Date of every entry: the earliest that a zip file can hold, as TorchScript and NumPy write it."""


@dataclass(frozen=True)
class NativeVerdict:
    """Whether an archive carries a program of the native engine.

    Parameters
    ----------
    expressed
        Whether it does.
    reason
        What was shown of the program, or why there is none; for people.
    bound
        How far the program may be from the Python closure [eps on scaled outputs], where the
        closure's own rounding asks for more than the engine's bound; None: that bound.
    """

    expressed: bool
    reason: str
    bound: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what ``hybrid.json`` holds."""
        return {name: value for name, value in asdict(self).items() if value is not None}


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
    native
        Whether there is a program of the native engine; None if the archive does not say.
    reduced_precision
        By precision what its online test found, as ``hybrid.json`` holds it; empty: not tested.
    """

    spec: ClosureSpec
    engine: str
    format_version: str
    versions: dict[str, str]
    hashes: dict[str, str]
    native: NativeVerdict | None = None
    reduced_precision: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


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


def manifest_text(
    spec: ClosureSpec,
    engine: str,
    compiled_for: Mapping[str, str] | None = None,
    native: NativeVerdict | None = None,
) -> str:
    """Return the content of ``hybrid.json``; `compiled_for` joins the versions in it."""
    return json.dumps(
        {
            "format": {"major": FORMAT_MAJOR, "minor": FORMAT_MINOR},
            "engine": engine,
            "versions": {**versions(), **(compiled_for or {})},
            **({} if native is None else {"native": native.to_dict()}),
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


def sealed(
    compiled: bytes, manifest: str, reference: bytes, added: Mapping[str, bytes] | None = None
) -> bytes:
    """Return an archive from what torch saved: our entries are added, and the SHA-256 of all.

    TorchScript's debug entries, which hold the paths of source files on the machine that
    exported, are left out, constants stand in alphabetical order, and no entry has a date: the
    same closure gives the same TorchScript archive everywhere. `added` are further entries, name to
    content.
    """
    with zipfile.ZipFile(io.BytesIO(compiled)) as file:
        folder = file.namelist()[0].split("/", 1)[0]
        entries = {
            name: _ordered_constants(content) if name.startswith("code/") else content
            for name, content in _read_all(file).items()
            if not name.endswith(".debug_pkl")
        }
    if SERIALIZATION_ID in entries:
        del entries[SERIALIZATION_ID]
        digest = hashlib.sha256("".join(_hashes(entries).values()).encode()).hexdigest()
        entries[SERIALIZATION_ID] = str(int(digest, 16))[:40].encode()
    entries |= added or {}
    entries[f"extra/{MANIFEST}"] = manifest.encode()
    entries[_reference_entry(entries)] = reference
    return _zipped(folder, entries)


def rewritten(path: Path, changed: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """Return an archive with another manifest, and all else as it is.

    Parameters
    ----------
    path
        Archive.
    changed
        Makes the content of ``hybrid.json`` from what it was.

    Raises
    ------
    ArchiveError
        As `read_manifest` does.
    """
    read_manifest(path)
    entries = verified_entries(path)
    with zipfile.ZipFile(path) as file:
        folder = file.namelist()[0].split("/", 1)[0]
    manifest = changed(json.loads(entries[f"extra/{MANIFEST}"]))
    entries[f"extra/{MANIFEST}"] = json.dumps(manifest, indent=2).encode()
    return _zipped(folder, entries)


def read_manifest(path: Path | str) -> Manifest:
    """Read and verify the manifest of an archive.

    Raises
    ------
    ArchiveError
        If the file is missing, a folder, not an archive, damaged, changed after the export, or
        of another major format version.
    """
    entries = verified_entries(Path(path))
    try:
        data = json.loads(entries[f"extra/{MANIFEST}"].decode())
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
            hashes=json.loads(entries[f"extra/{HASHES}"])["entries"],
            native=_native_verdict(data.get("native")),
            reduced_precision=dict(data.get("reduced_precision", {})),
        )
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, ArchiveError):
            raise
        kind = "its spec is not valid" if isinstance(error, SpecError) else "does not read as one"
        raise ArchiveError(f"{path}: expected a closure manifest, but {kind} ({error})") from error


def read_reference(path: Path | str) -> Reference:
    """Read the reference columns of an archive; raise `ArchiveError` as `read_manifest` does."""
    entries = verified_entries(Path(path))
    content = entries[_reference_entry(entries)]
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


def read_document(path: Path | str, name: str) -> str | None:
    """Read an entry that the closure itself gave to its archive; None if it gave none.

    Raises
    ------
    ArchiveError
        As `read_manifest` does, and if the entry is no text.
    """
    content = verified_entries(Path(path)).get(f"extra/{name}")
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError as error:
        raise ArchiveError(f"{path}: expected {name} to be text, got other bytes") from error


def _zipped(folder: str, entries: dict[str, bytes]) -> bytes:
    hashes = {"entries": _hashes(entries)}
    entries[f"extra/{HASHES}"] = json.dumps(hashes, indent=2).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in entries.items():
            file.writestr(zipfile.ZipInfo(f"{folder}/{name}", EARLIEST_DATE), content)
    return archive.getvalue()


def _native_verdict(data: Any) -> NativeVerdict | None:
    if data is None:
        return None
    bound = data.get("bound")
    return NativeVerdict(
        expressed=data["expressed"] is True,
        reason=str(data["reason"]),
        bound=None if bound is None else float(bound),
    )


def _reference_entry(entries: Container[str]) -> str:
    # torch reads the extra entries of an AOTInductor package as text, which this is not.
    return REFERENCE if "archive_format" in entries else f"extra/{REFERENCE}"


def _ordered_constants(code: bytes) -> bytes:
    # TorchScript writes a module's constants in the order of a set of strings, which Python
    # changes from process to process.
    def ordered(run: re.Match[bytes]) -> bytes:
        return b"".join(sorted(run[0].splitlines(keepends=True)))

    return _CONSTANTS.sub(ordered, code)


def _read_all(file: zipfile.ZipFile) -> dict[str, bytes]:
    return {name.split("/", 1)[-1]: file.read(name) for name in file.namelist()}


def _hashes(entries: Mapping[str, bytes]) -> dict[str, str]:
    return {
        name: hashlib.sha256(content).hexdigest()
        for name, content in entries.items()
        if name != f"extra/{HASHES}"
    }


def verified_entries(path: Path) -> dict[str, bytes]:
    """Return name and content of all entries; raise `ArchiveError` as `read_manifest` does."""
    entries = _entries(path)
    wanted = (f"extra/{MANIFEST}", f"extra/{HASHES}", _reference_entry(entries))
    missing = [name.removeprefix("extra/") for name in wanted if name not in entries]
    if missing:
        raise ArchiveError(
            f"{path}: expected {', '.join(sorted(missing))} inside, got a zip file without; a "
            "plain TorchScript file must be exported with hybrid.export first, a damaged archive "
            "copied again"
        )
    found = _hashes(entries)
    try:
        expected = json.loads(entries[f"extra/{HASHES}"])["entries"]
        names = {*expected, *found}
        differing = sorted(name for name in names if expected.get(name) != found.get(name))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArchiveError(
            f"{path}: expected a list of SHA-256 in {HASHES}, but it does not read as one "
            f"({error}); export the closure again"
        ) from error
    if differing:
        raise ArchiveError(
            f"{path}: entries {differing} do not have the SHA-256 they were exported with; the "
            "file is damaged, or was changed after the export: copy it again"
        )
    return entries


def _entries(path: Path) -> dict[str, bytes]:
    content = _content(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            # No more than these sizes is read, whatever unfolds.
            unfolded = sum(entry.file_size for entry in file.infolist())
            most = MOST_UNFOLDING * len(content) + UNFOLDING_ALLOWANCE
            count = len(file.namelist())
            entries = _read_all(file) if unfolded <= most else None
    # On damaged bytes, whatever a decompressor can raise comes through.
    except Exception as error:
        raise ArchiveError(
            f"{path}: expected a closure archive, got a damaged one ({error}); "
            "copy it again from where it was exported"
        ) from error
    if entries is None:
        raise ArchiveError(
            f"{path}: expected entries that unfold to at most {MOST_UNFOLDING} times the file and "
            f"{UNFOLDING_ALLOWANCE >> 20} MiB, got more; do not use this file"
        )
    if len(entries) != count:
        raise ArchiveError(
            f"{path}: expected each entry once, got one twice; the file was changed after the "
            "export: do not use it"
        )
    return entries


def _content(path: Path) -> bytes:
    if not path.is_file():
        found, remedy = "no such file", "check the path"
        if path.is_dir():
            found, remedy = "a folder", "name a file in it"
        raise ArchiveError(f"{path}: expected a closure archive, got {found}; {remedy}")
    content = path.read_bytes()
    # An archive that lost its end is no zip file either, but still begins as one.
    if not (zipfile.is_zipfile(io.BytesIO(content)) or content.startswith(ZIP_MAGIC)):
        raise ArchiveError(
            f"{path}: expected a closure archive, got a file that is not one (no zip file); "
            "write it with hybrid.export"
        )
    return content
