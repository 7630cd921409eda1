"""Multi-fidelity closures on every test bed: trained, scored in unseen climates, compiled."""

import os
from functools import partial
from hashlib import sha256
from pathlib import Path

from hybrid.experiments.multifidelity.bed import Bed, Tables
from hybrid.experiments.multifidelity.candidates import by_name
from hybrid.experiments.multifidelity.columns import column_bed, column_tables
from hybrid.experiments.multifidelity.figures import all_figures
from hybrid.experiments.multifidelity.job import Job, Scored, do
from hybrid.experiments.multifidelity.settings import PRESETS
from hybrid.experiments.multifidelity.tables import (
    Findings,
    comparison_table,
    flat_metrics,
    labels,
    score_tables,
)
from hybrid.experiments.pool import run_all
from hybrid.experiments.result import ExperimentResult, Figure, Request, Table

RESULTS = "trainings"
"""Folder of the trainings, below that of the experiment; what is done is not done again."""


def run(request: Request) -> ExperimentResult:
    """Train and score the candidates of a preset on its test beds."""
    settings = PRESETS[request.preset]
    metrics: dict[str, float] = {}
    tables: list[Table] = []
    figures: list[Figure] = []
    choices: dict[str, str] = {}
    headlines = []
    for name in settings.beds:
        bed = column_bed()
        findings = _findings(request, bed)
        metrics |= flat_metrics(findings)
        choices |= labels(findings) | {f"best_{name}": findings.best()}
        for climate in findings.climates:
            tables += score_tables(findings, climate)
        if settings.n_seed > 1:
            tables += [comparison_table(findings, climate) for climate in bed.shifted]
        figures += all_figures(findings)
        label = by_name(choices[f"best_{name}"]).label
        headlines.append(f"{bed.title}: {label} has the least CRPS in the climate never seen")
    return ExperimentResult(
        name="multifidelity",
        headline="; ".join(headlines),
        metrics=metrics,
        settings={
            "n_seed": settings.n_seed,
            "n_member": settings.n_member,
            "widths": ", ".join(map(str, settings.widths)),
            "n_epoch": settings.n_epoch,
            "moments_low": settings.columns.low,
            "moments_high": settings.columns.high,
        },
        choices=choices,
        tables=tuple(tables),
        figures=tuple(figures),
        generated_data=True,
    )


def _findings(request: Request, bed: Bed) -> Findings:
    settings = PRESETS[request.preset]
    # Named after the sizes: samples of others are not taken for these.
    digest = sha256(repr(settings.columns).encode()).hexdigest()[:12]
    data = request.out / "samples" / f"{bed.name}-{digest}"
    if Tables.read(data) is None:
        task = request.task(f"{bed.title}: samples")
        column_tables(settings.columns, task).write(data)
    candidates = [by_name(name) for name in settings.candidates]
    jobs = [
        Job(bed.name, candidate, request.seed + i)
        for candidate in candidates
        for i in range(settings.n_seed)
    ]
    out = request.out / RESULTS
    run_all(
        partial(do, bed=bed, data=data, out=out, settings=settings),
        jobs,
        [job.name for job in jobs],
        1 if request.preset == "test" else os.cpu_count() or 1,
        request.task(f"{bed.title}: {len(jobs)} trainings"),
    )
    scored = {
        candidate.name: [
            Scored.read(_folder(out, job)) for job in jobs if job.candidate is candidate
        ]
        for candidate in candidates
    }
    return Findings(bed, scored, candidates)


def _folder(out: Path, job: Job) -> Path:
    return out / job.name
