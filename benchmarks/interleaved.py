"""Time several ways of doing one thing, turn by turn, so that a busy machine slows them alike."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

Work = Callable[[int], float]
"""Does something that many times and returns how long all took [s]."""


def _say_nothing(*_: object) -> None:
    pass


@dataclass(frozen=True)
class Session:
    """How long to measure, and whom to tell.

    Parameters
    ----------
    rounds
        Turns of each candidate.
    seconds_a_turn
        Length of a turn [s]; one that takes longer does its work once.
    download
        Programs to compare with may be downloaded and built.
    progress
        Called with what is being measured and the fraction done.
    note
        Called with what a reader of the results must know.
    """

    rounds: int = 15
    seconds_a_turn: float = 0.05
    download: bool = False
    progress: Callable[[str, float], None] = _say_nothing
    note: Callable[[str], None] = _say_nothing


FULL = Session()
QUICK = Session(rounds=9, seconds_a_turn=0.01)
"""The fewest rounds of which an interval leaves out the extremes."""


@dataclass(frozen=True)
class Timings:
    """Times of each candidate, round by round [s]."""

    rounds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """Return the median time of a candidate [s]."""
        return median(self.rounds[name])

    def ratio(self, slower: str, faster: str) -> float:
        """Return the median over the rounds of how many times longer one took than the other.

        Examples
        --------
        >>> Timings({"a": [2.0, 9.0, 4.0], "b": [1.0, 3.0, 4.0]}).ratio("a", "b")
        2.0
        """
        return median(self.ratios(slower, faster))

    def ratios(self, slower: str, faster: str) -> list[float]:
        """Return how many times longer one took than the other, round by round."""
        pairs = zip(self.rounds[slower], self.rounds[faster], strict=True)
        return [a / b for a, b in pairs]


def interleave(candidates: Mapping[str, Work], session: Session, label: str) -> Timings:
    """Give every candidate one turn a round.

    Parameters
    ----------
    candidates
        Name to what is timed.
    session
        Number of rounds and length of a turn.
    label
        What progress is reported as.
    """
    session.progress(label, 0.0)
    repeat = {name: _repetitions(work, session) for name, work in candidates.items()}
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for i in range(session.rounds):
        for name, work in candidates.items():
            times[name].append(work(repeat[name]) / repeat[name])
        session.progress(label, (i + 1) / session.rounds)
    return Timings(times)


def _repetitions(work: Work, session: Session) -> int:
    # The first ones compile, plan, and begin multistep schemes.
    repeat = 3
    work(repeat)
    while (seconds := work(repeat)) < 0.1 * session.seconds_a_turn:
        repeat *= 4
    return max(1, round(repeat * session.seconds_a_turn / seconds))


@contextmanager
def one_processor() -> Iterator[None]:
    """Keep this thread, and the processes that it starts, on one processor.

    A program in a process of its own would otherwise take its turns elsewhere, perhaps where
    another program empties the caches.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def on_processor(call: Callable[[int], object]) -> Work:
    """Time by the processor's clock what runs in one thread, of which other processes take none.

    Parameters
    ----------
    call
        Does something that many times.
    """
    return _timed(call, time.thread_time)


def on_all_threads(call: Callable[[int], object]) -> Work:
    """Time by the processor's clock what runs in several threads of this process, added up.

    Parameters
    ----------
    call
        Does something that many times.
    """
    return _timed(call, time.process_time)


def often(call: Callable[[], object]) -> Callable[[int], None]:
    """Return a function that makes that many calls."""

    def calls(repeat: int) -> None:
        for _ in range(repeat):
            call()

    return calls


def _timed(call: Callable[[int], object], clock: Callable[[], float]) -> Work:
    def seconds(repeat: int) -> float:
        began = clock()
        call(repeat)
        return clock() - began

    return seconds
