"""Filter and coarse-graining operators: from a fine doubly periodic grid to a coarse one.

Each takes a `xarray.DataArray` whose last dimensions are ``(y, x)`` and the number of coarse cells
in x (rows follow in the same ratio) and returns the coarse field with its own coordinates. All
are linear and keep the mean.

Where the coarse cells lie:

- `truncate` and the operators 1 and 2 sample a truncated Fourier series at the positions
  ``x_0 + I r dx`` (r = fine / coarse number of cells): the first cells of both grids coincide.
- `box_mean` and the operator 3 average r x r fine cells; the coarse cell is at their centre,
  ``x_0 + (I r + (r - 1)/2) dx``, half a coarse cell less half a fine cell further.

References
----------
Ross, Li, Perezhogin, Fernandez-Granda and Zanna (2023), J. Adv. Model. Earth Syst. 15,
e2022MS003258, section 2.3: the operators 1, 2 and 3.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.coarse_graining.diffusion import diffusion_filter
from solvers.coarse_graining.filters import exponential_response, gaussian_response
from solvers.coarse_graining.periodic_grid import PeriodicGrid

Array = NDArray[np.float64]


class CoarseGrainingOperator(Protocol):
    """A linear map from a fine to a coarse grid."""

    __name__: str

    def __call__(self, field: xr.DataArray, nx: int) -> xr.DataArray:
        """Return the field on a grid with `nx` cells in x."""


def truncate(field: xr.DataArray, nx: int) -> xr.DataArray:
    """Keep the waves that the coarse grid carries: ``|k| <= pi / dx``, ``|l| <= pi / dy``.

    A wave at exactly the coarse Nyquist wavenumber keeps one of its two conjugate halves, as in
    the benchmark: half of its amplitude.

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``.
    nx
        Number of coarse cells in x.

    Raises
    ------
    ValueError
        If the coarse grid is impossible; see `PeriodicGrid.coarse`.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(16.0)
    >>> wave = np.cos(2 * np.pi * x / 16) * np.ones((16, 1))
    >>> field = xr.DataArray(wave, dims=("y", "x"), coords={"y": x, "x": x})
    >>> truncate(field, 8).x.values
    array([ 0.,  2.,  4.,  6.,  8., 10., 12., 14.])
    >>> bool(np.allclose(truncate(field, 8), wave[::2, ::2]))
    True
    """
    coarse = PeriodicGrid.of(field).coarse(nx)
    return _truncate(field, coarse, np.ones((coarse.ny, coarse.nx // 2 + 1)))


def truncate_exponential(field: xr.DataArray, nx: int) -> xr.DataArray:
    """Operator 1: truncate, then the coarse model's own filter (`exponential_response`).

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``.
    nx
        Number of coarse cells in x.
    """
    coarse = PeriodicGrid.of(field).coarse(nx)
    return _truncate(field, coarse, exponential_response(coarse))


def truncate_gaussian(field: xr.DataArray, nx: int) -> xr.DataArray:
    """Operator 2: truncate, then a Gaussian of twice the coarse grid distance.

    The factor of a mode is ``exp(-[(2 k dx)^2 + (2 l dy)^2] / 24)`` with the coarse dx and dy.

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``.
    nx
        Number of coarse cells in x.
    """
    coarse = PeriodicGrid.of(field).coarse(nx)
    return _truncate(field, coarse, gaussian_response(coarse, 2.0 * coarse.dx, 2.0 * coarse.dy))


def diffuse_and_average(field: xr.DataArray, nx: int) -> xr.DataArray:
    """Operator 3: `diffusion_filter` as wide as a coarse cell, then `box_mean`.

    The coordinates are shifted as those of `box_mean`; before comparing with a coarse run, give
    one the positions of the other: ``coarse.assign_coords(x=run.x, y=run.y)``.

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``.
    nx
        Number of coarse cells in x; it divides the number of fine ones.
    """
    ratio = _integer_ratio(PeriodicGrid.of(field), nx)
    return box_mean(diffusion_filter(field, ratio), nx)


def box_mean(field: xr.DataArray, nx: int) -> xr.DataArray:
    """Average the fine cells of each coarse cell.

    A wave of wavenumber k keeps ``sin(r k dx / 2) / (r sin(k dx / 2))`` of its amplitude, about
    the centre of the coarse cell; waves that the coarse grid does not carry are aliased.

    The coordinates are those of the centres, ``(r - 1)/2`` fine cells further than those of a
    coarse run, so that xarray finds no common points; to compare cell by cell, give one the
    positions of the other: ``mean.assign_coords(x=run.x, y=run.y)``.

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``.
    nx
        Number of coarse cells in x; it divides the number of fine ones.

    Raises
    ------
    ValueError
        If a coarse cell is not made of whole fine cells, or the coarse grid is impossible.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(8.0)
    >>> field = xr.DataArray(x * np.ones((8, 1)), dims=("y", "x"), coords={"y": x, "x": x})
    >>> box_mean(field, 2).values
    array([[1.5, 5.5],
           [1.5, 5.5]])
    >>> box_mean(field, 2).x.values
    array([1.5, 5.5])
    """
    fine = PeriodicGrid.of(field)
    ratio = _integer_ratio(fine, nx)
    coarse = fine.coarse(nx, centred=True)
    cells = field.values.reshape(*field.shape[:-2], coarse.ny, ratio, coarse.nx, ratio)
    average = coarse.label(cells.mean(axis=(-3, -1)), field)
    average.attrs["cell_methods"] = "x: y: mean"
    return average


OPERATORS: Mapping[int, CoarseGrainingOperator] = MappingProxyType(
    {1: truncate_exponential, 2: truncate_gaussian, 3: diffuse_and_average}
)
"""The operators of the benchmark of Ross et al. (2023), by their number there.

The coordinates of operator 3 are shifted against those of a coarse run: see `box_mean`.
"""


def _truncate(field: xr.DataArray, coarse: PeriodicGrid, response: Array) -> xr.DataArray:
    fine = PeriodicGrid.of(field)
    coefficients = fine.transform(field.values)[..., : coarse.nx // 2 + 1]
    half = coarse.ny // 2
    kept = np.concatenate([coefficients[..., :half, :], coefficients[..., -half:, :]], axis=-2)
    kept *= response * (coarse.nx * coarse.ny / (fine.nx * fine.ny))
    return coarse.label(coarse.inverse(kept), field)


def _integer_ratio(fine: PeriodicGrid, nx: int) -> int:
    if nx < 1 or fine.nx % nx or (fine.ny * nx) % fine.nx:
        raise ValueError(
            f"nx: expected a divisor of the {fine.nx} fine cells that makes whole boxes of the "
            f"{fine.ny} rows too, got {nx}; a truncation needs no whole boxes"
        )
    return fine.nx // nx
