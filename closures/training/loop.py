"""The loop over epochs: gradient steps, validation, best weights, checkpoints."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from closures.training.batches import Batch, Batches, Order, TensorBatches
from closures.training.checkpoint import Checkpoint
from closures.training.errors import TrainingError
from closures.training.objective import Loss, Objective, Supervised, mean_squared_error
from closures.training.progress import EpochReport, History, Progress
from closures.training.ranks import Ranks
from closures.training.schedules import LearningRate, make_optimizer
from closures.training.settings import Training

OnProgress = Callable[[float], None]
OnEpoch = Callable[[EpochReport], None]

_TRAINING, _VALIDATION = 0, 1


def fit(
    objective: Objective,
    batches: Batches,
    training: Training,
    *,
    validation: Batches | None = None,
    checkpoint: Checkpoint | None = None,
    among: Ranks | None = None,
    on_epoch: OnEpoch | None = None,
    on_progress: OnProgress | None = None,
) -> History:
    """Train ``objective.network`` in place.

    With validation samples the weights of the epoch with the least validation loss are kept,
    without them the last ones. The random numbers of an epoch depend on the seed, the epoch and
    the rank alone, so a training that goes on from a checkpoint is, on one thread, the same bit for
    bit as one that never stopped.

    Parameters
    ----------
    objective
        Network and loss; moved to the device.
    batches
        Training samples; of a rank, its share.
    training
        Settings.
    validation
        Samples for a loss after each epoch; of a rank, its share.
    checkpoint
        Written after each epoch; if its file is there, training goes on from it.
    among
        Processes that train together.
    on_epoch
        Called after each epoch that this call trains.
    on_progress
        Called after each batch with the fraction done.

    Returns
    -------
    History
        Of all epochs, also those before an interruption.

    Raises
    ------
    TrainingError
        If there are fewer samples than one batch, no validation samples for settings that need
        them, or the loss is no longer finite.
    CheckpointError
        If the checkpoint belongs to another training.
    """
    if len(batches) < 1:
        raise TrainingError(
            f"training: expected at least one batch of {training.batch_size}, got fewer samples; "
            "lower batch_size"
        )
    if validation is None and (training.patience is not None or training.schedule == "plateau"):
        raise TrainingError(
            "training: expected validation samples for patience and for schedule plateau, got "
            "none; pass some, or choose patience=None and another schedule"
        )
    among = among or Ranks()
    on_gpu = among.device.type == "cuda"
    with torch.random.fork_rng(devices=[among.device] if on_gpu else []):
        run = _Run(objective, batches, training, validation, among)
        if checkpoint is not None:
            run.restore(checkpoint.read())
        # Nobody writes before everybody has read.
        among.wait()
        while not run.has_ended:
            report = run.epoch(on_progress)
            if checkpoint is not None and among.is_first:
                checkpoint.write(run.state())
            if on_epoch is not None:
                on_epoch(report)
    objective.network.load_state_dict(run.kept)
    objective.eval()
    return run.progress.history


class _Run:
    """A training under way."""

    def __init__(
        self,
        objective: Objective,
        batches: Batches,
        training: Training,
        validation: Batches | None,
        among: Ranks,
    ) -> None:
        objective.input_noise = training.input_noise
        self.objective = objective.to(among.device)
        self.batches, self.validation = batches, validation
        self.training, self.among = training, among
        self.averaged = _averaged(objective, training.averaging)
        self.module: nn.Module = objective
        if among.n_rank > 1:
            self.module = DistributedDataParallel(
                objective,
                # Buffers are constants of the objective, and may be large.
                broadcast_buffers=False,
                find_unused_parameters=objective.leaves_out_parameters,
            )
        self.optimizer = make_optimizer(objective, training)
        self.rate = LearningRate(self.optimizer, training, len(batches))
        self.progress = Progress()
        self.kept = _copied(self.evaluated.network)
        self.seconds: list[float] = []

    @property
    def evaluated(self) -> Objective:
        """What is validated and kept: the average, if there is one."""
        chosen = self.objective if self.averaged is None else self.averaged.module
        assert isinstance(chosen, Objective)
        return chosen

    @property
    def has_ended(self) -> bool:
        progress, patience = self.progress, self.training.patience
        tired = patience is not None and progress.since_best >= patience
        return progress.n_done >= self.training.n_epoch or tired

    def epoch(self, on_progress: OnProgress | None) -> EpochReport:
        progress, n_epoch = self.progress, self.training.n_epoch
        start = time.perf_counter()
        stage = self.objective.stage_at(progress.n_done / n_epoch)
        progress.enter(stage)
        self.objective.stage = self.evaluated.stage = stage
        loss = self._train(progress.n_done, on_progress)
        trained = time.perf_counter() - start
        held = None if self.validation is None else self._validate(self.validation)
        self.rate.end_epoch(loss if held is None else held)
        improved = progress.add(loss, held, self.rate.rate)
        if improved:
            self.kept = _copied(self.evaluated.network)
        self.seconds.append(time.perf_counter() - start)
        progress.seconds += self.seconds[-1]
        return EpochReport(
            progress.n_done,
            n_epoch,
            loss,
            held,
            progress.best,
            improved,
            self.rate.rate,
            len(self.batches) * self.training.batch_size / trained,
            (n_epoch - progress.n_done) * sum(self.seconds) / len(self.seconds),
        )

    def _train(self, epoch: int, on_progress: OnProgress | None) -> float:
        self._seed(_TRAINING, epoch)
        self.module.train()
        n_batch, n_epoch = len(self.batches), self.training.n_epoch
        total = torch.zeros((), device=self.among.device)
        for i, batch in enumerate(self.batches.epoch(epoch)):
            total += self._step(batch)
            if on_progress is not None:
                on_progress((epoch + (i + 1) / n_batch) / n_epoch)
        mean = float(self.among.total(total)) / (n_batch * self.among.n_rank)
        if not math.isfinite(mean):
            raise TrainingError(
                f"training: expected a finite loss, got {mean} in epoch {epoch + 1}; lower the "
                "learning rate, set clip, or look for NaN in the data"
            )
        return mean

    def _step(self, batch: Batch) -> Tensor:
        with self._autocast():
            loss: Tensor = self.module(*self._on_device(batch))
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if self.training.clip is not None:
            nn.utils.clip_grad_norm_(self.objective.parameters(), self.training.clip)
        self.optimizer.step()
        self.rate.end_step()
        if self.averaged is not None:
            self.averaged.update_parameters(self.objective)
        return loss.detach()

    def _validate(self, batches: Batches) -> float:
        """Return the mean over the samples of all ranks."""
        # The same random numbers in every epoch: losses differ by the weights alone.
        self._seed(_VALIDATION)
        evaluated = self.evaluated.eval()
        sums = torch.zeros(2, dtype=torch.float64, device=self.among.device)
        with torch.no_grad(), self._autocast():
            for batch in batches.epoch(0):
                n = len(batch[0])
                # Of an incomplete last batch, the last ranks may have nothing.
                if n > 0:
                    sums[0] += n * evaluated(*self._on_device(batch)).double()
                    sums[1] += n
        loss, n_sample = (float(each) for each in self.among.total(sums))
        if not math.isfinite(loss):
            raise TrainingError(
                f"training: expected a finite validation loss, got {loss}; look for NaN in the "
                "validation samples, or lower the learning rate"
            )
        return loss / n_sample

    def _autocast(self) -> torch.autocast:
        mixed = self.training.precision == "bf16-mixed"
        return torch.autocast(self.among.device.type, torch.bfloat16, enabled=mixed)

    def _on_device(self, batch: Batch) -> Batch:
        return tuple(each.to(self.among.device, non_blocking=True) for each in batch)

    def _seed(self, *key: int) -> None:
        sequence = np.random.SeedSequence([self.training.seed, self.among.rank, *key])
        torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> 1))

    def state(self) -> dict[str, Any]:
        """Return everything that the epochs to come depend on."""
        return {
            "network": self.objective.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rate": self.rate.state_dict(),
            "averaged": None if self.averaged is None else self.averaged.state_dict(),
            "kept": self.kept,
            "progress": self.progress.to_dict(),
        }

    def restore(self, state: dict[str, Any] | None) -> None:
        """Go on from a state, if there is one."""
        if state is None:
            return
        self.objective.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rate.load_state_dict(state["rate"])
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])
        self.kept = state["kept"]
        self.progress = Progress.from_dict(state["progress"])


def _averaged(objective: Objective, decay: float) -> AveragedModel | None:
    if decay == 0.0:
        return None

    def warm(averages: Any, current: Any, n_averaged: Any) -> None:
        n = float(n_averaged)
        chosen = min(decay, (1.0 + n) / (10.0 + n))
        get_ema_multi_avg_fn(chosen)(averages, current, n_averaged)  # type: ignore[no-untyped-call]

    return AveragedModel(objective, multi_avg_fn=warm)


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def train(
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    training: Training,
    validation: tuple[Tensor, Tensor] | None = None,
    loss: Loss = mean_squared_error,
    on_progress: OnProgress | None = None,
) -> History:
    """Train a network on tensors in memory, in place.

    Parameters
    ----------
    network
        Maps ``(n, n_input)`` to ``(n, n_output)``.
    inputs, targets
        Samples along the first axis, normalised.
    training
        Settings.
    validation
        Inputs and targets for a loss after each epoch.
    loss
        Maps prediction and target to a scalar.
    on_progress
        Called after each epoch with the fraction done.

    Raises
    ------
    TrainingError
        As of `fit`.
    """
    held = None
    if validation is not None:
        held = TensorBatches(*validation, Order(len(validation[0]), None, drop_last=False))
    batches = TensorBatches(inputs, targets, Order(training.batch_size, training.seed))

    def report(epoch: EpochReport) -> None:
        if on_progress is not None:
            on_progress(epoch.epoch / epoch.n_epoch)

    return fit(Supervised(network, loss), batches, training, validation=held, on_epoch=report)
