"""A test bed: samples of two fidelities, and of climates that the better one never saw."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from closures.atomic import write_text
from closures.ensemble_scores.outputs import Outputs
from closures.spec import ClosureSpec

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """Samples of one fidelity in one climate, in the units of the contract.

    Parameters
    ----------
    inputs
        ``(n, n_input)``.
    outputs
        What the physics of this fidelity makes of them ``(n, n_output)``.
    group
        Which samples belong to one moment ``(n,)``.
    code
        What the low-fidelity physics, run as code, makes of them ``(n, n_output)``; None where it
        cannot be run.
    """

    inputs: Array
    outputs: Array
    group: NDArray[np.int64]
    code: Array | None = None

    def __post_init__(self) -> None:
        sizes = {len(self.inputs), len(self.outputs), len(self.group)}
        if self.code is not None:
            sizes.add(len(self.code))
        if len(sizes) != 1:
            raise ValueError(f"table: expected arrays of one length, got {sorted(sizes)}")

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.inputs)

    def write(self, folder: Path) -> None:
        """Write one file an array."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("inputs", "outputs", "group", "code"):
            values = getattr(self, name)
            if values is not None:
                np.save(folder / f"{name}.npy", values)

    @classmethod
    def read(cls, folder: Path) -> "Table":
        """Read what `write` wrote."""
        arrays = {
            name: np.load(folder / f"{name}.npy")
            for name in ("inputs", "outputs", "group", "code")
            if (folder / f"{name}.npy").is_file()
        }
        return cls(**arrays)


@dataclass(frozen=True)
class Tables:
    """All samples of a test bed.

    Parameters
    ----------
    low
        Low fidelity, plentiful, of many climates.
    high
        High fidelity, scarce, of the present climate alone.
    tests
        High fidelity by climate, ``"present"`` first; of moments that are in neither of the others.
    """

    low: Table
    high: Table
    tests: Mapping[str, Table]

    def write(self, folder: Path) -> None:
        """Write them below a folder; whole, or not at all."""
        self.low.write(folder / "low")
        self.high.write(folder / "high")
        for name, table in self.tests.items():
            table.write(folder / f"test_{name}")
        write_text(folder / "tables.json", json.dumps(list(self.tests)))

    @staticmethod
    def are_in(folder: Path) -> bool:
        """Whether all of it was written there; nothing of it is read."""
        return (folder / "tables.json").is_file()

    @staticmethod
    def counts(folder: Path) -> dict[str, int]:
        """Return the number of samples of each table that `write` wrote, by its folder's name."""
        names = json.loads((folder / "tables.json").read_text(encoding="utf-8"))
        parts = ("low", "high", *(f"test_{name}" for name in names))
        return {part: len(np.load(folder / part / "group.npy", mmap_mode="r")) for part in parts}

    @classmethod
    def read(cls, folder: Path) -> "Tables":
        """Read what `write` wrote."""
        names = json.loads((folder / "tables.json").read_text(encoding="utf-8"))
        return cls(
            Table.read(folder / "low"),
            Table.read(folder / "high"),
            {name: Table.read(folder / f"test_{name}") for name in names},
        )


@dataclass(frozen=True)
class Inputs:
    """One way to show raw inputs to a network.

    Parameters
    ----------
    n_feature
        Number of features.
    derived
        Maps raw inputs ``(n, n_input)`` to features; None for the inputs themselves.
    floors
        Parts of the features whose spreads are at least a share of the largest among them, so that
        a level where little happens now does not dwarf all others when something does.
    """

    n_feature: int
    derived: nn.Module | None = None
    floors: tuple[tuple[slice, float], ...] = ()


@dataclass(frozen=True)
class Bed:
    """What is learned, from what, and where it is tested.

    Parameters
    ----------
    name, title
        In file names, and for people.
    spec
        Contract of the closures, without envelope.
    parts
        Range of each scored variable among the outputs, and the mass of its levels.
    mass
        Weight of each output in means over levels ``(n_output,)``.
    units
        Units of the scores by variable, and the factor that makes them of the contract's.
    inputs
        Ways to show inputs to networks: ``"raw"`` and ``"invariant"``.
    shifted
        The climates that count.
    vertical
        Pressure of the levels [hPa]; None if there are none.
    settings
        What a bed is made of beside its sizes, for people.
    """

    name: str
    title: str
    spec: ClosureSpec
    parts: Mapping[str, slice]
    mass: Array
    units: Mapping[str, tuple[str, float]]
    inputs: Mapping[str, Inputs]
    shifted: tuple[str, ...]
    vertical: Array | None = None
    settings: Mapping[str, str | int | float] = field(default_factory=dict)

    def outputs(self, scale: Array) -> Outputs:
        """Return what is scored, with the standard deviation of the training's outputs."""
        return Outputs(self.parts, self.mass, scale)
