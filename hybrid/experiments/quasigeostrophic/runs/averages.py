"""Spectra of two-layer flow and of its energy budget, averaged over time."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.quasigeostrophic.runs.rings import Rings
from solvers.diagnostics.energy_budget import modal_energy_budget
from solvers.quasigeostrophic import TwoLayerQG

Array = NDArray[np.float64]

SPECTRA = {
    "kinetic_energy_spectrum": ("m3 s-2", "kinetic energy spectrum"),
    "enstrophy_spectrum": ("m s-2", "potential enstrophy spectrum"),
}
"""Units and names of the spectra of each layer."""

BUDGET = {
    "kinetic_energy_transfer": "transfer of kinetic energy, and the closure's work on it",
    "available_potential_energy_transfer": (
        "transfer of available potential energy, and the closure's work on it"
    ),
    "available_potential_energy_generation": "generation from the mean shear",
    "bottom_drag": "work of bottom drag",
    "filter": "work of the filter",
    "parameterization": "work of the closure, which is a part of both transfers too",
}
"""Names of the spectra of the energy budget of both layers [m3 s-3]."""


class Averages:
    """Sums over time of spectra.

    Parameters
    ----------
    model
        The model.

    Attributes
    ----------
    rings : Rings
        Of its grid.
    n : int
        States so far.
    spectra : dict
        Sums of `SPECTRA`, shape ``(2, ring)``.
    budget : dict
        Sums of `BUDGET`, shape ``(ring,)``.
    """

    def __init__(self, model: TwoLayerQG) -> None:
        self.model, self.rings, self.n = model, Rings(model.grid), 0
        self._coordinates, self._attributes = model.coordinates(), model.attributes()
        n = len(self.rings.wavenumber)
        self.spectra = {name: np.zeros((2, n)) for name in SPECTRA}
        self.budget = {name: np.zeros(n) for name in BUDGET}

    def add(self, q: Array, source: Array | None) -> None:
        """Add a state.

        Parameters
        ----------
        q
            Potential vorticity, shape ``(2, ny, nx)`` [s-1].
        source
            The closure's tendency of it, same shape [s-2]; None: no closure.
        """
        model, density = self.model, self.rings.density
        k2 = model.grid.wavenumber_squared
        spectrum = np.fft.rfft2(q) / (model.grid.n_x * model.grid.n_y)
        psi = model.invert(spectrum)
        self.spectra["kinetic_energy_spectrum"] += density(0.5 * k2 * np.abs(psi) ** 2)
        self.spectra["enstrophy_spectrum"] += density(0.5 * np.abs(spectrum) ** 2)
        state = xr.Dataset({"q": self._on(q)}, attrs=self._attributes)
        terms = modal_energy_budget(state, None if source is None else self._on(source))
        if source is not None:
            rate = model.invert(np.fft.rfft2(source) / (model.grid.n_x * model.grid.n_y))
            shares = np.array([model.delta, 1.0])[:, None, None] / (1.0 + model.delta)
            kinetic = np.sum(shares * k2 * np.real(np.conj(psi) * rate), axis=0)
            terms["kinetic_energy_transfer"] += kinetic
            terms["available_potential_energy_transfer"] += terms["parameterization"] - kinetic
        for name in set(BUDGET) & set(terms):
            self.budget[name] += density(terms[name])
        self.n += 1

    def _on(self, field: Array) -> xr.DataArray:
        """Return a field (2, ny, nx) with the coordinates of the model."""
        return xr.DataArray(field, dims=("layer", "y", "x"), coords=self._coordinates)
