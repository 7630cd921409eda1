"""How well closures predict the subgrid tendency of given states."""

from typing import NamedTuple, Self

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from closures import Closure
from hybrid.experiments.quasigeostrophic.learning.exchange import (
    DIMS,
    energy_exchange,
    exchange_scores,
)

LAYERS = ("upper", "lower")
"""Names of the layers in metrics."""

_BATCH = 16


class Offline(NamedTuple):
    """What is known of a prediction.

    Parameters
    ----------
    scores
        `offline_scores` and `exchange_scores`.
    exchange
        `energy_exchange`.
    """

    scores: dict[str, float]
    exchange: xr.DataArray

    @classmethod
    def of(cls, tendency: NDArray[np.float64], pairs: xr.Dataset, target: xr.DataArray) -> Self:
        """Return that of a prediction of the whole subgrid tendency of pairs.

        Parameters
        ----------
        tendency, pairs
            As of `energy_exchange`.
        target
            `target_exchange` of the pairs.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        scores = offline_scores(tendency, pairs.q_tendency_total)
        exchange = energy_exchange(tendency, pairs)
        return cls(scores | exchange_scores(exchange, target), exchange)


def predicted(closure: Closure, pairs: xr.Dataset) -> NDArray[np.float64]:
    """Return what a closure makes of states.

    Parameters
    ----------
    closure
        The closure.
    pairs
        Variables ``q``, ``u``, ``v`` over layer, y and x, and whatever other dims, see `PairsRun`.

    Returns
    -------
    ndarray
        Tendency of q, shape ``(..., 2, y, x)``, the other dims in the order that they have in the
        pairs [s-2].
    """
    ordered = pairs.transpose(..., *DIMS)
    fields = [ordered[field.name].to_numpy() for field in closure.spec.inputs]
    shape = fields[0].shape
    states = [field.reshape(-1, *shape[-3:]) for field in fields]
    parts = []
    for first in range(0, len(states[0]), _BATCH):
        some = [
            torch.from_numpy(each[first : first + _BATCH].astype(np.float64)) for each in states
        ]
        with torch.no_grad():
            (tendency,) = closure(*some)
        parts.append(tendency.numpy())
    return np.concatenate(parts).reshape(shape)


def offline_scores(tendency: NDArray[np.float64], wanted: xr.DataArray) -> dict[str, float]:
    """Return the correlation and the skill of a prediction, layer by layer.

    Over all states and points of a layer, as in the benchmark: Pearson's correlation, and
    ``R2 = 1 - <(p - t)^2> / <(t - <t>)^2>``.

    Parameters
    ----------
    tendency
        Prediction, shape ``(..., 2, y, x)`` [s-2].
    wanted
        Truth, with the other dims in the same order [s-2].

    Returns
    -------
    dict
        ``corr_upper``, ``corr_lower``, ``r2_upper`` and ``r2_lower`` [1]; the correlation of a
        constant is NaN.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    truths = wanted.transpose(..., *DIMS).to_numpy().astype(np.float64)
    if truths.shape != tendency.shape:
        raise ValueError(
            f"wanted: expected the shape of the prediction, {tendency.shape}, got {truths.shape}"
        )
    result = {}
    for layer, name in enumerate(LAYERS):
        truth, found = truths[..., layer, :, :].ravel(), tendency[..., layer, :, :].ravel()
        error = np.mean((found - truth) ** 2)
        constant = found.std() == 0.0
        result[f"corr_{name}"] = np.nan if constant else float(np.corrcoef(found, truth)[0, 1])
        result[f"r2_{name}"] = float(1.0 - error / truth.var())
    return result
