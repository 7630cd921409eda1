"""One shard of a conversion: its time steps read, shuffled, described and written."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from closures import atomic
from closures.climsim.errors import DataError
from closures.climsim.files import Pair
from closures.climsim.grid import ColumnGrid
from closures.climsim.manifest import Shard, Skipped, Source, row_order
from closures.climsim.statistics import Statistics
from closures.climsim.step_reader import StepReader
from closures.climsim.variables import VariableSet

Rows = NDArray[np.float32]

CHUNK = 4096
"""Rows that are gathered at once on their way to the file."""


@dataclass(frozen=True)
class ShardTask:
    """Everything one shard is made from; it travels to the process that makes it.

    Parameters
    ----------
    folder
        Where the shard goes.
    index
        Number of the shard.
    steps
        Pairs, each followed by the earlier steps that the variables need.
    variables
        What to read.
    n_column
        Number of columns of each pair.
    seed
        Seed of the order of samples; None to keep the order of reading.
    grid
        Grid of the columns, if the variables need it.
    """

    folder: Path
    index: int
    steps: tuple[tuple[Pair, ...], ...]
    variables: VariableSet
    n_column: int
    seed: int | None
    grid: ColumnGrid | None = None

    @property
    def name(self) -> str:
        """Beginning of the names of the shard's files."""
        return f"shard-{self.index:05d}"

    @property
    def record(self) -> Path:
        """File that says that the shard is complete."""
        return self.folder / "unfinished" / f"{self.name}.json"


@dataclass(frozen=True)
class ShardRecord:
    """What a finished shard holds.

    Parameters
    ----------
    shard
        Its files; None if no time step could be read.
    sources
        Its time steps.
    skipped
        What could not be read.
    inputs, outputs
        Statistics; None without a time step.
    """

    shard: Shard | None
    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...]
    inputs: Statistics | None
    outputs: Statistics | None

    def to_json(self) -> str:
        """Return the JSON form."""
        return json.dumps(
            {
                "shard": None if self.shard is None else asdict(self.shard),
                "sources": [asdict(source) for source in self.sources],
                "skipped": [asdict(skipped) for skipped in self.skipped],
                "inputs": None if self.inputs is None else self.inputs.to_dict(),
                "outputs": None if self.outputs is None else self.outputs.to_dict(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the record of a JSON form."""
        data = json.loads(text)
        shard, inputs, outputs = data["shard"], data["inputs"], data["outputs"]
        return cls(
            None if shard is None else Shard(**{**shard, "sources": tuple(shard["sources"])}),
            tuple(Source(**source) for source in data["sources"]),
            tuple(Skipped(**skipped) for skipped in data["skipped"]),
            None if inputs is None else Statistics.from_dict(inputs),
            None if outputs is None else Statistics.from_dict(outputs),
        )


def write_shard(task: ShardTask) -> ShardRecord:
    """Make one shard; its files are there when its record is.

    A pair that cannot be read is left out and recorded with the reason.

    Raises
    ------
    OSError
        If the folder cannot be written, for example because the disk is full; no part of the
        file being written is left.
    """
    skipped: list[Skipped] = []
    samples = _Samples(task)
    reader = StepReader(task.variables, task.grid, np.float32)
    for step in task.steps:
        pair = step[0]
        try:
            samples.add(reader.read(*(each.files for each in step)), pair)
        except (DataError, OSError) as error:
            skipped.append(Skipped(pair.mli.name, str(error)))
    shard = samples.write() if samples.sources else None
    record = ShardRecord(
        shard, tuple(samples.sources), tuple(skipped), samples.inputs, samples.outputs
    )
    task.record.parent.mkdir(exist_ok=True)
    atomic.write_text(task.record, record.to_json())
    return record


def is_intact(folder: Path, shard: Shard, variables: VariableSet) -> bool:
    """Return whether both files of a shard are there in their full length."""
    sizes = {shard.inputs: variables.n_input, shard.outputs: variables.n_output}
    for name, n_feature in sizes.items():
        try:
            rows = np.load(folder / name, mmap_mode="r")
        except (OSError, ValueError):
            return False
        if rows.shape != (shard.n_sample, n_feature) or rows.dtype != np.float32:
            return False
    return True


def _source(pair: Pair) -> Source:
    digests = []
    for path in (pair.mli, pair.mlo):
        with path.open("rb") as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return Source(pair.mli.name, pair.mlo.name, *digests)


def _write_rows(stream: IO[Any], rows: Rows, order: NDArray[np.int64]) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(rows.dtype),
        "fortran_order": False,
        "shape": (len(order), rows.shape[1]),
    }
    np.lib.format.write_array_header_2_0(stream, header)
    for start in range(0, len(order), CHUNK):
        stream.write(rows[order[start : start + CHUNK]].data)


class _Samples:
    """Samples of a shard, as they are gathered."""

    def __init__(self, task: ShardTask) -> None:
        n_row = len(task.steps) * task.n_column
        self.task = task
        self.sources: list[Source] = []
        self.inputs: Statistics | None = None
        self.outputs: Statistics | None = None
        self._inputs = np.empty((n_row, task.variables.n_input), np.float32)
        self._outputs = np.empty((n_row, task.variables.n_output), np.float32)

    def add(self, columns: tuple[Rows, Rows], pair: Pair) -> None:
        """Take the columns of a pair, all or, with an exception, none."""
        inputs, outputs = columns
        n_column = self.task.n_column
        if len(inputs) != n_column:
            raise DataError(
                f"{pair.mli}: expected {n_column} columns as in the other files, got "
                f"{len(inputs)}; convert files of different grids apart"
            )
        source = _source(pair)
        rows = slice(len(self.sources) * n_column, (len(self.sources) + 1) * n_column)
        self._inputs[rows], self._outputs[rows] = inputs, outputs
        self.inputs = _together(self.inputs, Statistics.of(inputs))
        self.outputs = _together(self.outputs, Statistics.of(outputs))
        self.sources.append(source)

    def write(self) -> Shard:
        """Write both files."""
        task = self.task
        n_sample = len(self.sources) * task.n_column
        order = row_order(task.seed, task.index, n_sample)
        names = (f"{task.name}.inputs.npy", f"{task.name}.outputs.npy")
        for name, rows in zip(names, (self._inputs, self._outputs), strict=True):
            with atomic.replacing(task.folder / name) as stream:
                _write_rows(stream, rows, order)
        return Shard(task.index, *names, n_sample, tuple(range(len(self.sources))))


def _together(first: Statistics | None, second: Statistics) -> Statistics:
    return second if first is None else first.merged(second)
