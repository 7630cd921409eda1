r"""A Gaussian filter made of grid Laplacians, as for models on curvilinear grids.

The filter multiplies each mode with a polynomial p of the five-point Laplacian's symbol
``s = 4 sin^2(k dx / 2) + 4 sin^2(l dy / 2)`` (in units of the grid distance), ``0 <= s <= 8``,
that approximates ``exp(-s w^2 / 24)``; w is the filter width in grid distances. The polynomial is
the one of the degree that `degree` gives which equals the target at both ends and in between
minimises

.. math:: \int_{-1}^{1} [p(t) - F(t)]^2 (1 - t^2)^{-1/2} \, dt, \qquad t = s / 4 - 1.

On a doubly periodic grid the whole filter is diagonal in Fourier space and is applied there. It
equals gcm-filters 0.5.1 (``FilterShape.GAUSSIAN``, ``GridType.REGULAR``) to rounding.

References
----------
Grooms et al. (2021), J. Adv. Model. Earth Syst. 13, e2021MS002552, section 2.
Loose et al. (2022), J. Open Source Softw. 7, 3947.
"""

import math

import numpy as np
import xarray as xr
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from solvers.coarse_graining.filters import apply_response
from solvers.coarse_graining.periodic_grid import PeriodicGrid

Array = NDArray[np.float64]

#: Largest symbol of the five-point Laplacian.
LARGEST_SYMBOL = 8.0


def diffusion_degree(width: float) -> int:
    """Return the number of Laplacians for a width [grid distances]: ``max(3, ceil(1.1 w))``.

    The rule of gcm-filters for a Gaussian on a plane; the response then differs from the
    Gaussian by about 0.01 at most.
    """
    return max(3, math.ceil(1.1 * width))


def diffusion_polynomial(width: float) -> Array:
    """Return the Chebyshev coefficients of p in ``t = s / 4 - 1``.

    Parameters
    ----------
    width
        Filter width [grid distances].

    Returns
    -------
    ndarray
        Shape ``(diffusion_degree(width) + 1,)`` [1].
    """
    n = diffusion_degree(width)

    def target(t: Array) -> Array:
        return np.asarray(np.exp(-LARGEST_SYMBOL * (t + 1.0) / 2.0 * width**2 / 24.0))

    ends = target(np.array([-1.0, 1.0]))
    through_the_ends = np.array([ends.mean(), 0.5 * (ends[1] - ends[0])])
    # What is left vanishes at both ends: (1 - t^2) times a polynomial of degree n - 2. At Gauss
    # points the weighted integral is a plain sum.
    points = chebyshev.chebgauss(n + 1)[0]
    vanishing = (1.0 - points**2)[:, np.newaxis] * chebyshev.chebvander(points, n - 2)
    remainder = target(points) - chebyshev.chebval(points, through_the_ends)
    inner = np.linalg.lstsq(vanishing, remainder)[0]
    one_minus_t_squared = [0.5, 0.0, -0.5]
    return np.asarray(
        chebyshev.chebadd(through_the_ends, chebyshev.chebmul(one_minus_t_squared, inner))
    )


def diffusion_response(grid: PeriodicGrid, width: float) -> Array:
    """Return p at the symbol of each mode, shape ``(ny, nx // 2 + 1)`` [1].

    Parameters
    ----------
    grid
        Its modes.
    width
        Filter width [grid distances].
    """
    k, l = grid.wavenumbers()  # noqa: E741 -- its name in the field
    symbol = 4.0 * (np.sin(0.5 * k * grid.dx) ** 2 + np.sin(0.5 * l * grid.dy) ** 2)
    t = 2.0 * symbol / LARGEST_SYMBOL - 1.0
    return np.asarray(chebyshev.chebval(t, diffusion_polynomial(width)))


def diffusion_filter(field: xr.DataArray, width: float) -> xr.DataArray:
    """Filter with the polynomial of Laplacians that approximates a Gaussian.

    Parameters
    ----------
    field
        Last dimensions ``(y, x)``.
    width
        Filter width [grid distances]; the full width of a box mean with as much smoothing.

    Raises
    ------
    ValueError
        If the width is less than 1.
    """
    if not width >= 1.0:
        raise ValueError(f"width: expected at least 1 grid distance, got {width}")
    return apply_response(field, diffusion_response(PeriodicGrid.of(field), width))
