"""What a step of two-scale Lorenz-96 costs beside the same step in Fortran.

The Fortran program is compiled by gfortran for this machine. It runs as a process of its own that
times itself, and takes its turns like the others.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.interleaved import FULL, Session, Work, on_processor
from benchmarks.step_cost import Case, StepCost, Variant, compare
from solvers import TwoScaleLorenz96Rasp, TwoScaleLorenz96Wilks

TITLE = "One step of two-scale Lorenz-96 (RK4)"
SIZES = ((8, 32), (36, 10))
"""Slow variables, and fast ones for each: those of Wilks (2005) and of Rasp (2020)."""

SOURCE = Path(__file__).parents[1] / "fortran_bridge" / "hosts" / "lorenz96_two_scale.f90"
COMPILE = ("gfortran", "-O3", "-march=native")


class FortranRun(NamedTuple):
    """What the program printed: processor seconds a step, and X at the end."""

    seconds: float
    x: NDArray[np.float64]


def build(folder: Path) -> Path:
    """Compile the Fortran program into a folder.

    Raises
    ------
    subprocess.CalledProcessError
        If it does not compile.
    """
    program = folder / "lorenz96_two_scale"
    subprocess.run([*COMPILE, str(SOURCE), "-o", str(program)], check=True, cwd=folder)
    return program


def run_fortran(program: Path, n_k: int, n_j: int, n_step: int) -> FortranRun:
    """Run the Fortran program from its initial state."""
    command = [str(program), str(n_k), str(n_j), str(n_step)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds, *x = map(float, printed.split())
    return FortranRun(seconds, np.array(x))


def initial_state(n_k: int, n_j: int) -> NDArray[np.float64]:
    """Return the initial state of the Fortran program, X, then Y with j fastest."""
    x = 3.0 + 5.0 * np.sin(np.arange(n_k))
    return np.concatenate([x, 0.3 * np.cos(np.arange(n_k * n_j))])


def measure(
    sizes: Sequence[tuple[int, int]] = SIZES, session: Session = FULL
) -> Iterator[StepCost]:
    """Time both forms of the model, and the Fortran program, which has the form of Wilks."""
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder)) if shutil.which(COMPILE[0]) else None
        if program is None:
            session.note("gfortran is not there; two-scale Lorenz-96 is timed alone")
        for n_k, n_j in sizes:
            state = initial_state(n_k, n_j)
            wilks = TwoScaleLorenz96Wilks(n_k=n_k, n_j=n_j, forcing=20.0)
            rasp = TwoScaleLorenz96Rasp(n_k=n_k, n_j=n_j, forcing=20.0)
            variants = {
                "Wilks": Variant(on_processor(wilks.start(state).advance)),
                "Rasp": Variant(on_processor(rasp.start(state).advance)),
            }
            peers = {" ".join(COMPILE): _steps(program, n_k, n_j)} if program else {}
            case = Case("two-scale Lorenz-96", f"{n_k}, {n_j}", n_k * (1 + n_j))
            yield from compare(case, variants, peers, session)


def _steps(program: Path, n_k: int, n_j: int) -> Work:
    return lambda n_step: n_step * run_fortran(program, n_k, n_j, n_step).seconds
