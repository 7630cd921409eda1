"""Put a staged installation into its prefix, also while other processes use what is there.

Each file is renamed into place whole, as package managers do it: whoever has the old library open
keeps the old one, and whoever opens it meanwhile gets the old or the new one, never a part. So a
prefix may hold other software too, such as ``/usr/local``. A process that is killed between two
renames leaves whole files of both builds behind, and no stamp: the next build completes it. The
library opens no engine of another engine interface, so that such a mixture is an error message at
worst.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

STAMP = "build.json"


@dataclass(frozen=True)
class Stamp:
    """What a prefix says of the build that is installed there.

    Parameters
    ----------
    digest
        Of the sources and of what they were built with.
    files
        What was installed, relative to the prefix.
    """

    digest: str
    files: tuple[str, ...]

    @classmethod
    def read(cls, root: Path) -> Self | None:
        """Return the stamp of a prefix, or None if it has none that can be read."""
        try:
            found = json.loads((root / STAMP).read_text())
            return cls(digest=str(found["digest"]), files=tuple(map(str, found["files"])))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, root: Path) -> None:
        """Write the stamp into a prefix."""
        new = root / f"{STAMP}.new"
        new.write_text(json.dumps(asdict(self), indent=1))
        new.replace(root / STAMP)

    def complete(self, root: Path) -> bool:
        """Return whether all files are there."""
        return all((root / name).exists() for name in self.files)


def put_in_place(staging: Path, root: Path, digest: str) -> None:
    """Rename the files below `staging` into `root`, drop those of the build before, and stamp it.

    Files with the same content stay as they are, so that a host's makefile does not rebuild what
    includes them.

    Parameters
    ----------
    staging
        A complete installation, on the same file system as `root`.
    root
        The prefix.
    digest
        What the stamp will say.
    """
    before = Stamp.read(root)
    # Regular files first: no link may lead nowhere, not even for a moment.
    paths = sorted(
        (path for path in staging.rglob("*") if path.is_symlink() or path.is_file()),
        key=lambda path: (path.is_symlink(), path),
    )
    files = tuple(path.relative_to(staging).as_posix() for path in paths)
    (root / STAMP).unlink(missing_ok=True)
    for path, name in zip(paths, files, strict=True):
        target = root / name
        if not _same(path, target):
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    _drop(root, set(before.files if before else ()) - set(files))
    Stamp(digest, files).write(root)


def _same(new: Path, old: Path) -> bool:
    if new.is_symlink() or old.is_symlink():
        return new.is_symlink() and old.is_symlink() and new.readlink() == old.readlink()
    # What may be executed is part of what a file is.
    return (
        old.is_file()
        and new.stat().st_mode == old.stat().st_mode
        and new.read_bytes() == old.read_bytes()
    )


def _drop(root: Path, files: Iterable[str]) -> None:
    for name in files:
        (root / name).unlink(missing_ok=True)
