"""Every model error of the study: found without and with noise, corrected, and run."""

import os
from collections.abc import Mapping
from functools import partial
from hashlib import sha256

from hybrid.experiments.medida_ks.figures import all_figures
from hybrid.experiments.medida_ks.findings import Findings
from hybrid.experiments.medida_ks.jobs import (
    NO_ERROR,
    RECORDS,
    Corrections,
    Job,
    discover_all,
    read,
    run_online,
    used,
    write_truth,
)
from hybrid.experiments.medida_ks.metrics import flat_metrics
from hybrid.experiments.medida_ks.settings import N_TIME, PRESETS
from hybrid.experiments.medida_ks.tables import all_tables
from hybrid.experiments.pool import run_all
from hybrid.experiments.result import ExperimentResult, Request

CONSISTENT = ("operator", "black_box")
"""Forms of the library of the noise-free cases, as in `noise_free.FORMS`."""


def run(request: Request) -> ExperimentResult:
    """Discover and correct the model errors of a preset."""
    settings = PRESETS[request.preset]
    n_process = 1 if request.preset == "test" else os.cpu_count() or 1
    seeds = [request.seed + i for i in range(settings.n_seed)]
    exact = [Job("noise_free", form, request.seed) for form in CONSISTENT]
    noisy = [Job("noisy", str(seed), seed) for seed in seeds]
    discoveries = [*exact, *noisy]
    run_all(
        partial(discover_all, out=request.out, settings=settings),
        discoveries,
        [job.name for job in discoveries],
        n_process,
        request.task(f"Discovery: {len(seeds)} seeds"),
    )
    found = {job.subject: read(job.file(request.out, settings)) for job in discoveries}

    exponent = settings.truth.lyapunov_exponent(settings.lyapunov_time, request.seed)
    dt = settings.truth.dt
    every = dt * round(1.0 / (exponent.value * N_TIME * dt))
    asked = sha256(repr((settings, request.seed, every)).encode()).hexdigest()[:12]
    truth = request.out / RECORDS / f"truth-{asked}.npz"
    write_truth(truth, settings, request.seed, every)
    corrections: dict[str, Corrections] = {
        case: {
            "corrected": [found["operator"][case]["terms"]],
            "corrected_n1": [
                found[str(seed)]["n1"][case]["terms"] for seed in seeds[: settings.n_online]
            ],
        }
        for case in settings.cases
    }
    corrections[NO_ERROR] = {}
    jobs = [Job("online", case, request.seed) for case in corrections]
    run_all(
        partial(
            run_online,
            out=request.out,
            settings=settings,
            corrections=corrections,
            truth=truth,
            every=every,
        ),
        jobs,
        [job.name for job in jobs],
        n_process,
        request.task(f"Runs: {len(jobs)} models"),
    )
    findings = Findings(
        settings,
        {form: found[form] for form in CONSISTENT},
        [found[str(seed)] for seed in seeds],
        {
            job.subject: read(
                job.file(request.out, settings, used(corrections[job.subject], truth))
            )
            for job in jobs
        },
        truth,
        every,
    )
    return _result(findings, exponent.value)


def _result(findings: Findings, exponent: float) -> ExperimentResult:
    settings = findings.settings
    metrics = flat_metrics(findings) | {"lyapunov_exponent": exponent}
    n_right = sum(metrics[f"terms_ok_{case}"] == 1.0 for case in settings.cases)
    n_noisy = sum(metrics[f"terms_ok_{case}_n1"] >= 0.9 for case in settings.cases)
    n_case = len(settings.cases)
    headline = (
        f"Model errors of the Kuramoto-Sivashinsky equation: {n_right} of {n_case} found without "
        f"noise, {n_noisy} with 1 % noise in at least 9 of 10 seeds"
    )
    truth = settings.truth
    values: Mapping[str, str | int | float] = {
        "nx": truth.nx,
        "length": truth.length,
        "dt": truth.dt,
        "n_sample": truth.n_sample,
        "n_case": n_case,
        "n_seed": settings.n_seed,
        "n_online": settings.n_online,
        "n_member": settings.n_member,
        "climate_time": settings.climate[0],
        "lyapunov_time": N_TIME * findings.every,
    }
    return ExperimentResult(
        name="medida-ks",
        headline=headline,
        metrics=metrics,
        settings=values,
        choices={"ill_posed": ", ".join(findings.ill_posed), "cases": ", ".join(settings.cases)},
        tables=tuple(all_tables(findings)),
        figures=tuple(all_figures(findings)),
    )
