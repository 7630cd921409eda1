"""Optimizer and learning rate of a training."""

import torch
from torch.optim import lr_scheduler

from closures.training.objective import Objective
from closures.training.settings import Training


def make_optimizer(objective: Objective, training: Training) -> torch.optim.Optimizer:
    """Return AdamW for the parameters of an objective."""
    groups = objective.parameter_groups(training.weight_decay)
    return torch.optim.AdamW(groups, lr=training.learning_rate, fused=True)


class LearningRate:
    """The learning rate of an optimizer over a training.

    Parameters
    ----------
    optimizer
        Whose rate it is.
    training
        Schedule and its parameters.
    n_batch
        Batches of an epoch.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, training: Training, n_batch: int) -> None:
        n_step = training.n_epoch * n_batch
        self._optimizer = optimizer
        self._plateau: lr_scheduler.ReduceLROnPlateau | None = None
        self._by_step: lr_scheduler.LRScheduler | None = None
        if training.schedule == "one_cycle":
            self._by_step = lr_scheduler.OneCycleLR(
                optimizer, training.learning_rate, total_steps=n_step
            )
        elif training.schedule == "cosine":
            self._by_step = lr_scheduler.CosineAnnealingLR(optimizer, n_step)
        elif training.schedule == "step":
            self._by_step = lr_scheduler.StepLR(
                optimizer, training.every * n_batch, training.factor
            )
        elif training.schedule == "plateau":
            # The rate falls in the epoch after as many without improvement as patience allows.
            self._plateau = lr_scheduler.ReduceLROnPlateau(
                optimizer, factor=training.factor, patience=training.every - 1
            )

    @property
    def rate(self) -> float:
        """The rate of the next step."""
        return float(self._optimizer.param_groups[0]["lr"])

    def end_step(self) -> None:
        """Go on by one batch."""
        if self._by_step is not None:
            self._by_step.step()

    def end_epoch(self, loss: float) -> None:
        """Go on by one epoch with this validation loss."""
        if self._plateau is not None:
            self._plateau.step(loss)

    def state_dict(self) -> dict[str, object]:
        """Return where the schedule is."""
        chosen = self._by_step or self._plateau
        return {} if chosen is None else dict(chosen.state_dict())

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on where a schedule was."""
        chosen = self._by_step or self._plateau
        if chosen is not None:
            chosen.load_state_dict(state)
