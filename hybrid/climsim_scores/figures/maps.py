"""Global maps of scores on the columns' own grid."""

from typing import Any, Literal

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.figure import Figure as MatplotlibFigure
from numpy.typing import NDArray

from hybrid.climsim_scores.figures.globe import PROJECTION, Globe
from hybrid.climsim_scores.figures.style import WATT, panels
from hybrid.experiments.result import Figure
from hybrid.figure_style import DIVERGING, SEQUENTIAL, panel_title, symmetric_limits

Array = NDArray[np.float64]
MapScore = Literal["mae", "bias", "r2"]

LABELS = ("dT", "dq", "NETSW", "FLWDS", "PRECC", "PRECSC")
"""Variables that get a panel where the variable set has them."""

_TITLES = {"mae": "Mean absolute error", "bias": "Bias", "r2": "Explained variance in time"}
_READINGS = {
    "mae": "Darker is better. Energy fluxes per area; of dT and dq, the mean over levels.",
    "bias": "White is better: mean of prediction minus truth. Energy fluxes per area; of dT and "
    "dq, the mean over levels.",
    "r2": "Brighter is better: 1 - SSE / SST over the times of each column, of dT and dq summed "
    "over levels; grey is below 0; white where the truth never varies.",
}


def score_maps(
    scores: xr.Dataset, model: str, score: MapScore, land: Array | None = None
) -> Figure:
    """Draw maps of one score of one model, each pixel with the value of the nearest column.

    Parameters
    ----------
    scores
        From `closures.climsim.score_dataset.score_dataset`.
    model
        Name of the model.
    score
        Which score.
    land
        Land fraction of each column ``(n_column,)`` [1], for outlines of the continents as the
        grid resolves them; None for maps without.
    """
    labels = [label for label in LABELS if label in scores["variable"].values]
    figure, axes = panels(len(labels), 2, 2.0, subplot_kw=PROJECTION)
    globe = Globe.of(scores["column_latitude"].values, scores["column_longitude"].values)
    for panel, label in zip(axes, labels, strict=True):
        values = scores[f"{score}_map"].sel(model=model, variable=label).values
        image = globe.draw(panel, values, **_colors(score, values))
        if land is not None:
            globe.outline(panel, land)
        panel_title(panel, label)
        _colorbar(figure, panel, image, score)
    return Figure(
        name=f"maps_{score}_{model}",
        title=f"{_TITLES[score]} of each column: {model}",
        reading=(
            f"{_READINGS[score]} Mean over {scores.attrs['n_step']} time steps; the "
            f"{scores.sizes['column']} columns as they are, equal-area projection, 0 degrees east "
            "in the middle."
        ),
        figure=figure,
    )


def _colors(score: MapScore, values: Array) -> dict[str, Any]:
    if score == "bias":
        low, high = symmetric_limits(values)
        return {"cmap": DIVERGING, "vmin": low, "vmax": high}
    if score == "r2":
        cmap = colormaps[SEQUENTIAL].with_extremes(under="#dddddd", bad="#ffffff")
        return {"cmap": cmap, "vmin": 0.0, "vmax": 1.0}
    return {"cmap": SEQUENTIAL, "vmin": 0.0, "vmax": float(np.nanquantile(values, 0.99))}


def _colorbar(figure: MatplotlibFigure, panel: Any, image: Any, score: MapScore) -> None:
    extend = {"bias": "both", "r2": "min", "mae": "max"}[score]
    label = "R$^2$ [1]" if score == "r2" else WATT
    bar = figure.colorbar(image, ax=panel, label=label, extend=extend, shrink=0.8, pad=0.03)
    bar.ax.tick_params(labelsize=7.0)
