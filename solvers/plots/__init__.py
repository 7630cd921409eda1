"""Figures of fields and diagnostics.

Each function draws labelled data with its units into the given axes, or into a new figure, and
returns the axes; ``axes.figure.savefig(path)`` writes them. Nothing depends on a display.
Colours are those of Okabe and Ito (2008), distinct for all common kinds of colour blindness, and
every line has dashes of its own.
"""

from solvers.plots.curves import (
    plot_autocorrelation,
    plot_courant_number,
    plot_energy_budget,
    plot_probability_density,
    plot_spectrum,
)
from solvers.plots.labels import new_axes
from solvers.plots.maps import plot_field, plot_pairs

__all__ = [
    "new_axes",
    "plot_autocorrelation",
    "plot_courant_number",
    "plot_energy_budget",
    "plot_field",
    "plot_pairs",
    "plot_probability_density",
    "plot_spectrum",
]
