"""Anyone's columns, from netCDF or zarr to shards: in pieces, with units converted.

A dataset has a variable for each field of a contract. Profiles have the dimension of their field
and one or more others, over which samples run; scalars have those others alone.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Self

import cf_units
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures import atomic
from closures.climsim.statistics import Statistics
from closures.field import Field
from closures.spec import ClosureSpec
from closures.training.batches import Rows
from hybrid.errors import TrainError

MANIFEST = "columns.json"
PIECE = 65536
"""Samples of a shard, about: what is in memory at once."""


@dataclass(frozen=True)
class ColumnShards:
    """Shuffled samples in files, with their statistics.

    Parameters
    ----------
    folder
        Where the files are.
    n_part
        Number of shards.
    inputs, outputs
        Statistics of the features.
    digest
        Of everything that the samples were made from.
    """

    folder: Path
    n_part: int
    inputs: Statistics
    outputs: Statistics
    digest: str

    @property
    def n_sample(self) -> int:
        """Number of samples of all shards."""
        return self.inputs.count

    @property
    def widths(self) -> tuple[int, int]:
        """Number of inputs and of outputs."""
        return self.inputs.mean.size, self.outputs.mean.size

    def parts(self) -> list[tuple[Rows, Rows]]:
        """Return inputs and outputs of each shard, mapped."""
        return [
            (
                np.load(self.folder / _name(i, "inputs"), mmap_mode="r"),
                np.load(self.folder / _name(i, "outputs"), mmap_mode="r"),
            )
            for i in range(self.n_part)
        ]

    def write(self) -> None:
        """Write the manifest, after which the folder counts as complete."""
        document = {
            "n_part": self.n_part,
            "digest": self.digest,
            "inputs": self.inputs.to_dict(),
            "outputs": self.outputs.to_dict(),
        }
        atomic.write_text(self.folder / MANIFEST, json.dumps(document) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the shards of a folder, or None if it is not complete."""
        try:
            document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(
            folder,
            document["n_part"],
            Statistics.from_dict(document["inputs"]),
            Statistics.from_dict(document["outputs"]),
            document["digest"],
        )


@dataclass(frozen=True)
class ColumnSource:
    """Part of the samples of a dataset.

    Parameters
    ----------
    path
        netCDF file, or zarr folder.
    spec
        Fields to read, in feature order.
    first, last
        Where the part begins and ends along the first dimension of the samples, from 0 to 1.
    """

    path: Path
    spec: ClosureSpec
    first: float = 0.0
    last: float = 1.0

    def digest(self) -> str:
        """Return a digest of what the samples depend on."""
        path = self.path.resolve()
        files = sorted(each for each in path.rglob("*") if each.is_file()) or [path]
        plan = {
            "files": [
                [str(f.relative_to(path.parent)), f.stat().st_size, f.stat().st_mtime_ns]
                for f in files
            ],
            "fields": [
                [f.name, f.units, f.dims, f.shape] for f in (*self.spec.inputs, *self.spec.outputs)
            ],
            "part": [self.first, self.last],
        }
        return hashlib.sha256(json.dumps(plan).encode()).hexdigest()[:16]


def column_shards(
    source: ColumnSource, folder: Path, on_progress: Callable[[float], None] | None = None
) -> ColumnShards:
    """Read a dataset piece by piece into shuffled float32 shards, or find them made.

    Parameters
    ----------
    source
        Where the samples are.
    folder
        Where the shards go; what it held of another source is deleted.
    on_progress
        Called with the fraction done.

    Raises
    ------
    TrainError
        If a variable is missing, has other dimensions, levels or units, or values that are not
        finite.
    """
    digest = source.digest()
    found = ColumnShards.read(folder)
    if found is not None and found.digest == digest:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    # Without its manifest the folder is not complete, whatever happens from here on.
    (folder / MANIFEST).unlink(missing_ok=True)
    for old in folder.glob("shard-*.npy"):
        old.unlink()
    statistics: list[tuple[Statistics, Statistics]] = []
    for i, (x, y, done) in enumerate(_pieces(source)):
        # Samples of a piece lie together in time and space; training wants them mixed.
        order = np.random.default_rng([0, i]).permutation(len(x))
        for group, rows in (("inputs", x), ("outputs", y)):
            with atomic.replacing(folder / _name(i, group)) as stream:
                np.save(stream, rows[order])
        statistics.append((Statistics.of(x), Statistics.of(y)))
        if on_progress is not None:
            on_progress(done)
    inputs, outputs = (reduce(Statistics.merged, group) for group in zip(*statistics, strict=True))
    shards = ColumnShards(folder, len(statistics), inputs, outputs, digest)
    shards.write()
    return shards


def _name(i: int, group: str) -> str:
    return f"shard-{i:05d}.{group}.npy"


def _pieces(source: ColumnSource) -> Iterator[tuple[Rows, Rows, float]]:
    """Yield inputs and outputs of each piece, and the fraction done."""
    spec = source.spec
    with _opened(source.path) as dataset:
        over = _sample_dims(dataset, source)
        for field in (*spec.inputs, *spec.outputs):
            _check(dataset, field, over, source.path)
        n = dataset.sizes[over[0]]
        first, last = round(source.first * n), round(source.last * n)
        if last <= first:
            raise TrainError(
                f"{source.path}: expected samples along {over[0]}, got none between {first} and "
                f"{last} of {n}; choose another validation fraction"
            )
        each = max(1, PIECE // max(1, int(np.prod([dataset.sizes[dim] for dim in over[1:]]))))
        for start in range(first, last, each):
            stop = min(start + each, last)
            piece = dataset.isel({over[0]: slice(start, stop)})
            yield (
                _stacked(piece, spec.inputs, over, source.path),
                _stacked(piece, spec.outputs, over, source.path),
                (stop - first) / (last - first),
            )


def _opened(path: Path) -> xr.Dataset:
    if not path.exists():
        raise TrainError(f"{path}: expected a netCDF file or a zarr folder, found none")
    try:
        if path.is_dir():
            return xr.open_dataset(path, engine="zarr", decode_times=False)
        return xr.open_dataset(path, decode_times=False)
    except (OSError, ValueError) as error:
        raise TrainError(
            f"{path}: expected a netCDF file or a zarr folder, got: {error}"
        ) from error


def _sample_dims(dataset: xr.Dataset, source: ColumnSource) -> tuple[str, ...]:
    fields = (*source.spec.inputs, *source.spec.outputs)
    missing = [field.name for field in fields if field.name not in dataset.variables]
    if missing:
        raise TrainError(
            f"{source.path}: expected a variable for each field of {source.spec.name}, missing "
            f"{', '.join(missing)}; it has {', '.join(str(name) for name in dataset.variables)}"
        )
    first = fields[0]
    return tuple(str(dim) for dim in dataset[first.name].dims if str(dim) not in first.dims)


def _check(dataset: xr.Dataset, field: Field, over: Sequence[str], path: Path) -> None:
    variable = dataset[field.name]
    levels = dict(zip(field.dims, field.sizes, strict=True))
    wanted = {**{dim: dataset.sizes[dim] for dim in over}, **levels}
    if dict(variable.sizes) != wanted or not over:
        raise TrainError(
            f"{path}: {field.name}: expected dimensions {wanted}, samples over "
            f"{', '.join(over) or 'at least one'}, got {dict(variable.sizes)}; name the dimension "
            "of levels as the contract does, and give all fields the same samples"
        )
    units = variable.attrs.get("units")
    if units is None:
        raise TrainError(
            f"{path}: {field.name}: expected an attribute units, such as {field.units!r}, got none"
        )
    try:
        possible = cf_units.Unit(units).is_convertible(cf_units.Unit(field.units))
    except ValueError:
        possible = False
    if not possible:
        raise TrainError(
            f"{path}: {field.name}: expected units that become {field.units!r}, got {units!r}"
        )


def _stacked(piece: xr.Dataset, fields: Sequence[Field], over: Sequence[str], path: Path) -> Rows:
    parts: list[NDArray[np.float32]] = []
    for field in fields:
        variable = piece[field.name].transpose(*over, *field.dims)
        values: NDArray[Any] = np.asarray(variable.values, dtype=np.float64)
        units = cf_units.Unit(variable.attrs["units"])
        converted = units.convert(values, cf_units.Unit(field.units))
        rows = np.asarray(converted).reshape(-1, field.size).astype(np.float32)
        if not np.isfinite(rows).all():
            raise TrainError(
                f"{path}: {field.name}: expected finite values, got "
                f"{np.count_nonzero(~np.isfinite(rows))} that are not; leave those samples out"
            )
        parts.append(rows)
    return np.concatenate(parts, axis=1)
