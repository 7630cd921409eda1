"""Processes that train together, started by ``torchrun``."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import Tensor

from closures.training.errors import TrainingError


@dataclass(frozen=True)
class Ranks:
    """A process among those that train together.

    Parameters
    ----------
    rank
        Number of this process, from 0 on.
    n_rank
        Number of processes.
    device
        Where this process computes.
    """

    rank: int = 0
    n_rank: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of `values` over all processes."""
        if self.n_rank > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def wait(self) -> None:
        """Wait for all processes."""
        if self.n_rank > 1:
            dist.barrier()


@contextmanager
def ranks(device: str = "auto") -> Iterator[Ranks]:
    """Join the processes that ``torchrun`` started, or be alone.

    Parameters
    ----------
    device
        ``"cpu"``, ``"cuda"``, or ``"auto"``: a GPU for each process where there is one.

    Raises
    ------
    TrainingError
        If a GPU is asked for and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if device not in {"auto", "cpu", "cuda"} or (device == "cuda" and not has_gpu):
        raise TrainingError(
            f"device: expected auto, cpu, or cuda where there is a GPU, got {device!r} with "
            f"{torch.cuda.device_count()} GPUs"
        )
    on_gpu = has_gpu and device != "cpu"
    # torchrun's contract: these are set for every process it starts.
    n_rank, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    chosen = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(chosen)
    if n_rank == 1:
        yield Ranks(device=chosen)
        return
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Ranks(dist.get_rank(), n_rank, chosen)
    finally:
        dist.destroy_process_group()
