"""Errors and explained variance of tendencies by pressure."""

import numpy as np
import xarray as xr

from hybrid.climsim_scores.figures.style import LEGEND_ROW, WATT, model_lines, pressure_axis
from hybrid.climsim_scores.tables import GLOBE
from hybrid.experiments.result import Figure
from hybrid.figure_style import PANEL_HEIGHT, common_legend, new_figure, panel_title

LOWEST_R2 = -0.25
"""Least R2 that is shown [1]."""


def level_profiles(scores: xr.Dataset) -> Figure:
    """Draw MAE, bias and pooled R2 of each tendency by reference pressure, one line a model."""
    profiles = [str(name) for name in scores["profile"].values]
    figure, axes = new_figure(
        len(profiles), 3, sharey=True, height=max(2, len(profiles)) * 0.85 * PANEL_HEIGHT
    )
    models = [str(name) for name in scores["model"].values]
    lines = model_lines(models)
    pressure = scores["pressure"].values
    for row, profile in zip(axes, profiles, strict=True):
        chosen = scores.sel({"profile": profile, **GLOBE})
        for model in models:
            values = chosen.sel(model=model)
            row[0].plot(values["mae_level"], pressure, **lines[model])
            row[1].plot(values["bias_level"], pressure, **lines[model])
            row[2].plot(values["r2_level"], pressure, **lines[model])
        pressure_axis(row[0])
        row[0].set_xlim(left=0.0)
        row[0].set_xlabel(f"MAE [{WATT}]")
        row[1].axvline(0.0, color="#444444", linewidth=0.8)
        row[1].set_xlabel(f"bias [{WATT}]")
        row[2].set_xlim(LOWEST_R2, 1.0)
        row[2].set_xlabel("R$^2$, pooled [1]")
        for panel in row:
            panel_title(panel, profile)
    common_legend(figure, LEGEND_ROW)
    silent = [p for p in profiles if np.isnan(scores["r2_level"].sel(profile=p)).any()]
    note = f" {', '.join(silent)}: no R2 at levels where the truth is constant." if silent else ""
    return Figure(
        name="level_profiles",
        title="Errors of tendencies by level",
        reading=(
            "Energy flux of each layer, weighted by area, over all columns and times: thick "
            "layers count more. Lower MAE, a bias near zero and higher R2 are better. R2 below "
            f"{LOWEST_R2} lies outside the frame.{note} Pressure is that over a surface at 1000 "
            "hPa."
        ),
        figure=figure,
    )
