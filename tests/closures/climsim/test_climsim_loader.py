"""Batches: every sample once an epoch, in an order that the seed decides."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from closures.climsim.conversion import Conversion, convert
from closures.climsim.files import list_pairs
from closures.climsim.loader import MappedBatches, MemoryBatches, Order, Shards
from closures.climsim.variables import variable_set

V1 = variable_set("V1")
N = 9 * 384


@pytest.fixture(scope="module")
def shards(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Shards:
    out = tmp_path_factory.mktemp("shards")
    convert(list_pairs(sample_folder), out, Conversion(V1, seed=2, shard_bytes=1_200_000))
    return Shards.open(out)


def source(kind: str, shards: Shards, order: Order) -> MemoryBatches | MappedBatches:
    return MemoryBatches(shards, order) if kind == "memory" else MappedBatches(shards, order, 500)


def epoch(batches: MemoryBatches | MappedBatches, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    inputs, outputs = zip(*batches.epoch(number), strict=True)
    return torch.cat(inputs), torch.cat(outputs)


def in_some_order(rows: torch.Tensor) -> NDArray[np.float32]:
    values: NDArray[np.float32] = rows.numpy()
    return values[np.lexsort(values.T)]


def written(shards: Shards) -> tuple[torch.Tensor, torch.Tensor]:
    parts = [shards.rows(shard) for shard in shards.manifest.shards]
    x, y = (torch.from_numpy(np.concatenate(part)) for part in zip(*parts, strict=True))
    return x, y


@pytest.mark.parametrize("kind", ["memory", "mapped"])
class TestBoth:
    def test_every_sample_comes_once_with_its_outputs(self, kind: str, shards: Shards) -> None:
        batches = source(kind, shards, Order(100, drop_last=False))
        sizes = [len(x) for x, _ in batches.epoch(0)]
        assert sizes == [100] * 34 + [56]
        assert len(batches) == 35
        rows = torch.cat(epoch(batches, 0), dim=1)
        expected = torch.cat(written(shards), dim=1)
        np.testing.assert_array_equal(in_some_order(rows), in_some_order(expected))

    def test_whole_batches_only(self, kind: str, shards: Shards) -> None:
        batches = source(kind, shards, Order(100))
        assert [len(y) for _, y in batches.epoch(3)] == [100] * 34
        assert len(batches) == 34

    def test_seed_and_epoch_decide_the_order(self, kind: str, shards: Shards) -> None:
        batches = source(kind, shards, Order(128, seed=5))
        first = epoch(batches, 0)[0]
        assert torch.equal(first, epoch(source(kind, shards, Order(128, seed=5)), 0)[0])
        assert not torch.equal(first, epoch(batches, 1)[0])
        assert not torch.equal(first, epoch(source(kind, shards, Order(128, seed=6)), 0)[0])

    def test_without_a_seed_the_order_is_that_of_the_files(self, kind: str, shards: Shards) -> None:
        found = epoch(source(kind, shards, Order(100, seed=None, drop_last=False)), 4)
        for rows, expected in zip(found, written(shards), strict=True):
            assert torch.equal(rows, expected)

    def test_ranks_share_the_batches_of_one(self, kind: str, shards: Shards) -> None:
        whole = [x for x, _ in source(kind, shards, Order(128)).epoch(0)]
        parts = [
            [x for x, _ in source(kind, shards, Order(128, rank=r, n_rank=4)).epoch(0)]
            for r in range(4)
        ]
        for i, batch in enumerate(whole):
            for r in range(4):
                assert torch.equal(parts[r][i], batch[r::4])

    def test_a_batch_holds_columns_of_many_time_steps(self, kind: str, shards: Shards) -> None:
        # Surface pressure and insolation together tell columns apart.
        x, _ = next(iter(source(kind, shards, Order(256)).epoch(0)))
        assert len(np.unique(x[:, 120:122].numpy(), axis=0)) == 256

    def test_memory_of_a_batch_is_the_callers(self, kind: str, shards: Shards) -> None:
        batches = source(kind, shards, Order(100))
        before = epoch(batches, 0)[0].clone()
        for x, y in batches.epoch(0):
            x.zero_()
            y.zero_()
        assert torch.equal(epoch(batches, 0)[0], before)


def test_an_epoch_that_is_given_up_ends_its_thread(shards: Shards) -> None:
    before = threading.active_count()
    batches = MappedBatches(shards, Order(10), block=50).epoch(0)
    next(batches)
    assert threading.active_count() == before + 1
    batches.close()
    assert threading.active_count() == before


def test_an_error_of_the_thread_reaches_the_loop(
    shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error", "shard")

    batches = MappedBatches(shards, Order(10))
    monkeypatch.setattr(batches, "_block", fail)
    with pytest.raises(OSError, match="Input/output error"):
        next(iter(batches.epoch(0)))


def test_sizes_are_checked(shards: Shards) -> None:
    with pytest.raises(ValueError, match="a multiple of the number of ranks, got 10 for 4 ranks"):
        Order(10, n_rank=4)
    with pytest.raises(ValueError, match="expected a positive size"):
        Order(0)
    with pytest.raises(ValueError, match="expected 0 <= rank < 2, got 2"):
        Order(10, rank=2, n_rank=2)
    with pytest.raises(ValueError, match="expected blocks of at least one sample, got 0"):
        MappedBatches(shards, Order(10), block=0)


@pytest.mark.gpu
def test_batches_are_made_on_the_gpu(shards: Shards) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no NVIDIA GPU")
    order = Order(256, seed=1)
    there = epoch(MemoryBatches(shards, order, "cuda"), 2)
    assert there[0].is_cuda
    for rows, expected in zip(there, epoch(MemoryBatches(shards, order), 2), strict=True):
        assert torch.equal(rows.cpu(), expected)
