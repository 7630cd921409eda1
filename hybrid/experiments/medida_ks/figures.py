"""Figures of the experiment."""

from typing import Any

import numpy as np

from hybrid.experiments.medida_ks.detection import Point, points
from hybrid.experiments.medida_ks.findings import Findings
from hybrid.experiments.medida_ks.online import EDGES, density
from hybrid.experiments.medida_ks.settings import LEVELS, MAP_LEVELS, N_TIME
from hybrid.experiments.result import Figure
from hybrid.figure_style import SEQUENTIAL, common_legend, line, new_figure, panel_title

SHOWN = {
    "half_advection": "half the advection",
    "half_antidiffusion": "half the antidiffusion",
    "dispersion_0p5": "dispersion of 0.5",
    "doubled": "all terms doubled",
}
"""Cases with a panel, and its title; tables have all."""

# Of its standard errors: a term is expected to be found from here on.
_BAR = 5.0

_LINES: dict[str, dict[str, Any]] = {
    "uncorrected": line("none", label="uncorrected"),
    "corrected": line("mlp", label="corrected, noise-free"),
    "corrected_n1": line("cubic_ar1", label="corrected, 1 % noise"),
}


def all_figures(findings: Findings) -> list[Figure]:
    """Return the figures of the report."""
    figures = [error_growth(findings), detection_map(findings), detection_by_strength(findings)]
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
        panel_title(panel, SHOWN[case])
        panel.set_xlabel("time [Lyapunov times]")
    for row in axes:
        row[0].set_ylabel("r.m.s. error [s.d. of truth]")
    common_legend(figure)
    return Figure(
        name="error_growth",
        title="Growth of forecast errors",
        reading=(
            f"{findings.settings.n_member} forecasts from the same true states, root mean square; "
            "unrelated states differ by the square root of 2. A corrected model cannot be better "
            "than one without an error, whose time step is longer than that of the truth. 1 % "
            f"noise: median over {findings.settings.n_online} seeds."
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
            panel_title(panel, f"{SHOWN[case]}: {what}")
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
    """Draw how often a weak term is found, by its size, the number of samples and the noise."""
    weak = findings.settings.weak
    figure, axes = new_figure(-(-len(MAP_LEVELS) // 2), 2, sharex=True, sharey=True)
    for i, (panel, level) in enumerate(zip(axes.ravel().tolist(), MAP_LEVELS, strict=True)):
        names = [[Point(size, n, level).name for size in weak.sizes] for n in weak.n_sample]
        rates = np.array([[findings.detection(name, "map") for name in row] for row in names])
        image = panel.imshow(
            rates, vmin=0.0, vmax=1.0, cmap=SEQUENTIAL, aspect="auto", origin="lower"
        )
        for (y, x), rate in np.ndenumerate(rates):
            strength = findings.strength(names[y][x], "map")
            color = "white" if rate < 0.6 else "black"
            panel.text(x, y, _short(strength), ha="center", va="center", color=color, fontsize=9.0)
        labels = [f"{size:g}" for size in weak.sizes]
        panel.set_xticks(range(len(labels)), labels, rotation=45)
        panel.set_yticks(range(len(weak.n_sample)), [str(n) for n in weak.n_sample])
        if i % 2 == 0:
            panel.set_ylabel("samples [1]")
        if i // 2 == len(axes) - 1:
            panel.set_xlabel("coefficient of u$^2$u$_x$ [1]")
        panel.grid(visible=False)
        panel_title(panel, _noise(level))
    figure.colorbar(image, ax=axes, label="share of seeds with exactly this term [1]")
    return Figure(
        name="detection_map",
        title="How weak a term is found",
        reading=(
            "Models whose only error is a spurious u^2 u_x. Colour: share of "
            f"{findings.settings.n_seed} seeds in which exactly this term was found; numbers: the "
            "coefficient in its least-squares standard errors, median over seeds. Noise in "
            "percent of the standard deviation of the truth."
        ),
        figure=figure,
    )


def detection_by_strength(findings: Findings) -> Figure:
    """Draw how often a weak term is found, by its size in standard errors."""
    figure, axes = new_figure(1, 1)
    panel = axes[0, 0]
    everything = points(findings.settings.weak)
    for level, marker in zip(LEVELS, ("o", "s", "^"), strict=True):
        names = [point.name for point in everything if point.level == level]
        panel.semilogx(
            [findings.strength(name, "map") for name in names],
            [findings.detection(name, "map") for name in names],
            linestyle="none",
            marker=marker,
            alpha=0.7,
            label=_noise(level),
        )
    panel.axvline(_BAR, color="#808080", linestyle="--", linewidth=1.0)
    panel.set_xlabel("coefficient / least-squares standard error [1]")
    panel.set_ylabel("share of seeds [1]")
    panel.set_ylim(-0.03, 1.03)
    common_legend(figure)
    return Figure(
        name="detection_by_strength",
        title="Detection by the size of a term in its standard errors",
        reading=(
            "The points of the map with noise, all sizes and numbers of samples: share of "
            f"{findings.settings.n_seed} seeds in which exactly the term was found, over the "
            f"coefficient in its standard errors, median over seeds; dashed: {_BAR:g} of them. "
            "Points fall on one curve where nothing but that decides."
        ),
        figure=figure,
    )


def _noise(level: str) -> str:
    return f"{100 * MAP_LEVELS[level]:g} % noise" if level else "no noise"


def _short(number: float) -> str:
    """Write a positive number in at most four characters, or with a power of ten."""
    if number >= 1e4:
        return f"{number:.0e}".replace("e+0", "e")
    return f"{number:.1f}" if number < 10.0 else f"{number:.0f}"


def _with_climate(findings: Findings) -> list[str]:
    return [case for case in list(SHOWN)[:3] if case in findings.settings.long_runs]
