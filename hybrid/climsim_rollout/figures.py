"""Figures of a rollout: growth of errors, levels, drift and budgets, precipitation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hybrid.climsim_rollout.rollout import NO_PHYSICS, PERTURBED
from hybrid.climsim_rollout.summary import GRAM, LAST_SHARE
from hybrid.climsim_scores.figures.style import LEGEND_ROW, model_lines, panels, pressure_axis
from hybrid.experiments.result import Figure
from hybrid.figure_style import SEQUENTIAL, common_legend, line, new_figure, panel_title
from solvers.column_physics.rollout import TRUTH

Array = NDArray[np.float64]

SHOWN = (("temperature", 1.0, "K", "temperature"), ("vapour", GRAM, "g kg$^{-1}$", "vapour"))
"""Profile, factor, unit and name of what the figures show."""
HECTOPASCAL = 100.0
SPREAD = "spread of the truth"
RATIO_LIMIT = 2.0
"""Largest error relative to the spread that sections tell apart [1]."""


def make_figures(scores: xr.Dataset) -> list[Callable[[], Figure]]:
    """Return what draws each figure, so that a caller can show progress."""
    return [
        lambda: error_growth(scores),
        lambda: error_profiles(scores),
        lambda: error_sections(scores),
        lambda: drift_and_budgets(scores),
        lambda: precipitation(scores),
    ]


def error_growth(scores: xr.Dataset) -> Figure:
    """Draw RMSE of temperature and vapour over time, and columns lost and flagged."""
    figure, axes = new_figure(2, 2, sharex=True)
    lines = _lines(scores)
    time = scores["time"].values
    for panel, (profile, factor, unit, name) in zip(axes[0], SHOWN, strict=True):
        errors = scores["rmse_column"].sel(profile=profile)
        for run in _others(scores):
            panel.plot(time, factor * errors.sel(run=run), **lines[run])
        spread = factor * float(scores["spread_column"].sel(profile=profile))
        panel.axhline(spread, **_grey())
        panel.set_yscale("log")
        panel.set_ylabel(f"RMSE [{unit}]")
        panel_title(panel, name)
    for panel, quantity in zip(axes[1], ("lost", "flagged"), strict=True):
        for run in _others(scores):
            panel.plot(time, 100.0 * scores[quantity].sel(run=run), **lines[run])
        panel.set_ylim(-2.0, 102.0)
        panel.set_ylabel("columns [%]")
        panel.set_xlabel("time [day]")
    panel_title(axes[1, 0], "lost")
    panel_title(axes[1, 1], "flagged by the guard")
    common_legend(figure, LEGEND_ROW)
    return Figure(
        "error_growth",
        "Errors against the truth over time",
        f"All runs start from the truth, which is {scores.attrs['truth']}; {scores.attrs['flow']}. "
        "Root-mean-square over columns and mass, on columns not lost. An error at the spread of "
        "the truth (standard deviation over time about each column's mean) knows nothing of the "
        f"weather. {PERTURBED}: the same physics from a temperature that differs a little, which "
        "shows whether the columns by themselves forget or amplify differences. "
        f"{NO_PHYSICS}: surface and flow alone.",
        figure,
    )


def error_profiles(scores: xr.Dataset) -> Figure:
    """Draw RMSE and bias by pressure at the end of the runs."""
    figure, axes = new_figure(2, 3, sharey=True)
    lines = _lines(scores)
    pressure = scores["pressure"].values / HECTOPASCAL
    last = scores["time"] > (1.0 - LAST_SHARE) * float(scores["time"][-1])
    for row, (profile, factor, unit, name) in zip(axes, SHOWN, strict=True):
        spread = scores["spread"].sel(profile=profile)
        for run in _others(scores):
            chosen = scores.sel(run=run, profile=profile)
            error, bias = (chosen[kind].where(last).mean("time") for kind in ("rmse", "bias"))
            row[0].plot(factor * error, pressure, **lines[run])
            row[1].plot(error / spread.where(spread > 0.0), pressure, **lines[run])
            row[2].plot(factor * bias, pressure, **lines[run])
        row[0].plot(factor * spread, pressure, **_grey())
        row[1].set_xlim(0.0, 2.0 * RATIO_LIMIT)
        row[2].axvline(0.0, color="#444444", linewidth=0.8)
        row[0].set_xlabel(f"RMSE [{unit}]")
        row[1].set_xlabel("RMSE / spread [1]")
        row[2].set_xlabel(f"bias [{unit}]")
        pressure_axis(row[0])
        for panel in row:
            panel_title(panel, name)
    common_legend(figure, LEGEND_ROW)
    return Figure(
        "error_profiles",
        "Errors by level at the end of the runs",
        f"Mean over the last {100 * LAST_SHARE:g} % of the time. Pressure is that over a surface "
        "at 1000 hPa.",
        figure,
    )


def error_sections(scores: xr.Dataset) -> Figure:
    """Draw RMSE relative to the spread by time and pressure, two panels a run."""
    runs = [run for run in _others(scores) if run != PERTURBED]
    figure, axes = panels(2 * len(runs), 2, 2.3, sharex=True, sharey=True)
    time = np.concatenate([[0.0], scores["time"].values])
    middle = scores["pressure"].values / HECTOPASCAL
    inner = (middle[1:] + middle[:-1]) / 2.0
    edges = np.concatenate([[0.0], inner, [2.0 * middle[-1] - inner[-1]]])
    image: Any = None
    for i, run in enumerate(runs):
        for panel, (profile, _, _, name) in zip(axes[2 * i : 2 * i + 2], SHOWN, strict=True):
            spread = scores["spread"].sel(profile=profile)
            ratio = scores["rmse"].sel(run=run, profile=profile) / spread.where(spread > 0.0)
            image = panel.pcolormesh(
                time,
                edges,
                ratio.transpose("level", "time").values,
                vmin=0.0,
                vmax=RATIO_LIMIT,
                cmap=SEQUENTIAL,
                rasterized=True,
            )
            panel_title(panel, f"{run}: {name}")
            if profile == SHOWN[0][0]:
                pressure_axis(panel)
    for panel in axes[-2:]:
        panel.set_xlabel("time [day]")
    figure.colorbar(image, ax=axes, label="RMSE / spread of the truth [1]", extend="max")
    return Figure(
        "error_sections",
        "Where errors grow",
        "Root-mean-square error over columns, relative to the standard deviation of the truth "
        "over time at the same level. Blank: all columns are lost.",
        figure,
    )


def drift_and_budgets(scores: xr.Dataset) -> Figure:
    """Draw the drift of global means, and residuals of energy and water."""
    figure, axes = new_figure(2, 2, sharex=True)
    lines = _lines(scores)
    time = scores["time"].values
    for panel, (profile, factor, unit, name) in zip(axes[0], SHOWN, strict=True):
        mean = scores["mean"].sel(profile=profile)
        for run in _others(scores):
            panel.plot(time, factor * (mean.sel(run=run) - mean.sel(run=TRUTH)), **lines[run])
        panel.set_ylabel(f"run - truth [{unit}]")
        panel_title(panel, f"mean {name}")
    for panel, quantity, label, unit in (
        (axes[1, 0], "energy_residual_mean", "energy residual", "W m$^{-2}$"),
        (axes[1, 1], "water_residual_mean", "water residual", "mm day$^{-1}$"),
    ):
        for run in _others(scores):
            panel.plot(time, scores[quantity].sel(run=run), **lines[run])
        panel.set_ylabel(f"mean residual [{unit}]")
        panel.set_xlabel("time [day]")
        panel_title(panel, label)
    for panel in axes.ravel():
        panel.set_yscale("symlog", linthresh=_threshold(panel))
        panel.axhline(0.0, color="#444444", linewidth=0.8)
    common_legend(figure, LEGEND_ROW)
    return Figure(
        "drift",
        "Drift, energy and water",
        "Means over mass and columns not lost. Energy residual: change of a column's enthalpy by "
        "the physics, less that by the truth's scheme from the same state, where radiation alone "
        "changes it. Water residual: change of a column's water by the physics, and what "
        "precipitates. The axes are linear about zero.",
        figure,
    )


def precipitation(scores: xr.Dataset) -> Figure:
    """Draw how often it rains how much, and mean precipitation over time."""
    figure, axes = new_figure(1, 2)
    lines = _lines(scores)
    edges = scores["rain_edge"].values
    width = np.diff(np.log10(edges))
    middle = np.sqrt(edges[1:] * edges[:-1])
    runs = [TRUTH, *(run for run in _others(scores) if run != NO_PHYSICS)]
    for run in runs:
        shares = scores["rain_share"].sel(run=run).values
        if shares.sum() > 0.0:
            axes[0, 0].plot(middle, shares[1:-1] / width, **lines[run])
            axes[0, 1].plot(
                scores["time"].values, scores["precipitation"].sel(run=run), **lines[run]
            )
    axes[0, 0].set_xscale("log")
    axes[0, 0].set_ylim(bottom=0.0)
    axes[0, 0].set_xlabel("precipitation [mm day$^{-1}$]")
    axes[0, 0].set_ylabel("share per decade [1]")
    axes[0, 1].set_xlabel("time [day]")
    axes[0, 1].set_ylabel("mean precipitation [mm day$^{-1}$]")
    panel_title(axes[0, 0], "distribution")
    panel_title(axes[0, 1], "mean")
    common_legend(figure, LEGEND_ROW)
    return Figure(
        "precipitation",
        "Precipitation",
        "Shares of area and time, on columns not lost; lines should follow the truth. Runs whose "
        "physics predicts no precipitation are left out.",
        figure,
    )


def _others(scores: xr.Dataset) -> list[str]:
    return [str(run) for run in scores["run"].values if run != TRUTH]


def _lines(scores: xr.Dataset) -> dict[str, dict[str, Any]]:
    lines = model_lines(_others(scores))
    lines[NO_PHYSICS] = line("none", label=NO_PHYSICS)
    lines[PERTURBED] = {**line("floor"), "label": PERTURBED}
    return lines


def _grey() -> dict[str, Any]:
    return {"color": "#808080", "linestyle": "--", "linewidth": 1.2, "label": SPREAD}


def _threshold(panel: Axes) -> float:
    """Return up to where an axis is linear, by the smallest of the largest values of its lines."""
    largest = [float(np.nanmax(np.abs(y))) for y in _values(panel) if np.isfinite(y).any()]
    positive = [value for value in largest if value > 0.0]
    # Two decades on either side leave room for the labels of all of them.
    return max(min(positive), 1e-2 * max(positive)) if positive else 1.0


def _values(panel: Axes) -> list[Array]:
    return [np.asarray(drawn.get_ydata(), dtype=np.float64) for drawn in panel.get_lines()]
