"""Explained variance of tendencies by latitude and pressure."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps

from closures.climsim.regions import BAND
from hybrid.climsim_scores.figures.style import (
    is_left,
    is_lowest,
    panels,
    pressure_axis,
    pressure_edges,
)
from hybrid.experiments.result import Figure
from hybrid.figure_style import SEQUENTIAL, panel_title

N_COLUMN = 3


def r2_sections(scores: xr.Dataset, model: str) -> Figure:
    """Draw the pooled R2 of each tendency of one model in latitude bands."""
    profiles = [str(name) for name in scores["profile"].values]
    figure, axes = panels(len(profiles), N_COLUMN, 3.4, sharex=True, sharey=True)
    cmap = colormaps[SEQUENTIAL].with_extremes(under="#dddddd", bad="#ffffff")
    latitude = scores["latitude"].values
    edges = np.append(latitude - BAND / 2, latitude[-1] + BAND / 2)
    level_edges = pressure_edges(scores["pressure"].values)
    image: Any = None
    for panel, profile in zip(axes, profiles, strict=True):
        values = scores["r2_section"].sel(model=model, profile=profile).values
        image = panel.pcolormesh(
            edges, level_edges, values.T, cmap=cmap, vmin=0.0, vmax=1.0, rasterized=True
        )
        panel.grid(visible=False)
        panel.set_xticks([-60, 0, 60])
        panel.set_xticks([-30, 30], minor=True)
        if is_lowest(panel, axes):
            panel.tick_params(labelbottom=True)
            panel.set_xlabel("latitude [degrees north]")
        panel_title(panel, profile)
        if is_left(panel):
            pressure_axis(panel)
    figure.colorbar(image, ax=axes, label="R$^2$, pooled [1]", extend="min")
    return Figure(
        name=f"r2_sections_{model}",
        title=f"Explained variance by latitude and pressure: {model}",
        reading=(
            f"Brighter is better. R2 over all times and columns of a band of {BAND:g} degrees, "
            "about their common mean; grey is below 0, worse than that mean; white where the "
            "truth is constant."
        ),
        figure=figure,
    )
