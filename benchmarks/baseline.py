"""A report held against an earlier one, ratio by ratio.

Times of two runs say little: the machine may be another, or busier. A ratio of two things that took
turns says more, and its interval how sure it is.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.comparison import Comparison

TOLERANCE = 0.05
"""By how much a ratio may differ between two runs of the same programs beyond the intervals of
both: where their data lie in memory is drawn anew in every process."""

Key = tuple[str, str, str]
"""Group, what, beside."""


class BaselineError(ValueError):
    """The file is no report that others can be held against."""


class Verdict(StrEnum):
    """What became of a ratio."""

    SLOWER = "slower"
    FASTER = "faster"
    SAME = "same"
    MISSING = "missing"
    NEW = "new"


@dataclass(frozen=True)
class Change:
    """A ratio before and now; None where it was not measured.

    Parameters
    ----------
    group, what, beside
        Which ratio.
    before, now
        In the earlier report and in this one.
    """

    group: str
    what: str
    beside: str
    before: Comparison | None
    now: Comparison | None

    def verdict(self, tolerance: float = TOLERANCE) -> Verdict:
        """Return what became of it; slower or faster only if the intervals are apart.

        Parameters
        ----------
        tolerance
            How far apart, relative to the ratio [1].
        """
        if self.before is None:
            return Verdict.NEW
        if self.now is None:
            return Verdict.MISSING
        if self.now.low > self.before.high * (1.0 + tolerance):
            return Verdict.SLOWER
        if self.now.high * (1.0 + tolerance) < self.before.low:
            return Verdict.FASTER
        return Verdict.SAME

    def row(self, tolerance: float = TOLERANCE) -> dict[str, str]:
        """Return what a table shows, by heading."""
        change = ""
        if self.before is not None and self.now is not None:
            change = f"{self.now.ratio / self.before.ratio:.2f}"
        return {
            "group": self.group,
            "what": self.what,
            "beside": self.beside,
            "before": _shown(self.before),
            "now": _shown(self.now),
            "now / before": change,
            "verdict": self.verdict(tolerance).value,
        }


def read_baseline(file: Path) -> dict[str, Any]:
    """Return a report that was written with ``--json``.

    Raises
    ------
    BaselineError
        If the file is something else, or none of its records is compared with anything.
    """
    remedy = "write one with: python -m benchmarks --json FILE"
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BaselineError(
            f"{file}: expected a report of the benchmarks, got {error}; {remedy}"
        ) from error
    if not isinstance(report, dict) or not comparisons(report):
        raise BaselineError(
            f"{file}: expected a report with comparisons, got one without; {remedy}"
        )
    return report


def comparisons(report: Mapping[str, Any]) -> dict[Key, Comparison]:
    """Return all ratios of a report."""
    found: dict[Key, Comparison] = {}
    for record in report.get("records", ()):
        for saved in record.get("comparisons", ()):
            comparison = Comparison(**saved)
            found[record["group"], comparison.what, comparison.beside] = comparison
    return found


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return what became of every ratio of the groups that were measured now."""
    then, today = comparisons(before), comparisons(now)
    measured = {record["group"] for record in now["records"]}
    keys = dict.fromkeys([*today, *(key for key in then if key[0] in measured)])
    return [Change(*key, then.get(key), today.get(key)) for key in keys]


def slower_groups(found: Iterable[Change], tolerance: float = TOLERANCE) -> list[str]:
    """Return the groups in which something became slower."""
    slow = (change.group for change in found if change.verdict(tolerance) is Verdict.SLOWER)
    return list(dict.fromkeys(slow))


def best_of(first: Iterable[Change], again: Iterable[Change]) -> list[Change]:
    """Return changes with the lesser of two measurements of now.

    Parameters
    ----------
    first
        All changes.
    again
        Those of groups that were measured once more.
    """
    second = {(change.group, change.what, change.beside): change for change in again}
    found = []
    for change in first:
        other = second.get((change.group, change.what, change.beside), change)
        both = [c for c in (change, other) if c.now is not None]
        found.append(min(both, key=lambda c: c.now.low if c.now else 0.0) if both else change)
    return found


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield how the circumstances of two reports differ, and which groups are not in this one."""
    for name in ("machine", "threads"):
        if before.get(name) != now.get(name):
            yield f"{name}: {now.get(name)}; the baseline has {before.get(name)}"
    versions = (report.get("versions", {}) for report in (before, now))
    then, today = versions
    for name in dict.fromkeys([*then, *today]):
        if then.get(name) != today.get(name):
            yield f"{name}: {today.get(name, 'none')}; the baseline has {then.get(name, 'none')}"
    groups = [
        dict.fromkeys(record["group"] for record in report["records"]) for report in (before, now)
    ]
    left_out = [group for group in groups[0] if group not in groups[1]]
    if left_out:
        yield f"in the baseline and not measured now: {', '.join(left_out)}"


def _shown(comparison: Comparison | None) -> str:
    if comparison is None:
        return ""
    return f"{comparison.ratio:.3g} ({comparison.low:.3g} to {comparison.high:.3g})"
