"""What a step of two-scale Lorenz-96 costs beside the same step in Fortran.

``python -m benchmarks.lorenz96_step``. The Fortran program is compiled by gfortran for this
machine; it runs as a process of its own and times itself, turn by turn with ours. Times are those
of the processor, because steps this short are otherwise lost in the pauses of a busy machine.
"""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.interleaved import Seconds, interleave
from solvers.integration import Integration
from solvers.lorenz96_two_scale import TwoScaleLorenz96Rasp, TwoScaleLorenz96Wilks

SOURCE = Path(__file__).parents[1] / "fortran_bridge" / "hosts" / "lorenz96_two_scale.f90"
COMPILE = ("gfortran", "-O3", "-march=native")

SIZES = ((8, 32), (36, 10))
"""Slow variables, and fast ones for each: those of Wilks (2005) and of Rasp (2020)."""

# A few hundredths of a second.
_STEPS_A_TURN = 50_000


class FortranRun(NamedTuple):
    """What the program printed: seconds a step, and X at the end."""

    seconds: float
    x: NDArray[np.float64]


@dataclass(frozen=True)
class Cost:
    """Median times of a step [s], and ratios to Fortran's, of one size."""

    n_k: int
    n_j: int
    fortran: float
    wilks: float
    rasp: float
    wilks_by_fortran: float
    rasp_by_fortran: float


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
    sizes: tuple[tuple[int, int], ...] = SIZES, n_step: int = _STEPS_A_TURN
) -> Iterator[Cost]:
    """Time both forms and the Fortran program at all sizes, one thread."""
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        for n_k, n_j in sizes:
            state = initial_state(n_k, n_j)
            wilks = TwoScaleLorenz96Wilks(n_k=n_k, n_j=n_j, forcing=20.0)
            rasp = TwoScaleLorenz96Rasp(n_k=n_k, n_j=n_j, forcing=20.0)
            timings = interleave(
                {
                    "fortran": _fortran_seconds(program, n_k, n_j, n_step),
                    "wilks": _seconds(wilks.start(state), n_step),
                    "rasp": _seconds(rasp.start(state), n_step),
                }
            )
            yield Cost(
                n_k,
                n_j,
                *(timings.median(name) for name in ("fortran", "wilks", "rasp")),
                *(timings.ratio(name, "fortran") for name in ("wilks", "rasp")),
            )


def table(costs: list[Cost]) -> Table:
    """Return the measurements, one row a size."""
    result = Table(
        title="One step of two-scale Lorenz-96: median microseconds",
        caption=f"Fortran: the form of Wilks, {' '.join(COMPILE)}; one thread",
    )
    for heading in (
        *("K", "J", "Fortran", "Wilks", "Wilks / Fortran", "Rasp", "Rasp / Fortran"),
        "Wilks / variable [ns]",
    ):
        result.add_column(heading, justify="right")
    for cost in costs:
        result.add_row(
            str(cost.n_k),
            str(cost.n_j),
            f"{1e6 * cost.fortran:.3f}",
            f"{1e6 * cost.wilks:.3f}",
            f"{cost.wilks_by_fortran:.2f}",
            f"{1e6 * cost.rasp:.3f}",
            f"{cost.rasp_by_fortran:.2f}",
            f"{1e9 * cost.wilks / (cost.n_k * (1 + cost.n_j)):.2f}",
        )
    return result


def _fortran_seconds(program: Path, n_k: int, n_j: int, n_step: int) -> Seconds:
    return lambda: run_fortran(program, n_k, n_j, n_step).seconds


def _seconds(integration: Integration, n_step: int) -> Seconds:
    def seconds() -> float:
        began = time.thread_time()
        integration.advance(n_step)
        return (time.thread_time() - began) / n_step

    return seconds


if __name__ == "__main__":
    Console(width=120).print(table(list(measure())))
