"""Figures of the experiment."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.ticker import LogLocator, MaxNLocator

from hybrid.experiments.result import Figure
from hybrid.experiments.smarl.candidates import CANDIDATES
from hybrid.experiments.smarl.climates import EDGES
from hybrid.experiments.smarl.findings import DYNAMIC, Findings
from hybrid.experiments.smarl.searching import PAIR
from hybrid.experiments.smarl.settings import TRAINED
from hybrid.figure_style import (
    DIVERGING,
    common_legend,
    line,
    new_figure,
    panel_title,
    symmetric_limits,
)

# Points of a median of curves.
_CURVE_POINTS = 30

_LINES: dict[str, dict[str, Any]] = {
    "none": line("none", label="no closure"),
    "leith": {"color": "#E69F00", "linestyle": "-.", "label": "Leith, tuned"},
    DYNAMIC: {"color": "#CC79A7", "linestyle": "--", "label": "dynamic Leith"},
    PAIR: {"color": "#0072B2", "label": "Leith + biharmonic Leith, tuned"},
}
_BEST: dict[str, Any] = {"color": "#009E73", "linewidth": 2.2, "label": "best learned"}


def all_figures(findings: Findings) -> tuple[Figure, ...]:
    """Return the figures of the report."""
    return (
        spectra(findings),
        tails(findings),
        transfers(findings),
        trade_off(findings),
        snapshots(findings),
        learning(findings),
    )


def _panels(findings: Findings, **how: Any) -> tuple[MatplotlibFigure, dict[str, Axes]]:
    """Return a figure with a panel for each regime."""
    names = list(findings.regimes)
    n_column = min(2, len(names))
    figure, grid = new_figure(-(-len(names) // n_column), n_column, **how)
    panels: dict[str, Axes] = dict(zip(names, grid.ravel().tolist(), strict=False))
    for regime, axes in panels.items():
        panel_title(axes, findings.regimes[regime].label)
    for unused in grid.ravel().tolist()[len(names) :]:
        unused.set_visible(False)
    return figure, panels


def _shown(findings: Findings, regime: str) -> list[tuple[Any, dict[str, Any]]]:
    """Return the climates that are drawn, with their lines; those that lost no run."""
    climates, (best, seed) = findings.climates[regime], findings.best
    found = [(climates[name][0], look) for name, look in _LINES.items() if name in climates]
    found.append((climates[best][seed], _BEST))
    return [(made, look) for made, look in found if not made.lost.any()]


def spectra(findings: Findings) -> Figure:
    """Draw enstrophy spectra over the truth's, by regime."""
    figure, panels = _panels(findings, sharex=True, sharey=True)
    for regime, axes in panels.items():
        truth = findings.truths[regime].statistics.enstrophy
        waves = np.arange(1, truth.sizes["ring"] + 1)
        halves = np.array_split(truth.to_numpy(), 2)
        ratio = halves[1].mean(axis=0) / halves[0].mean(axis=0)
        axes.plot(waves, ratio, **line("floor", label="half of the truth / other half"))
        for made, look in _shown(findings, regime):
            axes.plot(waves, made.enstrophy.mean("run") / truth.mean("run"), **look)
        axes.axhline(1.0, color="#000000", linewidth=0.8)
        axes.set_yscale("log")
        axes.set_yticks([0.5, 0.7, 1.0, 1.5, 2.0], ["0.5", "0.7", "1", "1.5", "2"])
        axes.minorticks_off()
        axes.set_xlabel("wavenumber [1]")
        axes.set_ylabel("enstrophy / truth [1]")
    common_legend(figure)
    return Figure(
        "spectra",
        "Enstrophy spectra over the truth's",
        "A closure is right as far as its line stays at 1; what half of the truth differs by from "
        "the other half is chance. Only the first regime was trained in.",
        figure,
    )


def tails(findings: Findings) -> Figure:
    """Draw the distribution of vorticity, by regime."""
    figure, panels = _panels(findings, sharex=True, sharey=True)
    middles, width = 0.5 * (EDGES[1:] + EDGES[:-1]), EDGES[1] - EDGES[0]
    for regime, axes in panels.items():
        truth = findings.truths[regime].statistics.distribution.to_numpy()
        for counts, look in [
            (truth, line("truth")),
            *((made.distribution, look) for made, look in _shown(findings, regime)),
        ]:
            density = np.asarray(counts) / float(np.sum(counts)) / width
            axes.plot(middles, np.where(density > 0.0, density, np.nan), **look)
        axes.set_yscale("log")
        axes.set_xlim(-7.0, 7.0)
        axes.set_ylim(1e-6, 1.0)
        axes.set_xlabel("vorticity [standard deviations of the truth]")
        axes.set_ylabel("density [1]")
    common_legend(figure)
    return Figure(
        "tails",
        "Distributions of vorticity",
        "Far from zero are the cores of vortices; a closure that damps them has tails that fall "
        "too soon.",
        figure,
    )


def transfers(findings: Findings) -> Figure:
    """Draw what the subgrid term and the closures add to the enstrophy, by regime."""
    figure, panels = _panels(findings, sharex=True)
    for regime, axes in panels.items():
        truth = findings.truths[regime].transfer
        waves = np.arange(1, len(truth) + 1)
        axes.plot(waves, truth, **line("truth", label="truth, subgrid term"))
        for made, look in _shown(findings, regime):
            if "transfer" in made:
                axes.plot(waves, made.transfer, **look)
        axes.axhline(0.0, color="#000000", linewidth=0.8)
        axes.set_xlabel("wavenumber [1]")
        axes.set_ylabel("enstrophy added [1]")
    common_legend(figure, row_length=90)
    return Figure(
        "transfers",
        "What the scales below the grid do to those above",
        "Enstrophy that is added in unit time, by wavenumber; positive values are backscatter. "
        "The subgrid term is that of the filtered truth, which no closure was shown.",
        figure,
    )


def trade_off(findings: Findings) -> Figure:
    """Draw the error of the spectrum against that of the distribution, every seed."""
    figure, panels = _panels(findings)
    for regime, axes in panels.items():
        for i, (name, found) in enumerate(findings.scores[regime].items()):
            candidate = CANDIDATES[name]
            marker = "^" if candidate.apart else "o" if candidate.learned else "s"
            axes.plot(
                [each["lse"] for each in found],
                [each["w1"] for each in found],
                marker,
                color=f"C{i % 10}",
                markerfacecolor="none" if i >= 10 else f"C{i % 10}",
                label=candidate.label,
            )
        floor = findings.floors[regime]
        axes.plot(floor["lse"], floor["w1"], "x", color="#000000", label="half of the truth")
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("")
        axes.set_xlabel("error of the spectrum [log10]")
        axes.set_ylabel("Wasserstein distance [sd]")
    common_legend(figure, row_length=90)
    return Figure(
        "trade_off",
        "Spectrum and distribution, every seed",
        "Nearer to the lower left corner is better. Circles are learned closures, squares given "
        "or constant ones, triangles those that were rewarded for the spectrum alone.",
        figure,
    )


def snapshots(findings: Findings) -> Figure:
    """Draw vorticity of the truth and of the best learned closure, and its coefficient."""
    name, seed = findings.best
    made, truth = findings.climates[TRAINED][name][seed], findings.truths[TRAINED]
    figure, grid = new_figure(1, 3, height=2.9)
    low, high = symmetric_limits(truth.states[-1], quantile=1.0)
    size = (0.0, truth.grid.length_x, 0.0, truth.grid.length_y)
    fields = (
        ("truth", truth.states[-1], (low, high), "vorticity [1]"),
        ("coarse model", made.snapshot.to_numpy(), (low, high), "vorticity [1]"),
        ("coarse model", made.c2.to_numpy(), symmetric_limits(made.c2.to_numpy()), "c2 [1]"),
    )
    for axes, (title, field, limits, label) in zip(grid[0], fields, strict=True):
        image = axes.imshow(
            field, origin="lower", extent=size, cmap=DIVERGING, vmin=limits[0], vmax=limits[1]
        )
        axes.grid(visible=False)
        axes.set_xlabel("x [1]")
        ticks = MaxNLocator(4)
        figure.colorbar(image, ax=axes, label=label, location="bottom", ticks=ticks)
        panel_title(axes, title)
    grid[0, 0].set_ylabel("y [1]")
    return Figure(
        "snapshots",
        "Vorticity, and the coefficient that the policy sets",
        "States of the truth and of a run long after its beginning, which need not be alike wave "
        f"by wave; at the right the coefficient of {CANDIDATES[name].label} in the same state: "
        "where it is negative, enstrophy is given back.",
        figure,
    )


def learning(findings: Findings) -> Figure:
    """Draw the rewards of each learner by steps spent, every seed."""
    figure, grid = new_figure(height=3.6)
    axes = grid[0, 0]
    shown = [name for name in findings.trained if not CANDIDATES[name].apart]
    for i, name in enumerate(shown):
        curves = [
            (found.steps.to_numpy() / 1e6, np.maximum(-found.rewards.to_numpy(), 1e-2))
            for found in findings.trained[name]
        ]
        for steps, misfit in curves:
            axes.plot(steps, misfit, color=f"C{i % 10}", linewidth=0.5, alpha=0.3)
        # Steps at which every seed has a reward.
        first, last = max(steps[0] for steps, _ in curves), min(steps[-1] for steps, _ in curves)
        common = np.linspace(first, last, _CURVE_POINTS)
        # Straight lines between them, as the axis has them.
        middle = np.median([np.interp(common, x, np.log(y)) for x, y in curves], axis=0)
        axes.plot(
            common, np.exp(middle), "-" if i < 4 else "--", color=f"C{i % 10}",
            label=CANDIDATES[name].label,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.set_xlabel("steps of coarse models [million]")
    axes.set_ylabel("minus reward [1]")
    common_legend(figure, row_length=90)
    return Figure(
        "learning",
        "What learners were rewarded with",
        "The median policy of a generation or an ensemble, the best one of a scan; 1 would be as "
        "near to the truth as a run of this length of the truth itself. Thick: median over seeds; "
        "thin: every seed.",
        figure,
    )
