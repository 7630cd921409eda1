"""Build the native library, its engines and the Fortran hosts, once.

Everything goes below one prefix, by default inside the running Python environment, so that the
build fits the torch it will meet. It is rebuilt only when a source, torch or the version changed,
and what was installed before is replaced only when all of the new one is there.
"""

import hashlib
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fortran_bridge.build_step import Step, sole_builder
from fortran_bridge.errors import BuildError
from fortran_bridge.installation import Stamp, put_in_place

SOURCE = Path(__file__).resolve().parent
ENGINES = ("native", "torchscript", "aoti")
"""Engines of the native library."""
_SOURCE_SUFFIXES = {".cmake", ".cpp", ".f90", ".F90", ".h", ".hpp", ".in", ".inc", ".map", ".txt"}
_REMEDY = (
    "needed are gfortran, g++, cmake, ninja-build, pkg-config, libzip-dev, nlohmann-json3-dev, "
    "libudunits2-dev, librandom123-dev, libssl-dev and libnetcdff-dev; `make setup` in a checkout "
    "installs them on Debian and Ubuntu"
)


@dataclass(frozen=True)
class Prefix:
    """Where a build was installed; the folder can be moved."""

    root: Path

    @property
    def library(self) -> Path:
        """The core library."""
        return self.root / "lib" / "libhybrid.so"

    def engine(self, name: str) -> Path:
        """Return the shared object of an engine, which may not be there."""
        return self.library.with_name(f"libhybrid_{name}.so")

    @property
    def include(self) -> Path:
        """Folder of ``hybrid.h``."""
        return self.root / "include"

    @property
    def fortran_source(self) -> Path:
        """The Fortran module, to be compiled by the host's own compiler."""
        return self.root / "share" / "hybrid" / "hybrid.F90"

    @property
    def cmake(self) -> Path:
        """Folder of ``hybridConfig.cmake``: what CMake calls ``hybrid_DIR``."""
        return self.root / "lib" / "cmake" / "hybrid"

    @property
    def pkg_config(self) -> Path:
        """Folder of ``hybrid.pc``, for ``PKG_CONFIG_PATH``."""
        return self.root / "lib" / "pkgconfig"

    def host(self, name: str) -> Path:
        """Return the executable of a Fortran host model."""
        return self.root / "bin" / f"hybrid-{name}-host"


def default_prefix() -> Prefix:
    """Return ``$HYBRID_PREFIX``, or a folder inside the running Python environment."""
    chosen = os.environ.get("HYBRID_PREFIX")
    return Prefix(Path(chosen).absolute() if chosen else Path(sys.prefix) / "hybrid")


def ensure_built(
    prefix: Prefix | None = None,
    *,
    force: bool = False,
    on_step: Callable[[str], None] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Prefix:
    """Build and install what is missing or out of date; return where it is.

    Safe while other processes use the library or build it too. If the build fails or is
    interrupted, what was installed before stays as it was.

    Parameters
    ----------
    prefix
        Where to install; default `default_prefix`.
    force
        Rebuild from nothing.
    on_step
        Called with a short text before each step, and not at all if nothing is to be done;
        default: the text goes to standard error, as a build takes minutes.
    on_progress
        Called with the part of the current step that is done, from 0 to 1, where that is known.

    Raises
    ------
    BuildError
        If a tool is missing, the prefix cannot be written to, or a step fails; then the message
        ends with the tail of the log.
    """
    prefix = prefix or default_prefix()
    wanted = _digest()
    if not force and _installed_digest(prefix) == wanted:
        return prefix
    on_step = on_step or _say
    with sole_builder(prefix.root, on_step):
        if force or _installed_digest(prefix) != wanted:
            _build(prefix, force, on_step, on_progress or (lambda _: None))
    return prefix


def _say(step: str) -> None:
    sys.stderr.write(f"hybrid: {step}\n")
    sys.stderr.flush()


def _build(
    prefix: Prefix,
    force: bool,
    on_step: Callable[[str], None],
    on_progress: Callable[[float], None],
) -> None:
    _require_tools()
    digest = _digest()
    # CMake remembers the folders and the torch it first saw: others get a folder of their own.
    seen = hashlib.sha256(f"{SOURCE}{_torch_folder()}{prefix.root}".encode()).hexdigest()[:8]
    build = prefix.root / f"build-{seen}"
    staging = prefix.root / ".staging"
    if force:
        shutil.rmtree(build, ignore_errors=True)
    shutil.rmtree(staging, ignore_errors=True)
    (prefix.root / "build.log").unlink(missing_ok=True)
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    configure = [
        *("cmake", "-S", str(SOURCE), "-B", str(build), *generator),
        f"-DCMAKE_INSTALL_PREFIX={prefix.root}",
        # A build folder that is used again would keep the list of an earlier version.
        f"-DHYBRID_ENGINES={';'.join(ENGINES)}",
        f"-DHYBRID_VERSION={version('hybrid-closures')}",
        f"-DHYBRID_TORCH_CMAKE={_torch_folder() / 'share' / 'cmake'}",
    ]
    on_step("configuring the native library")
    step = Step("native library", prefix.root / "build.log", _REMEDY, on_progress)
    step.run(configure)
    on_step("compiling the native library")
    jobs = str(len(os.sched_getaffinity(0)))
    step.run(["cmake", "--build", str(build), "--parallel", jobs])
    on_step("installing the native library")
    step.run(["cmake", "--install", str(build), "--prefix", str(staging)])
    put_in_place(staging, prefix.root, digest)
    shutil.rmtree(staging)


def _require_tools() -> None:
    compilers = (os.environ.get("CXX") or "g++", os.environ.get("FC") or "gfortran")
    # A compiler may be given with flags.
    tools = ("cmake", *(compiler.split()[0] for compiler in compilers))
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise BuildError(
            f"native library: expected {', '.join(missing)} to be installed; {_REMEDY}"
        )


def _torch_folder() -> Path:
    # find_spec does not import torch, which would take a second.
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        raise BuildError("native library: expected torch to be installed, got none; `make setup`")
    return Path(spec.origin).parent


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in _SOURCE_SUFFIXES and path.is_file():
            digest.update(path.relative_to(SOURCE).as_posix().encode())
            digest.update(path.read_bytes())
    for text in (version("torch"), str(_torch_folder()), version("hybrid-closures")):
        digest.update(text.encode())
    return digest.hexdigest()


def _installed_digest(prefix: Prefix) -> str | None:
    stamp = Stamp.read(prefix.root)
    return stamp.digest if stamp and stamp.complete(prefix.root) else None
