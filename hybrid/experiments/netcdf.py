"""Datasets as netCDF files, from several threads.

The netCDF-4 library is not thread-safe, not even where a forgotten file is closed by the garbage
collector of another thread. netCDF-3 files are read and written in Python alone, by scipy.
"""

from pathlib import Path

import xarray as xr


def write_dataset(path: Path, dataset: xr.Dataset) -> None:
    """Write `dataset` into a new netCDF file with 64-bit offsets."""
    dataset.to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")


def read_dataset(path: Path) -> xr.Dataset:
    """Read a netCDF-3 file into memory."""
    return xr.load_dataset(path, engine="scipy")
