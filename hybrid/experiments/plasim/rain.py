"""What is seen in maps: mean fields, and how often it rains how much."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.plasim.climate import MAPS, read_maps
from hybrid.experiments.plasim.years import year_folders

EDGES = np.concatenate([[0.0], np.geomspace(0.1, 200.0, 23), [np.inf]])
"""Classes of daily precipitation [mm d-1]; the first one is that of dry days."""

MM_PER_DAY = 86400.0e3
"""Of 1 m s-1."""


@dataclass(frozen=True)
class Maps:
    """Means of all runs of a kind.

    Parameters
    ----------
    mean
        `MAPS` over latitude and longitude.
    rain
        Part of the days and of the area with daily precipitation in each class of `EDGES` [1].
    """

    mean: xr.Dataset
    rain: NDArray[np.float64]


def maps_of(folders: Iterable[Path], first: int, last: int) -> Maps:
    """Return the means over runs, each of them read year after year.

    Parameters
    ----------
    folders
        Of runs.
    first, last
        Days that count.
    """
    sums: xr.Dataset | None = None
    counts = np.zeros(len(EDGES) - 1)
    n_day = 0
    for folder in folders:
        begin = 0
        for year in year_folders(folder):
            days = read_maps(year)
            n = days.sizes["time"]
            days = days.isel(time=slice(max(first - begin, 0), max(last - begin, 0)))
            begin += n
            total = days[list(MAPS)].astype(float).sum("time", keep_attrs=True)
            sums = total if sums is None else sums + total
            counts += _counts(days)
            n_day += days.sizes["time"]
    assert sums is not None
    return Maps(sums / n_day, counts / counts.sum())


def _counts(days: xr.Dataset) -> NDArray[np.float64]:
    rain = (days["precipitation"] * MM_PER_DAY).clip(min=0.0)
    weight = days["weight"].broadcast_like(rain).transpose(*rain.dims)
    found, _ = np.histogram(rain, EDGES, weights=weight)
    return np.asarray(found, float)
