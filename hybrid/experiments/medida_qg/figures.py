"""Figures of the two-layer experiment."""

import numpy as np

from hybrid.experiments.medida_qg.cases import CASES
from hybrid.experiments.medida_qg.findings import Findings
from hybrid.experiments.medida_qg.job import EVERYWHERE
from hybrid.experiments.medida_qg.scores import WITHIN, spectrum_along_channel
from hybrid.experiments.medida_qg.settings import INTERPOLATORS
from hybrid.experiments.result import Figure
from hybrid.figure_style import legend, line, new_figure

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


def all_figures(findings: Findings) -> tuple[Figure, ...]:
    """Return the figures of the report."""
    return (spectral_bias(findings), coefficients(findings))


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
