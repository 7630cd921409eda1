"""Read what the hooks write of the schemes of a run: calls, times, flagged columns, differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_FILE = "hybrid_report"
_N_WORD_OF_CALLS, _N_WORD_OF_DIFFERENCE = 4, 6


@dataclass(frozen=True)
class Calls:
    """How often something was done, and how long it took [s]."""

    count: int
    seconds: float = 0.0


Report = Mapping[str, Mapping[str, Calls]]
"""Calls by scheme, and by what was called."""


@dataclass(frozen=True)
class ShadowDifference:
    """Closure less native scheme, over columns and steps, of one element of an output.

    Parameters
    ----------
    mean, rms
        In the units of the output.
    largest
        Of the magnitude.
    """

    mean: float
    rms: float
    largest: float


def read_report(folder: Path) -> Report:
    """Return for each scheme the calls ``native``, ``closure``, ``held``.

    For closures also the column evaluations, ``evaluated``, those of them that the guard
    ``flagged``, and those that the host computed in the place of the closure, ``fallback``.
    """
    found: dict[str, dict[str, Calls]] = {}
    for words in _lines(folder, _N_WORD_OF_CALLS):
        scheme, what, count, number = words
        of_scheme = found.setdefault(scheme, {})
        if what == "flagged":
            of_scheme["evaluated"] = Calls(int(count))
            of_scheme["flagged"] = Calls(int(float(number)))
        else:
            of_scheme[what] = Calls(int(count), float(number))
    return found


def added(reports: Sequence[Report]) -> Report:
    """Return the sums of several reports."""
    found: dict[str, dict[str, Calls]] = {}
    for report in reports:
        for scheme, calls in report.items():
            sums = found.setdefault(scheme, {})
            for what, each in calls.items():
                before = sums.get(what, Calls(0))
                sums[what] = Calls(before.count + each.count, before.seconds + each.seconds)
    return found


def share(report: Report, schemes: Sequence[str], what: str) -> float:
    """Return which part of the column evaluations were ``flagged``, or done by ``fallback``."""
    n, of = (sum(report[scheme][key].count for scheme in schemes) for key in (what, "evaluated"))
    return n / of


def read_differences(folder: Path) -> Mapping[str, Mapping[str, Sequence[ShadowDifference]]]:
    """Return for each scheme and output the differences of its elements, of a shadow run."""
    found: dict[str, dict[str, list[ShadowDifference]]] = {}
    for words in _lines(folder, _N_WORD_OF_DIFFERENCE):
        scheme, output, _, *numbers = words
        elements = found.setdefault(scheme, {}).setdefault(output, [])
        elements.append(ShadowDifference(*map(float, numbers)))
    return found


def _lines(folder: Path, n_word: int) -> list[list[str]]:
    lines = [line.split() for line in (folder / _FILE).read_text().splitlines()]
    return [words for words in lines if len(words) == n_word]
