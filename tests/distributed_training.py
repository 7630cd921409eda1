"""A training that several processes do together: ``torchrun distributed_training.py FILE``."""

import json
import sys
from pathlib import Path

import torch
from resumed_training import data, network
from torch import Tensor

from closures.training import (
    Checkpoint,
    Order,
    Ranks,
    Supervised,
    TensorBatches,
    Training,
    fit,
    mean_squared_error,
    ranks,
)

TRAINING = Training(n_epoch=4, batch_size=32, learning_rate=1e-2, averaging=0.9)


def share(size: int, seed: int | None, among: Ranks) -> Order:
    """Return a rank's share of batches; without a seed, of all samples once."""
    return Order(size, seed, drop_last=seed is not None, rank=among.rank, n_rank=among.n_rank)


def together(among: Ranks, checkpoint: Path | None = None) -> tuple[list[float], list[float]]:
    """Train without random numbers that ranks draw apart; return both losses of all epochs."""
    trained = network().train(mode=False)
    # Dropout would differ between ranks, as it must.
    trained[2].p = 0.0  # type: ignore[index]
    held: tuple[Tensor, Tensor] = data(101, 2)
    history = fit(
        Supervised(trained, mean_squared_error),
        TensorBatches(*data(330, 1), share(TRAINING.batch_size, 0, among)),
        TRAINING,
        validation=TensorBatches(*held, share(50, None, among)),
        checkpoint=None if checkpoint is None else Checkpoint(checkpoint, {}),
        among=among,
    )
    return list(history.training), list(history.validation)


def main(path: Path) -> None:
    """Train among the processes of torchrun, and write the losses of each."""
    torch.set_num_threads(1)
    with ranks("cpu") as among:
        losses = together(among, path.with_suffix(".checkpoint"))
        path.with_suffix(f".{among.rank}").write_text(json.dumps(losses))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
