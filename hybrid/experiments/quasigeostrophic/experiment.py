"""The benchmark of Ross et al. (2023): closures online, offline, and what they cost."""

from pathlib import Path

from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.pool import run_jobs
from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.costs import step_costs
from hybrid.experiments.quasigeostrophic.figures import all_figures
from hybrid.experiments.quasigeostrophic.findings import Findings
from hybrid.experiments.quasigeostrophic.job import (
    TRUTH,
    DataJob,
    Job,
    PairsJob,
    RunJob,
    SearchJob,
    TrainingJob,
)
from hybrid.experiments.quasigeostrophic.settings import CHOSEN_IN, PRESETS, Settings
from hybrid.experiments.quasigeostrophic.stages import Stages
from hybrid.experiments.quasigeostrophic.tables import all_tables, flat_metrics
from hybrid.experiments.result import ExperimentResult, Request


def run(request: Request) -> ExperimentResult:
    """Run truths and every model from the same initial states, and compare."""
    settings = PRESETS[request.preset]
    archives, findings = _findings(request, settings)
    best = findings.best
    metrics = flat_metrics(findings)
    scores = ", ".join(
        f"mean {findings.interval(where, best, 'mean').value:.2f} and worst "
        f"{findings.interval(where, best, 'min').value:.2f} on {where}"
        for where in findings.configurations
    )
    return ExperimentResult(
        name="quasigeostrophic",
        headline=(
            f"two-layer flow, {settings.configurations[CHOSEN_IN].n_truth} to "
            f"{settings.configurations[CHOSEN_IN].n_coarse} points a side: similarity to the "
            f"truth with {CANDIDATES[best].label}: {scores}"
        ),
        metrics=metrics,
        settings={
            "n_seed": settings.n_seed,
            "years": settings.duration.years,
            "spin_up_years": settings.duration.spin_up,
            "n_snapshot": settings.duration.n_snapshot,
            "pairs_years": settings.pairs_years,
            **({"search": repr(settings.search)} if settings.n_search else {}),
            **({"learning": repr(settings.learning)} if settings.plans else {}),
            **{f"n_truth_{name}": c.n_truth for name, c in settings.configurations.items()},
            **{f"n_coarse_{name}": c.n_coarse for name, c in settings.configurations.items()},
        },
        choices={
            "best": best,
            "chosen_in": CHOSEN_IN,
            "configurations": ", ".join(settings.configurations),
        },
        tables=all_tables(findings),
        figures=all_figures(findings),
        archives=archives,
        generated_data=True,
    )


def _findings(request: Request, settings: Settings) -> tuple[tuple[Path, ...], Findings]:
    where, seeds = settings.configurations, range(settings.n_seed)
    truths = [RunJob(TRUTH, name, seed) for name in where for seed in seeds]
    pairs = [PairsJob(name) for name in where]
    runs = [RunJob(m, name, seed) for name in where for m in settings.candidates for seed in seeds]
    searches = [SearchJob(i) for i in range(settings.n_search)]
    data = _data(settings)
    trainings = [TrainingJob(plan) for plan in settings.plans]
    jobs: list[Job] = [*truths, *pairs, *searches, *data, *trainings, *runs]
    checkpoint = Checkpoint.open(request, {"settings": repr(settings)}, len(jobs))
    stages = Stages(checkpoint, settings, request.out / "closures")
    run_jobs(request, stages.do, truths, "runs of the truth")
    run_jobs(request, stages.do, pairs, "states and subgrid tendencies")
    run_jobs(request, stages.do, searches, "searches for coefficients")
    run_jobs(request, stages.do, data, "what networks learn from")
    on_states, in_runs = (
        [job for job in trainings if (job.plan.begins_as is None) == first]
        for first in (True, False)
    )
    run_jobs(request, stages.do, on_states, "trainings on states")
    run_jobs(request, stages.do, in_runs, "trainings in runs")
    archives = stages.export()
    run_jobs(request, stages.do, runs, "runs of the models")
    timed = {model: stages.started(model, CHOSEN_IN) for model in settings.candidates}
    return archives, Findings(
        truths={n: [stages.climate(RunJob(TRUTH, n, seed)) for seed in seeds] for n in where},
        climates={
            n: {
                m: [stages.climate(RunJob(m, n, seed)) for seed in seeds]
                for m in settings.candidates
            }
            for n in where
        },
        offline={
            n: {m: found for m in settings.candidates if (found := stages.offline(m, n))}
            for n in where
        },
        costs=step_costs(timed, settings.n_round),
        searches=stages.searches(),
        trained=stages.trained(),
    )


def _data(settings: Settings) -> list[DataJob]:
    """Return the runs of the truth that networks learn from, if there is one."""
    n_states = settings.learning.n_run if settings.plans else 0
    in_runs = any(plan.begins_as is not None for plan in settings.plans)
    n_trajectories = settings.learning.n_trajectory_run if in_runs else 0
    return [
        *(DataJob("states", i) for i in range(n_states)),
        *(DataJob("trajectories", i) for i in range(n_trajectories)),
    ]
