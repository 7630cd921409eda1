"""How well closures predict the subgrid tendency of given states."""

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from closures import Closure

LAYERS = ("upper", "lower")
"""Names of the layers in metrics."""

_BATCH = 16


def predicted(closure: Closure, pairs: xr.Dataset) -> NDArray[np.float64]:
    """Return what a closure makes of states.

    Parameters
    ----------
    closure
        The closure.
    pairs
        Variables ``q``, ``u``, ``v`` over time, layer, y and x, see `PairsRun`.

    Returns
    -------
    ndarray
        Tendency of q, shape ``(time, 2, y, x)`` [s-2].
    """
    names = [field.name for field in closure.spec.inputs]
    parts = []
    for first in range(0, pairs.sizes["time"], _BATCH):
        states = pairs.isel(time=slice(first, first + _BATCH))
        inputs = [torch.from_numpy(states[name].to_numpy().astype(np.float64)) for name in names]
        with torch.no_grad():
            (tendency,) = closure(*inputs)
        parts.append(tendency.numpy())
    return np.concatenate(parts)


def offline_scores(tendency: NDArray[np.float64], wanted: xr.DataArray) -> dict[str, float]:
    """Return the correlation and the skill of a prediction, layer by layer.

    Over all states and points of a layer, as in the benchmark: Pearson's correlation, and
    ``R2 = 1 - <(p - t)^2> / <(t - <t>)^2>``.

    Parameters
    ----------
    tendency
        Prediction, shape ``(time, 2, y, x)`` [s-2].
    wanted
        Truth, dims time, layer, y, x [s-2].

    Returns
    -------
    dict
        ``corr_upper``, ``corr_lower``, ``r2_upper`` and ``r2_lower`` [1]; the correlation of a
        constant is NaN.
    """
    result = {}
    for layer, name in enumerate(LAYERS):
        truth = wanted.isel(layer=layer).to_numpy().astype(np.float64).ravel()
        found = tendency[:, layer].ravel()
        error = np.mean((found - truth) ** 2)
        constant = found.std() == 0.0
        result[f"corr_{name}"] = np.nan if constant else float(np.corrcoef(found, truth)[0, 1])
        result[f"r2_{name}"] = float(1.0 - error / truth.var())
    return result
