"""The offline loop: a network, a table of inputs, a table of targets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]
OnProgress = Callable[[float], None]


@dataclass(frozen=True)
class Training:
    """How a network is trained: AdamW under a one-cycle learning rate.

    Parameters
    ----------
    n_epoch
        Passes over the samples.
    batch_size
        Samples a step; an incomplete last batch of an epoch is left out.
    learning_rate
        Peak of the cycle.
    weight_decay
        Decoupled weight decay.
    seed
        Seed of the order of samples.

    References
    ----------
    Loshchilov & Hutter 2019, Decoupled weight decay regularization, ICLR.
    Smith & Topin 2019, Super-convergence, SPIE 11006.
    """

    n_epoch: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.n_epoch, self.batch_size) < 1:
            raise ValueError(
                "training: expected at least one epoch and one sample a batch, got "
                f"n_epoch={self.n_epoch}, batch_size={self.batch_size}"
            )
        if not (self.learning_rate > 0.0 and self.weight_decay >= 0.0):
            raise ValueError(
                "training: expected learning_rate > 0 and weight_decay >= 0, got "
                f"{self.learning_rate} and {self.weight_decay}"
            )


@dataclass(frozen=True)
class History:
    """Loss after each epoch.

    Parameters
    ----------
    training
        Mean over the batches of the epoch.
    validation
        Over the validation samples; empty if there are none.
    """

    training: tuple[float, ...]
    validation: tuple[float, ...]


def mean_squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean of the squared differences."""
    return torch.mean((prediction - target) ** 2)


def train(
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    training: Training,
    validation: tuple[Tensor, Tensor] | None = None,
    loss: Loss = mean_squared_error,
    on_progress: OnProgress | None = None,
) -> History:
    """Train `network` in place.

    Batches are gathered from the whole table by index: reading sample by sample, as a generic
    loader does, costs far more than the arithmetic.

    Parameters
    ----------
    network
        Maps ``(n, n_input)`` to ``(n, n_output)``.
    inputs, targets
        Samples along the first axis, normalised.
    training
        Sizes, rates and seed.
    validation
        Inputs and targets for a loss after each epoch.
    loss
        Maps prediction and target to a scalar.
    on_progress
        Called after each epoch with the fraction done.

    Raises
    ------
    ValueError
        If there are fewer samples than one batch, or the loss is no longer finite.
    """
    n_batch = len(inputs) // training.batch_size
    if n_batch < 1 or len(inputs) != len(targets):
        raise ValueError(
            f"training: expected as many inputs as targets and at least one batch of "
            f"{training.batch_size}, got {len(inputs)} and {len(targets)}"
        )
    optimizer = torch.optim.AdamW(
        network.parameters(),
        lr=training.learning_rate,
        weight_decay=training.weight_decay,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, training.learning_rate, total_steps=training.n_epoch * n_batch
    )
    generator = torch.Generator().manual_seed(training.seed)
    losses, validation_losses = [], []
    for epoch in range(training.n_epoch):
        total = torch.zeros(())
        network.train()
        for batch in _batches(len(inputs), training.batch_size, generator):
            value = loss(network(inputs[batch]), targets[batch])
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total += value.detach()
        losses.append(float(total) / n_batch)
        network.eval()
        if losses[-1] != losses[-1] or losses[-1] == float("inf"):
            raise ValueError(
                f"training: expected a finite loss, got {losses[-1]} in epoch {epoch + 1}; "
                "lower the learning rate or look for NaN in the data"
            )
        if validation is not None:
            with torch.no_grad():
                validation_losses.append(float(loss(network(validation[0]), validation[1])))
        if on_progress is not None:
            on_progress((epoch + 1) / training.n_epoch)
    return History(tuple(losses), tuple(validation_losses))


def _batches(n_sample: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    order = torch.randperm(n_sample, generator=generator)
    for start in range(0, n_sample - batch_size + 1, batch_size):
        yield order[start : start + batch_size]
