"""Tables and flat metrics of the two-layer experiment."""

from collections.abc import Iterable

import numpy as np

from hybrid.experiments.medida_qg.cases import CASES, LABELS
from hybrid.experiments.medida_qg.findings import Findings
from hybrid.experiments.medida_qg.job import EVERYWHERE
from hybrid.experiments.medida_qg.online import FINER, N_TIME
from hybrid.experiments.medida_qg.online_job import NO_ERROR
from hybrid.experiments.medida_qg.scores import Score
from hybrid.experiments.medida_qg.settings import INTERPOLATORS, RECOMMENDED
from hybrid.experiments.result import Table

SUFFIXES = {"uncorrected": None, "corrected": "", "corrected_sparse": "_sparse"}
"""Of metrics, by model."""


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
    metrics |= _online(findings)
    metrics["mlp_over_rff_psi"] = metrics["psi_error_mlp"] / metrics["psi_error_rff"]
    metrics["mlp_over_rff_q"] = metrics["q_error_mlp"] / metrics["q_error_rff"]
    return metrics


def _online(findings: Findings) -> dict[str, float]:
    metrics = {
        "lyapunov_exponent": float(findings.lyapunov.exponent),
        "climate_floor": findings.floor,
    }
    own = findings.error(NO_ERROR, "uncorrected", "fine")
    if own is not None:
        metrics["forecast_fine_no_error"] = float(own[N_TIME])
    for case in CASES:
        before = findings.error(case, "uncorrected")
        if before is not None:
            metrics[f"forecast_uncorrected_{case}"] = float(before[N_TIME])
        for model, suffix in SUFFIXES.items():
            for against, prefix in (("growth", "forecast"), ("fine", "forecast_fine")):
                ratio = findings.error_ratio(case, model, against)
                if ratio is not None and suffix is not None:
                    metrics[f"{prefix}_{case}{suffix}"] = ratio
            found = findings.distance(case, model)
            if found is not None:
                end = "_uncorrected" if suffix is None else suffix
                metrics[f"climate_{case}{end}"] = found
    return metrics


def all_tables(findings: Findings) -> tuple[Table, ...]:
    """Return the tables of the report."""
    return (
        _cases(findings, EVERYWHERE, "From every point, without noise"),
        _cases(findings, RECOMMENDED, f"From sensors, {INTERPOLATORS[RECOMMENDED]}"),
        _interpolators(findings),
        _worst(findings),
        _forecasts(findings),
        _climates(findings),
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


def _forecasts(findings: Findings) -> Table:
    rows: dict[str, tuple[float | None, ...]] = {}
    for case in CASES:
        before = findings.error(case, "uncorrected")
        ratios = [
            findings.error_ratio(case, model, against)
            for against in ("growth", "fine")
            for model in ("corrected", "corrected_sparse")
        ]
        finite = (None if ratio is None or not np.isfinite(ratio) else ratio for ratio in ratios)
        rows[f"{case}: {LABELS[case]}"] = (
            None if before is None else float(before[N_TIME]),
            *finite,
        )
    own = findings.error(NO_ERROR, "uncorrected", "fine")
    steps = "" if own is None else f", {own[N_TIME]:.2g} deviations without another"
    return Table(
        "Forecast error after a Lyapunov time",
        (
            "uncorrected",
            "every point, ratio",
            "sensors, ratio",
            "every point, fine steps",
            "sensors, fine steps",
        ),
        rows,
        "Root mean square error of q from the same true states, in standard deviations of the "
        "eddies [1], and that of the corrected models relative to it [1]. The truth has the time "
        "step of the models, so that only equations differ; against one in steps of 1 / "
        f"{FINER}, errors hold that of the time step as well{steps}. Uncorrected models that "
        f"are lost, and not counted: {', '.join(findings.lost) or 'none'}.",
    )


def _climates(findings: Findings) -> Table:
    cases = [case for case in CASES if findings.distance(case, "corrected") is not None]
    return Table(
        "Distance of climates",
        ("uncorrected", "corrected, every point", "corrected, sensors"),
        {
            f"{case}: {LABELS[case]}": tuple(findings.distance(case, model) for model in SUFFIXES)
            for case in cases
        },
        "Wasserstein distance of the distribution of q to that of the truth, mean of both layers, "
        f"in standard deviations of the truth [1]. Chance alone makes up to {findings.floor:.3g}: "
        "mean and three standard deviations of runs of the truth as long, each against the others. "
        "Empty: the run was lost.",
    )
