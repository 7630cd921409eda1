"""Shards to train on: those of a split of ClimSim's files, made if need be, or given ones."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from closures.climsim.conversion import PLAN, Conversion, OnShard, convert
from closures.climsim.errors import DataError
from closures.climsim.files import Pair, list_pairs
from closures.climsim.grid import ColumnGrid, find_grid, read_grid
from closures.climsim.loader import Shards
from closures.climsim.manifest import NAME
from closures.climsim.splits import SplitName, held_out
from closures.climsim.variables import VariableSet

OnSteps = Callable[[int], OnShard]
"""Called with the number of time steps to convert; returns what is called after each shard."""


@dataclass(frozen=True)
class ClimsimData:
    """Samples for training and validation.

    Parameters
    ----------
    train, validation
        Shards.
    split
        Name of the split, ``"shards"`` for given ones.
    grid
        Grid of the columns, if one was found.

    Raises
    ------
    DataError
        If the grid has other levels than the samples.
    """

    train: Shards
    validation: Shards | None
    split: str
    grid: ColumnGrid | None

    def __post_init__(self) -> None:
        n_level = self.train.manifest.variables.n_level
        if self.grid is not None and self.grid.n_level != n_level:
            raise DataError(
                f"grid: expected the {n_level} levels of the samples, got a file with "
                f"{self.grid.n_level}; name the grid file that belongs to the data with --grid"
            )


@dataclass(frozen=True)
class Steps:
    """Which time steps of a folder train and validate.

    Parameters
    ----------
    split
        ``"interleaved"``, ``"season"``, or ``"all"`` for every time step and no validation.
    final
        Train on the validation steps too, with settings that are already chosen.
    share
        Part of the training steps that is used, for learning curves; any two shares have the
        steps of the smaller one in common.

    Raises
    ------
    DataError
        If the share is not in (0, 1].
    """

    split: SplitName = "interleaved"
    final: bool = False
    share: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise DataError(f"share: expected a part of the steps in (0, 1], got {self.share}")

    def of(self, data: Path) -> dict[str, tuple[Pair, ...]]:
        """Return the time steps of the parts ``train`` and ``validation`` in a folder.

        Raises
        ------
        DataError
            If it has none for validation, or for another part of the split.
        """
        pairs = list_pairs(data)
        if self.split == "all":
            return {"train": self._part(pairs)}
        chosen = held_out(pairs, self.split, validation=not self.final)
        if self.final:
            return {"train": self._part(chosen.train)}
        if not chosen.validation:
            raise DataError(
                f"{data}: expected time steps for validation in split {self.split}, got none; "
                "add files, or train with final settings and no validation"
            )
        return {"train": self._part(chosen.train), "validation": chosen.validation}

    def _part(self, steps: tuple[Pair, ...]) -> tuple[Pair, ...]:
        if self.share == 1.0:
            return steps
        order = np.random.default_rng(0).permutation(len(steps))
        chosen = order[: max(1, round(self.share * len(steps)))]
        return tuple(steps[i] for i in sorted(chosen))


@dataclass(frozen=True)
class Request:
    """Which samples are wanted.

    Parameters
    ----------
    data
        Folder of pairs of files.
    variables
        Variable set.
    steps
        Time steps.
    in_order
        Keep samples in the order of time, as a rollout needs them.
    grid
        Grid file; None for the one below `data`, if there is one.
    """

    data: Path
    variables: VariableSet
    steps: Steps = Steps()
    in_order: bool = False
    grid: Path | None = None

    def folder(self, part: str) -> str:
        """Return the name of the folder of a part's shards."""
        steps = self.steps
        final = "-final" if steps.final else ""
        order = "-in-order" if self.in_order else ""
        share = f"-{100 * steps.share:g}-percent" if part == "train" and steps.share < 1.0 else ""
        return f"{self.variables.name}-{steps.split}{final}{order}{share}-{part}"


def is_shards(folder: Path) -> bool:
    """Return whether a folder holds shards, or those of a conversion that has not ended."""
    return (folder / NAME).is_file() or (folder / PLAN).is_file()


def convert_split(request: Request, shards: Path, on_steps: OnSteps | None = None) -> ClimsimData:
    """Convert the time steps of a split, or find them converted.

    Parameters
    ----------
    request
        What is wanted.
    shards
        Folder below which the shards of each variable set and split go.
    on_steps
        For progress.

    Raises
    ------
    DataError
        If files are missing or damaged beyond use.
    """
    found: dict[str, Shards] = {}
    grid = _grid(request)
    conversion = Conversion(
        request.variables,
        None if request.in_order else 0,
        grid=grid if request.variables.needs_grid else None,
    )
    pairs = list_pairs(request.data)
    for part, steps in request.steps.of(request.data).items():
        folder = shards / request.folder(part)
        report = None if on_steps is None else on_steps(len(steps))
        # Trainings that begin at the same time share what one of them converts.
        convert(steps, folder, conversion, among=pairs, on_shard=report, wait=True)
        found[part] = Shards.open(folder)
    return ClimsimData(found["train"], found.get("validation"), request.steps.split, grid)


def open_split(request: Request, shards: Path) -> ClimsimData:
    """Open the shards that `convert_split` has made."""
    parts = request.steps.of(request.data)
    found = {part: Shards.open(shards / request.folder(part)) for part in parts}
    grid = _grid(request)
    return ClimsimData(found["train"], found.get("validation"), request.steps.split, grid)


def open_shards(
    folder: Path, validation: Path | None = None, grid: Path | None = None
) -> ClimsimData:
    """Open given shards.

    Parameters
    ----------
    folder, validation
        Folders of shards.
    grid
        Grid file; without it there is none.

    Raises
    ------
    DataError
        If they are not complete, training and validation have other variables, or the grid has
        other levels.
    """
    train = Shards.open(folder)
    held = None if validation is None else Shards.open(validation)
    if held is not None and held.manifest.variables != train.manifest.variables:
        raise DataError(
            f"{validation}: expected shards of variables {train.manifest.variables.name} with "
            f"{train.manifest.variables.n_level} levels as in {folder}, got "
            f"{held.manifest.variables.name}; convert both with the same --variables"
        )
    return ClimsimData(train, held, "shards", None if grid is None else read_grid(grid))


def digest(shards: Shards) -> str:
    """Return a short digest of the files that samples come from, and of their order."""
    manifest = shards.manifest
    files: Sequence[str] = [
        f"{source.mli_sha256} {source.mlo_sha256}" for source in manifest.sources
    ]
    text = "\n".join((manifest.variables.name, str(manifest.seed), *files))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _grid(request: Request) -> ColumnGrid | None:
    if request.grid is not None:
        return read_grid(request.grid)
    try:
        return read_grid(find_grid(request.data))
    except DataError:
        if request.variables.needs_grid:
            raise
        return None
