"""Columns that a run recorded, as a Dataset and as a netCDF file."""

from pathlib import Path

import numpy as np
import xarray as xr

from hybrid.experiments.plasim.errors import HostRunError

N_COLUMN = 2048
"""Columns of the model at T21, on one rank."""


def read_columns(folder: Path, scheme: str, stride: int) -> xr.Dataset:
    """Return what one scheme was given and what it made of it.

    Parameters
    ----------
    folder
        Folder of a run of one rank with mode ``dump``.
    scheme
        ``longwave`` or ``shortwave``.
    stride
        Every how manieth column was recorded; a divisor of `N_COLUMN`.

    Returns
    -------
    Dataset
        Fields by the names of the hooks over ``column`` and ``level`` or ``interface``, the top
        first, float32, with units; ``step`` is the time step of the run. Columns are in the order
        of time.

    Raises
    ------
    HostRunError
        If the files are not there, or are not of this stride.
    """
    index, path = folder / f"{scheme}.fields", folder / f"{scheme}.columns"
    if not (index.exists() and path.exists()):
        raise HostRunError(f"{folder}: expected recorded columns of {scheme}, got none")
    fields = _fields(index)
    n = N_COLUMN // stride
    record = np.dtype(
        [
            ("step", "<i4"),
            ("first", "<i4"),
            *((name, "<f4", (size, n)) for name, _, _, size in fields),
        ]
    )
    if path.stat().st_size % record.itemsize:
        raise HostRunError(
            f"{path}: expected records of {record.itemsize} bytes, got {path.stat().st_size} in "
            f"all; was another stride than {stride} recorded?"
        )
    records = np.fromfile(path, record)
    variables = {
        name: xr.Variable(
            ("column", dim) if dim else "column",
            _by_column(records[name], bool(dim)),
            {"units": units},
        )
        for name, units, dim, _ in fields
    }
    variables["step"] = xr.Variable("column", np.repeat(records["step"], n), {"units": "1"})
    return xr.Dataset(variables)


def _fields(index: Path) -> list[tuple[str, str, str, int]]:
    rows = (line.split("|") for line in index.read_text().splitlines())
    return [(name, units, dim, int(size)) for name, units, dim, size in rows]


def _by_column(values: np.ndarray, profile: bool) -> np.ndarray:
    """Return ``(record, size, column)`` as ``(record * column, size)``, or without the last."""
    columns = np.moveaxis(values, 1, 2).reshape(-1, values.shape[1])
    return np.ascontiguousarray(columns if profile else columns[:, 0])
