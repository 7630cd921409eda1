"""Tables and flat metrics of the two-layer experiment."""

from collections.abc import Iterable

import numpy as np

from hybrid.experiments.medida_qg.cases import CASES, LABELS
from hybrid.experiments.medida_qg.findings import Findings
from hybrid.experiments.medida_qg.job import EVERYWHERE
from hybrid.experiments.medida_qg.scores import Score
from hybrid.experiments.medida_qg.settings import INTERPOLATORS, RECOMMENDED
from hybrid.experiments.result import Table


def flat_metrics(findings: Findings) -> dict[str, float]:
    """Return scores by case, and by interpolator."""
    metrics: dict[str, float] = {}
    for name, suffix in ((EVERYWHERE, ""), (RECOMMENDED, "_sparse")):
        for case, score in findings.scores[name].items():
            metrics[f"eps_{case}{suffix}"] = score.after
            metrics[f"worst_{case}{suffix}"] = score.worst
            metrics[f"terms_ok_{case}{suffix}"] = float(score.right)
    for case, score in findings.scores[EVERYWHERE].items():
        metrics[f"eps_model_{case}"] = score.before
    for name in findings.psi:
        found = findings.scores[name].values()
        metrics[f"cases_right_{name}"] = float(sum(score.right for score in found))
        metrics[f"cases_good_{name}"] = float(findings.n_good(name))
        metrics[f"psi_error_{name}"], metrics[f"q_error_{name}"] = findings.errors[name]
        metrics[f"waves_{name}"] = float(findings.resolved_waves(name))
    metrics["mlp_over_rff_psi"] = metrics["psi_error_mlp"] / metrics["psi_error_rff"]
    metrics["mlp_over_rff_q"] = metrics["q_error_mlp"] / metrics["q_error_rff"]
    return metrics


def all_tables(findings: Findings) -> tuple[Table, ...]:
    """Return the tables of the report."""
    return (
        _cases(findings, EVERYWHERE, "From every point, without noise"),
        _cases(findings, RECOMMENDED, f"From sensors, {INTERPOLATORS[RECOMMENDED]}"),
        _interpolators(findings),
        _worst(findings),
    )


def _cases(findings: Findings, name: str, title: str) -> Table:
    rows = {
        f"{case}: {LABELS[case]}": (s.before, s.after, s.worst, float(s.right))
        for case, s in findings.scores[name].items()
    }
    return Table(
        title,
        ("model [%]", "corrected [%]", "worst coefficient [%]", "right terms"),
        rows,
        "Error of all coefficients of the model, before and after what was found is added; largest "
        "error of a coefficient that was looked for; 1 where the terms are exactly the right ones.",
    )


def _interpolators(findings: Findings) -> Table:
    rows = {
        INTERPOLATORS[name]: (
            float(sum(score.right for score in findings.scores[name].values())),
            float(findings.n_good(name)),
            _median_worst(findings.scores[name].values()),
            *findings.errors[name],
            float(findings.resolved_waves(name)),
        )
        for name in findings.psi
    }
    return Table(
        "From sensors, by interpolator",
        (
            "right terms",
            "and within 10 %",
            "worst coefficient [%]",
            "psi error [%]",
            "q error [%]",
            "waves",
        ),
        rows,
        f"Of {len(CASES)} models; the worst coefficient is the median over the models; waves are "
        "those along x of the upper streamfunction, counted up to the first whose error exceeds "
        "half its variance.",
    )


def _median_worst(scores: Iterable[Score]) -> float:
    return float(np.median([score.worst for score in scores]))


def _worst(findings: Findings) -> Table:
    def shown(score: Score) -> float | None:
        return score.worst if score.right else None

    return Table(
        "Worst coefficient [%] where the terms are right",
        tuple(INTERPOLATORS[name] for name in findings.psi),
        {
            case: tuple(shown(findings.scores[name][case]) for name in findings.psi)
            for case in CASES
        },
    )
