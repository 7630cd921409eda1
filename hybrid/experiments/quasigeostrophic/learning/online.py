"""Train closures by what they do in runs of the coarse model, through its torch twin."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from closures.quasigeostrophic.networks import NetworkClosure
from closures.training import (
    Checkpoint,
    History,
    Objective,
    Order,
    TensorBatches,
    Training,
    TrainingError,
    fit,
)
from hybrid.experiments.quasigeostrophic.runs.rings import Rings
from hybrid.two_layer_twin import TwoLayerTwin
from solvers.quasigeostrophic import TwoLayerQG

_BATCH = 8
_TINY = 1e-30
# Of the mean over the rings: the least unit of one.
_LEAST = 0.1


@dataclass(frozen=True)
class Misfit:
    """Errors of runs from trajectories of the truth, by lead time and layer.

    Parameters
    ----------
    states
        Mean squares of the errors of q, over the waves that the filter leaves alone, shape
        ``(n_saved, 2)`` [s-2].
    spectra
        Squares of the logarithms of the ratios of enstrophy spectra, means over the trajectories,
        to those of the truth, shape ``(n_saved, 2, ring)``, the rings below the cut-off [1].
    """

    states: Tensor
    spectra: Tensor


class RolloutObjective(Objective):
    r"""What runs with a closure miss of trajectories of the truth.

    .. math:: L = \langle e^2 / e_0^2 \rangle + w \langle s^2 / s_0^2 \rangle,

    with errors e of states and s of logarithms of spectra at each lead time and in each layer, of
    spectra also in each ring, in units of those of the coarse model without closure, whose loss is
    about 1 + w. So the largest waves count as much as the others, although days change them
    little: their slow drift makes a climate.

    Parameters
    ----------
    network
        The closure.
    twin
        The coarse model.
    every
        Steps from one state of a trajectory to the next.
    spectra
        Weight of spectra w.
    """

    ring: Tensor
    count: Tensor
    kept: Tensor

    def __init__(
        self, network: NetworkClosure, twin: TwoLayerTwin, every: int, spectra: float
    ) -> None:
        super().__init__(network)
        self.twin, self.every, self.spectra = twin, every, spectra
        self.unit: Misfit | None = None
        rings = Rings(twin.model.grid)
        self.n_ring = int((rings.wavenumber < rings.cutoff).sum())
        # Waves of the half plane stand for two, but for those of its edges.
        count = torch.full(twin.keep.shape, 2.0)
        count[:, [0, -1]] = 1.0
        kind = twin.keep.dtype
        self.register_buffer("ring", torch.from_numpy(rings.ring), persistent=False)
        self.register_buffer("count", count.to(kind), persistent=False)
        self.register_buffer("kept", (twin.keep == 1.0).to(kind), persistent=False)

    def forward(self, initial: Tensor, states: Tensor) -> Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        initial
            Potential vorticity to begin with, shape ``(n, 2, y, x)`` [s-1].
        states
            That of the truth later, shape ``(n, n_saved, 2, y, x)`` [s-1].
        """
        if self.unit is None:
            raise TrainingError("rollout: expected units, got none; call measure first")
        found = self.misfit(initial, states, lambda q, u, v: self.network(q, u, v)[0])
        loss: Tensor = (found.states / self.unit.states).mean()
        if self.spectra > 0.0:
            loss = loss + self.spectra * (found.spectra / self.unit.spectra).mean()
        return loss

    def misfit(
        self,
        initial: Tensor,
        states: Tensor,
        closure: Callable[[Tensor, Tensor, Tensor], Tensor] | None,
    ) -> Misfit:
        """Return the errors of runs with a closure, or without; arguments as of `forward`."""
        made = self.twin.rollout(initial, states.shape[1], self.every, closure)
        found, wanted = (torch.fft.rfft2(field) for field in (made, states))
        missed = self.twin.on_grid(self.kept * (found - wanted)).square().mean((0, 3, 4))
        ratio = (self._spectrum(found) + _TINY) / (self._spectrum(wanted) + _TINY)
        return Misfit(missed, ratio.log().square())

    def measure(self, initial: Tensor, states: Tensor) -> None:
        """Set the units to the errors without closure."""
        with torch.no_grad():
            parts = zip(torch.split(initial, _BATCH), torch.split(states, _BATCH), strict=True)
            each = [(len(q), self.misfit(q, later, None)) for q, later in parts]
        n = sum(size for size, _ in each)
        states, spectra = (
            torch.stack([size / n * getattr(one, part) for size, one in each]).sum(0)
            for part in ("states", "spectra")
        )
        # A ring that is right by chance must not rule all others.
        self.unit = Misfit(states, torch.maximum(spectra, _LEAST * spectra.mean(-1, keepdim=True)))

    def _spectrum(self, q: Tensor) -> Tensor:
        """Return ring sums of the mean over a batch of spectra, ``(n_saved, 2, ring)`` [s-2]."""
        power = (q.abs().square() * self.count).mean(0).flatten(-2)
        inside = self.ring < self.n_ring
        sums = torch.zeros(*power.shape[:-1], self.n_ring, dtype=power.dtype, device=power.device)
        return sums.index_add(-1, self.ring[inside], power[..., inside])


def fit_online(
    closure: NetworkClosure,
    model: TwoLayerQG,
    trajectories: xr.Dataset,
    training: Training,
    *,
    spectra: float = 1.0,
    held_out: float = 0.2,
    checkpoint: Checkpoint | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> History:
    """Train a closure in place by what it does in the coarse model.

    The weights of the epoch that does best on the last trajectories are kept. Its scales stay.

    Parameters
    ----------
    closure
        The closure, which has learned from single states before.
    model
        The coarse model; it runs in single precision here.
    trajectories
        Of the truth, see `TrajectoriesRun`: ``q`` [s-1], dims trajectory, lead, layer, y, x, and
        ``lead`` [s], the first of which is 0.
    training
        Epochs, batches of trajectories, rates and seed.
    spectra
        Weight of spectra beside states.
    held_out
        Part of the trajectories, the last, that losses are compared on.
    checkpoint
        Written after each epoch; if its file is there, training goes on from it.
    on_progress
        As of `closures.training.fit`.

    Returns
    -------
    History
        Losses; that of the coarse model without closure is about ``1 + spectra``.

    Raises
    ------
    TrainingError
        If lead times are no whole steps, evenly apart, or there are too few trajectories.
    """
    twin = TwoLayerTwin(replace(model, dtype="float32"))
    objective = RolloutObjective(closure, twin, _steps(trajectories, model.dt), spectra)
    n = trajectories.sizes["trajectory"]
    first = n - round(held_out * n)
    if not 0 < first < n:
        raise TrainingError(
            f"held_out: expected a part of the {n} trajectories that leaves some to both, got "
            f"{held_out}"
        )
    q = torch.from_numpy(trajectories.q.to_numpy())
    initial, states = q[:, 0], q[:, 1:]
    objective.measure(initial[:first], states[:first])
    return fit(
        objective,
        TensorBatches(initial[:first], states[:first], Order(training.batch_size, training.seed)),
        training,
        # All at once: a mean spectrum of few flows is no spectrum.
        validation=TensorBatches(
            initial[first:], states[first:], Order(n - first, None, drop_last=False)
        ),
        checkpoint=checkpoint,
        on_progress=on_progress,
    )


def _steps(trajectories: xr.Dataset, dt: float) -> int:
    """Return the number of time steps from one state to the next."""
    lead = trajectories.lead.to_numpy() / dt
    every = round(float(lead[1])) if len(lead) > 1 else 0
    if every < 1 or not (abs(lead - every * np.arange(len(lead))) < 1e-6).all():
        raise TrainingError(
            f"lead: expected times from 0 on, evenly apart by whole steps of {dt:g} s, got "
            f"{trajectories.lead.to_numpy().tolist()} s"
        )
    return every
