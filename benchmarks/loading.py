"""From load to the first result: what it takes, and the memory that a host then holds.

A host in C, linked with the core library alone, loads a network and evaluates one column; the
engine is opened at load. Each time is that of a new process, whose files are in memory already.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from benchmarks.comparison import Compared, Comparison
from benchmarks.engines import NATIVE
from benchmarks.interleaved import FULL, Session, interleave
from benchmarks.interval import FEWEST
from benchmarks.overhead_native import SOURCE, NativeError, run_compiler
from benchmarks.overhead_server import Archives
from fortran_bridge.build import ensure_built

TITLE = "One load of a closure, until its first result"
SIZES = ("A", "B")
"""Networks, as in `benchmarks.engines`."""

TORCHSCRIPT = "torchscript"


@dataclass(frozen=True)
class LoadCost(Compared):
    """What a host pays before its first result.

    Parameters
    ----------
    net, engine
        What was loaded, and what ran it.
    seconds
        Median time of the processor [s].
    resident
        Median of the memory in use after it [kB].
    speed_up, low, high
        Median of the times with TorchScript by these, turn by turn, and its 95 % interval [1].
    """

    net: str
    engine: str
    seconds: float
    resident: float
    speed_up: float
    low: float
    high: float

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        return {
            "net": self.net,
            "engine": self.engine,
            "load to result [ms]": f"{1e3 * self.seconds:.3g}",
            "resident [MB]": f"{self.resident / 1024.0:.0f}",
            f"{TORCHSCRIPT} / engine": f"{self.speed_up:.1f}",
            "95 % interval": f"{self.low:.1f} to {self.high:.1f}",
        }


def measure(sizes: Sequence[str] = SIZES, session: Session = FULL) -> Iterator[LoadCost]:
    """Load every network by either engine, one process after the other."""
    session = replace(session, rounds=max(session.rounds, FEWEST))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = _host(folder)
        for net in sizes:
            _, archive = Archives(folder).closure(net)
            loads = {
                engine: Loads((str(program), str(archive), engine))
                for engine in (TORCHSCRIPT, NATIVE)
            }
            timings = interleave(loads, session, f"loading net {net}")
            for engine, done in loads.items():
                found = Comparison.of(timings, engine, TORCHSCRIPT, what=f"net {net}, {engine}")
                yield LoadCost(
                    net,
                    engine,
                    timings.median(engine),
                    median(done.resident),
                    *found.times_faster,
                    comparisons=() if engine == TORCHSCRIPT else (found,),
                )


@dataclass(frozen=True)
class Loads:
    """Starts a host again and again.

    Parameters
    ----------
    command
        The host and its arguments.
    resident
        Memory in use after each first result [kB].
    """

    command: tuple[str, ...]
    resident: list[float] = field(default_factory=list)

    def __call__(self, repeat: int) -> float:
        """Return the time that so many loads took [s].

        Raises
        ------
        NativeError
            If the host fails.
        """
        total = 0.0
        for _ in range(repeat):
            done = subprocess.run(
                self.command,
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            if done.returncode:
                raise NativeError(f"{' '.join(self.command)}: {done.stderr.strip()}")
            seconds, resident = map(float, done.stdout.split())
            self.resident.append(resident)
            total += seconds
        return total


def _host(folder: Path) -> Path:
    prefix, target = ensure_built(), folder / "load_host"
    libraries = prefix.library.parent
    run_compiler(
        [
            *("gcc", "-std=c11", "-O2", "-D_POSIX_C_SOURCE=200809L"),
            *(f"-I{prefix.include}", str(SOURCE / "load_host.c"), "-o", str(target)),
            *(f"-L{libraries}", "-lhybrid", f"-Wl,-rpath,{libraries}"),
        ],
        folder,
    )
    return target
