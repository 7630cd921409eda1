"""The climate of ClimSim's files in two small tables, from which columns can be generated.

Each level's temperature, relative humidity and eastward wind are fitted by least squares, with
the areas as weights, to

    c0 + c1 s + c2 P2(s) + c3 P4(s) + (c4 s + c5 P3(s)) cos(2 pi (day - 200) / 365),

where s is the sine of latitude and P a Legendre polynomial; the rest is weather, whose variance
is fitted to v0 (1 - s^2) + v1 s^2 with v0, v1 >= 0. Gases are fitted to c0 + c1 P2(s).
``solvers/column_physics`` keeps the tables of the published low-resolution files (CC-BY-4.0, see
References).

References
----------
Yu et al. 2023, ClimSim: a large multi-scale dataset for hybrid physics-ML climate emulation,
NeurIPS Datasets and Benchmarks.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import cftime
import netCDF4
import numpy as np
from numpy.polynomial.legendre import legval
from numpy.typing import NDArray
from scipy.optimize import nnls

from closures.climsim.files import Pair
from closures.climsim.grid import ColumnGrid

Array = NDArray[np.float64]
Table = dict[str, Array]

WARMEST_DAY = 200
"""Day of the year at which the northern hemisphere is warmest."""
N_MEAN = 6
"""Functions of latitude and season to which a mean is fitted."""
PROVENANCE = "fitted to ClimSim low-resolution files, CC-BY-4.0, Yu et al. 2023"


def seasonal_basis(lat: Array, day: float) -> Array:
    """Return the functions of latitude [degrees] and day of the year, ``(6, n_column)``."""
    s = np.sin(np.radians(lat))
    season = np.cos(2.0 * np.pi * (day - WARMEST_DAY) / 365.0)
    second, third, fourth = (legval(s, np.eye(5)[order]) for order in (2, 3, 4))
    return np.stack([np.ones_like(s), s, second, fourth, s * season, third * season])


def level_table(
    pairs: Sequence[Pair], grid: ColumnGrid, saturation: Callable[[Array, Array], Array]
) -> Table:
    """Fit the profiles of the mli files of `pairs`.

    Parameters
    ----------
    pairs
        Time steps to fit to.
    grid
        Grid of the files.
    saturation
        Saturation specific humidity [kg kg-1] of temperature [K] and pressure [Pa].

    Returns
    -------
    dict
        Columns ``(n_level,)``: ``pressure`` [hPa], then for ``t`` [K], ``rh`` [1], ``u`` and
        ``v`` [m s-1] the coefficients ``t_0`` to ``t_5`` of the mean (none for v) and the
        standard deviations ``t_equator`` and ``t_pole`` of the weather, and ``ozone_0``,
        ``ozone_1``, ``methane_0``, ``methane_1``, ``nitrous_oxide_0``, ``nitrous_oxide_1``
        [mol mol-1].
    """
    days = [cftime.DatetimeNoLeap(p.year, p.month, p.day).dayofyr for p in pairs]
    basis = np.concatenate([seasonal_basis(grid.lat, day) for day in days], axis=1).T
    weight = np.sqrt(np.tile(grid.area, len(pairs)))
    polar = np.square(np.sin(np.radians(np.tile(grid.lat, len(pairs)))))
    fields = _read(pairs)
    fields["rh"] = fields["q"] / saturation(fields["t"], fields["pressure"])
    table: Table = {"pressure": grid.reference_pressure}
    for name in ("t", "rh", "u", "v"):
        values = fields[name]
        if name != "v":
            mean = _fit(basis, values, weight)
            table |= {f"{name}_{i}": row for i, row in enumerate(mean)}
            values = values - basis @ mean
        parts = np.stack([1.0 - polar, polar]) * weight
        variances = [nnls(parts.T, level**2 * weight)[0] for level in values.T]
        table[f"{name}_equator"], table[f"{name}_pole"] = np.sqrt(np.transpose(variances))
    for name in ("ozone", "methane", "nitrous_oxide"):
        table |= {
            f"{name}_{i}": row for i, row in enumerate(_fit(basis[:, [0, 2]], fields[name], weight))
        }
    return table


def column_table(pairs: Sequence[Pair], grid: ColumnGrid) -> Table:
    """Return latitude, longitude [degrees], land fraction [1] and mean ps [Pa] of each column."""
    land, pressure = [], []
    for pair in pairs:
        with netCDF4.Dataset(pair.mli) as file:
            land.append(np.asarray(file["cam_in_LANDFRAC"][...]))
            pressure.append(np.asarray(file["state_ps"][...]))
    return {
        "lat": grid.lat,
        "lon": grid.lon,
        "land_fraction": np.mean(land, axis=0),
        "surface_pressure": np.mean(pressure, axis=0),
    }


def write_table(path: Path, table: Table) -> None:
    """Write a table as comma-separated values with five significant digits."""
    header = f"{PROVENANCE}\n{','.join(table)}"
    values = np.column_stack(list(table.values()))
    np.savetxt(path, values, fmt="%.5g", delimiter=",", header=header)


def _fit(basis: Array, values: Array, weight: Array) -> Array:
    fitted = np.linalg.lstsq(basis * weight[:, None], values * weight[:, None], rcond=None)
    return np.asarray(fitted[0])


_NAMES = {
    "t": "state_t",
    "q": "state_q0001",
    "u": "state_u",
    "v": "state_v",
    "pressure": "state_pmid",
    "ozone": "pbuf_ozone",
    "methane": "pbuf_CH4",
    "nitrous_oxide": "pbuf_N2O",
}


def _read(pairs: Sequence[Pair]) -> Table:
    fields: dict[str, list[Array]] = {name: [] for name in _NAMES}
    for pair in pairs:
        with netCDF4.Dataset(pair.mli) as file:
            for name, variable in _NAMES.items():
                fields[name].append(np.asarray(file[variable][...], dtype=np.float64).T)
    return {name: np.concatenate(parts) for name, parts in fields.items()}
