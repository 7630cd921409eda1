"""The grid of the generated sample: a cubed sphere and hybrid levels."""

from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import NDArray

from closures.climsim.grid import ColumnGrid

Array = NDArray[np.float64]

P0 = 1e5
"""Reference pressure [Pa]."""
TOP = 6.0
"""Pressure at the model top [Pa]."""
PURE_PRESSURE = 0.15
"""Reference pressure, relative to `P0`, above which levels do not feel the surface [1]."""


def cubed_sphere(n_cell: int = 8) -> tuple[Array, Array, Array]:
    """Return area [sr], latitude and longitude [degrees] of an equiangular cubed sphere.

    Parameters
    ----------
    n_cell
        Cells along the edge of a face; 8 give 384 columns, as in ClimSim's low resolution.

    Examples
    --------
    >>> area, lat, lon = cubed_sphere()
    >>> area.size, round(float(area.sum()) / np.pi, 12)
    (384, 4.0)
    """
    edge = np.tan(np.linspace(-np.pi / 4, np.pi / 4, n_cell + 1))
    centre = np.tan(np.pi / 4 * (2 * np.arange(n_cell) + 1 - n_cell) / n_cell)
    x, y = np.meshgrid(edge, edge)
    # Solid angle of a corner rectangle of the face z = 1, seen from the centre of the cube.
    corner = np.arctan(x * y / np.sqrt(1 + x**2 + y**2))
    area = np.diff(np.diff(corner, axis=0), axis=1).ravel()
    a, b = (part.ravel() for part in np.meshgrid(centre, centre))
    one = np.ones_like(a)
    faces = [(one, a, b), (-a, one, b), (-one, -a, b), (a, -one, b), (-b, a, one), (b, a, -one)]
    x, y, z = (np.concatenate([face[i] for face in faces]) for i in range(3))
    lat = np.degrees(np.arctan2(z, np.hypot(x, y)))
    lon = np.degrees(np.arctan2(y, x)) % 360.0
    return np.tile(area, 6), lat, lon


def hybrid_levels(n_level: int) -> tuple[Array, Array]:
    """Return hyai, hybi at interfaces: levels crowd towards the ground and the tropopause.

    Parameters
    ----------
    n_level
        Number of layers.
    """
    s = np.linspace(0.0, 1.0, n_level + 1)
    eta = np.exp(np.log(TOP / P0) * (1.0 - s) ** 3.2)
    hybi = np.maximum(eta - PURE_PRESSURE, 0.0) ** 1.2 / (1.0 - PURE_PRESSURE) ** 1.2
    return eta - hybi, hybi


def sample_grid(n_level: int = 60) -> ColumnGrid:
    """Return the grid of the generated sample: 384 columns."""
    area, lat, lon = cubed_sphere()
    hyai, hybi = hybrid_levels(n_level)
    hyam, hybm = ((edge[1:] + edge[:-1]) / 2 for edge in (hyai, hybi))
    return ColumnGrid(area, lat, lon, hyai, hybi, hyam, hybm, P0)


def write_grid(path: Path, grid: ColumnGrid) -> None:
    """Write a grid file with the variables of ClimSim's, in its format."""
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as file:
        sizes = {"time": 1, "ncol": grid.n_column, "lev": grid.n_level, "ilev": grid.n_level + 1}
        for name, size in sizes.items():
            file.createDimension(name, size)
        file.title = "Generated sample in ClimSim's format; not output of a climate model"
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
