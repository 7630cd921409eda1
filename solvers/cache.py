"""Where measurements of this machine are kept from one process to the next."""

import os
import platform
from functools import cache
from pathlib import Path

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
