"""The Lorenz-96 experiment from truth to figures."""

from dataclasses import asdict

from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.lorenz96 import figures
from hybrid.experiments.lorenz96.case import Case
from hybrid.experiments.lorenz96.coupled import (
    climate_jobs,
    collect_climates,
    collect_forecasts,
    forecast_jobs,
    run_all,
)
from hybrid.experiments.lorenz96.scoring import Criterion, score
from hybrid.experiments.lorenz96.settings import (
    CLOSURES,
    MODEL_STEP,
    N_BIN,
    PRESETS,
    TIME_SCALE_RATIOS,
    TRUTH_STEP,
    Lorenz96Settings,
)
from hybrid.experiments.lorenz96.tables import LABELS, score_tables
from hybrid.experiments.lorenz96.training import make_closures
from hybrid.experiments.lorenz96.truth import STAGES, make_truth
from hybrid.experiments.result import ExperimentResult, Request
from hybrid.threads import one_thread
from solvers.lorenz96_two_scale import TwoScaleLorenz96Wilks

_BEST: dict[str, Criterion] = {"best": "hellinger", "best_forecast": "crps"}


def run(request: Request) -> ExperimentResult:
    """Truth, training, compiling, climate and forecast runs in Fortran, scores, figures.

    Parameters
    ----------
    request
        Preset, folder, seed and progress display.

    Returns
    -------
    ExperimentResult
        Metrics for c = 10 under plain names, for c = 4 with suffix ``_c4``.
    """
    settings = PRESETS[request.preset]
    depends_on = {"experiment": "lorenz96", **asdict(settings)}
    checkpoint = Checkpoint.open(request, depends_on, count_stages(settings))
    cases = [_run_case(c, settings, request, checkpoint) for c in TIME_SCALE_RATIOS]
    metrics = {
        name: value for case in cases for name, value in case.scores.metrics(case.suffix).items()
    }
    return ExperimentResult(
        name="lorenz96",
        headline=_headline(cases),
        metrics=metrics,
        settings={
            **asdict(settings),
            "truth_step": TRUTH_STEP,
            "model_step": MODEL_STEP,
            "n_bin": N_BIN,
            "time_units_per_seed": settings.n_member * settings.climate_time,
            "system": "Lorenz-96, two scales, K=8, J=32, F=20, h=1, b=10, c=10 and c=4 (_c4)",
        },
        choices={
            f"{label}{case.suffix}": case.scores.ranking(score_name)[0]
            for case in cases
            for label, score_name in _BEST.items()
        },
        tables=tuple(table for case in cases for table in score_tables(case, settings)),
        figures=figures.all_figures(cases),
        archives=tuple(
            compiled.archive
            for case in cases
            for group in case.closures.compiled.values()
            for compiled in group
        ),
    )


def count_stages(settings: Lorenz96Settings) -> int:
    """Return the number of stages: truth runs, closures and runs of the Fortran model."""
    # Each closure has a climate run and a forecast; each further network a climate run.
    n_host_run = 2 * len(CLOSURES) + settings.n_seed - 1
    return len(TIME_SCALE_RATIOS) * (len(STAGES) + 1 + n_host_run)


def _run_case(
    c: float, settings: Lorenz96Settings, request: Request, checkpoint: Checkpoint
) -> Case:
    model = TwoScaleLorenz96Wilks(c=c, dt=TRUTH_STEP)
    label = f"Lorenz-96 c={c:g}"
    stages = checkpoint.within(f"c{c:g}")
    truth = make_truth(model, settings, stages, request.task(f"{label}: truth"))
    with one_thread():
        closures = make_closures(
            truth.pairs, settings, request.out, stages, request.task(f"{label}: closures")
        )
    climate = climate_jobs(closures, truth, settings, stages)
    forecast = forecast_jobs(closures, truth, settings, stages)
    results = run_all(
        [*climate, *forecast],
        request.out / "host" / f"c{c:g}",
        model.forcing,
        stages,
        request.task(f"{label}: Fortran model"),
    )
    climates = collect_climates(climate, results[: len(climate)], settings)
    forecasts = collect_forecasts(forecast, results[len(climate) :], truth)
    scores = score(truth, climates, forecasts, settings.score_lead)
    return Case(model, truth, closures, scores)


def _headline(cases: list[Case]) -> str:
    parts = []
    for case in cases:
        best = case.scores.ranking("hellinger")[0]
        distance = {
            name: float(case.scores.climate["hellinger"][name].mean())
            for name in (best, "none", "floor")
        }
        parts.append(
            f"c={case.model.c:g}: {LABELS[best]} {distance[best]:.3f}, "
            f"no closure {distance['none']:.3f}, sampling floor {distance['floor']:.3f}"
        )
    return (
        "Two-scale Lorenz-96 (a toy model of the atmosphere, no data needed), closures run in "
        f"Fortran; Hellinger distance of the climate of X: {'; '.join(parts)}"
    )
