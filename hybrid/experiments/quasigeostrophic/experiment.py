"""The benchmark of Ross et al. (2023): closures online, offline, and what they cost."""

from pathlib import Path

from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.pool import run_jobs
from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES, NONE
from hybrid.experiments.quasigeostrophic.costs import step_costs
from hybrid.experiments.quasigeostrophic.job import TRUTH, HostedJob, RegressionJob
from hybrid.experiments.quasigeostrophic.order import LAST, steps
from hybrid.experiments.quasigeostrophic.report.figures import all_figures
from hybrid.experiments.quasigeostrophic.report.findings import Findings
from hybrid.experiments.quasigeostrophic.report.tables import all_tables, flat_metrics
from hybrid.experiments.quasigeostrophic.runs.hosted import can_host
from hybrid.experiments.quasigeostrophic.scores.ceilings import ceilings
from hybrid.experiments.quasigeostrophic.settings import CHOSEN_IN, PRESETS, Settings
from hybrid.experiments.quasigeostrophic.stages import Stages
from hybrid.experiments.result import ExperimentResult, Request


def run(request: Request) -> ExperimentResult:
    """Run truths and every model from the same initial states, and compare."""
    result = run_until(request, LAST)
    assert result is not None, "everything is done"
    return result


def run_until(request: Request, stage: str) -> ExperimentResult | None:
    """Do the stages up to one, and report what is finished by then, of whatever stage.

    Parameters
    ----------
    request
        The run.
    stage
        One of `order.STAGES`, or `order.LAST`.

    Returns
    -------
    ExperimentResult or None
        What there is, of models with two runs or more, and of trained networks their scores
        offline; None before runs without closure and of the truth.
    """
    settings = PRESETS[request.preset]
    stages = _done_until(request, settings, stage)
    models = _finished(settings, stages)
    if not models:
        line = (
            "nothing to report yet: expected two finished runs of the truth, and of the model "
            "without closure, in each flow"
        )
        request.progress.console.print(line, highlight=False)
        return None
    archives = stages.export(models[CHOSEN_IN])
    return _result(settings, _findings(settings, stages, models), archives)


def _done_until(request: Request, settings: Settings, last: str) -> Stages:
    """Do the stages up to one."""
    order = steps(settings)
    n_job = sum(len(step.jobs) for part in order.values() for step in part)
    checkpoint = Checkpoint.open(request, {"settings": repr(settings)}, n_job)
    stages = Stages(checkpoint, settings, request.out / "closures")
    for stage, part in order.items():
        for step in part:
            waiting = [job for job in step.jobs if not stages.is_done(job)]
            if any(isinstance(job, HostedJob) for job in waiting) and not can_host():
                line = (
                    f"{step.text} are left out: the host is not built; install FFTW 3 "
                    "(libfftw3-dev), run hybrid bridge build --force, and this command again"
                )
                request.progress.console.print(line, highlight=False)
                continue
            if waiting:
                stages.export(step.models)
            run_jobs(request, stages.do, waiting, step.text)
        if stage == last:
            break
    return stages


def _finished(settings: Settings, stages: Stages) -> dict[str, dict[str, int]]:
    """Return the number of finished runs by configuration and model, where there are two or more.

    Those from whose initial states the truth and the model without closure have been run too. A
    single run says little: climates vary from decade to decade. Nothing, if the truth or the model
    without closure has fewer somewhere; of the other models, those with runs in `CHOSEN_IN`.
    """
    most = {
        where: min(len(stages.climates(name, where)) for name in (TRUTH, NONE))
        for where in settings.configurations
    }
    least = min(2, settings.n_seed)
    if min(most.values()) < least:
        return {}
    found = {
        where: {
            model: n
            for model in settings.candidates
            if (n := min(most[where], len(stages.climates(model, where)))) >= least
        }
        for where in most
    }
    return {
        where: {model: n for model, n in models.items() if model in found[CHOSEN_IN]}
        for where, models in found.items()
    }


def _findings(settings: Settings, stages: Stages, models: dict[str, dict[str, int]]) -> Findings:
    where = settings.configurations
    truths = {n: stages.climates(TRUTH, n)[: models[n][NONE]] for n in where}
    climates = {
        n: {m: stages.climates(m, n)[:n_run] for m, n_run in models[n].items()} for n in where
    }
    timed = {model: stages.started(model, CHOSEN_IN) for model in models[CHOSEN_IN]}
    trained = stages.trained()
    predicting = dict.fromkeys([*models[CHOSEN_IN], *trained])
    targets = {n: stages.target(n) for n in where}
    regression = RegressionJob(whiten=True)
    return Findings(
        truths=truths,
        climates=climates,
        targets=targets,
        late_targets={n: stages.late_target(n) for n in where},
        offline={
            n: {m: found for m in predicting if (found := stages.offline(m, n, target)) is not None}
            for n, target in targets.items()
        },
        costs=step_costs(timed, settings.n_round),
        fits=[*stages.calibrator.fits()],
        trained=trained,
        symbolic=(
            stages.learner.symbolic(regression, where[CHOSEN_IN].coarse)
            if stages.is_done(regression)
            else None
        ),
        hosted={
            name: runs
            for name in models[CHOSEN_IN]
            if len(runs := stages.hosted_climates(name, CHOSEN_IN)) > 1
        },
        ceilings={
            n: ceilings(truths[n], climates[n][NONE], flow.coarse) for n, flow in where.items()
        },
    )


def _result(settings: Settings, findings: Findings, archives: tuple[Path, ...]) -> ExperimentResult:
    best, flow = findings.best, settings.configurations[CHOSEN_IN]
    scores = ", ".join(
        f"mean {findings.interval(where, best, 'mean').value:.2f} and worst "
        f"{findings.interval(where, best, 'min').value:.2f} on {where}"
        for where in findings.configurations
    )
    missing = [name for name in settings.candidates if name not in findings.climates[CHOSEN_IN]]
    n_run = {len(runs) for runs in findings.truths.values()}
    so_far = "; not yet run: " + ", ".join(missing) if missing else ""
    return ExperimentResult(
        name="quasigeostrophic",
        headline=(
            f"two-layer flow, {flow.n_truth} to {flow.n_coarse} points a side: similarity to the "
            f"truth with {CANDIDATES[best].label}: {scores}{so_far}"
        ),
        metrics=flat_metrics(findings),
        settings={
            "n_seed": min(n_run),
            "years": settings.duration.years,
            "spin_up_years": settings.duration.spin_up,
            "n_snapshot": settings.duration.n_snapshot,
            "pairs_years": settings.pairs_years,
            **({"calibration": repr(settings.calibration)} if findings.fits else {}),
            **({"learning": repr(settings.learning)} if findings.has_learned else {}),
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
