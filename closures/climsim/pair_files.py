"""Writing columns as ClimSim's files: pairs of mli and mlo, and the grid file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import NDArray

from closures.climsim.errors import DataError
from closures.climsim.files import file_name
from closures.climsim.grid import ColumnGrid

Array = NDArray[np.float64]

MLI_SCALARS = (
    *(f"cam_in_{name}" for name in ("ALDIF", "ALDIR", "ASDIF", "ASDIR", "ICEFRAC", "LANDFRAC")),
    *(f"cam_in_{name}" for name in ("LWUP", "OCNFRAC", "SNOWHICE", "SNOWHLAND")),
    *(f"pbuf_{name}" for name in ("COSZRS", "LHFLX", "SHFLX", "SOLIN", "TAUX", "TAUY")),
    "state_ps",
)
"""Variables ``(ncol,)`` of an mli file."""

MLO_PROFILES = ("state_q0001", "state_q0002", "state_q0003", "state_t", "state_u", "state_v")
"""Variables ``(lev, ncol)`` of an mlo file: the profiles that the physics advances."""

MLI_PROFILES = ("state_pmid", *MLO_PROFILES, "pbuf_CH4", "pbuf_N2O", "pbuf_ozone")
"""Variables ``(lev, ncol)`` of an mli file."""

MLO_SCALARS = tuple(
    f"cam_out_{name}"
    for name in ("FLWDS", "NETSW", "PRECC", "PRECSC", "SOLL", "SOLLD", "SOLS", "SOLSD")
)
"""Variables ``(ncol,)`` of an mlo file."""


def write_pair(
    folder: Path,
    when: tuple[int, int, int, int],
    before: Mapping[str, Array],
    after: Mapping[str, Array],
    title: str,
) -> tuple[Path, Path]:
    """Write one pair in ClimSim's format; each file is there as a whole or not at all.

    Parameters
    ----------
    folder
        Folder of the two files.
    when
        Year, month, day and second of the day.
    before
        `MLI_SCALARS` ``(n_column,)`` and `MLI_PROFILES` ``(n_column, n_level)``, units of the
        files.
    after
        `MLO_SCALARS` and `MLO_PROFILES`.
    title
        Where the columns come from.

    Returns
    -------
    tuple of Path
        The mli and the mlo file.

    Raises
    ------
    DataError
        If a variable is missing.
    OSError
        If the folder cannot be written.
    """
    paths = []
    for kind, values, scalars, profiles in (
        ("mlo", after, MLO_SCALARS, MLO_PROFILES),
        # Last, since it is what says that there is a pair.
        ("mli", before, MLI_SCALARS, MLI_PROFILES),
    ):
        missing = [name for name in (*scalars, *profiles) if name not in values]
        if missing:
            raise DataError(f"{kind}: expected all variables of the file, missing {missing}")
        path = folder / file_name(kind, *when)
        temporary = path.with_name(f".{path.name}.partial")
        try:
            with netCDF4.Dataset(temporary, "w", format="NETCDF3_64BIT_DATA") as file:
                _write(file, values, scalars, profiles, when, title)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        paths.append(path)
    return paths[1], paths[0]


def write_grid(path: Path, grid: ColumnGrid, title: str) -> None:
    """Write a grid file with the variables of ClimSim's, in its format."""
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as file:
        sizes = {"time": 1, "ncol": grid.n_column, "lev": grid.n_level, "ilev": grid.n_level + 1}
        for name, size in sizes.items():
            file.createDimension(name, size)
        file.title = title
        interface = (grid.hyai + grid.hybi) * grid.p0 / 100.0
        for name, dims, values, units in (
            ("P0", (), grid.p0, "Pa"),
            ("area", ("ncol",), grid.area, "sr"),
            ("hyai", ("ilev",), grid.hyai, "1"),
            ("hyam", ("lev",), grid.hyam, "1"),
            ("hybi", ("ilev",), grid.hybi, "1"),
            ("hybm", ("lev",), grid.hybm, "1"),
            ("ilev", ("ilev",), interface, "hPa"),
            ("lat", ("ncol",), grid.lat, "degrees_north"),
            ("lev", ("lev",), grid.reference_pressure, "hPa"),
            ("lon", ("ncol",), grid.lon, "degrees_east"),
        ):
            variable = file.createVariable(name, "f8", dims)
            variable.units = units
            variable[...] = values
        surface = file.createVariable("PS", "f4", ("time", "ncol"))
        surface.units = "Pa"
        surface[...] = grid.p0


def _write(
    file: netCDF4.Dataset,
    values: Mapping[str, Array],
    scalars: Sequence[str],
    profiles: Sequence[str],
    when: tuple[int, int, int, int],
    title: str,
) -> None:
    n_column, n_level = values["state_t"].shape
    file.createDimension("ncol", n_column)
    file.createDimension("lev", n_level)
    file.setncatts(
        {"ne": np.int32(4), "fv_nphys": np.int32(2), "calendar": "NO_LEAP", "title": title}
    )
    year, month, day, second = when
    for name, number in (("ymd", year * 10000 + month * 100 + day), ("tod", second)):
        file.createVariable(name, "i4")[...] = number
    for name in scalars:
        file.createVariable(name, "f8", ("ncol",))[...] = values[name]
    for name in profiles:
        file.createVariable(name, "f8", ("lev", "ncol"))[...] = values[name].T
