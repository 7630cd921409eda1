"""The whole globe, each pixel with the value of the nearest column."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]

STEP = 1.5
"""Size of a pixel [degrees]."""
PROJECTION: Mapping[str, str] = MappingProxyType({"projection": "mollweide"})
"""What panels must be created with, as ``subplot_kw``; areas are equal in it."""


@dataclass(frozen=True)
class Globe:
    """Where pixels are, and which column is the nearest to each.

    Parameters
    ----------
    nearest
        Number of the nearest column ``(n_latitude, n_longitude)``.
    longitudes, latitudes
        Edges of the pixels, one more than there are pixels [rad].
    """

    nearest: NDArray[np.intp]
    longitudes: Array
    latitudes: Array

    @classmethod
    def of(cls, lat: Array, lon: Array) -> Self:
        """Find the nearest columns, by their latitudes and longitudes ``(n_column,)`` [degrees]."""
        longitudes = np.radians(np.arange(-180.0, 180.0 + STEP, STEP))
        latitudes = np.radians(np.arange(-90.0, 90.0 + STEP, STEP))
        middle = np.meshgrid(_middle(longitudes), _middle(latitudes))
        tree = cKDTree(_vectors(np.radians(lon), np.radians(lat)))
        _, nearest = tree.query(_vectors(*middle))
        return cls(nearest, longitudes, latitudes)

    def draw(self, panel: Any, values: Array, **colors: Any) -> Any:
        """Draw values of the columns ``(n_column,)`` with a grid of latitudes and longitudes.

        Parameters
        ----------
        panel
            Axes with `PROJECTION`.
        values
            Of the columns.
        **colors
            Passed to ``pcolormesh``.

        Returns
        -------
        What a colour bar is made for.
        """
        image = panel.pcolormesh(
            self.longitudes, self.latitudes, values[self.nearest], rasterized=True, **colors
        )
        panel.set_xticks(np.radians([-120, -60, 0, 60, 120]), [])
        panel.set_yticks(np.radians([-60, -30, 0, 30, 60]))
        panel.tick_params(labelsize=7.0)
        panel.grid(visible=True, color="#888888", linewidth=0.3)
        return image

    def outline(self, panel: Any, fraction: Array) -> None:
        """Draw where a fraction ``(n_column,)`` [1], such as that of land, passes a half."""
        middle = (_middle(self.longitudes), _middle(self.latitudes))
        line = {"levels": [0.5], "colors": "#000000", "linewidths": 0.5}
        panel.contour(*middle, fraction[self.nearest], **line)


def _middle(edges: Array) -> Array:
    return (edges[1:] + edges[:-1]) / 2


def _vectors(lon: Array, lat: Array) -> Array:
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
