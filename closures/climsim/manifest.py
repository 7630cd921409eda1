"""What a folder of shards holds: ``manifest.json``, written last."""

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from closures import atomic
from closures.climsim.errors import DataError
from closures.climsim.statistics import Statistics
from closures.climsim.variables import Variable, VariableSet, variable_set

NAME = "manifest.json"
FORMAT = "climsim-shards"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Shard:
    """Samples of some time steps in one file of inputs and one of outputs.

    Parameters
    ----------
    index
        Number of the shard in the conversion's plan.
    inputs, outputs
        Names of its ``.npy`` files, float32 ``(n_sample, n_feature)``.
    n_sample
        Number of samples.
    sources
        Numbers of its time steps in `Manifest.sources`.
    """

    index: int
    inputs: str
    outputs: str
    n_sample: int
    sources: tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """A time step: names and SHA-256 digests of its two files."""

    mli: str
    mlo: str
    mli_sha256: str
    mlo_sha256: str


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Manifest:
    """Content of a folder of shards.

    Parameters
    ----------
    variables
        Variable set of the samples.
    n_column
        Number of columns of a time step.
    seed
        Seed of the order of time steps and samples; None if they are in the order of time.
    shards
        The files.
    sources
        The time steps they hold.
    skipped
        Files that were left out.
    inputs, outputs
        Statistics of the features over all samples.
    """

    variables: VariableSet
    n_column: int
    seed: int | None
    shards: tuple[Shard, ...]
    sources: tuple[Source, ...]
    skipped: tuple[Skipped, ...]
    inputs: Statistics
    outputs: Statistics

    @property
    def n_sample(self) -> int:
        """Number of samples of all shards."""
        return sum(shard.n_sample for shard in self.shards)

    def origin(self, shard: Shard) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return number of the time step in `sources` and of the column, by sample of a shard."""
        position = row_order(self.seed, shard.index, shard.n_sample)
        return np.array(shard.sources)[position // self.n_column], position % self.n_column

    def write(self, folder: Path) -> None:
        """Write the manifest, after which the folder counts as complete."""
        variables = self.variables
        document = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "variables": variables.name,
            "n_level": variables.n_level,
            "n_sample": self.n_sample,
            "n_column": self.n_column,
            "seed": self.seed,
            "inputs": _features(variables.inputs),
            "outputs": _features(variables.outputs),
            "shards": [vars(shard) for shard in self.shards],
            "sources": [vars(source) for source in self.sources],
            "skipped": [vars(skipped) for skipped in self.skipped],
            "statistics": {"inputs": self.inputs.to_dict(), "outputs": self.outputs.to_dict()},
            "versions": versions(),
        }
        atomic.write_text(folder / NAME, json.dumps(document, indent=1, allow_nan=False) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest of a folder.

        Raises
        ------
        DataError
            If there is none, or it is not what this version of the software writes.
        """
        path = folder / NAME
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise DataError(
                f"{path}: expected a file, found none: nothing was converted into this folder, or "
                "the conversion has not ended; 'hybrid climsim convert' continues it"
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: expected JSON, got {error}; convert again") from None
        kind = (data.get("format"), data.get("format_version")) if isinstance(data, dict) else None
        if kind != (FORMAT, FORMAT_VERSION):
            raise DataError(
                f"{path}: expected format {FORMAT} {FORMAT_VERSION}, got {kind}; convert again"
            )
        variables = variable_set(data["variables"], data["n_level"])
        for group in ("inputs", "outputs"):
            if data[group] != _features(getattr(variables, group)):
                raise DataError(
                    f"{path}: expected the {group} of variables {variables.name} as this version "
                    "of the software has them, got others; convert again"
                )
        return cls(
            variables,
            data["n_column"],
            data["seed"],
            tuple(Shard(**{**s, "sources": tuple(s["sources"])}) for s in data["shards"]),
            tuple(Source(**source) for source in data["sources"]),
            tuple(Skipped(**skipped) for skipped in data["skipped"]),
            Statistics.from_dict(data["statistics"]["inputs"]),
            Statistics.from_dict(data["statistics"]["outputs"]),
        )


def row_order(seed: int | None, index: int, n_sample: int) -> NDArray[np.int64]:
    """Return which sample, in the order of reading, stands in each row of a shard."""
    if seed is None:
        return np.arange(n_sample)
    return np.random.default_rng([seed, index]).permutation(n_sample)


def versions() -> dict[str, str]:
    """Return the versions that a conversion is recorded with."""
    try:
        own = metadata.version("hybrid-closures")
    except metadata.PackageNotFoundError:
        own = "unknown"
    return {"hybrid-closures": own, "python": platform.python_version(), "numpy": np.__version__}


def _features(variables: Sequence[Variable]) -> list[dict[str, Any]]:
    entries, start = [], 0
    for variable in variables:
        field = variable.field
        entries.append(
            {
                "name": field.name,
                "units": field.units,
                "standard_name": field.standard_name,
                "offset": start,
                "size": field.size,
            }
        )
        start += field.size
    return entries
