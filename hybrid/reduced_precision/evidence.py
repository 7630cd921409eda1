"""What a test of bf16 found, as an archive keeps it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hybrid.reduced_precision.climates import COARSEST, Compared

PASSED, FAILED, ON_TRIAL = "passed", "failed", "on trial"
"""Verdicts. With the last one an archive may be run in bf16 to find another."""
UNDECIDED = "undecided"
"""No verdict: runs were too short. Archives do not keep it."""


@dataclass(frozen=True)
class Evidence:
    """Result of a test.

    Parameters
    ----------
    archive
        Digest of what the archive computes: of all its entries but what it says of itself.
    host
        The host model and what was run.
    seeds
        Of the runs, the same in both precisions.
    computed
        What the native engine computed in, in its words.
    variables
        What was compared.
    versions
        Software of the runs.
    """

    archive: str
    host: str
    seeds: tuple[int, ...]
    computed: str
    variables: tuple[Compared, ...]
    versions: Mapping[str, str]

    @property
    def problems(self) -> tuple[str, ...]:
        """Why it did not pass, a sentence for each variable that stands against it."""
        return tuple(v.problem for v in self.variables if v.problem)

    @property
    def is_passed(self) -> bool:
        """Whether every variable passes."""
        return not self.problems

    @property
    def verdict(self) -> str:
        """Verdict in a word."""
        against = [v for v in self.variables if v.problem]
        if not against:
            return PASSED
        return UNDECIDED if all(v.is_undecided for v in against) else FAILED

    @property
    def reason(self) -> str:
        """Verdict in a sentence."""
        what = f"{len(self.seeds)} runs of {self.host} in each precision"
        if not self.is_passed:
            return f"{'; '.join(self.problems)} ({what})"
        most = max(self.variables, key=lambda v: v.distance / v.spread if v.spread else 0.0)
        nearest = f"{most.name}: {most.distance:.3g} of {most.spread:.3g}"
        return f"every variable within the spread of float32; nearest to it {nearest} ({what})"

    def to_dict(self) -> dict[str, Any]:
        """Return what ``hybrid.json`` holds."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "archive": self.archive,
            "host": self.host,
            "seeds": list(self.seeds),
            "computed": self.computed,
            "coarsest": COARSEST,
            # JSON has no infinity.
            "variables": [_finite(asdict(v)) for v in self.variables],
            "versions": dict(self.versions),
        }


def _finite(variable: dict[str, Any]) -> dict[str, Any]:
    reduced = [None if value == float("inf") else value for value in variable["reduced"]]
    return {**variable, "full": list(variable["full"]), "reduced": reduced}
