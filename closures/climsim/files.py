"""ClimSim's pairs of files: finding, ordering and reading them.

``E3SM-MMF.mli.YYYY-MM-DD-SSSSS.nc`` is the state before the column physics and
``E3SM-MMF.mlo.YYYY-MM-DD-SSSSS.nc`` the state after it, in netCDF's CDF-5 format, as float64
variables of dimensions ``(lev, ncol)`` or ``(ncol,)``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cftime
import numpy as np
from numpy.typing import NDArray

from closures.climsim.errors import DataError
from closures.climsim.folders import files_by_folder
from closures.climsim.grid import ColumnGrid
from closures.climsim.step_reader import StepReader
from closures.climsim.variables import TIMESTEP, VariableSet

_NAME = re.compile(r"E3SM-MMF\.(mli|mlo)\.(\d{4})-(\d{2})-(\d{2})-(\d{5})\.nc")

Array = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Pair:
    """One time step of the climate model: its mli and its mlo file.

    Parameters
    ----------
    year, month, day
        Date in the no-leap calendar.
    second
        Second of the day [s].
    mli, mlo
        The two files.
    """

    year: int
    month: int
    day: int
    second: int
    mli: Path
    mlo: Path

    @cached_property
    def hours(self) -> float:
        """Time since the start of year 1 of the no-leap calendar [h]."""
        date = cftime.DatetimeNoLeap(self.year, self.month, self.day)
        start = cftime.DatetimeNoLeap(1, 1, 1)
        return float((date - start).total_seconds() + self.second) / 3600.0

    @property
    def files(self) -> tuple[Path, Path]:
        """The mli and the mlo file."""
        return self.mli, self.mlo

    @property
    def step(self) -> int:
        """Number of the time step since then: consecutive for consecutive steps."""
        return round(self.hours * 3600.0 / TIMESTEP)


def file_name(kind: str, year: int, month: int, day: int, second: int) -> str:
    """Return the name of an ``mli`` or ``mlo`` file.

    Examples
    --------
    >>> file_name("mli", 8, 1, 29, 1200)
    'E3SM-MMF.mli.0008-01-29-01200.nc'
    """
    return f"E3SM-MMF.{kind}.{year:04d}-{month:02d}-{day:02d}-{second:05d}.nc"


def step_of(name: str) -> int:
    """Return the number of the time step of an ``mli`` file, as `Pair.step`.

    Examples
    --------
    >>> step_of("E3SM-MMF.mli.0001-01-01-02400.nc")
    2
    """
    match = _NAME.fullmatch(name)
    if match is None or match[1] != "mli":
        raise DataError(f"{name}: expected a name such as {file_name('mli', 8, 1, 29, 1200)}")
    return _pair(match, Path(name), Path(name)).step


def find_pairs(folder: Path) -> tuple[tuple[Pair, ...], tuple[Path, ...]]:
    """Find all pairs below `folder`, in the order of time, and files without their partner.

    Links to folders are followed, each folder once.

    Raises
    ------
    DataError
        If there is no mli file.
    OSError
        If a folder cannot be read.
    """
    pairs: list[Pair] = []
    alone: list[Path] = []
    for place, names in files_by_folder(folder):
        for name in names:
            match = _NAME.fullmatch(name)
            if match is None:
                continue
            other = _partner_name(name)
            if other not in names:
                alone.append(place / name)
            elif match[1] == "mli":
                pairs.append(_pair(match, place / name, place / other))
    if not pairs and all(".mlo." in path.name for path in alone):
        raise DataError(
            f"{folder}: expected files named E3SM-MMF.mli.YYYY-MM-DD-SSSSS.nc, found none; "
            "name the folder that holds ClimSim's low-res files"
        )
    return tuple(sorted(pairs)), tuple(sorted(alone))


def _pair(name: re.Match[str], mli: Path, mlo: Path) -> Pair:
    year, month, day, second = (int(part) for part in name.groups()[1:])
    return Pair(year, month, day, second, mli, mlo)


def list_pairs(folder: Path) -> tuple[Pair, ...]:
    """Find all pairs below `folder`, in the order of time.

    Raises
    ------
    DataError
        If there is no mli file, or one without its mlo file.
    """
    pairs, alone = find_pairs(folder)
    for path in alone:
        if ".mli." in path.name:
            raise DataError(missing_partner(path))
    return pairs


def partner(path: Path) -> Path:
    """Return where the mlo file of an mli file belongs, or the mli file of an mlo file."""
    return path.with_name(_partner_name(path.name))


def _partner_name(name: str) -> str:
    first, second = (".mli.", ".mlo.") if ".mli." in name else (".mlo.", ".mli.")
    return name.replace(first, second)


def missing_partner(path: Path) -> str:
    """Say that a file lacks the other one of its pair."""
    return f"{path}: expected {partner(path).name} beside it; download the missing file"


def by_step(pairs: Iterable[Pair]) -> dict[int, Pair]:
    """Return pairs by the number of their time step."""
    return {pair.step: pair for pair in pairs}


def earlier_steps(pair: Pair, among: Mapping[int, Pair], n: int) -> tuple[Pair, ...]:
    """Return the `n` steps before a pair, the latest first.

    Parameters
    ----------
    pair
        A pair.
    among
        All pairs, from `by_step`.
    n
        Number of steps.

    Raises
    ------
    DataError
        If one is not there.
    """
    found = [among.get(pair.step - lag) for lag in range(1, n + 1)]
    for lag, earlier in enumerate(found, start=1):
        if earlier is None:
            raise DataError(
                f"{pair.mli}: expected the step {lag * TIMESTEP:g} s before, found none; variables "
                f"with a memory need {n} consecutive earlier steps"
            )
    return tuple(earlier for earlier in found if earlier is not None)


def read_pair(
    pair: Pair, variables: VariableSet, mlo: Path | None = None, grid: ColumnGrid | None = None
) -> tuple[Array, Array]:
    """Read one pair, whose variables need no earlier steps.

    Parameters
    ----------
    pair
        Files to read.
    variables
        What to read, in feature order.
    mlo
        File to read in place of ``pair.mlo``: what a model wrote, rather than the truth.
    grid
        Grid of the columns, if ``variables.needs_grid``.

    Returns
    -------
    inputs, outputs
        Float64 arrays ``(n_column, n_input)`` and ``(n_column, n_output)``, in the units of
        the fields.

    Raises
    ------
    DataError
        As `StepReader.read`.
    """
    inputs, outputs = StepReader(variables, grid).read((pair.mli, mlo or pair.mlo))
    return inputs.copy(order="K"), outputs.copy(order="K")


@dataclass(frozen=True)
class Columns:
    """Columns of several pairs, stacked in the order of time.

    Parameters
    ----------
    pairs
        Where the columns come from.
    inputs
        Features ``(n_time * n_column, n_input)``, float64, in the units of the fields.
    outputs
        Targets ``(n_time * n_column, n_output)``, float64.
    """

    pairs: tuple[Pair, ...]
    inputs: Array
    outputs: Array

    @property
    def n_time(self) -> int:
        """Number of time steps."""
        return len(self.pairs)


def read_columns(
    pairs: Sequence[Pair],
    variables: VariableSet,
    mlo_folder: Path | None = None,
    *,
    among: Iterable[Pair] | None = None,
    grid: ColumnGrid | None = None,
) -> Columns:
    """Read pairs and stack their columns, those of one time step next to each other.

    Parameters
    ----------
    pairs
        Pairs, in the order wanted.
    variables
        What to read.
    mlo_folder
        Flat folder of mlo files to read in place of those of the pairs.
    among
        Where to look for earlier steps, if the variables need them; default: `pairs`.
    grid
        Grid of the columns, if ``variables.needs_grid``.

    Raises
    ------
    DataError
        If there is no pair, or files differ in their number of columns.
    """
    if not pairs:
        raise DataError("expected at least one pair of files, got none; check the split")
    n = variables.n_history
    steps = by_step(pairs if among is None else among) if n else {}
    reader = StepReader(variables, grid)
    inputs: list[Array] = []
    outputs: list[Array] = []
    for pair in pairs:
        mlo = pair.mlo if mlo_folder is None else mlo_folder / pair.mlo.name
        earlier = (step.files for step in earlier_steps(pair, steps, n))
        x, y = reader.read((pair.mli, mlo), *earlier)
        inputs.append(x.copy(order="K"))
        outputs.append(y.copy(order="K"))
    sizes = {len(part) for part in inputs}
    if len(sizes) > 1:
        raise DataError(f"expected files with the same number of columns, got {sorted(sizes)}")
    return Columns(tuple(pairs), np.concatenate(inputs), np.concatenate(outputs))
