r"""Spectral energy budget of the two-layer quasi-geostrophic model.

Energy is per unit mass, layers weighted with their share of the depth ``d_i = H_i / (H_1 + H_2)``:

.. math:: E = \frac12 \sum_{k,l} \Big[ \sum_i d_i K^2 |\psi_i|^2 + d_1 F_1 |\psi_1 - \psi_2|^2 \Big]

with Fourier coefficients normalised to be amplitudes. A tendency ``dq_i/dt`` changes the energy of
a mode by ``-sum_i d_i Re(psi_i* dq_i/dt)``, which is real and linear in the tendency; the budget is
this for each term of the model's equation, with ``q_i = zeta_i + s_i`` split into relative
vorticity and the rest (stretching and any mean) in advection:

======================================= ================= ======================================
name                                    name in pyqg      tendency of q_i
======================================= ================= ======================================
``kinetic_energy_transfer``             ``KEflux``        ``-div(u_i zeta_i)``
``available_potential_energy_transfer`` ``APEflux``       ``-div(u_i s_i)``
``available_potential_energy_generation`` ``APEgenspec``  ``-U_i dq_i/dx - Q_i dpsi_i/dx``
``bottom_drag``                         ``KEfrictionspec`` ``-r lap(psi_2)``, lower layer only
``filter``                              ``Dissspec``      ``(f - 1)(q_i + dt dq_i/dt) / dt``
``parameterization``                    ``paramspec``     a closure's tendency, if given
======================================= ================= ======================================

The transfers only move energy between scales: each sums to zero over all modes, but for aliasing.
The second also holds the exchange with kinetic energy. The beta term does no work. ``filter`` is
the work of the factor f that ends each step, to first order in dt and with the present tendency in
place of the Adams-Bashforth sum.

References
----------
Vallis (2017), Atmospheric and Oceanic Fluid Dynamics, section 9.2 and 12.2 for the energies.
Abernathey et al., pyqg (https://pyqg.readthedocs.io), for the terms and their names.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.coarse_graining.derived_units import derived_units
from solvers.coarse_graining.filters import exponential_response
from solvers.coarse_graining.flow import (
    Stratification,
    advected,
    flux_divergence,
    mean_flow,
    required,
    streamfunction,
    velocity,
)
from solvers.coarse_graining.periodic_grid import PeriodicGrid, Spectrum
from solvers.diagnostics.spectra import isotropic_spectrum

Array = NDArray[np.float64]

LONG_NAMES = {
    "kinetic_energy_transfer": "kinetic energy transfer",
    "available_potential_energy_transfer": "available potential energy transfer",
    "available_potential_energy_generation": "generation from the mean shear",
    "bottom_drag": "bottom drag",
    "filter": "small-scale filter",
    "parameterization": "parameterization",
}
"""Names of the terms, in the order of the table."""


def energy_budget(dataset: xr.Dataset, parameterization: xr.DataArray | None = None) -> xr.Dataset:
    """Return the isotropic spectrum of each term of the energy budget, and their sum.

    Parameters
    ----------
    dataset
        A run of the two-layer model: ``q``, dimensions ``(..., layer, y, x)``, and the parameters
        as attributes (``deformation_radius``, ``delta``, ``u1``, ``u2``, ``bottom_drag``, and
        ``dt`` if ``filter`` is true).
    parameterization
        Tendency of q by a closure, with the dimensions of ``q`` [vorticity / time].

    Returns
    -------
    xarray.Dataset
        Densities per wavenumber, see `solvers.diagnostics.spectra`, dimensions
        ``(..., wavenumber)`` [length^3 / time^3]; ``total`` is their sum, the tendency of the
        energy spectrum.

    Raises
    ------
    ValueError
        If the Dataset is not of the two-layer model, or the closure's tendency does not fit.
    """
    q = _two_layer(dataset)
    modes = modal_energy_budget(dataset, parameterization)
    units = derived_units((str(q.attrs.get("units", "1")), 3), (PeriodicGrid.of(q).units, 2))
    upper = q.isel(layer=0, drop=True)
    return xr.Dataset(
        {
            name: isotropic_spectrum(
                term, upper, units=units, long_name=LONG_NAMES.get(name, "tendency of energy")
            )
            for name, term in modes.items()
        },
        attrs={**dataset.attrs, "Conventions": "CF-1.11"},
    )


def modal_energy_budget(
    dataset: xr.Dataset, parameterization: xr.DataArray | None = None
) -> dict[str, Array]:
    """Return each term of the energy budget mode by mode, and their sum.

    Parameters
    ----------
    dataset, parameterization
        As of `energy_budget`.

    Returns
    -------
    dict
        By name, contributions of single modes to the mean over the plane, on the half plane of
        `scipy.fft.rfft2`, shape ``(..., ny, nx // 2 + 1)`` [length^2 / time^3]; the last is
        ``total``.

    Raises
    ------
    ValueError
        As `energy_budget`.
    """
    q = _two_layer(dataset)
    grid = PeriodicGrid.of(q)
    layers = Stratification.of(dataset.attrs)
    vorticity = grid.transform(q.values)
    psi = streamfunction(vorticity, grid, layers)
    tendencies = _tendencies(q.values, vorticity, psi, grid, dataset.attrs)
    if parameterization is not None:
        tendencies["parameterization"] = grid.transform(_matching(parameterization, q))
    if dataset.attrs.get("filter", False):
        (dt,) = required(dataset.attrs, "dt")
        stepped = vorticity / dt + sum(tendencies.values())
        tendencies["filter"] = (exponential_response(grid) - 1.0) * stepped
    weights = layers.weights[:, np.newaxis, np.newaxis] / (grid.nx * grid.ny) ** 2
    terms = {
        name: -np.sum(weights * np.real(np.conj(psi) * tendencies[name]), axis=-3)
        for name in LONG_NAMES
        if name in tendencies
    }
    return {**terms, "total": np.sum(list(terms.values()), axis=0)}


def energy_spectra(dataset: xr.Dataset) -> xr.Dataset:
    """Return the spectra of kinetic and of available potential energy of the whole column.

    Parameters
    ----------
    dataset
        A run of the two-layer model, as of `energy_budget`.

    Returns
    -------
    xarray.Dataset
        ``kinetic_energy`` and ``available_potential_energy``, densities per wavenumber,
        dimensions ``(..., wavenumber)`` [length^3 / time^2].
    """
    q = _two_layer(dataset)
    grid = PeriodicGrid.of(q)
    layers = Stratification.of(dataset.attrs)
    psi = streamfunction(grid.transform(q.values), grid, layers) / (grid.nx * grid.ny)
    weights = layers.weights[:, np.newaxis, np.newaxis]
    kinetic = 0.5 * np.sum(weights * grid.total_wavenumber() ** 2 * np.abs(psi) ** 2, axis=-3)
    shear = psi[..., 0, :, :] - psi[..., 1, :, :]
    available = 0.5 * layers.weights[0] * layers.stretching[0] * np.abs(shear) ** 2
    units = derived_units((str(q.attrs.get("units", "1")), 2), (grid.units, 2))
    upper = q.isel(layer=0, drop=True)
    return xr.Dataset(
        {
            "kinetic_energy": isotropic_spectrum(
                kinetic, upper, units=units, long_name="kinetic energy spectrum"
            ),
            "available_potential_energy": isotropic_spectrum(
                available, upper, units=units, long_name="available potential energy spectrum"
            ),
        },
        attrs={**dataset.attrs, "Conventions": "CF-1.11"},
    )


def cumulative_flux(transfer: xr.DataArray) -> xr.DataArray:
    """Return the flux through each wavenumber, ``Pi(K) = -int_0^K T(K') dK'``.

    Positive towards smaller scales. Each shell is taken whole, so Pi of the last shell is minus
    the sum of the transfer over all modes.

    Parameters
    ----------
    transfer
        A term of `energy_budget`, dimensions ``(..., wavenumber)``.

    Returns
    -------
    xarray.DataArray
        Same dimensions [transfer / length].
    """
    wavenumber = transfer["wavenumber"]
    width = float(wavenumber[1] - wavenumber[0])
    flux = -width * transfer.cumsum("wavenumber").assign_coords(wavenumber=wavenumber)
    flux.attrs = {
        "units": derived_units(
            (str(transfer.attrs["units"]), 1), (str(wavenumber.attrs["units"]), 1)
        ),
        "long_name": f"flux of {transfer.attrs.get('long_name', transfer.name)}",
    }
    return flux


def _tendencies(
    q: Array, vorticity: Spectrum, psi: Spectrum, grid: PeriodicGrid, attributes: Mapping[Any, Any]
) -> dict[str, Spectrum]:
    u, v = velocity(psi, grid)
    relative = grid.inverse(-(grid.total_wavenumber() ** 2) * psi)
    flow = mean_flow(attributes, n_layer=2)
    gradient = _background_gradient(attributes, flow)
    ik = 1j * grid.wavenumbers()[0]
    (drag,) = required(attributes, "bottom_drag")
    slowing = np.zeros_like(psi)
    slowing[..., 1, :, :] = drag * grid.total_wavenumber() ** 2 * psi[..., 1, :, :]
    return {
        "kinetic_energy_transfer": -flux_divergence(u, v, relative, grid),
        "available_potential_energy_transfer": -flux_divergence(u, v, q - relative, grid),
        "available_potential_energy_generation": -ik * (flow * vorticity + gradient * psi),
        "bottom_drag": slowing,
    }


def _background_gradient(attributes: Mapping[Any, Any], flow: Array) -> Array:
    """Return ``Q_i = beta + F_i (U_i - U_j)``, shape ``(2, 1, 1)``."""
    (beta,) = required(attributes, "beta")
    f_1, f_2 = Stratification.of(attributes).stretching
    shear = float(flow[0, 0, 0] - flow[1, 0, 0])
    return np.array([beta + f_1 * shear, beta - f_2 * shear])[:, np.newaxis, np.newaxis]


def _two_layer(dataset: xr.Dataset) -> xr.DataArray:
    q = advected(dataset)
    if q.name != "q":
        raise ValueError(
            f"dataset: expected a run of the two-layer model with q, got {q.name} of one layer"
        )
    return q


def _matching(parameterization: xr.DataArray, q: xr.DataArray) -> Array:
    if parameterization.dims != q.dims or parameterization.shape != q.shape:
        raise ValueError(
            f"parameterization: expected the dimensions {dict(q.sizes)} of q, in this order, "
            f"got {dict(parameterization.sizes)}"
        )
    return np.asarray(parameterization.values)
