"""Tables and flat metrics of the experiment."""

from collections.abc import Mapping

import numpy as np

from hybrid.experiments.result import Table
from hybrid.experiments.smarl.budgets import budgets
from hybrid.experiments.smarl.candidates import CANDIDATES
from hybrid.experiments.smarl.few_snapshots import few_snapshots_metrics, few_snapshots_table
from hybrid.experiments.smarl.findings import MOST_LSE, MOST_TAIL, MOST_W1, Findings
from hybrid.experiments.smarl.settings import TRAINED

METRICS = ("lse", "w1", "t3", "t4", "blowups")
"""Scores of a climate, see `scores`."""

_COLUMNS = ("spectrum error", "Wasserstein distance", "beyond 3 sd", "beyond 4 sd", "lost")


def flat_metrics(findings: Findings) -> dict[str, float]:
    """Return medians over seeds by closure, in other regimes with the regime as suffix."""
    metrics: dict[str, float] = {}
    for regime in findings.regimes:
        suffix = "" if regime == TRAINED else f"_{regime}"
        for name in findings.scores[regime]:
            for metric in METRICS:
                metrics[f"{metric}_{name}{suffix}"] = findings.middle(regime, name, metric)
        for metric, value in findings.best_scores[regime].items():
            metrics[f"{metric}_best_learned{suffix}"] = value
        for metric, value in findings.floors[regime].items():
            if metric != "blowups":
                metrics[f"{metric}_floor{suffix}"] = value
    metrics |= _of_trainings(findings) | few_snapshots_metrics(findings)
    for name, cost in findings.costs.items():
        metrics[f"cost_{name}"] = cost
    metrics["cost_best_learned"] = findings.costs[findings.best[0]]
    # Where nothing is finite there is no number.
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def _of_trainings(findings: Findings) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for name, found in findings.trained.items():
        metrics[f"passed_{name}"] = float(findings.n_pass(name))
        metrics[f"validation_{name}"] = float(np.median([run.validation for run in found]))
        if CANDIDATES[name].learned:
            metrics[f"learned_{name}"] = float(findings.n_learned(name))
            gains = [findings.gains(name, seed) for seed in range(len(found))]
            for which in gains[0]:
                middle = np.median([each[which][0] for each in gains])
                metrics[f"gain_{which}_{name}"] = float(middle)
    return metrics


def all_tables(findings: Findings) -> tuple[Table, ...]:
    """Return the tables of the report."""
    regimes = (_regime(findings, regime) for regime in findings.regimes)
    few = (few_snapshots_table(findings),) if findings.few else ()
    return (*regimes, _seeds(findings), _gains(findings), *few, budgets(findings))


def _regime(findings: Findings, regime: str) -> Table:
    rows: dict[str, tuple[float | None, ...]] = {}
    ordered = sorted(findings.scores[regime], key=lambda name: CANDIDATES[name].apart)
    for name in ordered:
        middle = {metric: findings.middle(regime, name, metric) for metric in METRICS}
        n_run = sum(made.sizes["run"] for made in findings.climates[regime][name])
        apart = " (apart)" if CANDIDATES[name].apart else ""
        rows[CANDIDATES[name].label + apart] = (
            *_shown(middle),
            float(n_run),
            findings.costs[name],
        )
    floor = {**findings.floors[regime], "blowups": np.nan}
    rows["half of the truth beside the other"] = (*_shown(floor), None, None)
    what = "trained in" if regime == TRAINED else "nothing retuned"
    return Table(
        f"{findings.regimes[regime].label} ({what})",
        (*_COLUMNS, "runs", "cost"),
        rows,
        "Medians over seeds. Error of the spectrum: root mean square over wavenumbers of log10 of "
        "enstrophy over the truth's. Wasserstein distance of vorticity in the truth's standard "
        "deviations. Beyond: log10 of how many times as many values as the truth has. Lost: runs "
        "of all seeds that did not reach their end. Cost: of a step, in steps with constant Leith. "
        "Apart: rewarded for the spectrum alone.",
    )


def _shown(scores: Mapping[str, float]) -> list[float | None]:
    """Return the scores of a row, None where there is no number."""
    values = (scores[metric] for metric in METRICS)
    return [value if np.isfinite(value) else None for value in values]


def _seeds(findings: Findings) -> Table:
    rows: dict[str, tuple[float | None, ...]] = {}
    for name, found in findings.trained.items():
        for seed, training in enumerate(found):
            got = findings.scores[TRAINED][name][seed]
            rows[f"{CANDIDATES[name].label}, seed {seed}"] = (
                *_shown(got),
                float(training.validation),
                float(findings.passes(got)),
            )
    tails = " and ".join(f"{most:g}" for most in MOST_TAIL.values())
    return Table(
        "Every seed, in the regime of the training",
        (*_COLUMNS, "validation", "passes"),
        rows,
        f"Passes: spectrum error at most {MOST_LSE:g} times dynamic Leith's, Wasserstein distance "
        f"at most {MOST_W1:g} times its or twice the truth's own, tails within {tails}, no run "
        "lost. Validation: reward for spectrum and moments, of the runs that the best one is "
        "chosen by.",
    )


def _gains(findings: Findings) -> Table:
    """Return what learning has brought, episode by episode."""
    rows: dict[str, tuple[float | None, ...]] = {}
    for name, found in findings.trained.items():
        if not CANDIDATES[name].learned:
            continue
        for seed, training in enumerate(found):
            gains = findings.gains(name, seed)
            rows[f"{CANDIDATES[name].label}, seed {seed}"] = (
                float(training.found.mean()),
                *gains["start"],
                *gains.get("constant", (None, None)),
            )
    return Table(
        "Rewards of single episodes of the validation",
        ("reward", "minus the start's", "+-", "minus constant Smagorinsky's", "+-"),
        rows,
        "Means over episodes that begin with the same states; +-: one standard error of the paired "
        "difference. Start: the policy that the search began with. Constant Smagorinsky: of the "
        "tuned ones that with the best mean.",
    )
