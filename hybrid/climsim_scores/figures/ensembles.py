"""Whether the spread of ensembles tells their error."""

import numpy as np
import xarray as xr
from matplotlib.ticker import NullFormatter

from hybrid.climsim_scores.figures.maps import LABELS
from hybrid.climsim_scores.figures.style import LEGEND_ROW, WATT, is_left, model_lines, panels
from hybrid.experiments.result import Figure
from hybrid.figure_style import common_legend, panel_title

LEAST_COUNT = 50
"""Samples that a bin of the spread-skill diagram needs to be drawn."""
N_COLUMN = 3


def _ensembles(scores: xr.Dataset) -> list[str]:
    return [str(name) for name in scores["model"].values[scores["members"].values > 1]]


def _labels(scores: xr.Dataset) -> list[str]:
    return [label for label in LABELS if label in scores["variable"].values]


def rank_histograms(scores: xr.Dataset) -> Figure:
    """Draw how often the truth has each rank among the members, one line an ensemble."""
    labels, ensembles = _labels(scores), _ensembles(scores)
    lines = model_lines(ensembles)
    figure, axes = panels(len(labels), N_COLUMN, 2.4)
    for panel, label in zip(axes, labels, strict=True):
        for model in ensembles:
            counts = scores["rank_count"].sel(model=model, variable=label).values
            counts = counts[np.isfinite(counts)]
            total = counts.sum()
            if total > 0:
                edges = np.linspace(0.0, 1.0, counts.size + 1)
                panel.stairs(counts.size * counts / total, edges, baseline=None, **lines[model])
        panel.axhline(1.0, color="#444444", linewidth=0.8)
        panel.set_xlim(0.0, 1.0)
        panel.set_ylim(bottom=0.0)
        panel.set_xlabel("rank of the truth / members [1]")
        panel_title(panel, label)
        if is_left(panel):
            panel.set_ylabel("frequency / uniform [1]")
    common_legend(figure, LEGEND_ROW)
    return Figure(
        name="rank_histograms",
        title="Rank of the truth among the members",
        reading=(
            "Flat at 1 is reliable; high at both ends means too little spread, high on one side a "
            "bias. Ties are shared evenly; samples where all members equal the truth, such as no "
            "rain in any, are left out."
        ),
        figure=figure,
    )


def spread_skill(scores: xr.Dataset) -> Figure:
    """Draw the error of the ensemble mean against the spread of the members, binned by it."""
    labels, ensembles = _labels(scores), _ensembles(scores)
    lines = model_lines(ensembles)
    figure, axes = panels(len(labels), N_COLUMN, 2.6)
    for panel, label in zip(axes, labels, strict=True):
        found = []
        for model in ensembles:
            chosen = scores.sel(model=model, variable=label)
            enough = chosen["spread_bin_count"].values >= LEAST_COUNT
            spread = chosen["spread_bin_spread"].values[enough]
            error = chosen["spread_bin_error"].values[enough]
            panel.plot(spread, error, marker="o", markersize=3.0, **lines[model])
            found += [*spread, *error]
        positive = [x for x in found if x > 0]
        if positive:
            ends = [min(positive), max(positive)]
            panel.plot(ends, ends, color="#444444", linewidth=0.8)
        panel.set_xscale("log")
        panel.set_yscale("log")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_minor_formatter(NullFormatter())
        panel.set_xlabel(f"spread [{WATT}]")
        panel_title(panel, label)
        if is_left(panel):
            panel.set_ylabel(f"error of the mean [{WATT}]")
    common_legend(figure, LEGEND_ROW)
    return Figure(
        name="spread_skill",
        title="Error of the ensemble mean by spread",
        reading=(
            "On the thin line the spread tells the size of the error; above it the ensemble is "
            "too sure. Root mean squares over the samples of each bin of spread with at least "
            f"{LEAST_COUNT}, each level a sample; the spread includes sqrt((n + 1) / n)."
        ),
        figure=figure,
    )
