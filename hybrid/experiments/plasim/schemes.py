"""The schemes that closures stand in for, and which recorded columns they are trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import xarray as xr
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scheme:
    """What distinguishes one radiation scheme from the other.

    Parameters
    ----------
    outputs
        Upward and downward flux.
    scale
        Input that the fluxes are parts of; empty for none.
    resolved
        Least spread of a feature that counts as 1 for the network, in units of the features:
        smaller ones would amplify rounding.
    """

    outputs: tuple[str, str]
    scale: str = ""
    resolved: float = 0.0


SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        "longwave": Scheme(("upward_longwave", "downward_longwave")),
        "shortwave": Scheme(("upward_shortwave", "downward_shortwave"), "insolation", 1e-3),
    }
)
"""The schemes by the names that the hooks use."""


def layer_thickness(n_level: int) -> NDArray[np.float64]:
    """Return the layers' part of the surface pressure in PlaSim, the top first.

    The interfaces are at :math:`0.75 s + 1.75 s^3 - 1.5 s^4` with s = k/n.

    Examples
    --------
    >>> float(layer_thickness(10).sum())
    1.0
    """
    s = np.arange(n_level + 1) / n_level
    return np.diff(0.75 * s + 1.75 * s**3 - 1.5 * s**4)


def layer_middle(n_level: int) -> NDArray[np.float64]:
    """Return the pressure in the middle of the layers, as a part of that at the surface."""
    thickness = layer_thickness(n_level)
    middle: NDArray[np.float64] = np.cumsum(thickness) - 0.5 * thickness
    return middle


def split_in_time(columns: xr.Dataset, test: float, n_part: int) -> tuple[xr.Dataset, xr.Dataset]:
    """Return columns for training, and others: the end of each of equal parts of the time.

    No step is in both; every season is, of parts that are not longer than a season.

    Parameters
    ----------
    columns
        Recorded columns, in the order of time.
    test
        What is left out of each part.
    n_part
        Number of parts.
    """
    steps, place = np.unique(columns["step"], return_inverse=True)
    within = (np.arange(len(steps)) * n_part / len(steps)) % 1.0
    later = (within >= 1.0 - test)[place]
    return columns.isel(column=~later), columns.isel(column=later)


def usable(columns: xr.Dataset, scheme: Scheme) -> xr.Dataset:
    """Return the columns that the scheme acts on: for sunlight those that the sun shines on."""
    if not scheme.scale:
        return columns
    return columns.isel(column=columns[scheme.scale].to_numpy() > 0.0)
