"""Compile a solver's loops anew whenever any file of the package has changed.

numba keeps machine code on disk with a stamp of the file that a function was written in. Yet the
code holds that of all functions it calls, and constants of other files, so that a loop would go
on computing what those files said before they were edited or upgraded. Here the stamp of every
function of this package covers the sources of the whole package: where one of them differs,
numba overwrites what it had kept.

Importing this file does it, for functions that are decorated afterwards; it thus comes first in
the package. numba has no public place for this. Where its internals are not those expected here,
they are left as they are.
"""

import os
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from numba.core import caching

_PACKAGE = Path(__file__).resolve().parent


def package_stamp() -> int:
    """Return a checksum of the names and texts of all Python files of the package."""
    stamp = 0
    for path in _sources():
        name = path.relative_to(_PACKAGE).as_posix()
        stamp = zlib.crc32(path.read_bytes(), zlib.crc32(name.encode(), stamp))
    return stamp


def _sources() -> Iterator[Path]:
    for folder, folders, files in os.walk(_PACKAGE):
        # What numba and Python keep may be many files.
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".py"))


@cache
def _is_ours(py_file: str) -> bool:
    return Path(py_file).resolve().is_relative_to(_PACKAGE)


def _stamped(locator: Any, stamp: int) -> Any:
    """Derive from what finds the cache of a function: only of this package, with its stamp."""

    class Stamped(locator):  # type: ignore[misc]
        def get_source_stamp(self) -> Any:
            return super().get_source_stamp(), stamp

        @classmethod
        def from_function(cls, py_func: Any, py_file: str) -> Any:
            return super().from_function(py_func, py_file) if _is_ours(py_file) else None

    return Stamped


def _install() -> None:
    locators = getattr(getattr(caching, "CacheImpl", None), "_locator_classes", None)
    if not isinstance(locators, list) or not all(
        hasattr(each, "get_source_stamp") and hasattr(each, "from_function") for each in locators
    ):
        return
    stamp = package_stamp()
    locators[:0] = [_stamped(each, stamp) for each in locators]


_install()
