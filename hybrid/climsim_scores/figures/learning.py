"""Scores against the number of training columns."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.ticker import NullLocator

from hybrid.climsim_scores.figures.style import LEGEND_ROW, model_lines, panels
from hybrid.experiments.result import Figure
from hybrid.figure_style import common_legend, panel_title

Curve = Mapping[int, Sequence[float]]
"""Scores, one a seed, by number of training columns."""


def learning_curve(
    curves: Mapping[str, Mapping[str, Curve]],
    *,
    score: str = "MAE [W m$^{-2}$]",
    constant: Mapping[str, Mapping[str, float]] | None = None,
) -> Figure:
    """Draw scores against the number of training columns, one panel a variable.

    Parameters
    ----------
    curves
        By variable and model.
    score
        Label of the vertical axis.
    constant
        Scores that do not depend on the number, such as climatology's, by variable and model.
    """
    models = list(dict.fromkeys(model for by_model in curves.values() for model in by_model))
    others = constant or {}
    fixed = list(dict.fromkeys(model for by_model in others.values() for model in by_model))
    lines = model_lines([*models, *fixed])
    figure, axes = panels(len(curves), 3, 2.8)
    for panel, (variable, by_model) in zip(axes, curves.items(), strict=True):
        for model, curve in by_model.items():
            numbers = sorted(curve)
            values = [np.asarray(curve[n], dtype=np.float64) for n in numbers]
            panel.plot(
                numbers, [v.mean() for v in values], marker="o", markersize=3.0, **lines[model]
            )
            low, high = [v.min() for v in values], [v.max() for v in values]
            panel.fill_between(numbers, low, high, color=lines[model]["color"], alpha=0.2, lw=0.0)
        for model, value in others.get(variable, {}).items():
            panel.axhline(value, **lines[model])
        numbers = sorted({n for curve in by_model.values() for n in curve})
        panel.set_xscale("log")
        # Where the points are: a logarithmic axis of less than two decades labels itself badly.
        panel.set_xticks(numbers, [f"{n:,}" for n in numbers])
        panel.xaxis.set_minor_locator(NullLocator())
        panel.set_xlabel("training columns [1]")
        panel.set_ylabel(score)
        panel_title(panel, variable)
    common_legend(figure, LEGEND_ROW)
    return Figure(
        name="learning_curve",
        title="Scores by number of training columns",
        reading=(
            "Mean over seeds; shading from the best to the worst one. A curve that still falls at "
            "its right end asks for more data, one that is flat for another network."
        ),
        figure=figure,
    )
