"""Versions that the numbers of a run depend on."""

import platform
from importlib import metadata

DISTRIBUTION = "hybrid-closures"


def installed(distribution: str) -> str | None:
    """Return the installed version of a Python distribution, or None.

    The package itself is not imported, so this costs nothing.
    """
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def own_version() -> str:
    """Return the version of this project, ``"unknown"`` when it is used without installing."""
    return installed(DISTRIBUTION) or "unknown"


def versions() -> dict[str, str]:
    """Return what a run is recorded with: this project, Python, its numerics, the platform."""
    return {
        DISTRIBUTION: own_version(),
        "python": platform.python_version(),
        **{name: installed(name) or "missing" for name in ("torch", "numba", "numpy")},
        "platform": f"{platform.system()} {platform.machine()}",
    }
