"""Compile PlaSim with the hooks, once for each version of source, hooks and settings."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fortran_bridge.build import ensure_built
from hybrid.experiments.plasim.errors import HostBuildError
from hybrid.experiments.plasim.insertion import (
    ALTERNATIVES,
    CONVECTION,
    SCHEMES,
    Interface,
    alone,
    with_hook,
)
from hybrid.experiments.plasim.source import VERSION, source_tree

HOOKS = Path(__file__).parent / "hooks"


@dataclass(frozen=True)
class Hooks:
    """What is put into a working copy of the model.

    Parameters
    ----------
    sources
        Fortran files.
    makefile
        Includes the model's own.
    interfaces
        The schemes that are renamed.
    alternatives
        Schemes that are compiled beside those that the model uses.
    """

    sources: tuple[Path, ...]
    makefile: Path
    interfaces: Mapping[str, Interface]
    alternatives: tuple[Interface, ...] = ()


RADIATION_HOOKS = Hooks(tuple(sorted(HOOKS.glob("*.f90"))), HOOKS / "makefile", SCHEMES)
"""Longwave radiation and sunlight."""

CONVECTION_HOOKS = Hooks(
    (*RADIATION_HOOKS.sources, *sorted((HOOKS / "convection").glob("*.f90"))),
    HOOKS / "convection" / "makefile",
    {**SCHEMES, **CONVECTION},
    ALTERNATIVES,
)
"""Moist convection as well: a build of its own, so that either can change alone."""

_RESOLUTION = """module resmod
  parameter(NLAT_ATM = 32)
  parameter(NLEV_ATM = 10)
  parameter(NPRO_ATM = {n_rank})
end module resmod
"""

_TOOLS = ("make", "gcc", "gfortran")
_MPI_TOOLS = ("mpif90", "mpirun")

# The model hands arrays of several types to the same routines of MPI.
_MPI_OPTIONS = "MOST_F90_OPTS += -fallow-argument-mismatch\n"

OnProgress = Callable[[float], None]


@dataclass(frozen=True)
class Host:
    """A compiled model at T21 with 10 levels.

    Parameters
    ----------
    program
        The executable.
    data
        Folder of surface data.
    key
        Name of the build: differs where source, hooks or settings differ.
    n_rank
        Processes that it runs as.
    """

    program: Path
    data: Path
    key: str
    n_rank: int = 1


def ensure_host(
    folder: Path, on_progress: OnProgress, n_rank: int = 1, hooks: Hooks = RADIATION_HOOKS
) -> Host:
    """Return the compiled model, made if it is not there.

    Parameters
    ----------
    folder
        Where source and builds are kept.
    on_progress
        Called with the fraction done.
    n_rank
        Processes that it is to run as; more than one need MPI.
    hooks
        What stands in for schemes of the model.

    Raises
    ------
    SourceError
        If the source cannot be had, or is another one.
    HostBuildError
        If a compiler is missing or fails.
    """
    tree = source_tree(folder)
    bridge = ensure_built()
    key = _key(bridge.fortran_source, bridge.root, hooks)
    key += f"-{n_rank}-ranks" if n_rank > 1 else ""
    built = folder / f"host-{key}"
    if not (built / "plasim.x").exists():
        _check_tools(n_rank)
        partial = folder / f"unfinished-host-{key}"
        shutil.rmtree(partial, ignore_errors=True)
        _working_copy(tree, partial, n_rank, hooks)
        flags = f"-L{bridge.root / 'lib'} -Wl,-rpath,{bridge.root / 'lib'} -lhybrid"
        make(
            partial,
            [f"HYBRID_SOURCE={bridge.fortran_source}", f"HYBRID_LDFLAGS={flags}"],
            on_progress,
        )
        partial.replace(built)
    on_progress(1.0)
    return Host(built / "plasim.x", tree / "plasim" / "dat" / "T21", key, n_rank)


def _key(fortran_source: Path, prefix: Path, hooks: Hooks) -> str:
    digest = sha256(f"{VERSION} {prefix} {hooks.interfaces} {hooks.alternatives}".encode())
    for path in (fortran_source, *hooks.sources, hooks.makefile):
        digest.update(_code(path).encode())
    return digest.hexdigest()[:12]


def _code(path: Path) -> str:
    """Return a source without lines that are comments: they make no other build."""
    lines = path.read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("!"))


def _check_tools(n_rank: int) -> None:
    needed = _TOOLS + (_MPI_TOOLS if n_rank > 1 else ())
    missing = [name for name in needed if shutil.which(name) is None]
    if missing:
        packages = [*_TOOLS, *(["libopenmpi-dev", "openmpi-bin"] if n_rank > 1 else [])]
        raise HostBuildError(
            f"PlaSim: expected {', '.join(needed)}, got no {', '.join(missing)}; install what is "
            f"missing, for example `apt install {' '.join(packages)}`"
        )


def _working_copy(tree: Path, folder: Path, n_rank: int, hooks: Hooks) -> None:
    shutil.copytree(tree / "plasim" / "src", folder)
    if n_rank > 1:
        options = (tree / "most_compiler_mpi").read_text()
        (folder / "most_compiler").write_text(f"{options.rstrip()}\n{_MPI_OPTIONS}")
    else:
        shutil.copy(tree / "most_compiler", folder)
    (folder / "resmod.f90").write_text(_RESOLUTION.format(n_rank=n_rank))
    for interface in hooks.interfaces.values():
        path = folder / interface.file
        # Comments of the model are in several encodings; each byte is a character here.
        path.write_text(with_hook(path.read_text("latin-1"), interface), "latin-1")
    for interface in hooks.alternatives:
        path = folder / interface.file
        path.write_text(alone(path.read_text("latin-1"), interface), "latin-1")
    for path in hooks.sources:
        shutil.copy(path, folder)
    shutil.copy(hooks.makefile, folder / "makefile")


def make(folder: Path, variables: list[str], on_progress: OnProgress) -> None:
    """Run make in a folder, and tell how far it is.

    Parameters
    ----------
    folder
        Working copy with a makefile.
    variables
        Definitions for make, ``NAME=value``.
    on_progress
        Called with the fraction of the commands that have begun.

    Raises
    ------
    HostBuildError
        If a command fails; the message ends with the last lines of the log.
    """
    # One at a time: the model's makefile does not name all dependencies on modules.
    command = ["make", "-j1", *variables]
    planned = subprocess.run(
        [*command, "--dry-run"], cwd=folder, capture_output=True, text=True, check=False
    )
    total = max(len(planned.stdout.splitlines()), 1)
    log = folder / "build.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            for i, _ in enumerate(process.stdout or ()):
                on_progress(min(i / total, 1.0))
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise HostBuildError(f"PlaSim: make ended with status {process.returncode}\n{tail}")
