"""Figures of the experiment."""

from typing import Any

import numpy as np

from hybrid.experiments.medida_ks.findings import Findings
from hybrid.experiments.medida_ks.online import EDGES, density
from hybrid.experiments.medida_ks.settings import LEVELS, N_TIME
from hybrid.experiments.result import Figure
from hybrid.figure_style import SEQUENTIAL, common_legend, line, new_figure, panel_title

SHOWN = ("half_advection", "half_antidiffusion", "dispersion_0p5", "doubled")
"""Cases with a panel; tables have all."""

_LINES: dict[str, dict[str, Any]] = {
    "uncorrected": line("none", label="uncorrected"),
    "corrected": line("mlp", label="corrected, noise-free"),
    "corrected_n1": line("cubic_ar1", label="corrected, 1 % noise"),
}


def all_figures(findings: Findings) -> list[Figure]:
    """Return the figures of the report."""
    figures = [error_growth(findings), detection_map(findings)]
    if _with_climate(findings):
        figures.insert(1, climates(findings))
    return figures


def error_growth(findings: Findings) -> Figure:
    """Draw the forecast error by time."""
    cases = [case for case in SHOWN if case in findings.settings.cases]
    figure, axes = new_figure(-(-len(cases) // 2), 2, sharex=True, sharey=True)
    time = np.arange(findings.settings.n_forecast + 1) / N_TIME
    for panel, case in zip(axes.ravel().tolist(), cases, strict=False):
        for model, look in _LINES.items():
            curve = findings.growth(case, model)
            if curve is not None:
                panel.semilogy(time[1:], curve[1:], **look)
        own = findings.growth("no_error", "uncorrected")
        if own is not None:
            panel.semilogy(time[1:], own[1:], **line("floor", label="no model error"))
        panel_title(panel, case)
        panel.set_xlabel("time [Lyapunov times]")
    for row in axes:
        row[0].set_ylabel("error [s.d. of truth]")
    common_legend(figure)
    return Figure(
        name="error_growth",
        title="Growth of forecast errors",
        reading=(
            "From the same true states, root mean square. A corrected model cannot be better than "
            "one without an error, whose time step is longer than that of the truth. 1 % noise: "
            f"median over {findings.settings.n_online} seeds."
        ),
        figure=figure,
    )


def climates(findings: Findings) -> Figure:
    """Draw distributions and spectra of the climates."""
    cases = _with_climate(findings)
    figure, axes = new_figure(len(cases), 2)
    reference, length = findings.reference, findings.settings.truth.length
    deviation = float(reference.values.std())
    middle = 0.5 * (EDGES[1:] + EDGES[:-1])
    wavenumber = 2.0 * np.pi / length * np.arange(reference.spectra.shape[1])
    for row, case in zip(axes, cases, strict=True):
        row[0].plot(middle, density(reference.values, deviation), **line("truth"))
        row[1].loglog(wavenumber[1:], reference.spectra.mean(axis=0)[1:], **line("truth"))
        for model, look in _LINES.items():
            found = findings.climate(case, model)
            if found is not None:
                row[0].plot(middle, found["density"], **look)
                row[1].loglog(wavenumber[1:], found["spectrum"][1:], **look)
        for panel, what in zip(row, ("distribution", "spectrum"), strict=True):
            panel_title(panel, f"{case}: {what}")
        row[0].set_xlabel("u [s.d. of truth]")
        row[0].set_ylabel("probability density [1]")
        row[1].set_xlabel("wavenumber [1]")
        row[1].set_ylabel("variance [1]")
        # Beyond, there is rounding.
        row[1].set_xlim(wavenumber[1], 5.0)
        row[1].set_ylim(1e-14, None)
    common_legend(figure)
    return Figure(
        name="climates",
        title="Distribution and spectrum of the climates",
        reading="A corrected model lies on the truth; one line is missing where a run was lost.",
        figure=figure,
    )


def detection_map(findings: Findings) -> Figure:
    """Draw how often a term is found, by noise and by its size."""
    sizes = findings.settings.sizes
    rates = np.array(
        [[findings.detection(str(size), f"{level}_map") for size in sizes] for level in LEVELS]
    )
    figure, axes = new_figure(1, 1)
    panel = axes[0, 0]
    image = panel.imshow(rates, vmin=0.0, vmax=1.0, cmap=SEQUENTIAL, aspect="auto", origin="lower")
    for i, level in enumerate(LEVELS):
        for j, size in enumerate(sizes):
            strength = findings.strength(str(size), f"{level}_map")
            color = "white" if rates[i, j] < 0.6 else "black"
            panel.text(j, i, f"{strength:.1f}", ha="center", va="center", color=color)
    panel.set_xticks(range(len(sizes)), [f"{size:g}" for size in sizes])
    panel.set_yticks(range(len(LEVELS)), [f"{100 * level:g}" for level in LEVELS.values()])
    panel.set_xlabel("spurious coefficient of u_xxx [1]")
    panel.set_ylabel("noise [% of s.d.]")
    panel.grid(visible=False)
    figure.colorbar(image, ax=panel, label="share of seeds with exactly this term [1]")
    return Figure(
        name="detection_map",
        title="What is detected",
        reading=(
            "Numbers: the coefficient in its standard errors, median over "
            f"{findings.settings.n_seed} seeds. Evidence asks for about 3 to 4 of them."
        ),
        figure=figure,
    )


def _with_climate(findings: Findings) -> list[str]:
    return [case for case in SHOWN[:3] if case in findings.settings.long_runs]
