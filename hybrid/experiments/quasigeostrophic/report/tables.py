"""Tables and flat metrics of the experiment."""

import numpy as np

from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES, NONE
from hybrid.experiments.quasigeostrophic.learning.exchange import rates
from hybrid.experiments.quasigeostrophic.report.energy_tables import energy_metrics, energy_table
from hybrid.experiments.quasigeostrophic.report.findings import KINDS, Findings, Interval, shown
from hybrid.experiments.quasigeostrophic.report.learning_tables import (
    learning_metrics,
    learning_tables,
)
from hybrid.experiments.quasigeostrophic.report.second_half_tables import (
    second_half_metrics,
    second_half_table,
)
from hybrid.experiments.quasigeostrophic.runs.climate import BLEW_UP, is_lost
from hybrid.experiments.quasigeostrophic.runs.configurations import YEAR
from hybrid.experiments.quasigeostrophic.scores.similarity import DISTRIBUTIONAL, METRICS, WORST
from hybrid.experiments.quasigeostrophic.settings import CHOSEN_IN, OPERATOR
from hybrid.experiments.result import Table


def flat_metrics(findings: Findings) -> dict[str, float]:
    """Return everything in flat names; what is not finite is left out."""
    metrics: dict[str, float] = {}
    for where in findings.configurations:
        for kind in KINDS:
            for model in findings.climates[where]:
                found = findings.interval(where, model, kind)
                metrics[f"similarity_{where}_{kind}_{model}"] = found.value
                metrics[f"similarity_{where}_{kind}_{model}_interval"] = found.half
                single = findings.single(where, model, kind)
                metrics[f"similarity_{where}_{kind}_{model}_single"] = single
            metrics[f"similarity_{where}_{kind}_floor"] = findings.floor(where, kind)
        metrics |= _metrics_of_models(findings, where)
        metrics |= energy_metrics(findings, where)
        metrics |= second_half_metrics(findings, where)
        for kind, scores in findings.ceilings.get(where, {}).items():
            for name, value in scores.items():
                metrics[f"ceiling_{where}_{name}_{kind}"] = value
        prefix = "offline" if where == CHOSEN_IN else f"offline_{where}"
        for name, value in rates(findings.targets[where]).items():
            metrics[f"{prefix}_target_energy_{name}"] = value
        for model, offline in findings.offline[where].items():
            for name, value in offline.scores.items():
                metrics[f"{prefix}_{name}_{model}"] = value
    for model, (seconds, ratio) in findings.costs.items():
        metrics[f"cost_{model}"] = ratio
        metrics[f"step_seconds_{model}"] = seconds
    metrics |= learning_metrics(findings)
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def _metrics_of_models(findings: Findings, where: str) -> dict[str, float]:
    """Return runs, every score, and what the best is ahead by, of each model, in flat names."""
    metrics: dict[str, float] = {}
    for model, runs in findings.climates[where].items():
        metrics[f"runs_{where}_{model}"] = float(len(runs))
        metrics[f"blowups_{where}_{model}"] = float(findings.n_lost(where, model))
        for name, value in findings.by_metric(where, model).items():
            metrics[f"similarity_{where}_{name}_{model}"] = value
        for kind in ("mean", "min"):
            if model != findings.best:
                ahead = findings.ahead(where, findings.best, model, kind)
                metrics[f"ahead_{where}_{kind}_{model}"] = ahead.value
                metrics[f"ahead_{where}_{kind}_{model}_interval"] = ahead.half
    return metrics


def all_tables(findings: Findings) -> tuple[Table, ...]:
    """Return the tables of the report."""
    online = (online_table(findings, where) for where in findings.configurations)
    ahead = (ahead_table(findings, where) for where in findings.configurations)
    later = (second_half_table(findings, where) for where in findings.configurations)
    single = (metrics_table(findings, where) for where in findings.configurations)
    held = (ceiling_table(findings, where) for where in findings.ceilings)
    energy = (energy_table(findings, where) for where in findings.configurations)
    some = [table for table in (*learning_tables(findings), lost_table(findings)) if table.rows]
    return (*online, *ahead, *later, *held, offline_table(findings), *energy, *single, *some)


def online_table(findings: Findings, where: str) -> Table:
    """Return the summaries of the scores of every model in a configuration."""
    rows = {
        CANDIDATES[model].label: (
            *shown(*(findings.interval(where, model, kind) for kind in KINDS)),
            *shown(Interval(findings.single(where, model, "mean"), np.nan))[:1],
            float(len(findings.climates[where][model])),
            float(findings.n_lost(where, model)),
            findings.costs[model][1],
        )
        for model in findings.climates[where]
    }
    floor = shown(*(Interval(findings.floor(where, kind), np.nan) for kind in KINDS))
    rows["half of the truth, beside the other"] = (
        *floor,
        None,
        float(len(findings.truths[where])),
        None,
        None,
    )
    return Table(
        f"Online similarity to the truth: {where}",
        (*(name for kind in KINDS for name in (kind, "+-")), "single", "runs", "lost", "cost"),
        rows,
        "1 is the truth, 0 the coarse model without closure; mean and worst of 18 scores, and "
        "means of the 10 of distributions and the 8 of spectra. The runs of a model, from initial "
        "states of their own, are held together against those of the truth from the same states; "
        "+-: half the 95 % interval, from what comes out without each of the seeds. Single: mean "
        "of the scores of single runs, which chance keeps lower, in units of the distance of all "
        "runs without closure. More runs have higher scores, as chance is less: models with unlike "
        "numbers compare in the table below. The last row is a mean over random halves. Lost: runs "
        "that did not stay finite. Cost: processor time of a step, in steps of the coarse model "
        "without closure.",
    )


def ahead_table(findings: Findings, where: str) -> Table:
    """Return by how much the best closure is ahead of every other."""
    rows = {}
    for model in findings.climates[where]:
        if model == findings.best or findings.n_lost(where, model):
            continue
        if findings.n_lost(where, findings.best):
            continue
        both = (findings.ahead(where, findings.best, model, kind) for kind in ("mean", "min"))
        rows[CANDIDATES[model].label] = shown(*both)
    return Table(
        f"{CANDIDATES[findings.best].label} ahead of others: {where}",
        ("mean", "+-", "min", "+-"),
        rows,
        "Differences of scores, of runs from the same initial states against the same truth, as "
        "many as both have; "
        "+-: half the 95 % interval, from what comes out without each of the seeds in both. The "
        f"closure is that with most of the mean and {WORST:g} of the worst on {CHOSEN_IN}.",
    )


def ceiling_table(findings: Findings, where: str) -> Table:
    """Return the scores of the truth itself on the coarse grid, beside those of the best."""
    held, best = findings.ceilings[where], findings.best
    own = findings.by_metric(where, best)
    rows: dict[str, tuple[float | None, ...]] = {
        metric: (*(scores[metric] for scores in held.values()), own.get(metric))
        for metric in DISTRIBUTIONAL
    }
    means = [float(np.mean([scores[m] for m in DISTRIBUTIONAL])) for scores in held.values()]
    rows["mean"] = (*means, findings.interval(where, best, "distributional").value)
    return Table(
        f"What the coarse grid can hold of the truth: {where}",
        ("truth, truncated", "truth, truncated and filtered", CANDIDATES[best].label),
        rows,
        "Scores of distributions, of the truth's own states, brought onto the coarse grid by "
        "leaving out shorter waves, and with the coarse model's filter on top. A closure whose "
        "large scales are the truth's has these scores, where the filter leaves the coarse model "
        "no more; higher ones come of other large scales, or of more small ones than there are.",
    )


def offline_table(findings: Findings) -> Table:
    """Return correlation and skill of the predicted subgrid tendency, upper and lower layer."""
    names = {
        **{name: name for name in ("corr_upper", "corr_lower", "r2_upper", "r2_lower")},
        "energy_given": "energy given",
        "energy_taken": "energy taken",
    }
    rows: dict[str, tuple[float | None, ...]] = {}
    for model in findings.offline[CHOSEN_IN]:
        values = [
            findings.offline[where][model].scores[name]
            for where in findings.configurations
            for name in names
        ]
        rows[CANDIDATES[model].label] = tuple(v if np.isfinite(v) else None for v in values)
    work = ", ".join(
        "{given:.2g} and {taken:.2g} m2 s-3 on {where}".format(**rates(target), where=where)
        for where, target in findings.targets.items()
    )
    columns = tuple(
        f"{name} {where}" for where in findings.configurations for name in names.values()
    )
    return Table(
        "Offline: the subgrid tendency of given states",
        columns,
        rows,
        f"Correlation and R2 over states of a run of the truth under operator {OPERATOR}, of the "
        "whole subgrid tendency (S_tot). Energy given, taken: work on the wavenumbers at which the "
        "target puts energy into the flow, and at which it takes energy out, in parts of the "
        f"target's; 1 is right. The target gives and takes {work}.",
    )


def metrics_table(findings: Findings, where: str) -> Table:
    """Return every similarity of every closure, of all seeds."""
    models = [m for m in findings.climates[where] if m != NONE and findings.by_metric(where, m)]
    rows: dict[str, tuple[float | None, ...]] = {
        name: tuple(findings.by_metric(where, model)[name] for model in models) for name in METRICS
    }
    return Table(
        f"Every score: {where}",
        tuple(CANDIDATES[model].label for model in models),
        rows,
        "Wasserstein-1 distances of distributions of the last states, and errors of spectra, by "
        "layer, 1 being the upper one.",
    )


def lost_table(findings: Findings) -> Table:
    """Return the runs that did not stay finite."""
    rows: dict[str, tuple[float | None, ...]] = {
        f"{CANDIDATES[model].label}, {where}, seed {seed}": (run.attrs[BLEW_UP] / YEAR,)
        for where in findings.configurations
        for model, runs in findings.climates[where].items()
        for seed, run in enumerate(runs)
        if is_lost(run)
    }
    for model, runs in findings.hosted.items():
        for seed, run in enumerate(runs):
            if is_lost(run):
                name = f"{CANDIDATES[model].label}, {CHOSEN_IN}, in Fortran, seed {seed}"
                rows[name] = (run.attrs[BLEW_UP] / YEAR,)
    return Table("Runs that did not stay finite", ("after years",), rows)
