"""Numbers of samples go with the samples, in memory and from mapped files, whole and in shares."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from closures.training import Batches, Order, TensorBatches
from closures.training.batches import MappedBatches, MemoryBatches, Rows

N = 103


class Parts:
    """Samples in three parts; the first feature of an input is the number of the sample."""

    n_sample = N
    widths = (2, 1)

    def parts(self) -> list[tuple[Rows, Rows]]:
        number = np.arange(N, dtype=np.float32)
        inputs, outputs = np.stack([number, -number], axis=1), 10.0 * number[:, None]
        return [(inputs[a:b], outputs[a:b]) for a, b in ((0, 40), (40, 41), (41, N))]


KINDS: dict[str, Callable[[Order], Batches]] = {
    "memory": lambda order: MemoryBatches(Parts(), order),
    "mapped": lambda order: MappedBatches(Parts(), order, block=16),
}


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_are_those_of_the_samples(kind: str) -> None:
    batches = KINDS[kind](Order(20, seed=4, drop_last=False, numbered=True))
    seen = []
    for inputs, outputs, numbers in batches.epoch(1):
        assert torch.equal(inputs[:, 0].long(), numbers)
        assert torch.equal(outputs[:, 0].long(), 10 * numbers)
        seen.append(numbers)
    assert len(seen) == len(batches) == 6
    assert sorted(torch.cat(seen).tolist()) == list(range(N))


@pytest.mark.parametrize("kind", KINDS)
def test_ranks_share_the_batches_of_one(kind: str) -> None:
    whole = [inputs for inputs, _ in KINDS[kind](Order(20, seed=4)).epoch(0)]
    shares = [
        [inputs for inputs, _ in KINDS[kind](Order(20, seed=4, rank=r, n_rank=2)).epoch(0)]
        for r in (0, 1)
    ]
    for batch, first, second in zip(whole, *shares, strict=True):
        assert torch.equal(batch[0::2], first)
        assert torch.equal(batch[1::2], second)


def test_epochs_differ_and_repeat() -> None:
    batches = TensorBatches(torch.arange(50.0)[:, None], torch.zeros(50, 1), Order(10, seed=1))
    first, second, again = (torch.cat([x for x, _ in batches.epoch(n)]) for n in (0, 1, 0))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="as many inputs as targets, got 3 and 2"):
        TensorBatches(torch.zeros(3, 1), torch.zeros(2, 1), Order(1))
