"""All figures of a score run, as files."""

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
from numpy.typing import NDArray

from closures.climsim.files import Pair
from hybrid.climsim_scores.figures.drift import input_drift
from hybrid.climsim_scores.figures.ensembles import rank_histograms, spread_skill
from hybrid.climsim_scores.figures.maps import score_maps
from hybrid.climsim_scores.figures.precipitation import rain_histogram
from hybrid.climsim_scores.figures.profiles import level_profiles
from hybrid.climsim_scores.figures.response import response_profiles
from hybrid.climsim_scores.figures.sections import r2_sections
from hybrid.climsim_scores.scoring import ScoreRun
from hybrid.experiments.result import Figure

CHARACTERS_PER_INCH = 18
"""Characters of a caption that fit into an inch."""
RESOLUTION = 130
"""Resolution of picture files [pixels per inch]."""


def make_figures(run: ScoreRun) -> list[Callable[[], Figure]]:
    """Return what draws each figure of a run, so that a caller can show progress."""
    scores = run.scores
    makers: list[Callable[[], Figure]] = [lambda: level_profiles(scores)]
    if "rain_share" in scores:
        makers.append(lambda: rain_histogram(scores))
    if "input_shift" in scores:
        makers.append(lambda: input_drift(scores))
    if "rank_count" in scores:
        makers += [lambda: rank_histograms(scores), lambda: spread_skill(scores)]
    land = land_fraction(run.test[0])
    for model in run.models:
        makers += _of_model(run, model.name, land)
    return makers


def _of_model(
    run: ScoreRun, model: str, land: NDArray[np.float64] | None
) -> list[Callable[[], Figure]]:
    scores = run.scores
    return [
        lambda: r2_sections(scores, model),
        lambda: score_maps(scores, model, "mae", land),
        lambda: score_maps(scores, model, "bias", land),
        lambda: score_maps(scores, model, "r2", land),
        lambda: response_profiles(model, run.responses(model)),
    ]


def save(figure: Figure, folder: Path) -> Path:
    """Write a figure as PNG with its title above it and how to read it below; return the path."""
    path = folder / f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', figure.name)}.png"
    drawing = figure.figure
    width, height = drawing.get_size_inches()
    # The layout of panels and legend is kept; what follows lies outside its frame.
    drawing.draw_without_rendering()
    drawing.set_layout_engine("none")
    for legend in drawing.legends:
        # Else it would move to the top of the cropped page.
        legend.set_bbox_to_anchor((0.0, 0.0, 1.0, 1.0), transform=drawing.transFigure)
    drawing.text(0.0, 1.0 + 0.1 / height, figure.title, fontsize=11.0, va="bottom")
    caption = "\n".join(textwrap.wrap(figure.reading, int(width * CHARACTERS_PER_INCH)))
    drawing.text(0.0, -0.1 / height, caption, fontsize=8.0, va="top")
    drawing.savefig(path, dpi=RESOLUTION, bbox_inches="tight")
    return path


def land_fraction(pair: Pair) -> NDArray[np.float64] | None:
    """Return the land fraction of each column from an mli file; None if it is not there."""
    with netCDF4.Dataset(pair.mli) as file:
        file.set_auto_mask(False)
        if "cam_in_LANDFRAC" not in file.variables:
            return None
        return np.asarray(file["cam_in_LANDFRAC"][...], dtype=np.float64)
