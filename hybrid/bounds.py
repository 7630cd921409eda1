"""What a reader of archives takes at most; `fortran_bridge/FORMAT.md` states it.

The native library refuses more, so that a small file cannot make a host model run out of memory.
Export refuses it too: whatever can be written can be loaded.
"""

from collections.abc import Iterator

from closures.spec import ClosureSpec
from hybrid.errors import ExportError

LARGEST_COLUMN = 2**20
"""Elements of all fields of a column closure together, for each column."""
LARGEST_MEMBER = 2**24
"""The same of a grid closure for each member, sizes left open counting as one."""
MOST_FIELDS = 256
LONGEST_TEXT = 255
"""Bytes of units, role and version."""
LARGEST_JSON = 2**22
"""Bytes of the manifest, and of the list of hashes."""
MOST_UNFOLDING = 8
UNFOLDING_ALLOWANCE = 2**24
"""Entries of an archive of b bytes unfold to ``MOST_UNFOLDING * b + UNFOLDING_ALLOWANCE``."""


def check_bounds(spec: ClosureSpec, manifest: str) -> None:
    """Raise `ExportError` if no reader would take this specification or its manifest."""
    fields = list(spec.fields())
    if len(fields) > MOST_FIELDS:
        raise ExportError(
            f"{spec.name}: expected at most {MOST_FIELDS} fields, got {len(fields)}; put those "
            "that belong together into one field with a dim"
        )
    most = LARGEST_MEMBER if spec.locality == "grid" else LARGEST_COLUMN
    total = sum(field.size for field in fields)
    if total > most:
        raise ExportError(
            f"{spec.name}: expected fields of at most {most} elements together for each "
            f"{spec.first_axis}, got {total}; divide the closure, or leave sizes of a grid open"
        )
    for what, text in _texts(spec):
        if len(text.encode()) > LONGEST_TEXT or not text.isprintable():
            raise ExportError(
                f"{spec.name}: expected {what} to be at most {LONGEST_TEXT} bytes of printable "
                f"text, got {text[:LONGEST_TEXT]!r}"
            )
    size = len(manifest.encode())
    if size > LARGEST_JSON:
        raise ExportError(
            f"{spec.name}: expected a manifest of at most {LARGEST_JSON >> 20} MiB, got {size} "
            "bytes; give bounds for whole fields, or less provenance"
        )


def _texts(spec: ClosureSpec) -> Iterator[tuple[str, str]]:
    yield "version", spec.version
    for field in spec.fields():
        yield f"units of {field.name}", field.units
        yield f"role of {field.name}", field.role
