"""How far test inputs lie from training inputs."""

import numpy as np
import xarray as xr

from hybrid.climsim_scores.figures.style import model_lines
from hybrid.experiments.result import Figure
from hybrid.figure_style import common_legend, new_figure, panel_title

LARGEST = 10.0
"""Largest shift that is shown [training standard deviations]."""

SCALAR_HEIGHT = 0.18
"""Height of a scalar's bar and name [inch]."""


def input_drift(scores: xr.Dataset) -> Figure:
    """Draw the standardised shift of each input and its share outside the training range."""
    n_scalar = scores["input_scalar"].size
    profile_height, scalar_height = 4.0, 1.0 + SCALAR_HEIGHT * n_scalar
    ratios = (profile_height, scalar_height)
    figure, axes = new_figure(2, 2, height=sum(ratios), gridspec_kw={"height_ratios": ratios})
    pressure = scores["pressure"].values
    profiles = [str(name) for name in scores["input_profile"].values]
    lines = model_lines(profiles)
    for name in profiles:
        chosen = scores.sel(input_profile=name)
        axes[0, 0].plot(chosen["input_shift"], pressure, **lines[name])
        axes[0, 1].plot(100 * chosen["input_outside"], pressure, **lines[name])
    axes[0, 0].axvline(0.0, color="#444444", linewidth=0.8)
    largest = min(LARGEST, max(1.0, 1.05 * float(np.nanmax(np.abs(scores["input_shift"])))))
    axes[0, 0].set_xlim(-largest, largest)
    axes[0, 1].set_xlim(left=0.0)
    for panel in axes[0]:
        panel.set_yscale("log")
        panel.set_ylim(1000.0, float(pressure.min()))
        panel.set_ylabel("pressure [hPa]")
    names = [str(name) for name in scores["input_scalar"].values]
    places = np.arange(len(names))
    axes[1, 0].barh(places, scores["input_shift_scalar"], color="#666666")
    axes[1, 0].axvline(0.0, color="#444444", linewidth=0.8)
    axes[1, 1].barh(places, 100 * scores["input_outside_scalar"], color="#666666")
    for panel in axes[1]:
        panel.set_yticks(places, names, fontsize=8.0)
        panel.invert_yaxis()
    for row, text in zip(axes, ("profiles", "scalars"), strict=True):
        row[0].set_xlabel("shift of the mean [training s.d.]")
        row[1].set_xlabel("outside the training range [%]")
        for panel in row:
            panel_title(panel, text)
    common_legend(figure)
    beyond = np.abs(scores["input_shift"].values)
    return Figure(
        name="input_drift",
        title=f"Drift of the inputs from training to test, split {scores.attrs['split']}",
        reading=(
            "Near zero, the network sees what it was trained on; where the mean moves by more than "
            "one standard deviation or samples leave the training range it extrapolates. Largest "
            f"shift of a level: {np.nanmax(beyond):.1f} standard deviations; those beyond "
            f"{LARGEST:g} lie outside the frame. All columns count the same, as in training."
        ),
        figure=figure,
    )
