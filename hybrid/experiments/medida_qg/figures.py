"""Figures of the two-layer experiment."""

from typing import Any

import numpy as np

from hybrid.experiments.medida_qg.cases import CASES
from hybrid.experiments.medida_qg.findings import Findings
from hybrid.experiments.medida_qg.job import EVERYWHERE
from hybrid.experiments.medida_qg.online import EDGES, N_TIME, density
from hybrid.experiments.medida_qg.online_job import NO_ERROR
from hybrid.experiments.medida_qg.scores import WITHIN, spectrum_along_channel
from hybrid.experiments.medida_qg.settings import INTERPOLATORS
from hybrid.experiments.result import Figure
from hybrid.figure_style import common_legend, legend, line, new_figure, panel_title

COLORS = {
    "fourier": "#0072b2",
    "rbf": "#009e73",
    "cubic": "#cc79a7",
    "rff": "#e69f00",
    "mlp": "#d55e00",
    "exact": "#777777",
    EVERYWHERE: "#000000",
}
"""Of interpolators."""

_MOST_CLIMATES = 3
_LINES: dict[str, dict[str, Any]] = {
    "uncorrected": line("none", label="uncorrected"),
    "corrected": line("mlp", label="corrected, every point"),
    "corrected_sparse": line("cubic_ar1", label="corrected, sensors"),
}


def all_figures(findings: Findings) -> tuple[Figure, ...]:
    """Return the figures of the report."""
    figures = [spectral_bias(findings), coefficients(findings), error_growth(findings)]
    with_climate = [c for c in CASES if findings.distance(c, "corrected") is not None]
    if with_climate:
        figures.append(climates(findings, with_climate[:_MOST_CLIMATES]))
    return tuple(figures)


def spectral_bias(findings: Findings) -> Figure:
    """Draw the spectra of the interpolated streamfunctions, and of their errors."""
    figure, grid = new_figure(2, 2, height=6.0, sharex=True)
    truth = spectrum_along_channel(findings.true_psi)
    waves = np.arange(1, truth.shape[1] + 1)
    shown = [name for name in findings.psi if name != "exact"]
    for layer in (0, 1):
        spectra, errors = grid[0, layer], grid[1, layer]
        spectra.plot(waves, truth[layer], **line("truth", label="truth"))
        for name in shown:
            style = {"color": COLORS[name], "label": INTERPOLATORS[name]}
            spectra.plot(waves, spectrum_along_channel(findings.psi[name])[layer], **style)
            errors.plot(waves, findings.error_spectrum(name)[layer], **style)
        errors.axhline(1.0, color="#777777", linewidth=0.8)
        for axes in (spectra, errors):
            axes.set_xscale("log")
            axes.set_yscale("log")
        spectra.set_title(f"{('upper', 'lower')[layer]} layer")
        errors.set_xlabel("wavenumber along x [waves a domain]")
    grid[0, 0].set_ylabel("variance of streamfunction [1]")
    grid[1, 0].set_ylabel("variance of error / of truth [1]")
    legend(grid[0, 0])
    return Figure(
        "spectral_bias",
        "Spectra of the states that interpolators make of the sensors",
        "Above, a reconstruction has the variance of the truth as far as its line follows it; "
        "below, the error reaches 1 where a wave is no longer found. A network without random "
        "Fourier features finds the long waves only: its spectral bias.",
        figure,
    )


def coefficients(findings: Findings) -> Figure:
    """Draw the worst coefficient of every case, by interpolator."""
    figure, grid = new_figure(height=4.0)
    axes = grid[0, 0]
    labels = {EVERYWHERE: "every point, no noise", **INTERPOLATORS}
    for name, scores in findings.scores.items():
        right = np.array([score.right for score in scores.values()])
        worst = np.array([score.worst for score in scores.values()])
        x = np.arange(len(CASES))
        axes.plot(x[right], worst[right], "o", color=COLORS[name], label=labels[name])
        axes.plot(x[~right], worst[~right], "x", color=COLORS[name])
    axes.axhline(WITHIN, color="#777777", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_xticks(range(len(CASES)), list(CASES))
    axes.set_xlabel("model")
    axes.set_ylabel("error of the worst coefficient [%]")
    legend(axes, ncols=2)
    return Figure(
        "coefficients",
        "The worst coefficient in every model",
        "Dots are cases whose terms are exactly the right ones, crosses the others; below the "
        f"line, coefficients are within {WITHIN:g} %.",
        figure,
    )


def error_growth(findings: Findings) -> Figure:
    """Draw the forecast error of every case by time."""
    columns = 3
    figure, grid = new_figure(
        -(-len(CASES) // columns), columns, height=7.5, sharex=True, sharey=True
    )
    time = np.arange(findings.beside.sizes["time"]) / N_TIME
    own = findings.error(NO_ERROR, "uncorrected", "fine")
    for panel, case in zip(grid.ravel().tolist(), CASES, strict=True):
        for model, look in _LINES.items():
            curve = findings.error(case, model)
            if curve is not None:
                panel.semilogy(time[1:], curve[1:], **look)
        if own is not None:
            panel.semilogy(time[1:], own[1:], **line("floor", label="time step alone"))
        panel_title(panel, case)
    for panel in grid[-1]:
        panel.set_xlabel("time [Lyapunov times]")
    for row in grid:
        row[0].set_ylabel("error [s.d. of eddies]")
    common_legend(figure)
    return Figure(
        "error_growth",
        "Growth of forecast errors",
        "From the same true states, root mean square of q, against nature with the time step of "
        "the models: what is left of a corrected model is the error of its coefficients. Dotted: "
        "what the time step alone makes, nature against nature in fine steps.",
        figure,
    )


def climates(findings: Findings, cases: list[str]) -> Figure:
    """Draw distributions of q and spectra of psi of the lower layer."""
    figure, grid = new_figure(len(cases), 2, height=2.7 * len(cases))
    values, lower = findings.beside["values"].to_numpy(), 1
    middle = 0.5 * (EDGES[1:] + EDGES[:-1])
    spectrum = findings.beside.spectra.to_numpy().mean(axis=0)[lower]
    waves = np.arange(1, len(spectrum) + 1)
    for row, case in zip(grid, cases, strict=True):
        row[0].semilogy(middle, density(values, values)[lower], **line("truth"))
        row[1].loglog(waves, spectrum, **line("truth"))
        found = findings.online[case]
        for model, look in _LINES.items():
            if findings.distance(case, model) is not None:
                one = found.sel(model=model).isel(layer=lower)
                row[0].semilogy(middle, one.density, **look)
                row[1].loglog(waves, one.spectrum, **look)
        panel_title(row[0], f"{case}: distribution")
        panel_title(row[1], f"{case}: spectrum")
        row[0].set_xlabel("q of the lower layer [s.d. of truth]")
        row[0].set_ylabel("probability density [1]")
        row[1].set_xlabel("wavenumber along x [waves a domain]")
        row[1].set_ylabel("variance of psi [1]")
    common_legend(figure)
    return Figure(
        "climates",
        "Distribution and spectrum of the climates, lower layer",
        "A corrected model lies on the truth; a line is missing where a run was lost.",
        figure,
    )
