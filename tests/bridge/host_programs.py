"""Compile programs of the tests as a careful host would, and run them, also under MPI."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from fortran_bridge.build import Prefix

FOLDER = Path(__file__).parent / "fortran"
C_FOLDER = Path(__file__).parent / "c"
STUB_ENGINE = Path(__file__).parent / "stub_engine" / "stub_engine.cpp"

# Debug flags of a careful host: bounds, pointers, and traps on what climate models trap.
FORTRAN_FLAGS = ("-g", "-std=f2018", "-Wall", "-fcheck=all", "-ffpe-trap=invalid,zero,overflow")

needs_mpi = pytest.mark.skipif(
    shutil.which("mpif90") is None or shutil.which("mpirun") is None,
    reason="no mpif90 or mpirun; install libopenmpi-dev and openmpi-bin",
)


def compile_program(
    prefix: Prefix,
    folder: Path,
    *names: str,
    compiler: str = "gfortran",
    flags: Sequence[str] = FORTRAN_FLAGS,
) -> Path:
    """Compile the bridge's module and sources from tests/bridge/fortran, the program last."""
    library = str(prefix.library.parent)
    program = folder / names[-1]
    sources = [next(FOLDER.glob(f"{name}.[fF]90")) for name in names]
    subprocess.run(
        [
            *(compiler, *flags, f"-J{folder}", "-o", str(program), str(prefix.fortran_source)),
            *map(str, sources),
            *(f"-L{library}", "-lhybrid", f"-Wl,-rpath,{library}"),
        ],
        check=True,
    )
    return program


def compile_c_program(prefix: Prefix, folder: Path, name: str) -> Path:
    """Compile a program from tests/bridge/c and link it with the library."""
    library = str(prefix.library.parent)
    program = folder / name
    subprocess.run(
        [
            *("gcc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic"),
            *("-Werror", f"-I{prefix.include}", str(C_FOLDER / f"{name}.c"), "-o", str(program)),
            *(f"-L{library}", "-lhybrid", "-lm", f"-Wl,-rpath,{library}"),
        ],
        check=True,
    )
    return program


def compile_stub_engine(prefix: Prefix, folder: Path) -> Path:
    """Compile the engine without torch under the name of TorchScript's."""
    engine = folder / "libhybrid_torchscript.so"
    command = ["g++", "-std=c++20", "-O2", "-shared", "-fPIC", f"-I{prefix.include}"]
    subprocess.run([*command, str(STUB_ENGINE), "-o", str(engine)], check=True)
    return engine


def run_program(
    program: Path, *arguments: str | Path | int, ranks: int = 0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program in its folder, under mpirun if `ranks` is given, and return what it said."""
    command = [str(program), *map(str, arguments)]
    if ranks:
        root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
        command = ["mpirun", *root, "--oversubscribe", "-n", str(ranks), *command]
    return subprocess.run(
        command,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        cwd=program.parent,
    )
