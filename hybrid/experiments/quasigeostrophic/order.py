"""The jobs of the experiment in the order in which they are done: the costliest come last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES, NONE, Candidate
from hybrid.experiments.quasigeostrophic.job import (
    TRIAL,
    TRUTH,
    DataJob,
    FitJob,
    HostedJob,
    Job,
    PairsJob,
    RunJob,
    TrainingJob,
    TrialJob,
)
from hybrid.experiments.quasigeostrophic.settings import CHOSEN_IN, Settings

NOW = "now"
"""Stage before all others, in which nothing is done."""

STAGES = (NOW, "published", "classical", "calibration", "networks")
"""Parts after which the experiment can be told to stop, and to report what it has."""

LAST = "all"
"""The rest: networks that cost most by far."""


@dataclass(frozen=True)
class Step:
    """Jobs that do not wait for each other.

    Parameters
    ----------
    text
        What the progress display calls them.
    jobs
        The jobs.
    models
        Models whose closures the jobs need compiled.
    """

    text: str
    jobs: Sequence[Job]
    models: tuple[str, ...] = ()


def steps(settings: Settings) -> Mapping[str, list[Step]]:
    """Return the steps of every stage, in order, with `LAST` at the end."""
    where = settings.configurations
    models = {stage: _models(settings, stage) for stage in (*STAGES, LAST)}
    return {
        NOW: [],
        "published": [
            Step("states and subgrid tendencies", [PairsJob(name) for name in where]),
            _runs(settings, (TRUTH, *models["published"]), "the truth and published closures"),
        ],
        "classical": [_runs(settings, models["classical"], "other closures")],
        "calibration": [
            *_calibration(settings),
            _runs(settings, models["calibration"], "what was fitted"),
        ],
        "networks": [
            Step("what closures learn from", _data(settings)),
            *_regression(settings),
            *_trainings(settings, models["networks"]),
            _runs(settings, models["networks"], "what was learned"),
            *_hosted(settings),
        ],
        LAST: [
            *_trainings(settings, models[LAST]),
            _runs(settings, models[LAST], "costly networks"),
        ],
    }


def _models(settings: Settings, stage: str) -> tuple[str, ...]:
    return tuple(name for name in settings.candidates if _stage(CANDIDATES[name]) == stage)


def _stage(candidate: Candidate) -> str:
    """Return the stage in which a model is run."""
    if candidate.plan is not None:
        return LAST if candidate.published else "networks"
    if candidate.regression is not None:
        return "networks"
    if candidate.is_fitted:
        return "calibration"
    is_first = candidate.published or candidate.is_leith_e or not candidate.has_closure
    return "published" if is_first else "classical"


def _runs(settings: Settings, models: tuple[str, ...], text: str) -> Step:
    # Seed by seed: wherever it is interrupted, models have been run from the same states.
    jobs = [
        RunJob(model, where, seed)
        for seed in range(settings.n_seed)
        for where in settings.configurations
        for model in models
        if seed in settings.seeds(model)
    ]
    return Step(f"runs of {text}", jobs, models)


def _calibration(settings: Settings) -> list[Step]:
    """Return the runs that coefficients are fitted to, round by round, and the fits."""
    sizes = settings.calibration
    if not any(CANDIDATES[name].is_fitted for name in settings.candidates):
        return []
    targets = [
        TrialJob(name, flow, i)
        for i in range(sizes.n_truth)
        for flow in settings.fitted_in
        for name in (TRUTH, NONE)
    ]
    found = [Step("the truth that coefficients are fitted to", targets)]
    for number in range(sizes.n_round):
        trials = [
            TrialJob(TRIAL, flow, i)
            for i in range(number * sizes.n_trial, (number + 1) * sizes.n_trial)
            for flow in settings.fitted_in
        ]
        text = f"round {number + 1} of {sizes.n_round}"
        found += [
            Step(f"runs with coefficients, {text}", trials),
            Step(f"fit of coefficients, {text}", [FitJob(number)]),
        ]
    return found


def _regression(settings: Settings) -> list[Step]:
    """Return the sparse regressions that candidates need."""
    found = (CANDIDATES[name].regression for name in settings.candidates)
    jobs = [job for job in found if job is not None]
    return [Step("sparse regression", jobs)] if jobs else []


def _hosted(settings: Settings) -> list[Step]:
    """Return the runs of some closures in Fortran."""
    models = tuple(name for name in settings.candidates if CANDIDATES[name].is_hosted)
    jobs = [HostedJob(name, CHOSEN_IN, seed) for name in models for seed in settings.seeds(name)]
    return [Step("runs of networks in Fortran", jobs, models)] if jobs else []


def _trainings(settings: Settings, models: tuple[str, ...]) -> list[Step]:
    """Return the trainings that some models need, those that others begin as before these."""
    plans = [plan for name in models if (plan := CANDIDATES[name].plan) is not None]
    wanted = [*(plan.begins_as for plan in plans if plan.begins_as is not None), *plans]

    def jobs(begins_as_another: bool) -> list[Job]:
        chosen = (plan for plan in settings.plans if plan in wanted)
        return [
            TrainingJob(plan)
            for plan in chosen
            if (plan.begins_as is not None) == begins_as_another
        ]

    return [
        Step("trainings on states", jobs(begins_as_another=False)),
        Step("trainings in runs, and of noise", jobs(begins_as_another=True)),
    ]


def _data(settings: Settings) -> list[DataJob]:
    """Return the runs of the truth that closures learn from, if there is one that does."""
    plans, learning = settings.plans, settings.learning
    n_states = learning.n_run if plans or _regression(settings) else 0
    n_trajectories = learning.n_trajectory_run if any(plan.in_runs for plan in plans) else 0
    return [
        *(DataJob("states", i) for i in range(n_states)),
        *(DataJob("trajectories", i) for i in range(n_trajectories)),
        *([DataJob("missed", 0)] if any(plan.noise for plan in plans) else []),
    ]
