"""What reading ClimSim's files costs: a pair, batches from shards, memory of a conversion."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.climsim_readers import Direct, Library, Samples, Scaling, XarrayLoop
from benchmarks.comparison import Compared, Comparison
from benchmarks.interleaved import (
    FULL,
    Session,
    Work,
    interleave,
    often,
    on_all_threads,
    on_processor,
)
from closures.climsim.conversion import Conversion, convert
from closures.climsim.files import Pair, list_pairs
from closures.climsim.grid import ColumnGrid, find_grid, read_grid
from closures.climsim.loader import MappedBatches, MemoryBatches, Order, Shards
from closures.climsim.variables import variable_set
from hybrid.climsim_sample import write_sample

TITLE = "One time step of ClimSim, and batches"
SIZES = ("V1", "V2")
"""Variable sets."""

DIRECT, LIBRARY, XARRAY = "direct", "netCDF4 + numpy", "xarray loop"
LOADER = "DataLoader of PyTorch"
BATCH = 1024
FEW_PAIRS = 10
SMALL_SHARD = 8 << 20
"""So small that ten pairs fill one."""

_CONVERSION = """
import sys
from pathlib import Path
from closures.climsim.conversion import Conversion, convert
from closures.climsim.files import list_pairs
from closures.climsim.variables import variable_set
data, out, variables, n_pair, shard_bytes = sys.argv[1:]
pairs = list_pairs(Path(data))[: int(n_pair)]
convert(pairs, Path(out), Conversion(variable_set(variables), shard_bytes=int(shard_bytes)))
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""


@dataclass(frozen=True)
class ReadingCost(Compared):
    """One way of doing one task.

    Parameters
    ----------
    task
        ``"time step"``, ``"batches"`` or ``"conversion"``.
    variables
        Variable set.
    way
        How it is done.
    n_pair
        Number of pairs that were there.
    real
        Whether they are ClimSim's own files.
    seconds
        Median processor time of a time step, or of a sample in batches [s].
    by_ours
        Median of the ratios to the direct way, turn by turn [1].
    by_ours_low, by_ours_high
        Interval that encloses the true median in 95 of 100 cases.
    peak
        Largest resident memory of the process [MiB].
    """

    task: str
    variables: str
    way: str
    n_pair: int
    real: bool
    seconds: float | None = None
    by_ours: float | None = None
    by_ours_low: float | None = None
    by_ours_high: float | None = None
    peak: float | None = None

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        rate = self.task == "batches" and self.seconds is not None
        step = self.task == "time step" and self.seconds is not None
        return {
            "task": self.task,
            "variables": self.variables,
            "way": self.way,
            "time step [ms]": f"{1e3 * (self.seconds or 0.0):.2f}" if step else "",
            "/ direct": "" if self.by_ours is None else f"{self.by_ours:.1f}",
            "samples/s": f"{1.0 / (self.seconds or 1.0):.0f}" if rate else "",
            "peak [MiB]": "" if self.peak is None else f"{self.peak:.0f}",
        }


@dataclass(frozen=True)
class Data:
    """Files that are read.

    Parameters
    ----------
    folder
        Their folder.
    pairs
        All pairs below it.
    grid
        Their grid.
    real
        Whether they are ClimSim's own.
    """

    folder: Path
    pairs: tuple[Pair, ...]
    grid: ColumnGrid
    real: bool


def measure(sizes: Sequence[str] = SIZES, session: Session = FULL) -> Iterator[ReadingCost]:
    """Time the three ways to read a pair, loaders, and conversions of few and of all pairs."""
    with tempfile.TemporaryDirectory() as folder:
        data = find_data(Path(folder), session)
        for name in sizes:
            yield from reading(data, name, session)
        for name in sizes:
            yield from batches(data, name, Path(folder), session)
        yield from conversion(data, sizes[-1], Path(folder))


def find_data(folder: Path, session: Session) -> Data:
    """Return the files that ``HYBRID_CLIMSIM_DATA`` names, or a generated sample in `folder`."""
    named = os.environ.get("HYBRID_CLIMSIM_DATA")
    if named:
        where = Path(named)
    else:
        session.note("HYBRID_CLIMSIM_DATA names no folder; a generated sample is read")
        where = folder / "sample"
        write_sample(where)
    return Data(where, list_pairs(where), read_grid(find_grid(where)), bool(named))


def reading(data: Data, name: str, session: Session) -> Iterator[ReadingCost]:
    """Time a pair: read, normalised, as float32 samples of features."""
    variables = variable_set(name, data.grid.n_level)
    scaling = Scaling.of(data.pairs[0], variables)
    ways = {
        DIRECT: Direct(variables, scaling).read,
        LIBRARY: Library(variables, scaling).read,
        XARRAY: XarrayLoop(variables, scaling, data.grid).read,
    }
    candidates = {way: on_processor(often(_each(read, data.pairs))) for way, read in ways.items()}
    timings = interleave(candidates, session, f"a pair, {name}")
    for way in ways:
        found = Comparison.of(timings, way, DIRECT)
        yield ReadingCost(
            "time step", name, way, len(data.pairs), data.real,
            seconds=timings.median(way), by_ours=found.ratio,
            by_ours_low=found.low, by_ours_high=found.high,
            comparisons=() if way == DIRECT else (
                Comparison.of(timings, DIRECT, way, what=f"time step, {name}, {DIRECT}"),
            ),
        )  # fmt: skip


def batches(data: Data, name: str, folder: Path, session: Session) -> Iterator[ReadingCost]:
    """Time batches of 1024 from shards, and by PyTorch's loader, which takes samples singly."""
    out = folder / f"shards_{name}"
    convert(data.pairs, out, Conversion(variable_set(name, data.grid.n_level)))
    shards = Shards.open(out)
    memory, mapped = MemoryBatches(shards, Order(BATCH)), MappedBatches(shards, Order(BATCH))
    samples = TensorDataset(memory.inputs, memory.outputs)
    single = DataLoader(samples, batch_size=BATCH, shuffle=True, drop_last=True)
    candidates = {
        "in memory": _epochs(memory.epoch),
        "mapped files": _epochs(mapped.epoch),
        LOADER: _epochs(lambda _: iter(single)),
    }
    n_sample = len(memory) * BATCH
    timings = interleave(candidates, session, f"batches, {name}")
    for way in candidates:
        seconds = timings.median(way) / n_sample
        beside = () if way == LOADER else (
            Comparison.of(timings, way, LOADER, what=f"batches, {name}, {way}"),
        )  # fmt: skip
        yield ReadingCost(
            "batches", name, way, len(data.pairs), data.real, seconds=seconds, comparisons=beside
        )


def conversion(data: Data, name: str, folder: Path) -> Iterator[ReadingCost]:
    """Measure the memory that a conversion takes, of few pairs and of all, in its own process."""
    for n_pair in (min(FEW_PAIRS, len(data.pairs)), len(data.pairs)):
        out = folder / f"conversion_{n_pair}"
        settings = (data.folder, out, name, n_pair, SMALL_SHARD)
        done = subprocess.run(
            [sys.executable, "-c", _CONVERSION, *map(str, settings)],
            check=True,
            capture_output=True,
            text=True,
        )
        way = f"{n_pair} pairs"
        yield ReadingCost(
            "conversion", name, way, n_pair, data.real, peak=float(done.stdout), comparisons=()
        )


def _each(read: Callable[[Pair], Samples], pairs: Sequence[Pair]) -> Callable[[], object]:
    following = cycle(pairs)
    return lambda: read(next(following))


def _epochs(epoch: Callable[[int], Iterator[object]]) -> Work:
    def run(repeat: int) -> None:
        with torch.no_grad():
            for number in range(repeat):
                for _ in epoch(number):
                    pass

    return on_all_threads(run)
