"""Scores from the second half of the initial states: free of choices that the first half led to."""

from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES, NONE
from hybrid.experiments.quasigeostrophic.report.findings import Findings, Interval, shown
from hybrid.experiments.result import Table

_KINDS = ("mean", "min")


def second_half_metrics(findings: Findings, where: str) -> dict[str, float]:
    """Return these scores, and by how much the best is ahead there, in flat names."""
    metrics: dict[str, float] = {}
    for model, scores in _scores(findings, where).items():
        for kind, found in zip(_KINDS, scores, strict=True):
            metrics[f"second_half_{where}_{kind}_{model}"] = found.value
            metrics[f"second_half_{where}_{kind}_{model}_interval"] = found.half
    for model, differences in _ahead(findings, where).items():
        for kind, found in zip(_KINDS, differences, strict=True):
            metrics[f"ahead_second_half_{where}_{kind}_{model}"] = found.value
            metrics[f"ahead_second_half_{where}_{kind}_{model}_interval"] = found.half
    return metrics


def second_half_table(findings: Findings, where: str) -> Table:
    """Return these scores, and by how much the best is ahead there."""
    ahead, none = _ahead(findings, where), Interval(float("nan"), float("nan"))
    rows = {
        CANDIDATES[model].label: shown(*scores, *ahead.get(model, (none, none)))
        for model, scores in _scores(findings, where).items()
    }
    n = len(findings.second_half.truths[where])
    return Table(
        f"Second half of the initial states: {where}",
        ("mean", "+-", "min", "+-", "best ahead, mean", "+-", "best ahead, min", "+-"),
        rows,
        f"Scores of {n} runs, the second half of those of the best, of models that were run from "
        "these states too, against those of the truth from the same states. The best is that of "
        "all runs. +-: half the 95 % interval.",
    )


def _scores(findings: Findings, where: str) -> dict[str, list[Interval]]:
    """Return mean and worst score of every model with a closure or another grid."""
    half = findings.second_half
    models = [name for name in half.climates[where] if name != NONE]
    return {name: [half.interval(where, name, kind) for kind in _KINDS] for name in models}


def _ahead(findings: Findings, where: str) -> dict[str, list[Interval]]:
    """Return by how much the best, that of all runs, is ahead of every other."""
    half, best = findings.second_half, findings.best
    if best not in half.climates[where]:
        return {}
    others = [name for name in half.climates[where] if name not in (NONE, best)]
    return {name: [half.ahead(where, best, name, kind) for kind in _KINDS] for name in others}
