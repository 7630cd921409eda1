"""Train a network on pairs of a coarse state and what the coarse model misses there."""

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from closures.quasigeostrophic.networks.closure import NetworkClosure
from closures.training import (
    Checkpoint,
    History,
    OnEpoch,
    OnProgress,
    Order,
    Supervised,
    TensorBatches,
    Training,
    TrainingError,
    fit,
    mean_squared_error,
)

_DIMS = ("layer", "y", "x")
_BATCH = 16


@dataclass(frozen=True)
class Samples:
    """States and targets, each ``(n, 2, y, x)``, in single precision."""

    q: Tensor
    u: Tensor
    v: Tensor
    tendency: Tensor

    @classmethod
    def of(cls, pairs: xr.Dataset) -> "Samples":
        """Return those of a Dataset, runs and times one after the other."""
        return cls(*(_snapshots(pairs[name]) for name in ("q", "u", "v", "q_tendency")))


def split_in_time(pairs: xr.Dataset, held_out: float) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the first pairs of each run, and the last: the part `held_out` of the times.

    Raises
    ------
    TrainingError
        If that leaves nothing to one of them.
    """
    n = pairs.sizes["time"]
    first = n - round(held_out * n)
    if not 0 < first < n:
        raise TrainingError(
            f"held_out: expected a part of the {n} times that leaves some to both, got {held_out}"
        )
    return pairs.isel(time=slice(first)), pairs.isel(time=slice(first, None))


def fit_network(
    closure: NetworkClosure,
    pairs: xr.Dataset,
    training: Training,
    *,
    held_out: float = 0.2,
    checkpoint: Checkpoint | None = None,
    on_epoch: OnEpoch | None = None,
    on_progress: OnProgress | None = None,
) -> History:
    """Train a closure in place; the weights of the epoch that does best on later times are kept.

    What is minimised is the mean squared error of both layers, each in units of the spread of its
    target. The limiter, if there is one, takes no part.

    Parameters
    ----------
    closure
        The closure; its scales are set to those of the earlier times.
    pairs
        Variables ``q`` [s-1], ``u``, ``v`` [m s-1] without the mean flow and ``q_tendency`` [s-2],
        dims ``(..., time, layer, y, x)``, others being runs. What
        `solvers.coarse_graining.tendency_pairs` returns.
    training
        Epochs, batches, rates and seed.
    held_out
        Part of the times of each run, the last, that losses are compared on.
    checkpoint
        Written after each epoch; if its file is there, training goes on from it.
    on_epoch, on_progress
        As of `closures.training.fit`.

    Returns
    -------
    History
        Losses; in training that of a prediction of nothing is 1.

    Raises
    ------
    TrainingError
        If the pairs lack a variable or times, or as of `closures.training.fit`.
    """
    require_pairs(pairs)
    earlier, later = (Samples.of(part) for part in split_in_time(pairs, held_out))
    closure.set_scales(earlier.q, earlier.u, earlier.v, earlier.tendency)
    batches, validation = (
        TensorBatches(*normalized(closure, samples), order)
        for samples, order in (
            (earlier, Order(training.batch_size, training.seed)),
            (later, Order(_BATCH, None, drop_last=False)),
        )
    )
    return fit(
        Supervised(closure.core, mean_squared_error),
        batches,
        training,
        validation=validation,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        on_progress=on_progress,
    )


def require_pairs(pairs: xr.Dataset) -> None:
    """Raise `TrainingError` unless there are states, targets and times."""
    for name in ("q", "u", "v", "q_tendency"):
        if name not in pairs or not {"time", *_DIMS} <= set(pairs[name].dims):
            raise TrainingError(
                f"pairs: expected a variable {name!r} with dims {('time', *_DIMS)} among others"
            )


def normalized(closure: NetworkClosure, samples: Samples) -> tuple[Tensor, Tensor]:
    """Return the channels of states, and their targets in units of their spread."""
    states = (torch.split(each, _BATCH) for each in (samples.q, samples.u, samples.v))
    with torch.no_grad():
        channels = torch.cat([closure.channels(*some) for some in zip(*states, strict=True)])
    return channels, samples.tendency / closure.output_spread


def _snapshots(variable: xr.DataArray) -> Tensor:
    """Return a variable as ``(snapshot, layer, y, x)``."""
    ordered = variable.transpose(..., *_DIMS).to_numpy().astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(ordered.reshape(-1, *ordered.shape[-3:])))
