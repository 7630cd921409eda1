"""Interrupts from the keyboard, at a moment that suits."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done, so that what it writes is complete.

    Python gives interrupts to the main thread alone: in others nothing needs to be done.
    """
    before = signal.getsignal(signal.SIGINT)
    # None: a handler that Python did not install, and cannot put back.
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting = False

    def note(_signal: int, _frame: FrameType | None) -> None:
        nonlocal waiting
        waiting = True

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting:
            signal.raise_signal(signal.SIGINT)
