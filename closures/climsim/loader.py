"""Batches from shards: out of memory or off the disk, in a random order, never sample by sample."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Full, Queue
from threading import Event, Thread

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from closures.climsim.errors import DataError
from closures.climsim.manifest import Manifest, Shard
from closures.climsim.shard_writer import is_intact

Batch = tuple[Tensor, Tensor]
"""Inputs ``(n, n_input)`` and outputs ``(n, n_output)``, float32, in the units of the fields."""

BLOCK = 16384
"""Samples that are read from the disk, and shuffled, at once."""

_AHEAD = 2
"""Blocks that are read while batches of an earlier one are used."""


@dataclass(frozen=True)
class Shards:
    """A folder that `closures.climsim.conversion.convert` has written.

    Parameters
    ----------
    folder
        The folder.
    manifest
        What it holds.
    """

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> "Shards":
        """Read the manifest, and check that every file is there in its full length.

        Raises
        ------
        DataError
            If the conversion has not ended, or a file is missing or cut off.
        """
        manifest = Manifest.read(folder)
        for shard in manifest.shards:
            if not is_intact(folder, shard, manifest.variables):
                raise DataError(
                    f"{folder / shard.inputs}: expected {shard.n_sample} samples here and in "
                    f"{shard.outputs}, got a file that is missing or cut off; convert again"
                )
        return cls(folder, manifest)

    def rows(self, shard: Shard) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return inputs and outputs of a shard, mapped: what is not used is not read."""
        inputs = np.load(self.folder / shard.inputs, mmap_mode="r")
        outputs = np.load(self.folder / shard.outputs, mmap_mode="r")
        return inputs, outputs


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
    """

    batch_size: int
    seed: int | None = 0
    drop_last: bool = True
    rank: int = 0
    n_rank: int = 1

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.batch_size % max(self.n_rank, 1):
            raise ValueError(
                "batches: expected a positive size that is a multiple of the number of ranks, got "
                f"{self.batch_size} for {self.n_rank} ranks"
            )
        if not 0 <= self.rank < self.n_rank:
            raise ValueError(f"batches: expected 0 <= rank < {self.n_rank}, got {self.rank}")

    def n_batch(self, n_sample: int) -> int:
        """Return the number of batches of an epoch."""
        whole, rest = divmod(n_sample, self.batch_size)
        return whole + (0 if self.drop_last or rest == 0 else 1)

    def permutation(self, n: int, *key: int) -> Tensor:
        """Return the order of `n` things that belong to `key`, for example an epoch."""
        if self.seed is None:
            return torch.arange(n)
        return torch.from_numpy(np.random.default_rng([self.seed, *key]).permutation(n))


class MemoryBatches:
    """Batches of samples that are all in memory, or all on a GPU, in a random order of all.

    Parameters
    ----------
    shards
        The samples.
    order
        Size and order of batches.
    device
        Where the samples stay and the batches are made, for example ``"cuda"``.

    """

    def __init__(self, shards: Shards, order: Order, device: torch.device | str = "cpu") -> None:
        manifest = shards.manifest
        self.order = order
        sizes = (manifest.variables.n_input, manifest.variables.n_output)
        self.inputs, self.outputs = (
            torch.empty((manifest.n_sample, size), device=device) for size in sizes
        )
        start = 0
        for shard in manifest.shards:
            part = slice(start, start + shard.n_sample)
            start += shard.n_sample
            for kept, rows in zip((self.inputs, self.outputs), shards.rows(shard), strict=True):
                # A copy: PyTorch takes no memory that cannot be written.
                kept[part] = torch.from_numpy(np.array(rows))

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return self.order.n_batch(len(self.inputs))

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of an epoch; the same number gives the same batches."""
        order, n = self.order, len(self.inputs)
        # Drawn on the processor, so that every device sees the same batches.
        index = order.permutation(n, number).to(self.inputs.device)
        for i in range(len(self)):
            start = i * order.batch_size
            rows = index[start + order.rank : min(start + order.batch_size, n) : order.n_rank]
            yield self.inputs[rows], self.outputs[rows]


class MappedBatches:
    """Batches of samples that stay on the disk.

    Blocks of samples that lie together come in a random order, each is read in one piece and
    shuffled in memory. Samples of shards were shuffled when they were written, so a block is a
    random sample of the time steps of its shard. The next blocks are read by a thread meanwhile.

    Parameters
    ----------
    shards
        The samples.
    order
        Size and order of batches.
    block
        Samples of a block.
    """

    def __init__(self, shards: Shards, order: Order, block: int = BLOCK) -> None:
        if block < 1:
            raise ValueError(f"batches: expected blocks of at least one sample, got {block}")
        self.order = order
        self._n_sample = shards.manifest.n_sample
        self._blocks = [
            (*shards.rows(shard), slice(start, min(start + block, shard.n_sample)))
            for shard in shards.manifest.shards
            for start in range(0, shard.n_sample, block)
        ]

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
            waiting = (rows[0][n_whole:], rows[1][n_whole:])
        if waiting is not None and len(waiting[0]) and not order.drop_last:
            yield self._share(waiting, 0, len(waiting[0]))

    def _share(self, rows: Batch, start: int, stop: int) -> Batch:
        part = slice(start + self.order.rank, stop, self.order.n_rank)
        return rows[0][part], rows[1][part]

    def _block(self, epoch: int, i: int) -> Batch:
        inputs, outputs, part = self._blocks[i]
        index = self.order.permutation(part.stop - part.start, epoch, 1, i).numpy()
        # Fancy indexing copies: a read and a shuffle in one.
        return torch.from_numpy(inputs[part][index]), torch.from_numpy(outputs[part][index])

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

        thread = Thread(target=read, name="climsim blocks", daemon=True)
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
    return torch.cat((first[0], second[0])), torch.cat((first[1], second[1]))
