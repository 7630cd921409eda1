"""Figures of a run: learning curves, and those of the scores for the emulators that are shown."""

import re
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
from hybrid.experiments.emulators.scoring import MEAN, Scored
from hybrid.experiments.emulators.tables import by_entry
from hybrid.experiments.emulators.trainings import Trained
from hybrid.experiments.result import Figure

SHOWN = 5
"""Emulators, at most, in a figure with one line each."""


def split_figures(split: str, trained: Sequence[Trained], scored: Scored) -> list[Figure]:
    """Return level profiles, sections, rain, ensembles, responses and drift for one split."""
    ranked = ranked_firsts(trained, scored)
    best = ranked[0].job
    labels = {each.job.name: each.job.entry.label for each in ranked}
    run = scored.runs[scored.sets[best.name]]
    shown = [e.job.name for e in ranked if scored.sets[e.job.name] == scored.sets[best.name]]
    scores = _of_models(run.scores, shown[:SHOWN], labels)
    figures = [
        level_profiles(scores),
        r2_sections(scores, best.entry.label),
        response_profiles(best.entry.label, run.responses(best.name)),
    ]
    if "rain_share" in run.scores:
        figures.append(rain_histogram(scores))
    if "input_shift" in run.scores and split == "season":
        figures.append(input_drift(run.scores))
    for each in scored.runs.values():
        if "rank_count" in each.scores:
            names = [str(name) for name in each.scores["model"].values if str(name) in labels]
            ensembles = _of_models(each.scores, names, labels)
            figures += [rank_histograms(ensembles), spread_skill(ensembles)]
    return [
        replace(
            figure,
            name=re.sub(r"\W+", "_", f"{figure.name}_{split}"),
            title=f"{figure.title} (split {split})",
        )
        for figure in figures
    ]


def ranked_firsts(trained: Sequence[Trained], scored: Scored) -> list[Trained]:
    """Return the first seed of each entry, by error of heating: whichever seed came out best."""
    firsts = [each[0] for each in by_entry(trained).values()]
    return sorted(firsts, key=lambda each: scored.score(each.job.name, "mae", "dT"))


def _of_models(scores: xr.Dataset, models: Sequence[str], labels: Mapping[str, str]) -> xr.Dataset:
    """Return the scores of some archives beside the mean climatology, under their labels."""
    kept = [MEAN, *models]
    named = [labels.get(name, name) for name in kept]
    chosen = scores.sel(model=kept).assign_coords(model=named)
    if "series" in chosen.dims:
        chosen = chosen.sel(series=["truth", *kept]).assign_coords(series=["truth", *named])
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
