"""Which pairs train and which test; no leakage between them."""

from pathlib import Path

import pytest

from closures.climsim.errors import DataError
from closures.climsim.files import Pair, list_pairs
from closures.climsim.splits import interleaved, season


def made(month: int, day: int, hour: float = 0.0) -> Pair:
    name = Path(f"{month}-{day}-{hour}")
    return Pair(8, month, day, int(hour * 3600), name, name)


MONTH = [made(1, day) for day in range(1, 13)]


def days(pairs: tuple[Pair, ...]) -> list[int]:
    return [pair.day for pair in pairs]


def test_interleaved_holds_out_every_fourth_of_a_month() -> None:
    split = interleaved(MONTH + [made(2, day) for day in range(1, 4)])
    assert [(pair.month, pair.day) for pair in split.test] == [(1, 3), (1, 7), (1, 11), (2, 3)]
    assert days(split.train) == [1, 2, 4, 5, 6, 8, 9, 10, 12, 1, 2]
    assert split.validation == ()


def test_interleaved_does_not_depend_on_the_order_given() -> None:
    assert interleaved(MONTH[::-1]) == interleaved(MONTH)


def test_interleaved_validates_on_every_fourth_of_the_rest() -> None:
    split = interleaved(MONTH, validation=True)
    assert days(split.validation) == [2, 8]
    assert days(split.train) == [1, 4, 5, 6, 9, 10, 12]


def test_interleaved_leaves_out_what_is_less_than_12_hours_from_a_test_pair() -> None:
    pairs = [made(1, 1), made(1, 2), made(1, 3, 12), made(1, 4, 0), made(1, 4, 0.1)]
    assert days(interleaved(pairs).train) == [1, 2, 4, 4]
    pairs[3] = made(1, 3, 23.9)
    split = interleaved(pairs)
    assert [(pair.day, pair.second) for pair in split.train] == [(1, 0), (2, 0), (4, 360)]


def test_the_gap_reaches_into_the_next_month() -> None:
    pairs = [made(1, 29), made(1, 30), made(1, 31, 20), made(2, 1, 2), made(2, 5), made(2, 9)]
    assert days(interleaved(pairs).train) == [29, 30, 5]


def test_season_by_month() -> None:
    pairs = [made(month, 1) for month in range(1, 13)]
    split = season(pairs)
    assert [pair.month for pair in split.train] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [pair.month for pair in split.test] == [10, 11]
    split = season(pairs, validation=True)
    assert [pair.month for pair in split.train] == [1, 2, 3, 4, 5, 6]
    assert [pair.month for pair in split.validation] == [7, 8]


def test_nothing_to_test_on() -> None:
    with pytest.raises(DataError, match="expected pairs for training and for testing, got 2 and 0"):
        season([made(1, 1), made(2, 1)])
    with pytest.raises(DataError, match="got 2 and 0; add files"):
        interleaved([made(1, 1), made(1, 2)])


@pytest.mark.parametrize(
    ("split", "validation", "n_train", "n_validation"),
    [
        (interleaved, False, 16128, 0),
        (interleaved, True, 11520, 4608),
        (season, False, 19968, 0),
        (season, True, 14976, 4992),
    ],
)
def test_sizes_on_the_real_files(
    real_folder: Path, split: object, validation: bool, n_train: int, n_validation: int
) -> None:
    assert callable(split)
    result = split(list_pairs(real_folder), validation)
    assert 384 * len(result.train) == n_train
    assert 384 * len(result.validation) == n_validation
    assert 384 * len(result.test) == 5760


def test_no_training_pair_within_12_hours_of_a_test_pair(any_folder: Path) -> None:
    split = interleaved(list_pairs(any_folder))
    distances = [abs(a.hours - b.hours) for a in split.train for b in split.test]
    assert min(distances) >= 12.0
    assert not set(split.train) & set(split.test)
