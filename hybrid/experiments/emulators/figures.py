"""Figures of a run: learning curves, and those of the scores for the emulators that are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import xarray as xr

from hybrid.climsim_scores.figures.drift import input_drift
from hybrid.climsim_scores.figures.ensembles import rank_histograms, spread_skill
from hybrid.climsim_scores.figures.learning import learning_curve
from hybrid.climsim_scores.figures.precipitation import rain_histogram
from hybrid.climsim_scores.figures.profiles import level_profiles
from hybrid.climsim_scores.figures.response import response_profiles
from hybrid.climsim_scores.figures.sections import r2_sections
from hybrid.climsim_scores.scoring import ScoreRun
from hybrid.experiments.emulators.scoring import MEAN, Scored
from hybrid.experiments.emulators.trainings import Trained
from hybrid.experiments.result import Figure

SHOWN = 5
"""Emulators, at most, in a figure with one line each."""


def split_figures(split: str, trained: Sequence[Trained], scored: Scored) -> list[Figure]:
    """Return level profiles, sections, rain, ensembles, responses and drift for one split."""
    first = min(each.job.seed for each in trained)
    first_seeds = sorted(
        (each for each in trained if each.job.seed == first),
        key=lambda each: scored.score(each.job.name, "mae", "dT"),
    )
    best = first_seeds[0].job.name
    run = scored.runs[scored.sets[best]]
    shown = [e.job.name for e in first_seeds if scored.sets[e.job.name] == scored.sets[best]]
    scores = _of_models(run, shown[:SHOWN])
    figures = [
        level_profiles(scores),
        r2_sections(run.scores, best),
        response_profiles(best, run.responses(best)),
    ]
    if "rain_share" in run.scores:
        figures.append(rain_histogram(scores))
    if "input_shift" in run.scores and split == "season":
        figures.append(input_drift(run.scores))
    for each in scored.runs.values():
        if "rank_count" in each.scores:
            figures += [rank_histograms(each.scores), spread_skill(each.scores)]
    return [
        replace(figure, name=f"{figure.name}_{split}", title=f"{figure.title} (split {split})")
        for figure in figures
    ]


def _of_models(run: ScoreRun, models: Sequence[str]) -> xr.Dataset:
    kept = [MEAN, *models]
    chosen = run.scores.sel(model=kept)
    if "series" in chosen.dims:
        chosen = chosen.sel(series=["truth", *kept])
    return chosen


def learning_figure(
    split: str, trained: Sequence[Trained], scored: Scored, labels: Sequence[str]
) -> Figure:
    """Return errors on validation steps against the number of training columns."""
    curves: dict[str, dict[str, dict[int, list[float]]]] = {}
    for label in labels:
        by_model = curves.setdefault(label, {})
        for each in trained:
            curve = by_model.setdefault(each.job.entry.label, {})
            value = scored.score(each.job.name, "mae", label)
            curve.setdefault(each.n_train, []).append(value)
    constant: Mapping[str, Mapping[str, float]] = {
        label: {MEAN: scored.climatology(MEAN, "mae", label)} for label in labels
    }
    figure = learning_curve(curves, constant=constant)
    return replace(
        figure,
        name=f"learning_curve_{split}",
        title=f"{figure.title} (split {split}, validation steps)",
    )
