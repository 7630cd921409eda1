"""The two splits of ClimSim's time steps against their definition, from file names alone."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from closures.climsim.files import Pair, list_pairs
from closures.climsim.splits import Split, interleaved, season

MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
Lists = dict[str, list[str]]


def month_of(name: str) -> int:
    return int(name.split(".")[2].split("-")[1])


def hours_of(name: str) -> float:
    """Hours in the no-leap calendar, from 'E3SM-MMF.mli.YYYY-MM-DD-SSSSS.nc'."""
    year, month, day, second = (int(part) for part in name.split(".")[2].split("-"))
    days = 365 * year + sum(MONTH_LENGTHS[: month - 1]) + day - 1
    return 24.0 * days + second / 3600.0


def by_month(names: Iterable[str]) -> dict[int, list[str]]:
    months: dict[int, list[str]] = {}
    for name in sorted(names):
        months.setdefault(month_of(name), []).append(name)
    return months


def interleaved_by_definition(names: Sequence[str], validation: bool) -> Lists:
    test: list[str] = []
    others: list[str] = []
    for month in by_month(names).values():
        for index, name in enumerate(month):
            (test if index % 4 == 2 else others).append(name)
    remaining = [n for n in others if all(abs(hours_of(n) - hours_of(t)) >= 12 for t in test)]
    train: list[str] = []
    held_out: list[str] = []
    for month in by_month(remaining).values():
        for index, name in enumerate(month):
            (held_out if validation and index % 4 == 1 else train).append(name)
    return {"train": train, "validation": held_out, "test": test}


def season_by_definition(names: Sequence[str], validation: bool) -> Lists:
    lists: Lists = {"train": [], "validation": [], "test": []}
    for name in sorted(names):
        month = month_of(name)
        if month in (10, 11):
            lists["test"].append(name)
        elif month in (7, 8) and validation:
            lists["validation"].append(name)
        elif month <= 8:
            lists["train"].append(name)
    return lists


def names_of(split: Split) -> Lists:
    return {
        part: [pair.mli.name for pair in getattr(split, part)]
        for part in ("train", "validation", "test")
    }


def in_order(lists: Lists) -> Lists:
    return {part: sorted(names) for part, names in lists.items()}


def invent_pairs(seed: int) -> list[Pair]:
    """Three in every four days of a year at one or two times a day, in random order."""
    rng = np.random.default_rng(seed)
    pairs = []
    for month, length in enumerate(MONTH_LENGTHS, start=1):
        for day in range(1, length + 1):
            if rng.random() < 0.25:
                continue
            # A raster of 6 h makes distances of exactly 12 h, also across the end of a month.
            for second in rng.choice([0, 21600, 43200, 64800], rng.integers(1, 3), replace=False):
                stamp = f"0003-{month:02d}-{day:02d}-{second:05d}.nc"
                paths = (Path(f"E3SM-MMF.{kind}.{stamp}") for kind in ("mli", "mlo"))
                pairs.append(Pair(3, month, day, int(second), *paths))
    return [pairs[i] for i in rng.permutation(len(pairs))]


@pytest.mark.parametrize("validation", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_interleaved(seed: int, validation: bool) -> None:
    pairs = invent_pairs(seed)
    expected = interleaved_by_definition([pair.mli.name for pair in pairs], validation)
    given = names_of(interleaved(pairs, validation))
    assert given == in_order(expected)
    # The example would prove little if nothing were near a test pair, or nothing held out.
    assert len(given["train"]) + len(given["validation"]) + len(given["test"]) < len(pairs)
    assert bool(given["validation"]) is validation


@pytest.mark.parametrize("validation", [False, True])
def test_season(validation: bool) -> None:
    pairs = invent_pairs(seed=4)
    expected = season_by_definition([pair.mli.name for pair in pairs], validation)
    assert names_of(season(pairs, validation)) == expected
    assert {month_of(name) for name in expected["test"]} == {10, 11}


@pytest.mark.parametrize("validation", [False, True])
def test_splits_of_the_real_files(climsim_data: Path, validation: bool) -> None:
    names = sorted(path.name for path in climsim_data.rglob("E3SM-MMF.mli.*.nc"))
    pairs = list_pairs(climsim_data)
    assert [pair.mli.name for pair in pairs] == names
    assert [pair.mlo.name for pair in pairs] == [n.replace(".mli.", ".mlo.") for n in names]
    expected = interleaved_by_definition(names, validation)
    assert names_of(interleaved(pairs, validation)) == in_order(expected)
    expected = season_by_definition(names, validation)
    assert names_of(season(pairs, validation)) == expected


def test_hours_of_a_pair() -> None:
    for pair in invent_pairs(seed=5)[:40]:
        # Year 1 begins at hour 0.
        assert pair.hours == pytest.approx(hours_of(pair.mli.name) - 24.0 * 365, abs=1e-9)
