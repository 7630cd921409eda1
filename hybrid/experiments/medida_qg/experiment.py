"""What each imperfect model lacks, found from every grid point and from sparse noisy sensors."""

import os
from functools import partial

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
from hybrid.experiments.medida_qg.settings import (
    INTERPOLATORS,
    NOISE,
    PRESETS,
    RECOMMENDED,
    SHARE,
    Settings,
)
from hybrid.experiments.medida_qg.tables import all_tables, flat_metrics
from hybrid.experiments.pool import run_all
from hybrid.experiments.result import ExperimentResult, Request


def run(request: Request) -> ExperimentResult:
    """Make samples of nature, interpolate their sensors, discover, and compare."""
    settings = PRESETS[request.preset]
    findings = _findings(request, settings)
    metrics = flat_metrics(findings)
    n_full = sum(metrics[f"terms_ok_{case}"] for case in CASES)
    n_sparse = sum(metrics[f"terms_ok_{case}_sparse"] for case in CASES)
    nature = settings.truth.nature
    return ExperimentResult(
        name="medida-qg",
        headline=(
            f"two-layer jet, {nature.nx} x {nature.ny} points: right terms in {n_full:.0f} of "
            f"{len(CASES)} models from every point, in {n_sparse:.0f} from {100 * SHARE:g} % "
            f"sensors with {100 * NOISE:g} % noise"
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
        },
        choices={"best_interpolator": findings.best()},
        tables=all_tables(findings),
        figures=all_figures(findings),
        generated_data=True,
    )


def _findings(request: Request, settings: Settings) -> Findings:
    n_sample = settings.truth.n_sample
    states = [Job(name, i) for name in INTERPOLATORS for i in range(n_sample)]
    found = [Job(name) for name in (EVERYWHERE, *INTERPOLATORS)]
    checkpoint = Checkpoint.open(request, {"settings": repr(settings)}, 1 + len(states + found))
    q = truth(checkpoint, settings, request.task("samples of nature"))
    n_process = 1 if request.preset == "test" else min(os.cpu_count() or 1, len(found))
    work = partial(do, checkpoint=checkpoint, settings=settings)
    for jobs, text in ((states, "states from sensors"), (found, "discoveries")):
        run_all(work, jobs, [job.name for job in jobs], n_process, request.task(text))
    psi = {
        name: np.stack([interpolated(checkpoint, settings, name, i) for i in range(n_sample)])
        for name in INTERPOLATORS
    }
    tables: dict[str, xr.Dataset] = {
        job.interpolator: discoveries(checkpoint, settings, job.interpolator) for job in found
    }
    return Findings(settings.truth.nature, q, psi, tables, observe(checkpoint, settings, q))
