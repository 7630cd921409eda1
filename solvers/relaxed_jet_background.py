"""What the relaxed jet is made of: a profile across a channel, and hills below it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def sech_squared(y: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return ``sech^2(y / width)``, without overflow far away from a narrow jet.

    Examples
    --------
    >>> sech_squared(np.array([0.0, 1e6]), width=1.0).tolist()
    [1.0, 0.0]
    """
    decay = np.exp(-2.0 * np.abs(y) / width)
    return np.asarray(4.0 * decay / (1.0 + decay) ** 2)


def gaussian_hills(
    x: NDArray[Any],
    y: NDArray[Any],
    hills: Iterable[tuple[float, float, float]],
    height: float,
    lengths: tuple[float, float],
) -> NDArray[np.float64]:
    """Return the sum of Gaussian hills, each at the nearest of its periodic images.

    Parameters
    ----------
    x, y
        Positions, shape ``(nx,)`` and ``(ny,)``.
    hills
        ``(x, y, radius)`` each; at the radius a hill has exp(-1/2) of its height.
    height
        Height of every hill.
    lengths
        Periods along x and y.

    Returns
    -------
    ndarray
        Height at the positions, shape ``(ny, nx)``.
    """
    total = np.zeros((y.size, x.size))
    for hill_x, hill_y, radius in hills:
        away_x = _nearest(x - hill_x, lengths[0])
        away_y = _nearest(y - hill_y, lengths[1])[:, np.newaxis]
        total += height * np.exp(-0.5 * (away_x**2 + away_y**2) / radius**2)
    return total


def _nearest(distance: NDArray[Any], period: float) -> NDArray[np.float64]:
    """Return distances to the nearest of all periodic images."""
    return np.asarray((distance + 0.5 * period) % period - 0.5 * period)
