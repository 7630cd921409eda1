"""What closures would do to the energy of the truth's own states."""

from typing import Any

from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.report.findings import Findings
from hybrid.experiments.result import Figure
from hybrid.figure_style import common_legend, line, new_figure, panel_title

# Of closures that are to predict the subgrid tendency, and have no noise.
_LOOKS: dict[str, dict[str, Any]] = {
    "symbolic": {"color": "#CC79A7", "linestyle": "--"},
    "sparse": {"color": "#E69F00", "linestyle": "-"},
    "sparse_unwhitened": {"color": "#E69F00", "linestyle": ":"},
    "fcnn": {"color": "#56B4E9", "linestyle": "-"},
    "gated": {"color": "#999999", "linestyle": ":"},
    "gated_online": {"color": "#999999", "linestyle": "-"},
    "unet": {"color": "#999999", "linestyle": "--"},
}


def exchange(findings: Findings) -> Figure:
    """Draw the work of closures on given states, beside that of the subgrid tendency."""
    where = findings.configurations
    figure, grid = new_figure(1, len(where), height=3.6, sharex=True)
    for axes, name in zip(grid[0], where, strict=True):
        drawn = [(findings.targets[name], line("truth", label="subgrid tendency"))]
        for model, look in _LOOKS.items():
            if model in findings.offline[name]:
                found = findings.offline[name][model].exchange
                drawn.append((found, {"label": CANDIDATES[model].label, **look}))
        for work, look in drawn:
            inside = work.wavenumber > 0.0
            axes.plot(work.wavenumber[inside], (work.wavenumber * work)[inside], **look)
        axes.axhline(0.0, color="#777777", linewidth=0.8)
        axes.set_xscale("log")
        axes.set_xlabel("wavenumber [1/m]")
        panel_title(axes, name)
    grid[0, 0].set_ylabel("K times work [m2 s-3]")
    common_legend(figure, row_length=90)
    return Figure(
        "exchange",
        "Energy that closures give and take, offline",
        "Work of predicted subgrid tendencies on states of the truth, both layers, times the "
        "wavenumber, so that equal areas are equal rates. What is above 0 is put into the flow.",
        figure,
    )
