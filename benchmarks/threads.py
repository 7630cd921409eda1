"""Columns of one call spread over threads of the native engine: what a second thread gains.

Unlike elsewhere, what counts is time on the wall, with all processors allowed; a machine that is
busy with other things shows less than it could.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import hybrid
from benchmarks.comparison import Compared, Comparison
from benchmarks.engines import NATIVE
from benchmarks.interleaved import FULL, Session, Work, interleave
from benchmarks.interval import FEWEST
from benchmarks.networks import TemperatureClosure
from benchmarks.overhead_server import Archives, temperatures

TITLE = "One step of the native engine on several threads"
SIZES = (384, 4096)
"""Columns of a step."""

NETS = ("A", "B")
THREADS = (1, 2)


@dataclass(frozen=True)
class ThreadsCost(Compared):
    """A step on some threads.

    Parameters
    ----------
    net, n_column
        What was evaluated.
    n_thread
        Threads that share its columns.
    seconds
        Median time of a step on the wall [s].
    speed_up, low, high
        Median of the times on one thread by these, turn by turn, and its 95 % interval [1].
    """

    net: str
    n_column: int
    n_thread: int
    seconds: float
    speed_up: float
    low: float
    high: float

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        return {
            "net": self.net,
            "columns": str(self.n_column),
            "threads": str(self.n_thread),
            "step [us]": f"{1e6 * self.seconds:.3g}",
            "one thread / step": f"{self.speed_up:.2f}",
            "95 % interval": f"{self.low:.2f} to {self.high:.2f}",
        }


def measure(sizes: Sequence[int] = SIZES, session: Session = FULL) -> Iterator[ThreadsCost]:
    """Time steps of either net by numbers of columns and threads."""
    session = replace(session, rounds=max(2 * session.rounds + 1, FEWEST))
    with tempfile.TemporaryDirectory() as folder, all_processors():
        archives = Archives(Path(folder))
        for net in NETS:
            closure, archive = archives.closure(net)
            for n_column in sizes:
                steps = {str(n): _steps(closure, archive, n_column, n) for n in THREADS}
                timings = interleave(steps, session, f"threads, net {net}, {n_column} columns")
                one = str(THREADS[0])
                for n_thread in THREADS:
                    what = f"net {net}, {n_column} columns, {n_thread} threads"
                    found = Comparison.of(timings, str(n_thread), one, what=what)
                    yield ThreadsCost(
                        net,
                        n_column,
                        n_thread,
                        timings.median(str(n_thread)),
                        *found.times_faster,
                        comparisons=() if n_thread == THREADS[0] else (found,),
                    )


@contextmanager
def all_processors() -> Iterator[None]:
    """Let this thread, and those that it starts, run on every processor."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _steps(closure: TemperatureClosure, archive: Path, n_column: int, n_thread: int) -> Work:
    loaded = hybrid.load(archive, NATIVE, n_thread=n_thread)
    binding = loaded.create(n_column)
    temperature = temperatures(closure, n_column)
    tendency = np.zeros((n_column, int(closure.spec.outputs[0].size)))
    binding.bind("temperature", temperature, dims="column,level", units="K")
    binding.bind("temperature_tendency", tendency, dims="column,layer", units="K s-1")

    def seconds(repeat: int) -> float:
        began = time.perf_counter()
        for _ in range(repeat):
            binding.run(1)
        return time.perf_counter() - began

    return seconds
