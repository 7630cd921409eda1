"""Batches of samples: out of memory or off the disk, in a random order, never sample by sample."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from queue import Full, Queue
from threading import Event, Thread
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from closures.training.errors import TrainingError

Batch = tuple[Tensor, ...]
"""Inputs ``(n, n_input)`` and outputs ``(n, n_output)``, float32, and if the order is numbered the
number of each sample ``(n,)``, int64."""

Rows = NDArray[np.float32]

BLOCK = 16384
"""Samples that are read from the disk, and shuffled, at once."""

_AHEAD = 2
"""Blocks that are read while batches of an earlier one are used."""


class Samples(Protocol):
    """Inputs and outputs in files, in parts."""

    @property
    def n_sample(self) -> int:
        """Number of samples of all parts."""

    @property
    def widths(self) -> tuple[int, int]:
        """Number of inputs and of outputs."""

    def parts(self) -> Sequence[tuple[Rows, Rows]]:
        """Return inputs and outputs of each part, mapped: what is not used is not read."""


class Batches(Protocol):
    """What a training takes its batches from."""

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of an epoch; the same number gives the same batches."""


@dataclass(frozen=True)
class Order:
    """Size and order of batches.

    Parameters
    ----------
    batch_size
        Samples of a batch of all ranks together.
    seed
        Seed of the order, which is another one in every epoch; None to keep the order of the
        files.
    drop_last
        Leave out an incomplete last batch of an epoch.
    rank, n_rank
        Of processes that train together, each takes every `n_rank`-th sample of every batch, from
        `rank` on: together they see the batches that one process would.
    numbered
        Yield the number of each sample as a third tensor.
    """

    batch_size: int
    seed: int | None = 0
    drop_last: bool = True
    rank: int = 0
    n_rank: int = 1
    numbered: bool = False

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.batch_size % max(self.n_rank, 1):
            raise TrainingError(
                "batches: expected a positive size that is a multiple of the number of ranks, got "
                f"{self.batch_size} for {self.n_rank} ranks"
            )
        if not 0 <= self.rank < self.n_rank:
            raise TrainingError(f"batches: expected 0 <= rank < {self.n_rank}, got {self.rank}")

    def n_batch(self, n_sample: int) -> int:
        """Return the number of batches of an epoch."""
        whole, rest = divmod(n_sample, self.batch_size)
        return whole + (0 if self.drop_last or rest == 0 else 1)

    def permutation(self, n: int, *key: int) -> Tensor:
        """Return the order of `n` things that belong to `key`, for example an epoch."""
        if self.seed is None:
            return torch.arange(n)
        return torch.from_numpy(np.random.default_rng([self.seed, *key]).permutation(n))

    def shares(self, n: int, epoch: int) -> Iterator[Tensor]:
        """Yield this rank's share of each batch of an epoch, as numbers of `n` samples."""
        index = self.permutation(n, epoch)
        for i in range(self.n_batch(n)):
            start = i * self.batch_size
            yield index[start + self.rank : min(start + self.batch_size, n) : self.n_rank]


class TensorBatches:
    """Batches of tensors in a random order of all samples.

    Parameters
    ----------
    inputs, outputs
        Samples along the first axis, on the device where the batches are made.
    order
        Size and order of batches.

    Raises
    ------
    TrainingError
        If there are other numbers of inputs than of outputs.
    """

    def __init__(self, inputs: Tensor, outputs: Tensor, order: Order) -> None:
        if len(inputs) != len(outputs):
            raise TrainingError(
                f"batches: expected as many inputs as targets, got {len(inputs)} and {len(outputs)}"
            )
        self.inputs, self.outputs, self.order = inputs, outputs, order

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return self.order.n_batch(len(self.inputs))

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of an epoch; the same number gives the same batches."""
        # Drawn on the processor, so that every device sees the same batches.
        for share in self.order.shares(len(self.inputs), number):
            rows = share.to(self.inputs.device)
            batch = self.inputs[rows], self.outputs[rows]
            yield (*batch, rows) if self.order.numbered else batch


class MemoryBatches(TensorBatches):
    """Batches of samples that are all in memory, or all on a GPU, in a random order of all.

    Parameters
    ----------
    samples
        The samples.
    order
        Size and order of batches.
    device
        Where the samples stay and the batches are made, for example ``"cuda"``.

    """

    def __init__(self, samples: Samples, order: Order, device: torch.device | str = "cpu") -> None:
        inputs, outputs = (
            torch.empty((samples.n_sample, size), device=device) for size in samples.widths
        )
        start = 0
        for part in samples.parts():
            stop = start + len(part[0])
            for kept, rows in zip((inputs, outputs), part, strict=True):
                # A copy: PyTorch takes no memory that cannot be written.
                kept[start:stop] = torch.from_numpy(np.array(rows))
            start = stop
        super().__init__(inputs, outputs, order)


class MappedBatches:
    """Batches of samples that stay on the disk.

    Blocks of samples that lie together come in a random order, each is read in one piece and
    shuffled in memory. Samples of shards were shuffled when they were written, so a block is a
    random sample of its shard. The next blocks are read by a thread meanwhile.

    Parameters
    ----------
    samples
        The samples.
    order
        Size and order of batches.
    block
        Samples of a block.
    """

    def __init__(self, samples: Samples, order: Order, block: int = BLOCK) -> None:
        if block < 1:
            raise TrainingError(f"batches: expected blocks of at least one sample, got {block}")
        self.order = order
        self._n_sample = samples.n_sample
        self._blocks: list[tuple[Rows, Rows, slice, int]] = []
        first = 0
        for inputs, outputs in samples.parts():
            n = len(inputs)
            self._blocks += [
                (inputs, outputs, slice(start, min(start + block, n)), first)
                for start in range(0, n, block)
            ]
            first += n

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return self.order.n_batch(self._n_sample)

    def epoch(self, number: int) -> Generator[Batch, None, None]:
        """Yield the batches of an epoch; the same number gives the same batches."""
        order, size = self.order, self.order.batch_size
        waiting: Batch | None = None
        for block in self._ahead(number):
            rows = block if waiting is None else _joined(waiting, block)
            n_whole = len(rows[0]) // size * size
            for start in range(0, n_whole, size):
                yield self._share(rows, start, start + size)
            waiting = tuple(each[n_whole:] for each in rows)
        if waiting is not None and len(waiting[0]) and not order.drop_last:
            yield self._share(waiting, 0, len(waiting[0]))

    def _share(self, rows: Batch, start: int, stop: int) -> Batch:
        part = slice(start + self.order.rank, stop, self.order.n_rank)
        return tuple(each[part] for each in rows)

    def _block(self, epoch: int, i: int) -> Batch:
        inputs, outputs, part, first = self._blocks[i]
        order = self.order.permutation(part.stop - part.start, epoch, 1, i)
        index = order.numpy()
        # Fancy indexing copies: a read and a shuffle in one.
        rows = torch.from_numpy(inputs[part][index]), torch.from_numpy(outputs[part][index])
        return (*rows, order + (first + part.start)) if self.order.numbered else rows

    def _ahead(self, epoch: int) -> Iterator[Batch]:
        """Yield the blocks of an epoch, read by a thread that stops when this ends."""
        queue: Queue[Batch | Exception | None] = Queue(_AHEAD)
        ended = Event()

        def put(item: Batch | Exception | None) -> None:
            while not ended.is_set():
                try:
                    queue.put(item, timeout=0.1)
                except Full:
                    continue
                return

        def read() -> None:
            try:
                for i in self.order.permutation(len(self._blocks), epoch, 0).tolist():
                    if ended.is_set():
                        return
                    put(self._block(epoch, i))
            except Exception as error:  # noqa: BLE001 -- raised again where the batches are used
                put(error)
            put(None)

        thread = Thread(target=read, name="blocks of samples", daemon=True)
        thread.start()
        try:
            while (item := queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            ended.set()
            thread.join()


def _joined(first: Batch, second: Batch) -> Batch:
    return tuple(torch.cat(pair) for pair in zip(first, second, strict=True))
