"""By how much the recommended closure is ahead of each other, with intervals over seeds."""

from collections.abc import Iterator
from dataclasses import dataclass

from closures.ensemble_scores.paired import PairedDifference, paired_difference
from hybrid.experiments.multifidelity.candidates import Candidate
from hybrid.experiments.multifidelity.tables import (
    Findings,
    climate_label,
    n_seed,
    units_label,
)
from hybrid.experiments.result import Table

_SCORES = {"r2_pooled": ("r2", "R2"), "crps": ("crps", "CRPS")}


@dataclass(frozen=True)
class Lead:
    """How much better the first candidate is than another.

    Parameters
    ----------
    other
        The other one.
    variable, score
        What is compared; the score by its name in `closures.ensemble_scores`.
    difference
        Positive if the first is better.
    """

    other: Candidate
    variable: str
    score: str
    difference: PairedDifference


def leads(findings: Findings, climate: str) -> Iterator[Lead]:
    """Compare the first candidate with each other in R2 and CRPS, seed by seed.

    Parameters
    ----------
    findings
        Scores, of at least two seeds.
    climate
        Name of the climate.
    """
    first, *others = findings.candidates
    for other in others:
        for variable in findings.bed.parts:
            for score in _SCORES:
                difference = paired_difference(
                    findings.seeds(first.name, climate, variable, score),
                    findings.seeds(other.name, climate, variable, score),
                    better="higher" if score == "r2_pooled" else "lower",
                )
                yield Lead(other, variable, score, difference)


def lead_table(findings: Findings, climate: str) -> Table:
    """Return how much better the first candidate is than each other, with 95 % intervals."""
    first = findings.candidates[0]
    rows: dict[str, tuple[float | None, ...]] = {}
    for lead in leads(findings, climate):
        found = lead.difference
        label = lead.other.label
        rows[label] = (*rows.get(label, ()), found.mean, found.low, found.high)
    return Table(
        title=f"{findings.bed.title}: {first.label} against the others, {climate_label(climate)}",
        columns=tuple(
            f"{label} {variable}{end}"
            for variable in findings.bed.parts
            for _, label in _SCORES.values()
            for end in ("", ", low", ", high")
        ),
        rows=rows,
        note=(
            f"Positive: {first.label} is better; 95 % intervals by Student's t over "
            f"{n_seed(findings)} seeds, paired. CRPS in {units_label(findings)}."
        ),
    )


def lead_metrics(findings: Findings, climate: str) -> dict[str, float]:
    """Return the differences of `lead_table` and the ends of their intervals, as flat metrics."""
    metrics = {}
    for lead in leads(findings, climate):
        score, _ = _SCORES[lead.score]
        name = f"{findings.prefix}lead_{score}_{lead.variable}_{climate}_{lead.other.name}"
        metrics[name] = lead.difference.mean
        metrics[f"{name}_low"] = lead.difference.low
        metrics[f"{name}_high"] = lead.difference.high
    return metrics
