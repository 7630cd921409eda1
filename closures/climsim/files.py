"""ClimSim's pairs of files: finding, ordering and reading them.

``E3SM-MMF.mli.YYYY-MM-DD-SSSSS.nc`` is the state before the column physics and
``E3SM-MMF.mlo.YYYY-MM-DD-SSSSS.nc`` the state after it, in netCDF's CDF-5 format, as float64
variables of dimensions ``(lev, ncol)`` or ``(ncol,)``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cftime
import netCDF4
import numpy as np
from numpy.typing import NDArray

from closures.climsim.variables import TIMESTEP, Variable, VariableSet

_NAME = re.compile(r"E3SM-MMF\.mli\.(\d{4})-(\d{2})-(\d{2})-(\d{5})\.nc")

Array = NDArray[np.float64]


class DataError(ValueError):
    """A data folder or file is not what ClimSim's format says."""


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

    @property
    def hours(self) -> float:
        """Time since the start of year 1 of the no-leap calendar [h]."""
        date = cftime.DatetimeNoLeap(self.year, self.month, self.day)
        start = cftime.DatetimeNoLeap(1, 1, 1)
        return float((date - start).total_seconds() + self.second) / 3600.0


def file_name(kind: str, year: int, month: int, day: int, second: int) -> str:
    """Return the name of an ``mli`` or ``mlo`` file.

    Examples
    --------
    >>> file_name("mli", 8, 1, 29, 1200)
    'E3SM-MMF.mli.0008-01-29-01200.nc'
    """
    return f"E3SM-MMF.{kind}.{year:04d}-{month:02d}-{day:02d}-{second:05d}.nc"


def list_pairs(folder: Path) -> tuple[Pair, ...]:
    """Find all pairs below `folder`, in the order of time.

    Raises
    ------
    DataError
        If there is no mli file, or one without its mlo file.
    """
    pairs = []
    for mli in folder.rglob("E3SM-MMF.mli.*.nc"):
        match = _NAME.fullmatch(mli.name)
        if match is None:
            continue
        mlo = mli.with_name(mli.name.replace(".mli.", ".mlo."))
        if not mlo.is_file():
            raise DataError(f"{mli}: expected {mlo.name} beside it; download the missing file")
        year, month, day, second = (int(part) for part in match.groups())
        pairs.append(Pair(year, month, day, second, mli, mlo))
    if not pairs:
        raise DataError(
            f"{folder}: expected files named E3SM-MMF.mli.YYYY-MM-DD-SSSSS.nc, found none; "
            "name the folder that holds ClimSim's low-res files"
        )
    return tuple(sorted(pairs))


def read_pair(pair: Pair, variables: VariableSet, mlo: Path | None = None) -> tuple[Array, Array]:
    """Read one pair.

    Parameters
    ----------
    pair
        Files to read.
    variables
        What to read, in feature order.
    mlo
        File to read in place of ``pair.mlo``: what a model wrote, rather than the truth.

    Returns
    -------
    inputs, outputs
        Float64 arrays ``(n_column, n_input)`` and ``(n_column, n_output)``, in the units of
        the fields.

    Raises
    ------
    DataError
        If a variable is missing or has another shape.
    """
    path = mlo or pair.mlo
    with netCDF4.Dataset(pair.mli) as before, netCDF4.Dataset(path) as after:
        before.set_auto_mask(False)
        after.set_auto_mask(False)
        files = {"mli": before, "mlo": after}
        inputs = [_values(files[v.source], v, v.file_name) for v in variables.inputs]
        outputs = []
        for v in variables.outputs:
            if v.source == "tendency":
                step = _values(after, v, v.file_name) - _values(before, v, v.file_name)
                outputs.append(step / TIMESTEP)
            else:
                outputs.append(_values(files[v.source], v, v.file_name))
    return np.concatenate(inputs, axis=1), np.concatenate(outputs, axis=1)


def _values(file: netCDF4.Dataset, variable: Variable, name: str) -> Array:
    if name not in file.variables:
        raise DataError(f"{file.filepath()}: expected a variable {name}, found none")
    values = np.asarray(file.variables[name][...], dtype=np.float64)
    columns = np.atleast_2d(values).T
    if values.ndim != 1 + len(variable.field.shape) or columns.shape[1] != variable.field.size:
        raise DataError(
            f"{file.filepath()}: {name}: expected shape {(*variable.field.shape, 'ncol')}, "
            f"got {values.shape}; choose a variable set with as many levels"
        )
    return columns


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
    pairs: Sequence[Pair], variables: VariableSet, mlo_folder: Path | None = None
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

    Raises
    ------
    DataError
        If there is no pair, or files differ in their number of columns.
    """
    if not pairs:
        raise DataError("expected at least one pair of files, got none; check the split")
    read = [
        read_pair(pair, variables, None if mlo_folder is None else mlo_folder / pair.mlo.name)
        for pair in pairs
    ]
    sizes = {inputs.shape[0] for inputs, _ in read}
    if len(sizes) > 1:
        raise DataError(f"expected files with the same number of columns, got {sorted(sizes)}")
    inputs, outputs = zip(*read, strict=True)
    return Columns(tuple(pairs), np.concatenate(inputs), np.concatenate(outputs))
