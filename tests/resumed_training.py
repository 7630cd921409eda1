"""A training that draws random numbers everywhere it can, and a process that is killed in it.

``python resumed_training.py CHECKPOINT FRACTION``: kills itself when that fraction is done.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from closures.columns.seeding import seeded
from closures.training import (
    Checkpoint,
    History,
    Order,
    Supervised,
    TensorBatches,
    Training,
    fit,
    mean_squared_error,
)

TRAINING = Training(
    n_epoch=6,
    batch_size=32,
    learning_rate=1e-2,
    clip=1.0,
    averaging=0.9,
    input_noise=0.1,
    seed=5,
)


def data(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Samples of a smooth function of three numbers."""
    inputs = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    return inputs, torch.stack([inputs.prod(dim=1), inputs.square().sum(dim=1).sin()], dim=1)


def network() -> nn.Module:
    """A perceptron with dropout."""
    with seeded(1):
        return nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 2))


def resumed(
    path: Path | None,
    on_progress: Callable[[float], None] | None = None,
    training: Training = TRAINING,
) -> tuple[History, dict[str, Tensor]]:
    """Train, from the checkpoint if it is there; return losses and weights."""
    trained = network()
    held = data(100, 2)
    history = fit(
        Supervised(trained, mean_squared_error),
        TensorBatches(*data(330, 1), Order(training.batch_size, training.seed)),
        training,
        validation=TensorBatches(*held, Order(len(held[0]), None, drop_last=False)),
        checkpoint=None if path is None else Checkpoint(path, {"learning_rate": "0.01"}),
        on_progress=on_progress,
    )
    return history, dict(trained.state_dict())


def main(path: Path, last: float) -> None:
    """Train until `last` is done, and be killed."""
    torch.set_num_threads(1)

    def kill(fraction: float) -> None:
        if fraction >= last:
            os.kill(os.getpid(), signal.SIGKILL)

    resumed(path, kill)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
