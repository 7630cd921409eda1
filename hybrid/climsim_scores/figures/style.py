"""What the figures of scores have in common: lines of models, axes of pressure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as MatplotlibFigure
from numpy.typing import NDArray

from hybrid.climsim_scores.scoring import HOURLY, MEAN
from hybrid.figure_style import line, new_figure

_COLORS = ("#009E73", "#0072B2", "#E69F00", "#D55E00", "#56B4E9", "#CC79A7")
_DASHES = ("-", (0, (7, 2)), "-.", (0, (3, 1, 1, 1)))

LEGEND_ROW = 84
"""Characters in a row of a legend."""

WATT = "W m$^{-2}$"
"""Unit of all errors, as in labels."""


def model_lines(models: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return keyword arguments of ``axes.plot`` by model: the same model looks the same everywhere.

    The two climatologies are grey. Colours repeat after six archives, with other dashes.
    """
    lines: dict[str, dict[str, Any]] = {
        MEAN: {"color": "#808080", "linestyle": (0, (1, 1)), "linewidth": 1.8, "label": MEAN},
        HOURLY: {"color": "#808080", "linestyle": "--", "linewidth": 1.2, "label": HOURLY},
        "truth": line("truth"),
    }
    others = [model for model in models if model not in lines]
    for i, model in enumerate(others):
        lines[model] = {
            "color": _COLORS[i % len(_COLORS)],
            "linestyle": _DASHES[i // len(_COLORS) % len(_DASHES)],
            "linewidth": 1.8,
            "label": model,
        }
    return lines


def pressure_axis(axes: Axes) -> None:
    """Let pressure fall upwards, from the ground to the model top."""
    axes.set_ylim(1000.0, 0.0)
    axes.set_ylabel("pressure [hPa]")


def pressure_edges(middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges of boxes drawn about pressures that grow from the model top [hPa]."""
    inner = (middle[1:] + middle[:-1]) / 2
    return np.concatenate([[0.0], inner, [2 * middle[-1] - inner[-1]]])


def panels(
    count: int, n_column: int, row_height: float, **subplots: Any
) -> tuple[MatplotlibFigure, list[Axes]]:
    """Create a figure of `count` panels, row by row; places left over stay empty.

    Parameters
    ----------
    count
        Number of panels.
    n_column
        Most panels in a row.
    row_height
        Height of a row [inch].
    **subplots
        Passed to ``Figure.subplots``.
    """
    n_column = min(count, n_column)
    n_row = -(-count // n_column)
    figure, axes = new_figure(n_row, n_column, height=row_height * n_row, **subplots)
    found: list[Axes] = axes.ravel().tolist()
    for panel in found[count:]:
        panel.set_visible(False)
    return figure, found[:count]


def is_left(axes: Axes) -> bool:
    """Return whether a panel stands at the left edge of its figure."""
    place = axes.get_subplotspec()
    return place is None or place.is_first_col()


def is_lowest(axes: Axes, among: Sequence[Axes]) -> bool:
    """Return whether no panel stands below one: in the last row, or above places left over."""
    place = axes.get_subplotspec()
    if place is None:
        return True
    others = (each.get_subplotspec() for each in among)
    return not any(
        other.colspan == place.colspan and other.rowspan.start >= place.rowspan.stop
        for other in others
        if other is not None
    )
