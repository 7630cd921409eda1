"""Fixtures that several test files share."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from bridge.host_programs import FORTRAN_FLAGS, compile_program, run_program
from closure_examples import ColumnNetwork, Persistence
from grid_closures import NeighbourMean

import hybrid
from fortran_bridge.build import Prefix, ensure_built

# Two busy cores and a thread pool do not mix; see DESIGN, promise 7.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def prefix() -> Prefix:
    """The native library."""
    return ensure_built()


@pytest.fixture(scope="session")
def column_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archive of a stateless closure with profiles."""
    path = tmp_path_factory.mktemp("archives") / "column_network.pt"
    hybrid.export(ColumnNetwork(), path)
    return path


@pytest.fixture(scope="session")
def persistence_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archive of a stateful, stochastic closure."""
    path = tmp_path_factory.mktemp("archives") / "persistence.pt"
    hybrid.export(Persistence(), path)
    return path


@pytest.fixture(scope="session")
def periodic_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archive of a grid closure that wraps, with open sizes."""
    path = tmp_path_factory.mktemp("archives") / "periodic.pt"
    hybrid.export(NeighbourMean(), path)
    return path


@pytest.fixture
def fortran_program(
    prefix: Prefix, tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Compile a program from tests/bridge/fortran with the module's source, and run it."""

    def run(
        name: str,
        *arguments: str | Path,
        flags: tuple[str, ...] = FORTRAN_FLAGS,
        macros: tuple[str, ...] = (),
        compiler: str = "gfortran",
    ) -> subprocess.CompletedProcess[str]:
<<<<<<< HEAD
        return run_program(compile_program(prefix, tmp_path, name, flags=flags), *arguments)
=======
        (source,) = (Path(__file__).parent / "bridge" / "fortran").glob(f"{name}.[fF]90")
        library = str(prefix.library.parent)
        subprocess.run(
            [
                *(compiler, *flags, *macros, f"-J{tmp_path}", "-o", str(tmp_path / name)),
                *(str(prefix.fortran_source), str(source)),
                *(f"-L{library}", "-lhybrid", f"-Wl,-rpath,{library}"),
            ],
            check=True,
        )
        return subprocess.run(
            [str(tmp_path / name), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
>>>>>>> fortran

    return run
