"""Fixtures that several test files share."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from bridge.host_programs import FORTRAN_FLAGS, compile_program, run_program
from closure_examples import ColumnNetwork, Persistence
from grid_closures import NeighbourMean
from guarded_closure import Guarded
from threadpoolctl import threadpool_limits

import hybrid
from fortran_bridge.build import Prefix, ensure_built

# Two busy cores and a thread pool do not mix; see DESIGN, promise 7.
torch.set_num_threads(1)
threadpool_limits(1, user_api="blas")

# A shell starts what runs in its background with interrupts ignored.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
def guarded_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archive of a closure whose results can be put outside its envelope."""
    path = tmp_path_factory.mktemp("archives") / "guarded.pt"
    hybrid.export(Guarded(), path)
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
        program = compile_program(
            prefix, tmp_path, name, compiler=compiler, flags=(*flags, *macros)
        )
        return run_program(program, *arguments)

    return run
