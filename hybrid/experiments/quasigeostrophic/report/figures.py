"""Figures of the experiment: what flows look like, and how they differ."""

from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr

from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES, NONE
from hybrid.experiments.quasigeostrophic.report.exchange_figure import exchange
from hybrid.experiments.quasigeostrophic.report.findings import Findings
from hybrid.experiments.quasigeostrophic.report.score_figures import heat_map, trade_off
from hybrid.experiments.quasigeostrophic.runs.averages import BUDGET, SPECTRA
from hybrid.experiments.quasigeostrophic.runs.climate import is_lost
from hybrid.experiments.quasigeostrophic.scores.similarity import FLUXES, pooled
from hybrid.experiments.result import Figure
from hybrid.figure_style import (
    DIVERGING,
    common_legend,
    line,
    new_figure,
    panel_title,
    symmetric_limits,
)

_BEST: dict[str, Any] = {"color": "#009E73", "linewidth": 2.2}
_OTHERS: dict[str, dict[str, Any]] = {
    "smagorinsky": {"color": "#E69F00", "linestyle": "-."},
    "backscatter": {"color": "#0072B2", "linestyle": "-"},
    "symbolic": {"color": "#CC79A7", "linestyle": "--"},
}
_DAY = 86400.0
# Characters of a line above one of three panels, and above one of two.
_TITLE, _HALF = 28, 36
_BIN = 0.1
# Least part of the largest value of a spectrum that is shown.
_SHOWN = 1e-6


def all_figures(findings: Findings) -> tuple[Figure, ...]:
    """Return the figures of the report."""
    return (
        snapshots(findings),
        spectra(findings),
        budgets(findings),
        densities(findings),
        exchange(findings),
        heat_map(findings),
        trade_off(findings),
    )


def _drawn(findings: Findings, where: str) -> list[tuple[xr.Dataset, dict[str, Any]]]:
    """Return what is drawn in a configuration, all runs of a model as one, with their lines."""
    drawn = [(findings.whole_truths[where], line("truth"))]
    looks = {NONE: line("none"), **_OTHERS, findings.best: _BEST}
    for model, look in looks.items():
        runs = findings.climates[where].get(model, [])
        if runs and not any(map(is_lost, runs)):
            drawn.append((pooled(runs), {"label": CANDIDATES[model].label, **look}))
    return drawn


def snapshots(findings: Findings) -> Figure:
    """Draw the potential vorticity of the upper layer at the end of the first runs."""
    shown = {NONE: "no closure", findings.best: CANDIDATES[findings.best].label}
    rows = findings.configurations
    figure, grid = new_figure(len(rows), 3, height=2.9 * len(rows), sharex=True, sharey=True)
    for row, where in zip(grid, rows, strict=True):
        truth = findings.truths[where][0]
        fields = {"truth": truth.q[-1, 0]}
        for model, label in shown.items():
            run = findings.climates[where][model][0]
            if not is_lost(run):
                fields[label] = run.q[-1, 0]
        low, high = symmetric_limits(truth.q[-1, 0].to_numpy() * _DAY)
        size = (0.0, truth.length_x / 1e3, 0.0, truth.length_y / 1e3)
        for axes, (label, field) in zip(row, fields.items(), strict=False):
            image = axes.imshow(
                field.to_numpy() * _DAY,
                origin="lower", extent=size, cmap=DIVERGING, vmin=low, vmax=high,
            )  # fmt: skip
            axes.grid(visible=False)
            panel_title(axes, fill(f"{where}: {label}", _TITLE))
        figure.colorbar(image, ax=list(row), label="q [1/day]")
        row[0].set_ylabel("y [km]")
    for axes in grid[-1]:
        axes.set_xlabel("x [km]")
    return Figure(
        "snapshots",
        "Potential vorticity of the upper layer",
        "States at the end of runs, which need not be alike eddy by eddy; size, sharpness and "
        "strength of eddies and jets should be.",
        figure,
    )


def spectra(findings: Findings) -> Figure:
    """Draw the spectra of kinetic energy and potential enstrophy of both layers."""
    rows = [(where, name) for where in findings.configurations for name in SPECTRA]
    figure, grid = new_figure(len(rows), 2, sharex=True)
    for row, (where, name) in zip(grid, rows, strict=True):
        for layer, axes in enumerate(row):
            for run, look in _drawn(findings, where):
                axes.plot(run.wavenumber, run[name].isel(layer=layer), **look)
            axes.axvline(findings.cutoff(where), color="#777777", linewidth=0.8)
            axes.set_xscale("log")
            axes.set_yscale("log")
            # What the filter leaves beyond its cut-off would take up most of the axis.
            top = float(findings.whole_truths[where][name].isel(layer=layer).max())
            axes.set_ylim(_SHOWN * top, 3.0 * top)
            panel_title(axes, f"{where}, {'lower' if layer else 'upper'} layer")
        units, text = SPECTRA[name]
        row[0].set_ylabel(f"{text}\n[{units}]")
    for axes in grid[-1]:
        axes.set_xlabel("wavenumber [1/m]")
    common_legend(figure, row_length=90)
    return Figure(
        "spectra",
        "Spectra of kinetic energy and potential enstrophy",
        "Means over time and runs. Scores count what is left of the grey line.",
        figure,
    )


def budgets(findings: Findings) -> Figure:
    """Draw the terms of the energy budget that count."""
    rows = findings.configurations
    figure, grid = new_figure(2 * len(rows), 2, sharex=True)
    for i, where in enumerate(rows):
        panels = grid[2 * i : 2 * i + 2].ravel()
        for axes, name in zip(panels, FLUXES, strict=True):
            for run, look in _drawn(findings, where):
                inside = run.wavenumber < findings.cutoff(where)
                axes.plot(
                    run.wavenumber[inside], run.wavenumber[inside] * run[name][inside], **look
                )
            axes.set_xscale("log")
            text = BUDGET[name].partition(",")[0]
            panel_title(axes, fill(f"{where}: {text}", _HALF))
            axes.set_ylabel("K T [m2 s-3]")
    for axes in grid[-1]:
        axes.set_xlabel("wavenumber [1/m]")
    common_legend(figure, row_length=90)
    return Figure(
        "budgets",
        "Energy budget of both layers",
        "Times the wavenumber, so that equal areas are equal rates. A closure's work on either "
        "kind of energy counts as a part of its transfer.",
        figure,
    )


def densities(findings: Findings) -> Figure:
    """Draw the distributions of upper potential vorticity and lower kinetic energy."""
    rows = findings.configurations
    figure, grid = new_figure(len(rows), 2)
    for row, where in zip(grid, rows, strict=True):
        for axes, (name, layer) in zip(row, (("q", 0), ("kinetic_energy", 1)), strict=True):
            truth = findings.whole_truths[where][name].isel(layer=layer)
            unit = float(truth.std())
            lowest = 0.0 if name == "kinetic_energy" else -5.0
            edges = unit * np.arange(lowest, 5.0 + _BIN, _BIN)
            for run, look in _drawn(findings, where):
                values = run[name].isel(layer=layer).to_numpy().ravel()
                counts = np.histogram(values, edges)[0] / (values.size * _BIN)
                axes.plot((edges[1:] + edges[:-1]) / (2.0 * unit), counts, **look)
            axes.set_yscale("log")
            what = "lower kinetic energy" if layer else "upper potential vorticity"
            panel_title(axes, where)
            axes.set_xlabel(f"{what} [sd of the truth]")
        row[0].set_ylabel("probability density [1]")
    common_legend(figure, row_length=90)
    return Figure(
        "densities",
        "Distributions of the last states",
        "Tails are what closures that only damp lose first.",
        figure,
    )
