"""Columns that a run recorded, as a Dataset and as a netCDF file."""

from pathlib import Path

import numpy as np
import xarray as xr

from hybrid.experiments.netcdf import read_dataset, write_dataset
from hybrid.experiments.plasim.errors import HostRunError
from hybrid.experiments.plasim.source import MODEL
from hybrid.versions import DISTRIBUTION, own_version

N_COLUMN = 2048
"""Columns of the model at T21, on all ranks."""


def read_columns(folder: Path, scheme: str, stride: int) -> xr.Dataset:
    """Return what one scheme was given and what it made of it.

    Parameters
    ----------
    folder
        Folder of a run with mode ``dump``, or with ``recorded``, of any number of ranks.
    scheme
        ``longwave``, ``shortwave`` or ``convection``.
    stride
        Columns between recorded ones; a divisor of `N_COLUMN`.

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
    paths = sorted(folder.glob(f"{scheme}.columns.*"))
    if not paths:
        raise HostRunError(f"{folder}: expected recorded columns of {scheme}, got none")
    parts = [_of_rank(path, scheme, N_COLUMN // len(paths) // stride, stride) for path in paths]
    columns = xr.concat(parts, "column", data_vars="all")
    in_time = np.argsort(columns["step"].to_numpy(), kind="stable")
    return columns.isel(column=in_time)


def kept_columns(folder: Path, scheme: str, stride: int) -> xr.Dataset:
    """Return what `read_columns` does, from a netCDF file that is written the first time.

    The file is ``SCHEME.nc`` in the folder of the run.

    Parameters
    ----------
    folder, scheme, stride
        As of `read_columns`; a run that has come to its end.

    Raises
    ------
    HostRunError
        As of `read_columns`.
    """
    path = folder / f"{scheme}.nc"
    if not path.exists():
        columns = read_columns(folder, scheme, stride).assign_attrs(
            title=f"Columns that {scheme} of PlaSim was given, and what it made of them",
            source=MODEL,
            stride=stride,
            level="1 is the top; interface: 1 is the top of the model; fluxes positive downward",
            run=folder.name,
            software=f"{DISTRIBUTION} {own_version()}",
        )
        unfinished = path.with_suffix(".unfinished")
        write_dataset(unfinished, columns)
        unfinished.replace(path)
    return read_dataset(path)


def _of_rank(path: Path, scheme: str, n: int, stride: int) -> xr.Dataset:
    fields = _fields(path.with_name(f"{scheme}.fields{path.suffix}"))
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
