"""Spectral filters of doubly periodic fields: the grid stays, small scales go.

All take and return a `xarray.DataArray` whose last dimensions are ``(y, x)``, act on every
leading dimension alike, keep the mean, and commute with derivatives and with each other.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.coarse_graining.periodic_grid import PeriodicGrid
from solvers.spectral import SpectralGrid

Array = NDArray[np.float64]


def gaussian_response(grid: PeriodicGrid, width_x: float, width_y: float) -> Array:
    """Return ``exp(-[(k w_x)^2 + (l w_y)^2] / 24)`` for each mode.

    A Gaussian of this width has the second moment of a box mean of width w.

    Parameters
    ----------
    grid
        Its modes.
    width_x, width_y
        Filter widths [length units of the grid].

    Returns
    -------
    ndarray
        Shape ``(ny, nx // 2 + 1)`` [1].

    References
    ----------
    Pope (2000), Turbulent Flows, table 13.2.
    """
    k, l = grid.wavenumbers()  # noqa: E741 -- its name in the field
    return np.asarray(np.exp(-((k * width_x) ** 2 + (l * width_y) ** 2) / 24.0))


def exponential_response(grid: PeriodicGrid) -> Array:
    """Return ``exp(-23.6 (w - 0.65 pi)^4)`` where ``w = |(k dx, l dy)| > 0.65 pi``, else 1.

    This is what the two-layer model multiplies its state with after every step.

    Parameters
    ----------
    grid
        Its modes; even numbers of at least 4 cells.

    Returns
    -------
    ndarray
        Shape ``(ny, nx // 2 + 1)`` [1].
    """
    modes = SpectralGrid(grid.nx, grid.ny, grid.length_x, grid.length_y)
    return modes.exponential_filter


def sharp_filter(field: xr.DataArray, cutoff: float) -> xr.DataArray:
    """Remove all waves shorter than the cut-off: keep ``K <= cutoff``.

    A projection: applied twice it does what it does once.

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``.
    cutoff
        Largest total wavenumber kept [length units-1].

    Raises
    ------
    ValueError
        If the cut-off is negative or not a number.
    """
    if not cutoff >= 0.0:
        raise ValueError(f"cutoff: expected a wavenumber of at least 0, got {cutoff}")
    grid = PeriodicGrid.of(field)
    # Rounding of K must not decide about waves that lie at the cut-off.
    keep = grid.total_wavenumber() <= cutoff * (1.0 + 1e-12)
    return apply_response(field, keep.astype(np.float64))


def gaussian_filter(field: xr.DataArray, width: float) -> xr.DataArray:
    """Multiply each mode with ``exp(-K^2 width^2 / 24)``.

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``.
    width
        Filter width [length units].

    Raises
    ------
    ValueError
        If the width is negative or not a number.
    """
    if not width >= 0.0:
        raise ValueError(f"width: expected a length of at least 0, got {width}")
    return apply_response(field, gaussian_response(PeriodicGrid.of(field), width, width))


def exponential_filter(field: xr.DataArray) -> xr.DataArray:
    """Multiply each mode with `exponential_response`.

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``.
    """
    return apply_response(field, exponential_response(PeriodicGrid.of(field)))


def apply_response(field: xr.DataArray, response: Array) -> xr.DataArray:
    """Multiply each mode with a real factor.

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``; other dimensions are filtered one by one.
    response
        Factor of each mode of the half plane, shape ``(ny, nx // 2 + 1)`` [1].
    """
    grid = PeriodicGrid.of(field)
    coefficients = grid.transform(field.values)
    coefficients *= response
    return grid.label(grid.inverse(coefficients), field)
