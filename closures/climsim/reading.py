"""Values of a file, whatever its format."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from closures.climsim import cdf5
from closures.climsim.errors import DataError


def read_variables(
    path: Path, names: Iterable[str], scratch: cdf5.Scratch | None = None
) -> dict[str, NDArray[Any]]:
    """Read variables by name, unmasked and unscaled, with the shapes and types in the file.

    CDF-5, the format of ClimSim's files, is read directly; any other by the netCDF library.

    Parameters
    ----------
    path
        File.
    names
        Variables to read.
    scratch
        Memory for the arrays, which are then valid until it is used again; None for their own.

    Raises
    ------
    DataError
        If the file is missing or damaged, or lacks a variable.
    """
    wanted = tuple(names)
    try:
        found = cdf5.read(path, wanted, scratch)
    except cdf5.UnsupportedLayoutError:
        found = read_with_library(path, wanted)
    except FileNotFoundError:
        raise DataError(f"{path}: expected a file, found none; download it") from None
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DataError(
            f"{path}: expected a variable {missing[0]}, found none; choose a variable set without "
            "it, or download the file again"
        )
    return {name: found[name] for name in wanted}


def read_with_library(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Read variables by the netCDF library; those that the file lacks are left out.

    Raises
    ------
    DataError
        If the library cannot read the file.
    """
    try:
        with netCDF4.Dataset(path) as file:
            file.set_auto_maskandscale(False)
            return {name: np.asarray(file[name][...]) for name in names if name in file.variables}
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{path}: expected a netCDF file, got one that cannot be read ({reason}); download it "
            "again"
        ) from error
