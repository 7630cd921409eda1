"""Statistics of model states: spectra, energy budget, distributions, memory in time."""

from solvers.diagnostics.courant import courant_number
from solvers.diagnostics.distribution import probability_density, tail_statistics
from solvers.diagnostics.energy_budget import cumulative_flux, energy_budget, energy_spectra
from solvers.diagnostics.series import (
    autocorrelation,
    lag_correlation,
    neighbour_correlation,
    wave_variance,
)
from solvers.diagnostics.spectra import (
    enstrophy_spectrum,
    kinetic_energy_spectrum,
    spectral_slope,
    variance_spectrum,
)

__all__ = [
    "autocorrelation",
    "courant_number",
    "cumulative_flux",
    "energy_budget",
    "energy_spectra",
    "enstrophy_spectrum",
    "kinetic_energy_spectrum",
    "lag_correlation",
    "neighbour_correlation",
    "probability_density",
    "spectral_slope",
    "tail_statistics",
    "variance_spectrum",
    "wave_variance",
]
