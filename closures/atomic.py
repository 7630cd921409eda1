"""Files that are either complete or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def replacing(path: Path, mode: str = "wb", encoding: str | None = None) -> Iterator[IO[Any]]:
    """Open a file that takes the place of `path` when the block ends without an exception.

    What is written goes to a temporary file in the same folder (a rename works only within one
    file system), reaches the disk, and then replaces `path`: an interruption leaves the old file
    or the new one.

    Parameters
    ----------
    path
        File to write.
    mode, encoding
        As of `open`.

    Raises
    ------
    OSError
        If the folder cannot be written; the temporary file is removed.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open(mode, encoding=encoding) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, see `replacing`."""
    with replacing(path, "w", "utf-8") as stream:
        stream.write(text)
