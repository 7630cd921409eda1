"""Figures of scores: all of them, and beside the cost."""

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.report.findings import Findings
from hybrid.experiments.quasigeostrophic.scores.similarity import METRICS, short_name
from hybrid.experiments.quasigeostrophic.settings import CHOSEN_IN
from hybrid.experiments.result import Figure
from hybrid.figure_style import DIVERGING, common_legend, line, new_figure, panel_title

_COLORS = colormaps["tab10"](range(10))
ROW_LENGTH = 90
"""Characters in a row of the legend, which is to hold the labels of two models."""

# Ends of the axis of scores.
_LOWEST, _HIGHEST = -1.0, 1.2


def heat_map(findings: Findings) -> Figure:
    """Draw every score of every model."""
    panels = {
        where: {m: s for m in findings.climates[where] if (s := findings.by_metric(where, m))}
        for where in findings.configurations
    }
    n = max(len(models) for models in panels.values())
    figure, grid = new_figure(len(panels), 1, height=len(panels) * (1.8 + 0.25 * n))
    for axes, (where, models) in zip(grid[:, 0], panels.items(), strict=True):
        values = np.array([[scores[name] for name in METRICS] for scores in models.values()])
        image = axes.imshow(values, cmap=DIVERGING, vmin=-1.0, vmax=1.0, aspect="auto")
        axes.grid(visible=False)
        axes.set_yticks(range(len(models)), [CANDIDATES[model].label for model in models])
        names = [short_name(name) for name in METRICS]
        axes.set_xticks(range(len(METRICS)), names, rotation=60, ha="right", fontsize=8.0)
        for (y, x), value in np.ndenumerate(values):
            color = "white" if abs(value) > 0.6 else "black"
            axes.text(x, y, _short(value), ha="center", va="center", fontsize=6.0, color=color)
        panel_title(axes, where)
        figure.colorbar(image, ax=axes, label="similarity [1]", extend="min")
    return Figure(
        "heat_map",
        "Every score of every model",
        "1 is the truth, 0 the coarse model without closure; all runs of a model together. Left, "
        "distributions; right, spectra; 1 is the upper layer, KE kinetic and APE available "
        "potential energy, PV potential enstrophy.",
        figure,
    )


def _short(value: float) -> str:
    """Return a number in four characters at most, down to -999."""
    rounded = round(value, 1) + 0.0  # no minus in front of zero
    return f"{rounded:.1f}" if rounded > -10.0 else f"{rounded:.0f}"


def trade_off(findings: Findings) -> Figure:
    """Draw the mean score against the cost of a step."""
    rows = findings.configurations
    # The legend, in two columns, is on top of it.
    height = 3.2 + 0.12 * len(findings.closures)
    figure, grid = new_figure(1, len(rows), height=height, sharex=True)
    for axes, where in zip(grid[0], rows, strict=True):
        grids = [m for m in findings.climates[where] if not CANDIDATES[m].has_closure]
        look = {"marker": "s", "color": "#000000", "linestyle": ":"}
        _bars(axes, findings, where, grids, label="no closure, finer and finer grids", **look)
        for i, model in enumerate(findings.closures):
            # Ten colours, with another marker each time round.
            look = {"marker": "oD^"[i // 10 % 3], "color": _COLORS[i % 10], "linestyle": "none"}
            run = [model] if model in findings.climates[where] else []
            _bars(axes, findings, where, run, label=CANDIDATES[model].label, **look)
        _front(axes, findings, where)
        floor = findings.floor(where, "mean")
        axes.axhline(floor, **line("floor", label="half of the truth, beside the other"))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        low, high = axes.get_ylim()
        axes.set_ylim(max(_LOWEST, low), min(_HIGHEST, high))
        panel_title(axes, where)
        axes.set_xlabel("cost of a step [steps without closure]")
    grid[0, 0].set_ylabel("mean similarity [1]")
    common_legend(figure, row_length=ROW_LENGTH)
    return Figure(
        "trade_off",
        f"Score and cost; the closure named best is chosen on {CHOSEN_IN}",
        "Higher and further left is better; the green line joins the models that none beats in "
        "both. Black squares have no closure but finer grids: what a closure must beat. Models "
        f"below {_LOWEST:g} are not shown; bars are 95 % intervals, and end at {_HIGHEST:g} here.",
        figure,
    )


def _front(axes: Axes, findings: Findings, where: str) -> None:
    """Draw the models that are ahead of all cheaper ones, as steps."""
    models = findings.front(where)
    costs = [findings.costs[model][1] for model in models]
    means = [findings.interval(where, model, "mean").value for model in models]
    look: dict[str, Any] = {"color": "#009E73", "linewidth": 1.0, "alpha": 0.7}
    axes.step(costs, means, where="post", label="not beaten in both", **look)


def _bars(axes: Axes, findings: Findings, where: str, models: list[str], **look: Any) -> None:
    """Draw the mean scores of models with their intervals against the cost of a step."""
    found = {model: findings.interval(where, model, "mean") for model in models}
    kept = [model for model in models if np.isfinite(found[model].value)]
    costs = [findings.costs[model][1] for model in kept]
    halves = np.nan_to_num([found[model].half for model in kept])
    if kept:
        axes.errorbar(costs, [found[model].value for model in kept], yerr=halves, **look)
