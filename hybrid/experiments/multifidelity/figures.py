"""Figures of the multi-fidelity experiment."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hybrid.climsim_scores.figures.style import LEGEND_ROW, model_lines
from hybrid.experiments.multifidelity.candidates import by_name
from hybrid.experiments.multifidelity.tables import Findings, climate_label
from hybrid.experiments.result import Figure
from hybrid.figure_style import common_legend, new_figure, panel_title

Array = NDArray[np.float64]

LEAST_R2 = -1.0
"""Left end of the axis of R2: what lies below is bad enough."""

SHOWN = ("mf", "mf_published", "lf", "hf", "det", "hf_invariant")
"""Candidates in figures with a line each; the table has all."""


def all_figures(findings: Findings) -> list[Figure]:
    """Return profiles of R2 and spread by climate, and how reliable the intervals are."""
    figures = [reliability(findings)]
    if findings.bed.vertical is not None:
        figures = [r2_profiles(findings), spread_profiles(findings), *figures]
    return figures


def r2_profiles(findings: Findings) -> Figure:
    """Draw R2 by level, a row a variable and a column a climate."""
    return _profiles(
        findings,
        "r2",
        "R$^2$ [1]",
        (LEAST_R2, 1.0),
        "Profiles of R2 by climate",
        "Right is better; below zero, the mean of that climate would be a better guess. Means over "
        f"seeds; values below {LEAST_R2:g} lie outside the frame. Levels where the truth hardly "
        "varies are left out.",
    )


def spread_profiles(findings: Findings) -> Figure:
    """Draw the ratio of spread and error by level."""
    return _profiles(
        findings,
        "spread_error",
        "spread / error [1]",
        (0.0, 2.0),
        "Spread against error by climate",
        "One: the closure's own estimate of its error is right on average; below one it is too "
        "sure of itself. A deterministic network has no spread.",
    )


def reliability(findings: Findings) -> Figure:
    """Draw how often the truth lies in central intervals, against what they promise."""
    shown = _shown(findings)
    lines = _lines(shown)
    climates = findings.climates
    variables = list(findings.bed.parts)
    figure, axes = new_figure(len(variables), len(climates), sharex=True, sharey=True)
    for row, variable in zip(axes, variables, strict=True):
        for panel, climate in zip(row, climates, strict=True):
            for name in shown:
                ranks = findings.levels(name, climate, "ranks")
                if ranks.shape[1] < 3:
                    continue
                promised, covered = _central(
                    np.nanmean(ranks[findings.bed.parts[variable]], axis=0)
                )
                panel.plot(100 * promised, 100 * covered, **lines[name])
            panel.plot([0.0, 100.0], [0.0, 100.0], color="#444444", linewidth=0.8)
            panel_title(panel, f"{variable}, {climate_label(climate)}")
        row[0].set_ylabel("truth inside [%]")
    for panel in axes[-1]:
        panel.set_xlabel("interval [%]")
    common_legend(figure, LEGEND_ROW)
    return Figure(
        name=f"reliability_{findings.bed.name}",
        title=f"{findings.bed.title}: coverage of central intervals",
        reading=(
            "On the diagonal, intervals hold what they promise; below it they are too narrow. From "
            "the histogram of the probability integral transform, all levels, means over seeds."
        ),
        figure=figure,
    )


def _profiles(
    findings: Findings,
    score: str,
    label: str,
    limits: tuple[float, float],
    title: str,
    reading: str,
) -> Figure:
    shown = _shown(findings)
    lines = _lines(shown)
    climates = findings.climates
    variables = list(findings.bed.parts)
    figure, axes = new_figure(len(variables), len(climates), sharex=True, sharey=True)
    first = findings.scored[shown[0]][0]
    for row, variable in zip(axes, variables, strict=True):
        part = findings.bed.parts[variable]
        for panel, climate in zip(row, climates, strict=True):
            for name in shown:
                values = findings.levels(name, climate, score)[part].copy()
                values[first.excluded[climate][variable]] = np.nan
                panel.plot(values, findings.bed.vertical, **lines[name])
            _finish(panel, limits)
            panel_title(panel, f"{variable}, {climate_label(climate)}")
        row[0].set_ylabel("pressure [hPa]")
    for panel in axes[-1]:
        panel.set_xlabel(label)
    common_legend(figure, LEGEND_ROW)
    return Figure(
        name=f"{score}_{findings.bed.name}",
        title=f"{findings.bed.title}: {title}",
        reading=reading,
        figure=figure,
    )


def _finish(panel: Axes, limits: tuple[float, float]) -> None:
    panel.set_xlim(*limits)
    panel.set_ylim(1000.0, 0.0)
    middle = 1.0 if limits[1] > 1.0 else 0.0
    panel.axvline(middle, color="#444444", linewidth=0.8)


def _lines(shown: list[str]) -> dict[str, dict[str, Any]]:
    styles = model_lines(shown)
    # The recommended one, which comes first, above all others.
    return {
        name: {**styles[name], "label": by_name(name).label, "zorder": 3.0 - 0.1 * i}
        for i, name in enumerate(shown)
    }


def _shown(findings: Findings) -> list[str]:
    return [name for name in SHOWN if name in findings.scored]


def _central(ranks: Array) -> tuple[Array, Array]:
    """Return central intervals that cut equally many bins on either side, and their share."""
    n = ranks.size
    cut = np.arange((n + 1) // 2)
    promised = 1.0 - 2.0 * cut / n
    covered = np.array([ranks[i : n - i].sum() for i in cut]) / ranks.sum()
    return promised, covered
