"""What this machine has of what the project needs, and how to get the rest."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fortran_bridge.build import ENGINES, default_prefix
from hybrid.versions import installed

PYTHON_PACKAGES = ("torch", "numba", "numpy", "netCDF4", "cf-units", "f90nml")

PROGRAMS = {
    "gfortran": "gfortran",
    "c++": "g++",
    "cmake": "cmake",
    "pkg-config": "pkg-config",
}
"""Program to Debian package."""

LIBRARIES = {"netcdf-fortran": "libnetcdff-dev", "libzip": "libzip-dev", "openssl": "libssl-dev"}
"""Library known to pkg-config, to Debian package."""

HEADERS = {
    "nlohmann/json.hpp": "nlohmann-json3-dev",
    "udunits2.h": "libudunits2-dev",
    "Random123/philox.h": "librandom123-dev",
}
"""Header of a library without a pkg-config file, to Debian package."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Parameters
    ----------
    kind, name
        What it is.
    found
        Version or place; empty if it is missing.
    remedy
        How to get it.
    """

    kind: str
    name: str
    found: str
    remedy: str


def examine() -> list[Finding]:
    """Look for Python packages, programs, libraries and the native library.

    Returns
    -------
    list of Finding
        In the order in which they are needed.
    """
    return [*_python(), *_programs(), *_libraries(), *_native()]


def _python() -> Iterator[Finding]:
    for name in PYTHON_PACKAGES:
        yield Finding("Python package", name, installed(name) or "", f"pip install {name}")


def _programs() -> Iterator[Finding]:
    for name, package in PROGRAMS.items():
        path = shutil.which(name)
        first_line = _first_line([path, "--version"]) if path else ""
        yield Finding("program", name, first_line, _apt(package))


def _libraries() -> Iterator[Finding]:
    for name, package in LIBRARIES.items():
        yield Finding(
            "library", name, _first_line(["pkg-config", "--modversion", name]), _apt(package)
        )
    for header, package in HEADERS.items():
        yield Finding("header", header, "found" if _compiles(header) else "", _apt(package))


def _native() -> Iterator[Finding]:
    prefix = default_prefix()
    library = prefix.library
    remedy = "hybrid bridge build"
    yield Finding("native library", library.name, str(library) if _opens(library) else "", remedy)
    for name in ENGINES:
        engine = prefix.engine(name)
        yield Finding("engine", name, str(engine) if _opens(engine) else "", remedy)
    folder = os.environ.get("HYBRID_TORCH_LIB")
    if folder:
        torch = Path(folder) / "libtorch_cpu.so"
        found = str(torch) if torch.exists() else ""
        yield Finding("HYBRID_TORCH_LIB", torch.name, found, "unset it, or name torch's lib folder")


def _opens(library: Path) -> bool:
    # In a process of its own: an engine brings libtorch, which cannot be closed again.
    command = [sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", str(library)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _apt(package: str) -> str:
    return f"apt-get install {package} (or your system's package of that library)"


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return next(iter(done.stdout.splitlines()), "")


def _compiles(header: str) -> bool:
    source = f"#include <{header}>\n"
    command = ["c++", "-E", "-x", "c++", "-o", "/dev/null", "-"]
    try:
        subprocess.run(
            command, input=source, text=True, capture_output=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True
