"""Parts of the sphere and of the day over which scores are averaged."""

import numpy as np
from numpy.typing import NDArray

from closures.climsim.errors import DataError
from closures.climsim.grid import ColumnGrid
from closures.climsim.variables import VariableSet

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

REGIONS = {
    "globe": (0.0, 90.0),
    "tropics": (0.0, 30.0),
    "mid-latitudes": (30.0, 60.0),
    "poles": (60.0, 90.0),
}
"""Lowest (included) and highest absolute latitude of each region [degrees]."""

LIGHTS = ("day and night", "day", "night")
"""Parts of the day: by whether the sun is above the horizon."""

BAND = 10.0
"""Width of a band of latitude-pressure sections [degrees]."""


def region_areas(grid: ColumnGrid) -> dict[str, Array]:
    """Return the area of each column in each region, 0 outside it [sr]."""
    latitude = np.abs(grid.lat)
    return {
        name: np.where((low <= latitude) & ((latitude < high) | (high == 90.0)), grid.area, 0.0)
        for name, (low, high) in REGIONS.items()
    }


def band_areas(grid: ColumnGrid) -> tuple[Array, list[Array]]:
    """Return the middle of each latitude band and the area of each column in it, 0 outside."""
    edges = np.arange(-90.0, 90.0 + BAND, BAND)
    band = np.clip(np.digitize(grid.lat, edges) - 1, 0, edges.size - 2)
    areas = [np.where(band == i, grid.area, 0.0) for i in range(edges.size - 1)]
    return (edges[1:] + edges[:-1]) / 2, areas


def is_day(inputs: Array, variables: VariableSet) -> Mask:
    """Return where sunlight comes in at the top ``(n,)``: the sun is above the horizon.

    Raises
    ------
    DataError
        If the variable set does not have the incoming sunlight.
    """
    ranges = variables.slices("inputs")
    if "pbuf_solin" not in ranges:
        raise DataError(
            f"scores: expected pbuf_SOLIN among the inputs of {variables.name}, by which day and "
            "night are told; choose another variable set"
        )
    return np.asarray(inputs[:, ranges["pbuf_solin"]][:, 0] > 0.0)
