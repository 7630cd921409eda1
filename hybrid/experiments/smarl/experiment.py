"""Closures of two-dimensional turbulence: searched for, learned, and run in several regimes."""

import os
from functools import partial
from pathlib import Path

import numpy as np

import hybrid
from closures.turbulence import EddyViscosity as EddyViscosityClosure
from closures.turbulence import LinearPolicy as LinearPolicyClosure
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.pool import run_all
from hybrid.experiments.result import ExperimentResult, Request
from hybrid.experiments.smarl.candidates import CANDIDATES
from hybrid.experiments.smarl.costs import step_costs
from hybrid.experiments.smarl.figures import all_figures
from hybrid.experiments.smarl.findings import DYNAMIC, Findings
from hybrid.experiments.smarl.job import (
    PAIR,
    ClimateJob,
    Job,
    Training,
    TruthJob,
    climate_of,
    do,
    target_of,
    trained,
    viscosity,
)
from hybrid.experiments.smarl.settings import PRESETS, TRAINED, Settings
from hybrid.experiments.smarl.tables import all_tables, flat_metrics
from hybrid.experiments.smarl.truth import PARTS
from solvers.barotropic import Barotropic

_UNIT_OF_COST = "leith"


def run(request: Request) -> ExperimentResult:
    """Make truths, search and learn, run everything in every regime, and compare."""
    settings = PRESETS[request.preset]
    checkpoint, findings = _findings(request, settings)
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
        archives=_exported(request.out, findings, checkpoint, settings),
        generated_data=True,
    )


def _findings(request: Request, settings: Settings) -> tuple[Checkpoint, Findings]:
    truths = [TruthJob(regime, part) for regime in settings.regimes for part in PARTS
              if part == "test" or regime == TRAINED]  # fmt: skip
    seeds: dict[str, list[int | None]] = {
        name: [*range(settings.n_seed)] if CANDIDATES[name].learner else [None]
        for name in settings.candidates
    }
    trainings = [
        Training(name, seed) for name, some in seeds.items() for seed in some if seed is not None
    ]
    tests = [
        ClimateJob(name, seed, regime)
        for regime in settings.regimes
        for name, some in seeds.items()
        for seed in some
    ]
    stages: tuple[tuple[str, list[Job]], ...] = (
        ("truths", [*truths]),
        ("searches and trainings", [*trainings]),
        ("runs of the closures", [*tests]),
    )
    n_stage = sum(len(jobs) for _, jobs in stages)
    checkpoint = Checkpoint.open(request, {"settings": repr(settings)}, n_stage)
    work = partial(do, checkpoint=checkpoint, settings=settings)
    for text, jobs in stages:
        n_process = 1 if request.preset == "test" else min(os.cpu_count() or 1, len(jobs))
        run_all(work, jobs, [job.name for job in jobs], n_process, request.task(text))
    how = {"checkpoint": checkpoint, "settings": settings}
    findings = Findings(
        regimes=settings.regimes,
        truths={regime: target_of(regime, **how) for regime in settings.regimes},  # type: ignore[arg-type]
        trained={
            name: [trained(job, **how) for job in trainings if job.candidate == name]  # type: ignore[arg-type]
            for name in dict.fromkeys(job.candidate for job in trainings)
        },
        climates={
            regime: {
                name: [climate_of(ClimateJob(name, seed, regime), **how) for seed in some]  # type: ignore[arg-type]
                for name, some in seeds.items()
            }
            for regime in settings.regimes
        },
        costs=_costs(seeds, checkpoint, settings),
    )
    return checkpoint, findings


def _costs(
    seeds: dict[str, list[int | None]], checkpoint: Checkpoint, settings: Settings
) -> dict[str, float]:
    regime = settings.regimes[TRAINED]
    models: dict[str, Barotropic] = {
        name: regime.coarse(viscosity(name, some[0], checkpoint=checkpoint, settings=settings))
        for name, some in seeds.items()
    }
    states = target_of(TRAINED, checkpoint=checkpoint, settings=settings).states
    return step_costs(models, states[0], _UNIT_OF_COST, settings.n_round)


def _exported(
    out: Path, findings: Findings, checkpoint: Checkpoint, settings: Settings
) -> tuple[Path, ...]:
    """Write the best learned closure and the pair of constants as archives."""
    name, seed = findings.best
    grid = settings.regimes[TRAINED].coarse().grid
    spacing = (grid.dy, grid.dx)
    largest = float(np.abs(findings.truths[TRAINED].states).max())
    paths = []
    for candidate, chosen, file in ((name, seed, "best_learned"), (PAIR, 0, PAIR)):
        found = viscosity(candidate, chosen, checkpoint=checkpoint, settings=settings)
        is_constant = CANDIDATES[candidate].constant
        make = EddyViscosityClosure if is_constant else LinearPolicyClosure
        path = out / f"{file}.pt"
        # What an archive has no memory for is left out.
        choice = {name: value for name, value in vars(found).items() if name != "update_interval"}
        hybrid.export(make(spacing, **choice, largest_vorticity=largest), path)
        paths.append(path)
    return tuple(paths)
