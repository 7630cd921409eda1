"""Initial weights from a seed of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let modules made inside draw their weights from `seed`, and leave the caller's draws alone.

    PyTorch draws initial weights from a global generator; it is forked, so that what the caller
    draws afterwards does not depend on what was built here.
    """
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would also seed the generators of GPUs, which are not restored.
        torch.default_generator.manual_seed(seed)
        yield
