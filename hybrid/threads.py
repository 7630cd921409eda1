"""Arithmetic in one thread."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, and afterwards as many as before.

    Sums split over threads round differently with their number, so that the same seed would
    train another network on another machine, and an archive would differ from the closure it
    was made from; and on busy cores two threads wait on each other.
    """
    with use_threads(1):
        yield


@contextmanager
def use_threads(n: int) -> Iterator[None]:
    """Let torch use `n` threads, and afterwards as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
