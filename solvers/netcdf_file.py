"""Snapshots in a netCDF file: 64-bit classic format (CDF-5), one record a moment.

In this format a record is written behind the last one and becomes part of the file when the
number of records in the header is set, so a file that a killed process leaves is whole. In the
HDF5 based format it may be unreadable. Turbulent fields do not compress (5 % by zstd), so nothing
is lost.
"""

from collections.abc import Hashable
from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr

_FORMAT = "NETCDF3_64BIT_DATA"


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
                self._file[name][first : first + fields.sizes["time"]] = variable.values
        self._file.sync()

    def overwrite(self, values: dict[Hashable, xr.Variable]) -> None:
        """Replace the values of variables without time; they are in the file when it returns."""
        for name, variable in values.items():
            self._file[name][...] = variable.values
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
    with netCDF4.Dataset(path, "w", format=_FORMAT) as file:
        file.set_fill_off()
        file.setncatts({key: _attribute(key, value) for key, value in start.attrs.items()})
        labels = [str(name) for name in start.coords if name not in start.dims]
        if labels:
            file.setncattr("coordinates", " ".join(labels))
        for dim, size in start.sizes.items():
            file.createDimension(dim, None if dim == "time" else size)
        for name, variable in start.variables.items():
            target = file.createVariable(name, variable.dtype, variable.dims)
            target.setncatts({key: _attribute(key, v) for key, v in variable.attrs.items()})
        for name, variable in start.variables.items():
            if "time" not in variable.dims:
                file[name][...] = variable.values


def read_netcdf(path: Path) -> xr.Dataset:
    """Open a file; values are read when they are asked for."""
    return xr.open_dataset(path, engine="netcdf4", decode_times=False)


def _attribute(name: Hashable, value: object) -> object:
    if isinstance(value, str) or np.asarray(value).dtype.kind in "iuf":
        return value
    raise TypeError(f"{name}: expected a text or numbers, as netCDF keeps them, got {value!r}")
