"""How often it rains how much."""

import numpy as np
import xarray as xr

from closures.climsim.scorer import RAIN_EDGES, TRUTH
from hybrid.climsim_scores.figures.style import LEGEND_ROW, model_lines
from hybrid.climsim_scores.scoring import MEAN
from hybrid.experiments.result import Figure
from hybrid.figure_style import common_legend, new_figure, panel_title


def rain_histogram(scores: xr.Dataset) -> Figure:
    """Draw the distribution of precipitation and how often amounts are exceeded.

    The global-mean climatology rains the same everywhere and is left out.
    """
    series = [str(name) for name in scores["series"].values if str(name) != MEAN]
    lines = model_lines(series)
    figure, axes = new_figure(1, 2)
    width = np.diff(np.log10(RAIN_EDGES))
    for name in series:
        chosen = scores.sel(series=name)
        share = chosen["rain_share"].values
        axes[0, 0].plot(scores["rain"], share / width, **lines[name])
        above = share[::-1].cumsum()[::-1] + float(chosen["rain_share_above"])
        axes[0, 1].plot(RAIN_EDGES[:-1], np.where(above > 0, above, np.nan), **lines[name])
    for panel in axes[0]:
        panel.set_xscale("log")
    axes[0, 0].set_xlabel("precipitation [mm day$^{-1}$]")
    axes[0, 0].set_ylabel("share per decade [1]")
    axes[0, 0].set_ylim(bottom=0.0)
    axes[0, 1].set_xlabel("threshold [mm day$^{-1}$]")
    axes[0, 1].set_ylabel("share above the threshold [1]")
    axes[0, 1].set_yscale("log")
    axes[0, 1].set_ylim(1e-4, 1.0)
    panel_title(axes[0, 0], "distribution")
    panel_title(axes[0, 1], "exceedance")
    common_legend(figure, LEGEND_ROW)
    dry = ", ".join(
        f"{name} {100 * float(scores['rain_share_below'].sel(series=name)):.0f} %"
        for name in (TRUTH, *(n for n in series if n != TRUTH))
    )
    return Figure(
        name="precipitation",
        title="Distribution of precipitation",
        reading=(
            "Shares of area and time; lines should follow the truth. An emulator trained on "
            "squared errors often drizzles too much and rains too seldom hard. Not drawn, below "
            f"{RAIN_EDGES[0]:g} mm/day: {dry}. Weighted by area; of an ensemble, its members."
        ),
        figure=figure,
    )
