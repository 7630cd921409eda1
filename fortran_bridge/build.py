"""Build the native library, its engines and the Fortran hosts, once.

Everything goes below one prefix, by default inside the running Python environment, so that the
build fits the torch it will meet. It is rebuilt only when a source, torch or the version changed.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from fortran_bridge.errors import BuildError

SOURCE = Path(__file__).resolve().parent
_SOURCE_PATTERNS = (
    "CMakeLists.txt",
    "cmake/*.cmake",
    "include/*.h",
    "src/*.[ch]pp",
    "fortran/*.F90",
    "fortran/*.inc",
    "hosts/*.f90",
)
_REMEDY = (
    "needed are gfortran, g++, cmake, ninja-build, pkg-config, libzip-dev, nlohmann-json3-dev, "
    "libudunits2-dev, librandom123-dev, libssl-dev and libnetcdff-dev; `make setup` installs them"
)


@dataclass(frozen=True)
class Prefix:
    """Where a build was installed."""

    root: Path

    @property
    def library(self) -> Path:
        """The core library."""
        return self.root / "lib" / "libhybrid.so"

    @property
    def include(self) -> Path:
        """Folder of ``hybrid.h``."""
        return self.root / "include"

    @property
    def fortran_source(self) -> Path:
        """The Fortran module, to be compiled by the host's own compiler."""
        return self.root / "share" / "hybrid" / "hybrid.F90"

    def host(self, name: str) -> Path:
        """Return the executable of a Fortran host model."""
        return self.root / "bin" / f"hybrid-{name}-host"


def default_prefix() -> Prefix:
    """Return ``$HYBRID_PREFIX``, or a folder inside the running Python environment."""
    chosen = os.environ.get("HYBRID_PREFIX")
    return Prefix(Path(chosen) if chosen else Path(sys.prefix) / "hybrid")


def ensure_built(
    prefix: Prefix | None = None,
    *,
    force: bool = False,
    on_step: Callable[[str], None] | None = None,
) -> Prefix:
    """Build and install what is missing or out of date; return where it is.

    Parameters
    ----------
    prefix
        Where to install; default `default_prefix`.
    force
        Rebuild from nothing.
    on_step
        Called with a short text before each step, and not at all if nothing is to be done.

    Raises
    ------
    BuildError
        If a tool is missing or a step fails; the message ends with the tail of the log.
    """
    prefix = prefix or default_prefix()
    wanted = _digest()
    if not force and _installed_digest(prefix) == wanted:
        return prefix
    prefix.root.mkdir(parents=True, exist_ok=True)
    with FileLock(prefix.root / ".lock"):
        if force or _installed_digest(prefix) != wanted:
            _build(prefix, force, on_step or (lambda _: None))
            _stamp(prefix).write_text(json.dumps({"digest": wanted}))
    return prefix


def _build(prefix: Prefix, force: bool, on_step: Callable[[str], None]) -> None:
    missing = [tool for tool in ("cmake", "g++", "gfortran") if shutil.which(tool) is None]
    if missing:
        raise BuildError(
            f"native library: expected {', '.join(missing)} to be installed; {_REMEDY}"
        )
    # CMake remembers the sources and the torch it first saw: others get a folder of their own.
    seen = hashlib.sha256(f"{SOURCE}{_torch_folder()}".encode()).hexdigest()[:8]
    build = prefix.root / f"build-{seen}"
    _stamp(prefix).unlink(missing_ok=True)
    if force:
        shutil.rmtree(build, ignore_errors=True)
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    configure = [
        *("cmake", "-S", str(SOURCE), "-B", str(build), *generator),
        f"-DCMAKE_INSTALL_PREFIX={prefix.root}",
        f"-DHYBRID_VERSION={version('hybrid-closures')}",
        f"-DHYBRID_TORCH_CMAKE={_torch_folder() / 'share' / 'cmake'}",
    ]
    on_step("configuring the native library")
    _run(configure, prefix)
    on_step("compiling the native library (about a minute)")
    _run(["cmake", "--build", str(build), "--parallel", "2"], prefix)
    on_step("installing the native library")
    _run(["cmake", "--install", str(build)], prefix)


def _run(command: list[str], prefix: Prefix) -> None:
    log = prefix.root / "build.log"
    with log.open("a") as stream:
        stream.write(f"$ {' '.join(command)}\n")
        stream.flush()
        result = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise BuildError(f"native library: `{command[0]}` failed; {_REMEDY}. Log {log}:\n{tail}")


def _torch_folder() -> Path:
    # find_spec does not import torch, which would take a second.
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        raise BuildError("native library: expected torch to be installed, got none; `make setup`")
    return Path(spec.origin).parent


def _digest() -> str:
    digest = hashlib.sha256()
    for pattern in _SOURCE_PATTERNS:
        for path in sorted(SOURCE.glob(pattern)):
            digest.update(path.relative_to(SOURCE).as_posix().encode())
            digest.update(path.read_bytes())
    for text in (version("torch"), str(_torch_folder()), version("hybrid-closures")):
        digest.update(text.encode())
    return digest.hexdigest()


def _stamp(prefix: Prefix) -> Path:
    return prefix.root / "build.json"


def _installed_digest(prefix: Prefix) -> str | None:
    engine = prefix.library.with_name("libhybrid_torchscript.so")
    if not (prefix.library.is_file() and engine.is_file()):
        return None
    try:
        found = json.loads(_stamp(prefix).read_text())["digest"]
    except (OSError, ValueError, KeyError):
        return None
    return str(found)
