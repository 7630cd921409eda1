"""Snapshots in a zarr store (format 2), a chunk for each moment.

Readers go by the consolidated metadata, which are replaced in one piece after the chunks are
written, so a store that a killed process leaves is whole up to its last moment. Chunks are not
compressed: turbulent fields do not get smaller (5 % by zstd).
"""

from collections.abc import Hashable
from pathlib import Path

import xarray as xr
import zarr

# Moments share a chunk up to this size [bytes]: smaller files take as long to write.
_CHUNK = 1 << 16


class ZarrFile:
    """A zarr store open for writing.

    Parameters
    ----------
    path
        A folder that `create_zarr` has made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        group = zarr.open_group(path, mode="r+", use_consolidated=False)
        self._arrays = dict(group.arrays())

    def write_records(self, first: int, fields: xr.Dataset) -> None:
        """Write fields with dims ``(time, ...)`` into the records that begin with `first`."""
        last = first + fields.sizes["time"]
        for name, variable in fields.variables.items():
            if "time" in variable.dims:
                array = self._arrays[str(name)]
                # A killed process may have left more than it got to announce.
                array.resize((last, *array.shape[1:]))
                array[first:last] = variable.values
        zarr.consolidate_metadata(str(self._path), zarr_format=2)

    def overwrite(self, values: dict[Hashable, xr.Variable]) -> None:
        """Replace the values of variables without time; they are in the store when it returns."""
        for name, variable in values.items():
            self._arrays[str(name)][...] = variable.values

    def close(self) -> None:
        """Do nothing: every write is complete when it returns."""


def create_zarr(path: Path, start: xr.Dataset) -> None:
    """Make a store for the variables of a snapshot, with their values but for those in time."""
    encoding = {
        name: {"compressors": None, "chunks": _chunks(variable), "_FillValue": None}
        for name, variable in start.variables.items()
    }
    start.isel(time=slice(0)).to_zarr(path, zarr_format=2, consolidated=True, encoding=encoding)


def read_zarr(path: Path) -> xr.Dataset:
    """Open a store; values are read when they are asked for."""
    return xr.open_dataset(path, engine="zarr", consolidated=True, decode_times=False)


def _chunks(variable: xr.Variable) -> tuple[int, ...]:
    if "time" not in variable.dims:
        return variable.shape
    return max(1, _CHUNK // variable[0].nbytes), *variable.shape[1:]
