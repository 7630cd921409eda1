"""Which pairs train, validate and test.

Columns of one time step, and of steps a few hours apart, resemble each other: a random split
of columns would let a model score well by remembering. Both splits here are by file.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from closures.climsim.errors import DataError
from closures.climsim.files import Pair

SplitName = Literal["interleaved", "season", "all"]
"""Names of splits; ``all`` holds nothing out."""

GAP_HOURS = 12.0
VALIDATION_MONTHS = (7, 8)
TEST_MONTHS = (10, 11)
LAST_TRAINING_MONTH = 8


@dataclass(frozen=True)
class Split:
    """Pairs for training, validation and test, each in the order of time."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    test: tuple[Pair, ...]

    def __post_init__(self) -> None:
        if not (self.train and self.test):
            raise DataError(
                f"split: expected pairs for training and for testing, got {len(self.train)} "
                f"and {len(self.test)}; add files from other months or other times"
            )


def interleaved(pairs: Sequence[Pair], validation: bool = False) -> Split:
    """Hold out every fourth time step of each month: new weather, known season.

    Pairs less than 12 h from a test pair are left out of the training set.

    Parameters
    ----------
    pairs
        All pairs.
    validation
        Hold out every fourth of the remaining pairs of each month for validation.

    Raises
    ------
    DataError
        If no pair is left for training or testing.
    """
    test: list[Pair] = []
    candidates: list[Pair] = []
    for month in _by_month(pairs):
        for index, pair in enumerate(month):
            (test if index % 4 == 2 else candidates).append(pair)
    times = [pair.hours for pair in test]
    apart = [
        pair for pair in candidates if all(abs(pair.hours - time) >= GAP_HOURS for time in times)
    ]
    if not validation:
        return Split(tuple(apart), (), tuple(test))
    train: list[Pair] = []
    held: list[Pair] = []
    for month in _by_month(apart):
        for index, pair in enumerate(month):
            (held if index % 4 == 1 else train).append(pair)
    return Split(tuple(train), tuple(held), tuple(test))


def season(pairs: Sequence[Pair], validation: bool = False) -> Split:
    """Train on January to August, test on October and November: a season never seen.

    Parameters
    ----------
    pairs
        All pairs; those of September and December are left out.
    validation
        Hold out July and August for validation.

    Raises
    ------
    DataError
        If no pair is left for training or testing.
    """
    ordered = sorted(pairs)
    held = [pair for pair in ordered if validation and pair.month in VALIDATION_MONTHS]
    return Split(
        train=tuple(p for p in ordered if p.month <= LAST_TRAINING_MONTH and p not in held),
        validation=tuple(held),
        test=tuple(p for p in ordered if p.month in TEST_MONTHS),
    )


def held_out(
    pairs: Sequence[Pair], name: Literal["interleaved", "season"], validation: bool = False
) -> Split:
    """Return the split of a name, see `interleaved` and `season`."""
    return {"interleaved": interleaved, "season": season}[name](pairs, validation)


def select(
    pairs: Sequence[Pair], first: str = "", last: str = "", stride: int = 1
) -> tuple[Pair, ...]:
    """Choose pairs by month, and every so many of them, in the order of time.

    ClimSim's own training set is ``first="0001-02", last="0008-01", stride=7``, its validation
    set ``first="0008-02", last="0009-01", stride=7``, and the one for scores that with stride 6.

    Parameters
    ----------
    pairs
        All pairs.
    first, last
        Months ``YYYY-MM``, both included; empty for no limit.
    stride
        Take the first of each so many.

    Raises
    ------
    DataError
        If a month is none, the stride is less than 1, or nothing is left.

    Examples
    --------
    >>> from pathlib import Path
    >>> year = [Pair(8, month, 1, 0, Path("a"), Path("b")) for month in range(1, 13)]
    >>> [pair.month for pair in select(year, first="0008-03", last="0008-08", stride=2)]
    [3, 5, 7]
    """
    if stride < 1:
        raise DataError(f"selection: expected a stride of at least 1, got {stride}")
    low = _month(first) if first else (0, 0)
    high = _month(last) if last else (9999, 12)
    chosen = [pair for pair in sorted(pairs) if low <= (pair.year, pair.month) <= high][::stride]
    if not chosen:
        raise DataError(
            f"selection: expected pairs from {first or 'the beginning'} to {last or 'the end'}, "
            f"got none of {len(pairs)}"
        )
    return tuple(chosen)


def _month(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{4})-(\d{2})", text)
    if match is None or not 1 <= int(match[2]) <= 12:
        raise DataError(f"month: expected YYYY-MM, got {text!r}")
    return int(match[1]), int(match[2])


def _by_month(pairs: Sequence[Pair]) -> list[list[Pair]]:
    months: dict[tuple[int, int], list[Pair]] = defaultdict(list)
    for pair in sorted(pairs):
        months[pair.year, pair.month].append(pair)
    return list(months.values())
