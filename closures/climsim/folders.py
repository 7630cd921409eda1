"""Files below a folder, through links to folders."""

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path


def files_by_folder(folder: Path) -> Iterator[tuple[Path, frozenset[str]]]:
    """Yield each folder at or below `folder`, with the names of its files.

    Links to folders are followed, so that months can lie on other disks. Each folder comes once,
    wherever links lead: under its own path if that is below `folder`. Links to nothing are left
    out. Files are not asked for anything but their kind, so that many take little time.

    Parameters
    ----------
    folder
        Where to begin.

    Raises
    ------
    OSError
        If a folder cannot be read: what it holds would be missed without a word.
    """
    seen: set[tuple[int, int]] = set()
    waiting, links = deque([folder]), deque[Path]()
    while waiting or links:
        path = waiting.popleft() if waiting else links.popleft()
        stat = path.stat()
        if (stat.st_dev, stat.st_ino) in seen:
            continue
        seen.add((stat.st_dev, stat.st_ino))
        names: list[str] = []
        with os.scandir(path) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.is_symlink() and not (path / entry.name).exists():
                    continue
                if entry.is_dir():
                    (links if entry.is_symlink() else waiting).append(path / entry.name)
                elif entry.is_file():
                    names.append(entry.name)
        yield path, frozenset(names)
