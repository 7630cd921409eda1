"""The reference climate: means and variability by level, latitude and season, from a table.

``reference_levels.csv`` holds, for each level, coefficients of the mean temperature, relative
humidity and wind, standard deviations of their weather at the equator and the pole, and the
gases; ``reference_columns.csv`` land fraction and mean surface pressure by place. Both were
fitted to 67 time steps of ClimSim's low-resolution files (CC-BY-4.0).

References
----------
Yu et al. 2023, ClimSim: a large multi-scale dataset for hybrid physics-ML climate emulation,
NeurIPS Datasets and Benchmarks.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.polynomial.legendre import legval
from numpy.typing import NDArray

from solvers.column_physics.constants import YEAR
from solvers.column_physics.grid import Grid

Array = NDArray[np.float64]

WARMEST_DAY = 200
"""Day of the year at which the northern hemisphere is warmest."""
_FOLDER = Path(__file__).parent


@cache
def _table(name: str) -> dict[str, Array]:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    names = lines[1].removeprefix("#").strip().split(",")
    values = np.loadtxt(lines[2:], delimiter=",")
    return dict(zip(names, values.T, strict=True))


class ReferenceClimate:
    """Means and standard deviations on a grid.

    Parameters
    ----------
    grid
        Grid of the columns; levels other than those of the table are interpolated in log p.
    """

    def __init__(self, grid: Grid) -> None:
        table = _table("reference_levels.csv")
        known, wanted = np.log(table["pressure"] * 100.0), np.log(grid.reference_pressure)
        self._table = {name: np.interp(wanted, known, column) for name, column in table.items()}
        self._sine = np.sin(np.radians(grid.lat))

    def mean(self, name: str, day: float) -> Array:
        """Return the mean of ``"t"`` [K], ``"rh"`` [1] or ``"u"`` [m s-1] at a day of the year.

        Returns
        -------
        ndarray
            Shape ``(n_column, n_level)``.
        """
        s = self._sine
        season = np.cos(2.0 * np.pi * (day - WARMEST_DAY) / YEAR)
        second, third, fourth = (legval(s, np.eye(5)[order]) for order in (2, 3, 4))
        basis = np.stack([np.ones_like(s), s, second, fourth, s * season, third * season])
        coefficients = np.stack([self._table[f"{name}_{i}"] for i in range(len(basis))])
        mean: Array = basis.T @ coefficients
        return mean

    def deviation(self, name: str) -> Array:
        """Return the standard deviation of the weather of ``"t"``, ``"rh"``, ``"u"``, ``"v"``.

        Returns
        -------
        ndarray
            Shape ``(n_column, n_level)``, units as in `mean`.
        """
        polar = (self._sine**2)[:, None]
        equator, pole = self._table[f"{name}_equator"], self._table[f"{name}_pole"]
        return np.sqrt((1.0 - polar) * equator**2 + polar * pole**2)

    def gas(self, name: str) -> Array:
        """Return the mole fraction of ``"ozone"``, ``"methane"`` or ``"nitrous_oxide"``.

        Returns
        -------
        ndarray
            Shape ``(n_column, n_level)`` [mol mol-1].
        """
        second = legval(self._sine, [0.0, 0.0, 1.0])
        fraction = self._table[f"{name}_0"] + np.outer(second, self._table[f"{name}_1"])
        # A straight line in P2 may cross zero where there is hardly any gas.
        return np.maximum(fraction, 1e-10)


def land_and_pressure(grid: Grid) -> tuple[Array, Array]:
    """Return land fraction [1] and mean surface pressure [Pa] at the nearest known places."""
    table = _table("reference_columns.csv")
    known, wanted = _directions(table["lat"], table["lon"]), _directions(grid.lat, grid.lon)
    nearest = np.argmax(wanted @ known.T, axis=1)
    return table["land_fraction"][nearest], table["surface_pressure"][nearest]


def _directions(lat: Array, lon: Array) -> Array:
    a, b = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], axis=1)
