"""ClimSim folders for tests: consecutive steps, and files that are damaged."""

import shutil
from pathlib import Path

import netCDF4
import numpy as np

from closures.climsim.files import Pair, file_name, list_pairs


def consecutive_steps(source: Path, folder: Path, n: int) -> tuple[Pair, ...]:
    """Copy `n` pairs of `source` as if they were consecutive steps around midnight."""
    folder.mkdir(parents=True)
    for i, pair in enumerate(list_pairs(source)[:n]):
        second = 86400 - 2 * 1200 + 1200 * i
        day, second = 1 + second // 86400, second % 86400
        for kind, path in zip(("mli", "mlo"), pair.files, strict=True):
            shutil.copy(path, folder / file_name(kind, 8, 1, day, second))
    return list_pairs(folder)


def truncate(path: Path) -> None:
    """Cut a file off, as an interrupted download does."""
    path.write_bytes(path.read_bytes()[:-100_000])


def spoil(path: Path) -> None:
    """Put one NaN into the temperature."""
    with netCDF4.Dataset(path, "a") as file:
        file["state_t"][30, 7] = np.nan


def without(path: Path, name: str) -> None:
    """Write a file anew, without one of its variables."""
    rewrite(path, leave_out=name)


def with_levels(path: Path, n_level: int) -> None:
    """Write a file anew, with the lowest levels alone."""
    rewrite(path, n_level=n_level)


def with_columns(path: Path, n_column: int) -> None:
    """Write a file anew, with the first columns alone."""
    rewrite(path, n_column=n_column)


def rewrite(
    path: Path, leave_out: str = "", n_level: int | None = None, n_column: int | None = None
) -> None:
    """Write a file anew without a variable, or with fewer levels or columns."""
    other = path.with_suffix(".new")
    with (
        netCDF4.Dataset(path) as old,
        netCDF4.Dataset(other, "w", format="NETCDF3_64BIT_DATA") as new,
    ):
        new.createDimension("ncol", n_column or old.dimensions["ncol"].size)
        new.createDimension("lev", n_level or old.dimensions["lev"].size)
        for name, variable in old.variables.items():
            if name != leave_out:
                kept = new.createVariable(name, variable.dtype, variable.dimensions)
                part = [slice(-n_level if n_level and d == "lev" else None,
                              n_column if d == "ncol" else None)
                        for d in variable.dimensions]  # fmt: skip
                kept[...] = variable[tuple(part)] if part else variable[...]
    other.replace(path)
