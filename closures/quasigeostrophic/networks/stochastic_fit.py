"""Learn how much a network misses, with which waves, and for how long."""

import math

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from closures.quasigeostrophic.networks.fit import (
    Samples,
    normalized,
    require_pairs,
    split_in_time,
)
from closures.quasigeostrophic.networks.stochastic import N_RING, StochasticNetwork, ring_places
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
)

_BATCH = 16
# Below that correlation of neighbouring times the time of decay is anybody's guess.
_LEAST_CORRELATION = 0.1


def surprise(spread: Tensor, missed: Tensor) -> Tensor:
    """Return the mean of ``log s + (r / s)^2 / 2``: minus the log-likelihood of normal numbers."""
    return torch.mean(torch.log(spread) + 0.5 * (missed / spread).square())


def fit_spread(
    closure: StochasticNetwork,
    pairs: xr.Dataset,
    training: Training,
    *,
    correlation_time: float | None = None,
    held_out: float = 0.2,
    checkpoint: Checkpoint | None = None,
    on_epoch: OnEpoch | None = None,
    on_progress: OnProgress | None = None,
) -> History:
    """Train the spread of the noise in place, and measure its spectrum and its memory.

    The network stays as it is. What it misses, in units of the spread that was learned, gives the
    spectrum of the noise, and its correlation from one time to the next gives the memory.

    Parameters
    ----------
    closure
        The closure, whose network is trained already.
    pairs
        As of `fit_network`; other pairs than the network was trained on are the better judge of
        what it misses.
    training
        Epochs, batches, rates and seed.
    correlation_time
        Memory of the noise [s]; None: measured, with the coordinate ``time`` [s] of the pairs.
    held_out
        Part of the times of each run, the last, that losses are compared on.
    checkpoint, on_epoch, on_progress
        As of `fit_network`.

    Returns
    -------
    History
        Losses, see `surprise`; noise with the spread of the targets has 1/2.

    Raises
    ------
    TrainingError
        If the pairs lack a variable or times, their times are too far apart to tell the memory, or
        as of `closures.training.fit`.
    """
    require_pairs(pairs)
    step = math.nan if correlation_time is not None else _time_step(pairs)
    earlier, later = split_in_time(pairs, held_out)
    channels, missed = _missed(closure, earlier)
    history = fit(
        Supervised(closure.spread, surprise),
        TensorBatches(channels, missed, Order(training.batch_size, training.seed)),
        training,
        validation=TensorBatches(*_missed(closure, later), Order(_BATCH, None, drop_last=False)),
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        on_progress=on_progress,
    )
    with torch.no_grad():
        parts = zip(torch.split(channels, _BATCH), torch.split(missed, _BATCH), strict=True)
        white = torch.cat([part / closure.spread(some) for some, part in parts])
    closure.colour.copy_(ring_amplitudes(white))
    if correlation_time is None:
        correlation_time = _decay_time(white, earlier, step)
    closure.set_correlation_time(correlation_time)
    return history


def ring_amplitudes(noise: Tensor) -> Tensor:
    """Return root mean squares of waves by ring, shape ``(2, ring)``; empty rings are filled in.

    Parameters
    ----------
    noise
        Shape ``(n, 2, y, x)``.
    """
    power = torch.fft.rfft2(noise).abs().square().mean(0).double()
    nearest = ring_places(noise, N_RING).round().long().flatten()
    count = torch.bincount(nearest, minlength=N_RING).double()
    sums = torch.zeros(2, N_RING, dtype=torch.float64).index_add_(1, nearest, power.flatten(1))
    rings = np.arange(N_RING)
    there = (count > 0.0).numpy()
    means = (sums / count.clamp(min=1.0)).sqrt().numpy()
    filled = [np.interp(rings, rings[there], each[there]) for each in means]
    return torch.tensor(np.array(filled), dtype=noise.dtype)


def _missed(closure: StochasticNetwork, pairs: xr.Dataset) -> tuple[Tensor, Tensor]:
    """Return channels, and targets less what the network makes, in units of the targets."""
    network = closure.network.eval()
    channels, targets = normalized(network, Samples.of(pairs))
    with torch.no_grad():
        made = torch.cat([network.core(some) for some in torch.split(channels, _BATCH)])
    return channels, targets - made


def _time_step(pairs: xr.Dataset) -> float:
    if "time" in pairs.coords and pairs.sizes["time"] > 1:
        steps = np.diff(pairs["time"].to_numpy().astype(np.float64))
        if np.all(steps > 0.0) and np.ptp(steps) <= 1e-6 * steps[0]:
            return float(steps[0])
    raise TrainingError(
        "pairs: expected a coordinate time [s] with equal steps, from which the memory of the "
        "noise is measured, got none; give correlation_time"
    )


def _decay_time(noise: Tensor, pairs: xr.Dataset, step: float) -> float:
    """Return the time in which the correlation of noise falls to e^-1 [s]."""
    ordered = pairs["q_tendency"].transpose(..., "layer", "y", "x")
    field = ordered.copy(data=noise.numpy().reshape(ordered.shape)).transpose("time", ...).values
    product = float((field[1:] * field[:-1]).mean())
    square = float(0.5 * (field[1:] ** 2 + field[:-1] ** 2).mean())
    correlation = product / square
    if not _LEAST_CORRELATION <= correlation < 1.0:
        raise TrainingError(
            f"pairs: expected times so close that what is missed is correlated by "
            f"{_LEAST_CORRELATION} at least from one to the next, got {correlation:.2g} after "
            f"{step:g} s; take pairs closer together, or give correlation_time"
        )
    return -step / math.log(correlation)
