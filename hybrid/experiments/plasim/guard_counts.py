"""How many columns the guard flagged, and how many were left to the host's own schemes."""

from collections.abc import Mapping, Sequence

from hybrid.experiments.plasim.climate import Calls

Report = Mapping[str, Mapping[str, Calls]]


def counted(report: Report, schemes: Sequence[str], what: str) -> Calls:
    """Return the sum over schemes of one kind of calls, see `read_report`."""
    each = [report[scheme][what] for scheme in schemes]
    return Calls(sum(calls.count for calls in each), sum(calls.seconds for calls in each))


def share(report: Report, schemes: Sequence[str], what: str) -> float:
    """Return which part of the column evaluations were ``flagged``, or done by ``fallback``."""
    evaluations = counted(report, schemes, "flagged")
    # The number of flagged ones stands in place of seconds.
    n = evaluations.seconds if what == "flagged" else counted(report, schemes, what).count
    return n / evaluations.count
