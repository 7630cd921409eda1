"""The Fortran interface and hosts as a Python extension, built when first asked for.

f90wrap, an optional dependency, writes it; the native library's prefix keeps it, in a folder of its
own for each Python environment and for each state of what it was made from.
"""

import hashlib
import importlib.util
import shutil
import sys
import sysconfig
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from fortran_bridge.build import SOURCE, Prefix, ensure_built
from fortran_bridge.build_step import Step, sole_builder
from fortran_bridge.errors import BuildError
from fortran_bridge.installation import Stamp

_WHAT = "Fortran hosts in Python"
_REMEDY = "needed are cmake, gfortran, gcc and the headers of this Python"


@cache
def extension() -> ModuleType:
    """Return the module that f90wrap made, built first if need be.

    Raises
    ------
    BuildError
        If f90wrap or the headers of Python are missing, or a step of the build fails.
    """
    folder = ensure_extension(ensure_built())
    (compiled,) = folder.glob("_hybrid_hosts.*.so")
    _load("_hybrid_hosts", compiled)
    return _load("hybrid_hosts", folder / "hybrid_hosts.py")


def ensure_extension(prefix: Prefix) -> Path:
    """Build the extension below `prefix` if it is missing or out of date; return its folder.

    The folder is called after a digest of the sources and of the versions of what made it, so
    anything that changes asks for a new build.

    Raises
    ------
    BuildError
        As `extension` does.
    """
    _require()
    parts = (
        *(_installed(prefix), sys.version, version("f90wrap"), version("numpy")),
        str(sysconfig.get_config_var("SOABI")),
    )
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    environment = hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]
    folder = prefix.root / "python" / environment / digest
    if not folder.exists():
        with sole_builder(prefix.root):
            if not folder.exists():
                _build(prefix, folder)
    return folder


def _require() -> None:
    if importlib.util.find_spec("f90wrap") is None:
        raise BuildError(
            f"{_WHAT}: expected the package f90wrap 0.3, got none; "
            "pip install 'hybrid-closures[hosts]', or pip install 'f90wrap>=0.3,<0.4'"
        )
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.exists():
        name = f"python{sys.version_info.major}.{sys.version_info.minor}-dev"
        raise BuildError(
            f"{_WHAT}: expected the headers of this Python, got no {header}; "
            f"install {name} on Debian and Ubuntu"
        )


def _installed(prefix: Prefix) -> str:
    # Of all sources in this folder and in those below it, too.
    stamp = Stamp.read(prefix.root)
    assert stamp is not None
    return stamp.digest


def _build(prefix: Prefix, folder: Path) -> None:
    build, staging = folder.parent / ".build", folder.parent / ".staging"
    for old in folder.parent.glob("*"):
        shutil.rmtree(old)
    build.mkdir(parents=True, exist_ok=True)
    log = folder.parent.parent / "build.log"
    log.unlink(missing_ok=True)
    step = Step(_WHAT, log, _REMEDY)
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    step.run(
        [
            *("cmake", "-S", str(SOURCE / "hosts" / "python"), "-B", str(build), *generator),
            *(f"-Dhybrid_DIR={prefix.cmake}", f"-DPython_EXECUTABLE={sys.executable}"),
            # The prefix can be moved.
            "-DCMAKE_INSTALL_RPATH=$ORIGIN/../../../lib",
        ]
    )
    step.run(["cmake", "--build", str(build)])
    step.run(["cmake", "--install", str(build), "--prefix", str(staging)])
    staging.rename(folder)
    shutil.rmtree(build)


def _load(name: str, file: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # The Python part imports the compiled one by its bare name.
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module
