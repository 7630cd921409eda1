"""A folder of ClimSim's pairs turned into shards: shuffled float32 samples with statistics.

Time steps are dealt out at random to shards of equal size, and the samples of a shard are
shuffled, so that any piece of a shard is a random sample of its time steps. A shard is made in
one piece of memory from files that are read once; nothing else grows with the number of files.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from closures import atomic
from closures.climsim.cluster import run
from closures.climsim.errors import DataError
from closures.climsim.files import Pair, by_step, earlier_steps
from closures.climsim.grid import ColumnGrid
from closures.climsim.manifest import NAME, Manifest, Shard, Skipped, Source
from closures.climsim.reading import read_variables
from closures.climsim.shard_writer import ShardRecord, ShardTask, is_intact, write_shard
from closures.climsim.statistics import Statistics
from closures.climsim.variables import VariableSet

SHARD_BYTES = 64 << 20
"""Size of a shard's samples [bytes]: thousands of batches, and little beside a machine's memory."""

PLAN = "plan.sha256"
"""Name of the file that says what a folder was begun for."""

OnShard = Callable[[int, Sequence[Skipped]], None]
"""Called with the number of time steps of a finished shard, and what was left out of it."""


@dataclass(frozen=True)
class Conversion:
    """What is converted, and how.

    Parameters
    ----------
    variables
        What to read.
    seed
        Seed of the order of time steps and samples; None to keep the order of time, as scores
        need it.
    shard_bytes
        Upper limit of the samples of a shard [bytes]; at least one time step.
    grid
        Grid of the columns, if the variables need it.
    """

    variables: VariableSet
    seed: int | None = 0
    shard_bytes: int = SHARD_BYTES
    grid: ColumnGrid | None = None

    def __post_init__(self) -> None:
        if self.shard_bytes < 1:
            raise ValueError(f"shards: expected a size of at least 1, got {self.shard_bytes}")
        if self.variables.needs_grid and self.grid is None:
            raise DataError(
                f"variables {self.variables.name}: expected the grid of the columns, got none"
            )


def convert(
    pairs: Sequence[Pair],
    out: Path,
    conversion: Conversion,
    *,
    among: Iterable[Pair] | None = None,
    alone: Iterable[Skipped] = (),
    client: Any = None,
    on_shard: OnShard | None = None,
    wait: bool = False,
) -> Manifest:
    """Convert pairs into shards below `out`.

    Every shard is complete or not there, and the manifest is written last. Called again with the
    same arguments after an interruption, it makes only the shards that are missing; called after
    it has ended, it returns the manifest.

    Parameters
    ----------
    pairs
        Time steps.
    out
        Folder; made if need be.
    conversion
        Variables, seed, size of a shard.
    among
        Where to look for earlier steps, if the variables need them; default: `pairs`.
    alone
        What was left out already, for the manifest.
    client
        ``distributed.Client`` of a dask cluster that sees the same files; None for this process.
    on_shard
        Called after each shard.
    wait
        Wait while another process converts into the same folder, instead of an error.

    Returns
    -------
    Manifest
        What the folder holds; ``skipped`` names every file that was left out, with the reason.

    Raises
    ------
    DataError
        If no time step can be read, or the folder holds another conversion.
    OSError
        If the folder cannot be written; finished shards stay, and the same call goes on with them.
    """
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / ".lock", timeout=-1 if wait else 0):
            return _convert(tuple(pairs), out, conversion, among, tuple(alone), client, on_shard)
    except Timeout:
        raise DataError(
            f"{out}: expected a folder that nobody writes, but another conversion does; wait for "
            "it, or choose another folder"
        ) from None


def _convert(
    pairs: tuple[Pair, ...],
    out: Path,
    conversion: Conversion,
    among: Iterable[Pair] | None,
    alone: tuple[Skipped, ...],
    client: Any,
    on_shard: OnShard | None,
) -> Manifest:
    report = on_shard or (lambda _n, _skipped: None)
    plan = _plan(pairs, conversion)
    if _is_begun(out, plan) and (out / NAME).is_file():
        manifest = Manifest.read(out)
        if all(is_intact(out, shard, manifest.variables) for shard in manifest.shards):
            report(len(pairs), manifest.skipped)
            return manifest
    steps, without = _with_history(pairs, pairs if among is None else among, conversion)
    tasks = _tasks(steps, out, conversion)
    # A process that was killed could not remove what it was writing.
    for unfinished in (*out.glob(".*.*.*"), *(out / "unfinished").glob(".*.*.*")):
        unfinished.unlink()
    atomic.write_text(out / PLAN, plan)
    records = _records(tasks, client, report)
    left_out = tuple(skipped for record in records for skipped in record.skipped)
    if len(left_out) == len(steps):
        # Nothing is worth going on with.
        shutil.rmtree(out / "unfinished")
        (out / PLAN).unlink()
        first = left_out[0]
        raise DataError(f"expected pairs that can be read, got none; {first.name}: {first.reason}")
    manifest = _merged(records, conversion, tasks[0].n_column, (*alone, *without, *left_out))
    manifest.write(out)
    shutil.rmtree(out / "unfinished")
    return manifest


def _records(tasks: Sequence[ShardTask], client: Any, report: OnShard) -> list[ShardRecord]:
    """Return the records of all shards, those that are missing made now."""
    records: dict[int, ShardRecord] = {}

    def finish(result: tuple[int, ShardRecord]) -> None:
        index, record = result
        records[index] = record
        report(len(tasks[index].steps), record.skipped)

    missing = []
    for task in tasks:
        record = _finished(task)
        if record is None:
            missing.append(task)
        else:
            finish((task.index, record))
    run(_numbered, missing, finish, client)
    return [records[task.index] for task in tasks]


def _numbered(task: ShardTask) -> tuple[int, ShardRecord]:
    return task.index, write_shard(task)


def _plan(pairs: Sequence[Pair], conversion: Conversion) -> str:
    """Return a digest of everything the shards depend on."""
    files = [path for pair in pairs for path in (pair.mli, pair.mlo)]
    stats = [path.stat() for path in files]
    plan = {
        "variables": repr(conversion.variables),
        "seed": conversion.seed,
        "shard_bytes": conversion.shard_bytes,
        "grid": None if conversion.grid is None else conversion.grid.lat.tolist(),
        "files": [
            [str(path.resolve()), stat.st_size, stat.st_mtime_ns]
            for path, stat in zip(files, stats, strict=True)
        ],
    }
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def _is_begun(out: Path, plan: str) -> bool:
    """Return whether the folder holds this conversion; it may hold no other."""
    path = out / PLAN
    if path.is_file():
        if path.read_text(encoding="utf-8") == plan:
            return True
        raise DataError(
            f"{out}: expected a conversion with these files, variables, seed and size of shards, "
            "got another one; choose another folder, or delete this one"
        )
    if any(out.glob("*.npy")) or (out / NAME).exists():
        raise DataError(
            f"{out}: expected a folder without shards, got one with some of unknown origin; choose "
            "another folder"
        )
    return False


def _with_history(
    pairs: Sequence[Pair], among: Iterable[Pair], conversion: Conversion
) -> tuple[list[tuple[Pair, ...]], list[Skipped]]:
    n = conversion.variables.n_history
    known = by_step(among) if n else {}
    steps, without = [], []
    for pair in pairs:
        try:
            steps.append((pair, *earlier_steps(pair, known, n)))
        except DataError as error:
            without.append(Skipped(pair.mli.name, str(error)))
    if not steps:
        reason = without[0].reason if without else "there are none"
        raise DataError(f"expected pairs to convert, got none that can be used: {reason}")
    return steps, without


def _tasks(steps: Sequence[tuple[Pair, ...]], out: Path, conversion: Conversion) -> list[ShardTask]:
    variables, seed = conversion.variables, conversion.seed
    n_column = _number_of_columns(steps)
    bytes_of_step = 4 * n_column * (variables.n_input + variables.n_output)
    n_shard = -(-len(steps) // max(1, conversion.shard_bytes // bytes_of_step))
    order = np.arange(len(steps))
    if seed is not None:
        order = np.random.default_rng(seed).permutation(len(steps))
    return [
        ShardTask(out, i, tuple(steps[k] for k in part), variables, n_column, seed, conversion.grid)
        for i, part in enumerate(np.array_split(order, n_shard))
    ]


def _number_of_columns(steps: Sequence[tuple[Pair, ...]]) -> int:
    first: Exception | None = None
    for pair, *_ in steps:
        try:
            return int(read_variables(pair.mli, ("state_ps",))["state_ps"].size)
        except (DataError, OSError) as error:
            first = first or error
    raise DataError(f"expected at least one file that can be read, got none: {first}")


def _finished(task: ShardTask) -> ShardRecord | None:
    try:
        record = ShardRecord.from_json(task.record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    whole = record.shard is None or is_intact(task.folder, record.shard, task.variables)
    return record if whole else None


def _merged(
    records: Sequence[ShardRecord],
    conversion: Conversion,
    n_column: int,
    skipped: tuple[Skipped, ...],
) -> Manifest:
    shards: list[Shard] = []
    sources: list[Source] = []
    inputs: list[Statistics] = []
    outputs: list[Statistics] = []
    for record in records:
        if record.shard is None or record.inputs is None or record.outputs is None:
            continue
        numbers = tuple(len(sources) + k for k in record.shard.sources)
        shards.append(replace(record.shard, sources=numbers))
        sources += record.sources
        inputs.append(record.inputs)
        outputs.append(record.outputs)
    return Manifest(
        conversion.variables,
        n_column,
        conversion.seed,
        tuple(shards),
        tuple(sources),
        skipped,
        # In the order of the plan, so that neither workers nor interruptions change a bit.
        reduce(Statistics.merged, inputs),
        reduce(Statistics.merged, outputs),
    )
