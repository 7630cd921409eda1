"""Distances between many mixtures of the same samples, from sorting them once."""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]

# How far from 0 rounding takes a sum of weights.
_ROUNDING = 1e-9


def mixture_distances(samples: Sequence[Array], weights: Array) -> Array:
    """Return the Wasserstein-1 distances between mixtures of samples.

    Leaving out one sample after another by a library's distance of two would sort all that is left
    anew each time.

    Parameters
    ----------
    samples
        Values in one unit, of shape ``(n,)`` each.
    weights
        Shape ``(sample, pair)``; of each pair, those of one mixture sum to 1, those of the other,
        which are negative, to -1.

    Returns
    -------
    array
        Shape ``(pair,)``, in the unit of the samples: the areas between the distribution functions
        of the two mixtures.

    Raises
    ------
    ValueError
        If a sample is empty, there are not as many weights as samples, or they do not cancel.

    Examples
    --------
    >>> low, high = np.array([0.0, 1.0]), np.array([2.0])
    >>> mixture_distances([low, high], np.array([[1.0], [-1.0]]))
    array([1.5])
    """
    sizes = [len(sample) for sample in samples]
    if len(weights) != len(samples) or not all(sizes):
        raise ValueError(
            f"samples: expected {len(weights)} samples, one for each row of weights, none of them "
            f"empty, got samples of sizes {sizes}"
        )
    if np.any(np.abs(weights.sum(axis=0)) > _ROUNDING):
        raise ValueError(
            "weights: expected those of each pair to sum to 0, so that two mixtures are compared, "
            f"got sums of up to {np.abs(weights.sum(axis=0)).max():g}"
        )
    values = np.concatenate(samples).astype(np.float64)
    order = np.argsort(values)
    owners = np.repeat(np.arange(len(samples)), sizes)[order]
    return np.asarray(_areas(values[order], owners, weights / np.array(sizes)[:, None]))


@njit(cache=True)
def _areas(values: Array, owners: NDArray[np.int64], steps: Array) -> Array:
    """Integrate the magnitudes of step functions that rise by ``steps[owner]`` at each value."""
    n_pair = steps.shape[1]
    height, area = np.zeros(n_pair), np.zeros(n_pair)
    for i in range(1, len(values)):
        width, owner = values[i] - values[i - 1], owners[i - 1]
        for pair in range(n_pair):
            height[pair] += steps[owner, pair]
            area[pair] += abs(height[pair]) * width
    return area
