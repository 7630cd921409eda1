"""Files that are either complete or not there."""

import os
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` so that an interruption leaves the old file or the new one.

    The text goes to a temporary file in the same folder (a rename works only within one file
    system), reaches the disk, and then replaces `path`.

    Raises
    ------
    OSError
        If the folder cannot be written; the temporary file is removed.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
