"""Datasets as netCDF files, from several threads.

The netCDF library is not thread-safe, and neither xarray nor netCDF4 keeps threads apart while
they open a file and read its attributes.
"""

from pathlib import Path
from threading import Lock

import xarray as xr

_LIBRARY = Lock()


def write_dataset(path: Path, dataset: xr.Dataset) -> None:
    """Write `dataset` into a new netCDF-4 file."""
    with _LIBRARY:
        dataset.to_netcdf(path, engine="netcdf4")


def read_dataset(path: Path) -> xr.Dataset:
    """Read a netCDF file into memory."""
    with _LIBRARY:
        return xr.load_dataset(path, engine="netcdf4")
