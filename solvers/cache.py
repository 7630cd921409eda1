"""Where measurements of this machine are kept from one process to the next."""

import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import get_ident

from platformdirs import user_cache_path

#: Environment variable that names another folder.
CACHE_VARIABLE = "HYBRID_CACHE_DIR"


def cache_folder() -> Path | None:
    """Return the folder, made if need be; None where it cannot be written."""
    chosen = os.environ.get(CACHE_VARIABLE)
    folder = Path(chosen) if chosen else user_cache_path("hybrid-closures")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


@contextmanager
def exclusive(path: Path | None) -> Iterator[None]:
    """Let no other process or thread that asks for the same file go on meanwhile.

    Parameters
    ----------
    path
        The file; None where there is no folder, and so nothing that others could see.
    """
    with ExitStack() as held:
        if path is not None:
            # Where files cannot be locked, the last one to write is the one who is heard.
            with suppress(OSError, NotImplementedError):
                # Imported late: most processes find what they need and lock nothing.
                from filelock import FileLock  # noqa: PLC0415

                held.enter_context(FileLock(path.with_name(f"{path.name}.lock")))
        yield


def replace(path: Path | None, content: bytes) -> None:
    """Write a file as a whole, so that nobody reads half of it.

    Where there is no room for it, it is not remembered.
    """
    if path is None:
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}")
    with suppress(OSError):
        try:
            partial.write_bytes(content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@cache
def machine() -> str:
    """Return the name of the processor: what was measured on one does not hold on another."""
    for line in _cpu_information():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cpu_information() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
