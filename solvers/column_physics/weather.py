"""Weather: random waves around the globe, a function of seed and time alone.

A field is a sum of travelling waves of unit variance, times vertical modes, so that neighbours in
time, place and height resemble each other and any moment can be computed without those before.
"""

import numpy as np
from numpy.typing import NDArray

from solvers.column_physics.constants import DAY
from solvers.column_physics.grid import Grid

Array = NDArray[np.float64]

N_WAVE = 16
"""Waves of one mode."""
N_MODE = 5
"""Vertical modes of a field."""


class Waves:
    """Random waves of unit variance on the columns of a grid.

    Parameters
    ----------
    grid
        Grid of the columns.
    n_mode
        Number of independent fields.
    rng
        Source of wave numbers, phases and periods.

    Notes
    -----
    sqrt(2 / N) sum cos(m lon + l lat - 2 pi t / P + phase), m from 1 to 9, l from -7 to 7,
    periods P of one to ten days, eastward and westward.
    """

    def __init__(self, grid: Grid, n_mode: int, rng: np.random.Generator) -> None:
        shape = (n_mode, N_WAVE)
        zonal, meridional = rng.integers(1, 10, shape), rng.integers(-7, 8, shape)
        lon, lat = np.radians(grid.lon), np.radians(grid.lat)
        start = rng.uniform(0.0, 2.0 * np.pi, shape)[..., None]
        self._place: Array = zonal[..., None] * lon + meridional[..., None] * lat + start
        sign = rng.choice([-1.0, 1.0], shape)
        self._frequency = sign * 2.0 * np.pi / (DAY * rng.uniform(1.0, 10.0, shape))

    def at(self, time: float) -> Array:
        """Return the fields ``(n_mode, n_column)`` at a time [s]."""
        phase = self._place - (self._frequency * time)[..., None]
        fields: Array = np.sqrt(2.0 / N_WAVE) * np.cos(phase).sum(axis=1)
        return fields


class Weather:
    """Random profiles of unit variance at every level.

    Parameters
    ----------
    grid
        Grid of the columns.
    rng
        Source of all that is random.
    steepness
        Mode k has amplitude (1 + k)^-steepness: how alike the levels are.

    Notes
    -----
    sum a_k w_k cos(k pi z + phase_k), z the height in log pressure from 0 to 1, each level divided
    by the square root of the sum of squares of its factors.
    """

    def __init__(self, grid: Grid, rng: np.random.Generator, steepness: float) -> None:
        self._waves = Waves(grid, N_MODE, rng)
        height = -np.log(grid.reference_pressure / 1e5)
        mode = np.arange(N_MODE)
        phase = np.where(mode == 0, 0.0, rng.uniform(0.0, 2.0 * np.pi, N_MODE))
        factors = np.cos(np.outer(mode * np.pi / 2.0, np.minimum(height, 6.0)) + phase[:, None])
        factors *= (1.0 + mode[:, None]) ** -steepness
        self._factors = factors / np.sqrt((factors**2).sum(axis=0))

    def at(self, time: float) -> Array:
        """Return the profiles ``(n_column, n_level)`` at a time [s]."""
        profiles: Array = self._waves.at(time).T @ self._factors
        return profiles

    def leading(self, time: float) -> Array:
        """Return the part that is the same at all heights, ``(n_column,)``, at a time [s]."""
        leading: Array = self._waves.at(time)[0]
        return leading
