"""What each imperfect model lacks, found from every grid point and from sparse noisy sensors."""

from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.medida_qg.cases import CASES
from hybrid.experiments.medida_qg.figures import all_figures
from hybrid.experiments.medida_qg.findings import Findings
from hybrid.experiments.medida_qg.job import (
    EVERYWHERE,
    Job,
    discoveries,
    do,
    interpolated,
    observe,
    truth,
)
from hybrid.experiments.medida_qg.online import N_TIME
from hybrid.experiments.medida_qg.online_job import (
    MODELS,
    NO_ERROR,
    OnlineJob,
    archive,
    beside,
    lyapunov,
)
from hybrid.experiments.medida_qg.online_job import do as do_online
from hybrid.experiments.medida_qg.online_job import run as run_online
from hybrid.experiments.medida_qg.settings import (
    INTERPOLATORS,
    NOISE,
    PRESETS,
    RECOMMENDED,
    SHARE,
    Settings,
)
from hybrid.experiments.medida_qg.tables import all_tables, flat_metrics
from hybrid.experiments.pool import run_jobs
from hybrid.experiments.result import ExperimentResult, Request


def run(request: Request) -> ExperimentResult:
    """Make samples of nature, interpolate their sensors, discover, and compare."""
    settings = PRESETS[request.preset]
    findings, archives = _findings(request, settings)
    metrics = flat_metrics(findings)
    n_full = sum(metrics[f"terms_ok_{case}"] for case in CASES)
    n_sparse = sum(metrics[f"terms_ok_{case}_sparse"] for case in CASES)
    nature, online = settings.truth.nature, settings.online
    return ExperimentResult(
        name="medida-qg",
        headline=(
            f"two-layer jet, {nature.nx} x {nature.ny} points: right terms in {n_full:.0f} of "
            f"{len(CASES)} models from every point, in {n_sparse:.0f} from {100 * SHARE:g} % "
            f"sensors with {100 * NOISE:g} % noise; every model run with what was found"
        ),
        metrics=metrics,
        settings={
            "nx": nature.nx,
            "ny": nature.ny,
            "dt": nature.dt,
            "viscosity": nature.viscosity,
            "n_sample": settings.truth.n_sample,
            "sensors": SHARE,
            "noise": NOISE,
            "n_epoch": settings.n_epoch,
            "interpolator": RECOMMENDED,
            "online_nx": online.nature.nx,
            "online_ny": online.nature.ny,
            "online_dt": online.nature.dt,
            "n_member": online.n_member,
            "climate_time": online.climate[0],
            "lyapunov_time": N_TIME * float(findings.beside.attrs["every"]),
        },
        choices={
            "best_interpolator": findings.best(),
            "lost": ", ".join(findings.lost),
            "climate_cases": ", ".join(online.climate_cases),
        },
        tables=all_tables(findings),
        figures=all_figures(findings),
        archives=archives,
        generated_data=True,
    )


def _findings(request: Request, settings: Settings) -> tuple[Findings, tuple[Path, ...]]:
    n_sample = settings.truth.n_sample
    states = [Job(name, i) for name in INTERPOLATORS for i in range(n_sample)]
    found = [Job(name) for name in (EVERYWHERE, *INTERPOLATORS)]
    runs = [OnlineJob(case) for case in (NO_ERROR, *CASES)]
    n_stage = 3 + len(states) + len(found) + len(runs)
    checkpoint = Checkpoint.open(request, {"settings": repr(settings)}, n_stage)
    q = truth(checkpoint, settings, request.task("samples of nature"))
    work = partial(do, checkpoint=checkpoint, settings=settings)
    for jobs, text in ((states, "states from sensors"), (found, "discoveries")):
        run_jobs(request, work, jobs, text)
    on_progress = request.task("runs of nature")
    exponent = lyapunov(checkpoint, settings, on_progress)
    nature_runs = beside(checkpoint, settings, on_progress)
    do_run = partial(do_online, checkpoint=checkpoint, settings=settings, out=request.out)
    run_jobs(request, do_run, runs, "runs of the models")
    psi = {
        name: np.stack([interpolated(checkpoint, settings, name, i) for i in range(n_sample)])
        for name in INTERPOLATORS
    }
    tables: dict[str, xr.Dataset] = {
        job.interpolator: discoveries(checkpoint, settings, job.interpolator) for job in found
    }
    online = {
        job.case: run_online(job, lambda _fraction: None, checkpoint=checkpoint, settings=settings,
                             out=request.out)
        for job in runs
    }  # fmt: skip
    archives = tuple(
        path
        for case in CASES
        for name in MODELS
        if (path := archive(request.out, case, name)).is_file()
    )
    findings = Findings(
        settings.truth.nature,
        q,
        psi,
        tables,
        observe(checkpoint, settings, q),
        online,
        nature_runs,
        exponent,
    )
    return findings, archives
