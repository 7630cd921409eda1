"""Closures of two-dimensional turbulence: searched for, learned, and run in several regimes."""

from pathlib import Path

import numpy as np

import hybrid
from closures.turbulence import EddyViscosity as EddyViscosityClosure
from closures.turbulence import LinearPolicy as LinearPolicyClosure
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.pool import run_jobs
from hybrid.experiments.result import ExperimentResult, Request
from hybrid.experiments.smarl.candidates import CANDIDATES
from hybrid.experiments.smarl.costs import step_costs
from hybrid.experiments.smarl.figures import all_figures
from hybrid.experiments.smarl.findings import DYNAMIC, Findings
from hybrid.experiments.smarl.job import ClimateJob, Job, Training, TruthJob
from hybrid.experiments.smarl.searching import PAIR
from hybrid.experiments.smarl.settings import FEW, PRESETS, TRAINED, Settings
from hybrid.experiments.smarl.stages import Stages
from hybrid.experiments.smarl.tables import all_tables, flat_metrics
from hybrid.experiments.smarl.truth import PARTS

_UNIT_OF_COST = "leith"


def run(request: Request) -> ExperimentResult:
    """Make truths, search and learn, run everything in every regime, and compare."""
    settings = PRESETS[request.preset]
    stages, findings = _findings(request, settings)
    name, seed = findings.best
    best = findings.best_scores[TRAINED]
    metrics = flat_metrics(findings)
    return ExperimentResult(
        name="smarl",
        headline=(
            f"turbulence on {settings.regimes[TRAINED].n_coarse} points a side: spectrum error "
            f"{best['lse']:.3f} with the best learned closure, "
            f"{metrics[f'lse_{DYNAMIC}']:.3f} with dynamic Leith, "
            f"{metrics[f'lse_{PAIR}']:.3f} with two tuned constants"
        ),
        metrics=metrics,
        settings={
            "n_seed": settings.n_seed,
            "budget": settings.budget,
            "n_run": settings.test.n_run,
            "run_time": settings.test.time,
            "spin_up": settings.test.spin_up,
            **{
                f"truth_time_{part}": time
                for part, time in zip(PARTS, settings.truth_time, strict=True)
            },
        },
        choices={
            "best_learned": name,
            "best_learned_seed": str(seed),
            "trained_in": TRAINED,
            "regimes": ", ".join(findings.regimes),
        },
        tables=all_tables(findings),
        figures=all_figures(findings),
        archives=_exported(request.out, findings, stages),
        generated_data=True,
    )


def _findings(request: Request, settings: Settings) -> tuple[Stages, Findings]:
    truths = [
        TruthJob(regime, part)
        for regime in settings.regimes
        for part in PARTS
        if part == "test" or regime == TRAINED
    ]
    seeds: dict[str, list[int | None]] = {
        name: [*range(settings.n_seed)] if CANDIDATES[name].learner else [None]
        for name in settings.candidates
    }
    trainings = [
        Training(name, seed) for name, some in seeds.items() for seed in some if seed is not None
    ]
    of_few = [
        Training(FEW, seed, n_snapshot)
        for n_snapshot in settings.few
        for seed in range(settings.n_seed)
    ]
    runs = [
        ClimateJob(name, seed, regime)
        for regime in settings.regimes
        for name, some in seeds.items()
        for seed in some
    ]
    parts: tuple[tuple[str, list[Job]], ...] = (
        ("truths", [*truths]),
        ("searches and trainings", [*trainings, *of_few]),
        ("runs of the closures", [*runs, *map(_in_training, of_few)]),
    )
    n_stage = sum(len(jobs) for _, jobs in parts)
    checkpoint = Checkpoint.open(request, {"settings": repr(settings)}, n_stage)
    stages = Stages(checkpoint, settings, request.out / "tensorboard")
    for text, jobs in parts:
        run_jobs(request, stages.do, jobs, text)
    models = {name: stages.model(name, some[0]) for name, some in seeds.items()}
    first = stages.target(TRAINED).states[0]
    findings = Findings(
        regimes=settings.regimes,
        truths={regime: stages.target(regime) for regime in settings.regimes},
        trained={
            name: [stages.trained(job) for job in trainings if job.candidate == name]
            for name in dict.fromkeys(job.candidate for job in trainings)
        },
        climates={
            regime: {
                name: [stages.climate(ClimateJob(name, seed, regime)) for seed in some]
                for name, some in seeds.items()
            }
            for regime in settings.regimes
        },
        n_state=len(stages.truth(TruthJob(TRAINED, "training")).states),
        few={
            n_snapshot: [
                stages.climate(_in_training(job)) for job in of_few if job.n_snapshot == n_snapshot
            ]
            for n_snapshot in settings.few
        },
        costs=step_costs(models, first, _UNIT_OF_COST, settings.n_round),
    )
    return stages, findings


def _in_training(job: Training) -> ClimateJob:
    """Return the runs of what a search has found, in the regime of the training."""
    return ClimateJob(job.candidate, job.seed, TRAINED, job.n_snapshot)


def _exported(out: Path, findings: Findings, stages: Stages) -> tuple[Path, ...]:
    """Write the best learned closure and the pair of constants as archives."""
    name, seed = findings.best
    truth = findings.truths[TRAINED]
    spacing, largest = (truth.grid.dy, truth.grid.dx), float(np.abs(truth.states).max())
    paths = []
    for candidate, chosen, file in ((name, seed, "best_learned"), (PAIR, 0, PAIR)):
        make = EddyViscosityClosure if CANDIDATES[candidate].constant else LinearPolicyClosure
        # An archive has no memory: it finds coefficients in every call.
        choice = vars(stages.viscosity(candidate, chosen)).copy()
        choice.pop("update_interval", None)
        path = out / f"{file}.pt"
        hybrid.export(make(spacing, **choice, largest_vorticity=largest), path)
        paths.append(path)
    return tuple(paths)
