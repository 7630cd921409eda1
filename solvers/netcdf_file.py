"""Snapshots in a netCDF file: 64-bit classic format (CDF-5), one record a moment.

In this format a record is written behind the last one and becomes part of the file when the
number of records in the header is set, so a file that a killed process leaves is whole. In the
HDF5 based format it may be unreadable. Turbulent fields do not compress (5 % by zstd), so nothing
is lost.
"""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr


class NetcdfFile:
    """A netCDF file open for writing; its time dimension is unlimited.

    Parameters
    ----------
    path
        A file that `create_netcdf` has made.
    """

    def __init__(self, path: Path) -> None:
        self._file = netCDF4.Dataset(path, "r+")
        self._file.set_fill_off()

    def write_records(self, first: int, fields: xr.Dataset) -> None:
        """Write fields with dims ``(time, ...)`` into the records that begin with `first`."""
        for name, variable in fields.variables.items():
            if "time" in variable.dims:
                self._file[str(name)][first : first + fields.sizes["time"]] = variable.values
        self._file.sync()

    def overwrite(self, values: dict[Hashable, xr.Variable]) -> None:
        """Replace the values of variables without time; they are in the file when it returns."""
        for name, variable in values.items():
            self._file[str(name)][...] = variable.values
        self._file.sync()

    def close(self) -> None:
        """Close the file."""
        if self._file.isopen():
            self._file.close()


def create_netcdf(path: Path, start: xr.Dataset) -> None:
    """Make a file for the variables of a snapshot, with their values but for those in time.

    Raises
    ------
    TypeError
        If an attribute cannot be kept in netCDF.
    """
    variables = {str(name): variable for name, variable in start.variables.items()}
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as file:
        file.set_fill_off()
        file.setncatts(_attributes(start.attrs))
        labels = [str(name) for name in start.coords if name not in start.dims]
        if labels:
            file.setncattr("coordinates", " ".join(labels))
        for dim, size in start.sizes.items():
            file.createDimension(str(dim), None if dim == "time" else size)
        for name, variable in variables.items():
            target = file.createVariable(name, variable.dtype, tuple(map(str, variable.dims)))
            target.setncatts(_attributes(variable.attrs))
        for name, variable in variables.items():
            if "time" not in variable.dims:
                file[name][...] = variable.values


def read_netcdf(path: Path) -> xr.Dataset:
    """Open a file; values are read when they are asked for."""
    return xr.open_dataset(path, engine="netcdf4", decode_times=False)


def _attributes(attributes: Mapping[Hashable, Any]) -> dict[str, Any]:
    for name, value in attributes.items():
        if not isinstance(value, str) and np.asarray(value).dtype.kind not in "iuf":
            raise TypeError(
                f"{name}: expected a text or numbers, which netCDF can keep as an attribute, "
                f"got {value!r}; name it, or give the numbers"
            )
    return {str(name): value for name, value in attributes.items()}
