"""Several experiments as one run, with common results and a common report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.progress import Progress

from hybrid.experiments import EXPERIMENTS, run_experiment
from hybrid.experiments.result import ExperimentResult, Preset
from hybrid.report import Run, write_report
from hybrid.results import Results, ResultsError, write_results


def run_demo(
    out: Path,
    seed: int = 0,
    data: Path | None = None,
    progress: Progress | None = None,
    preset: Preset = "quick",
) -> list[ExperimentResult]:
    """Run every experiment of the demo, each in a folder of its name, and merge what they found.

    Parameters
    ----------
    out
        Folder for ``results.json``, ``report.html`` and one folder an experiment.
    seed
        Seed of every random choice.
    data
        Folder of ClimSim files; a generated sample stands in for them if None.
    progress
        Running progress display; none is shown if None.
    preset
        Size of the runs.

    Returns
    -------
    list of ExperimentResult
        In the order of the registry.

    Raises
    ------
    ResultsError
        If two experiments use the same metric name.
    """
    results = [
        run_experiment(name, preset, out / name, seed, data, progress)
        for name, entry in EXPERIMENTS.items()
        if entry.in_demo
    ]
    write_results(out / "results.json", merge(results, preset, seed))
    command = f"hybrid demo --seed {seed}{' --data DIR' if data else ''}"
    write_report(out / "report.html", results, Run(command, preset, seed))
    return results


def merge(results: Sequence[ExperimentResult], preset: Preset, seed: int) -> Results:
    """Return the common record: metrics under their own names, the rest as ``name.key``.

    Raises
    ------
    ResultsError
        If two experiments use the same metric name.
    """
    metrics: dict[str, float] = {}
    for result in results:
        repeated = sorted(metrics.keys() & result.metrics.keys())
        if repeated:
            raise ResultsError(
                f"{result.name}: expected metric names that no other experiment of the demo "
                f"uses, got {', '.join(repeated)} a second time; rename them"
            )
        metrics.update(result.metrics)
    return Results(
        experiment="demo",
        preset=preset,
        seed=seed,
        headline="; ".join(result.headline for result in results),
        metrics=metrics,
        settings=_prefixed({result.name: result.settings for result in results}),
        choices=_prefixed({result.name: result.choices for result in results}),
    )


def _prefixed(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{name}.{key}": value for name, part in parts.items() for key, value in part.items()}
