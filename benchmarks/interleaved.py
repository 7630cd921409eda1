"""Time several ways of doing one thing, turn by turn, so that a busy machine slows them alike."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

ROUNDS = 15

Seconds = Callable[[], float]
"""Does something and returns how long it took [s]."""


@dataclass(frozen=True)
class Timings:
    """Times of each candidate, round by round [s]."""

    rounds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """Return the median time of a candidate [s]."""
        return median(self.rounds[name])

    def ratio(self, slower: str, faster: str) -> float:
        """Return the median over the rounds of how many times longer one took than the other."""
        pairs = zip(self.rounds[slower], self.rounds[faster], strict=True)
        return median(a / b for a, b in pairs)


def interleave(candidates: Mapping[str, Seconds], rounds: int = ROUNDS) -> Timings:
    """Call every candidate once a round.

    Parameters
    ----------
    candidates
        Name to a function that does the work and returns the time it took [s].
    rounds
        Number of rounds; a first one, for caches and compilers, is not counted.
    """
    for call in candidates.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, call in candidates.items():
            times[name].append(call())
    return Timings(times)


def clock(call: Callable[[], object], repeat: int = 1) -> Seconds:
    """Return a function that does something `repeat` times and returns the time of one [s]."""

    def seconds() -> float:
        began = time.perf_counter()
        for _ in range(repeat):
            call()
        return (time.perf_counter() - began) / repeat

    return seconds
