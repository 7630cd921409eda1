"""Streamfunction and velocity from vorticity, for every doubly periodic model alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.coarse_graining.periodic_grid import PeriodicGrid, Spectrum

Array = NDArray[np.float64]

#: What a Dataset calls the vorticity that its model advects, and how many layers it has.
ADVECTED = {"q": 2, "vorticity": 1}


@dataclass(frozen=True)
class Stratification:
    """What couples the two layers, upper first.

    Parameters
    ----------
    deformation_radius
        Baroclinic deformation radius r_d [length units].
    delta
        Ratio of the layer depths, ``H_1 / H_2`` [1].
    """

    deformation_radius: float
    delta: float

    @classmethod
    def of(cls, attributes: Mapping[Any, Any]) -> Self:
        """Read the attributes ``deformation_radius`` and ``delta`` of a Dataset.

        Raises
        ------
        ValueError
            If one is missing.
        """
        radius, delta = required(attributes, "deformation_radius", "delta")
        return cls(radius, delta)

    @property
    def stretching(self) -> tuple[float, float]:
        """``F_1 = r_d^-2 / (1 + delta)`` and ``F_2 = delta F_1`` [length units-2]."""
        upper = self.deformation_radius**-2 / (1.0 + self.delta)
        return upper, self.delta * upper

    @property
    def weights(self) -> Array:
        """Share of each layer in the depth, ``H_i / (H_1 + H_2)``, shape ``(2,)`` [1]."""
        return np.array([self.delta, 1.0]) / (1.0 + self.delta)


def streamfunction(
    vorticity: Spectrum, grid: PeriodicGrid, stratification: Stratification | None
) -> Spectrum:
    """Return the streamfunction of a vorticity, mode by mode.

    One layer: ``psi = -omega / K^2``. Two layers: the solution of
    ``q_1 = -K^2 psi_1 + F_1 (psi_2 - psi_1)``, ``q_2 = -K^2 psi_2 + F_2 (psi_1 - psi_2)``.
    The mean streamfunction is zero.

    Parameters
    ----------
    vorticity
        Fourier coefficients, shape ``(..., ny, nx // 2 + 1)``, two layers: ``(..., 2, ny, ...)``.
    grid
        Its modes.
    stratification
        None for one layer.
    """
    k2 = grid.total_wavenumber() ** 2
    k2[0, 0] = np.inf
    if stratification is None:
        return -vorticity / k2
    f_1, f_2 = stratification.stretching
    q_1, q_2 = vorticity[..., 0, :, :], vorticity[..., 1, :, :]
    # Written as a barotropic and a baroclinic part: no infinity meets another.
    barotropic = -(f_2 * q_1 + f_1 * q_2) / ((f_1 + f_2) * k2)
    baroclinic = -(q_1 - q_2) / (k2 + f_1 + f_2)
    psi_1 = barotropic + f_1 / (f_1 + f_2) * baroclinic
    psi_2 = barotropic - f_2 / (f_1 + f_2) * baroclinic
    return np.stack([psi_1, psi_2], axis=-3)


def velocity(psi: Spectrum, grid: PeriodicGrid) -> tuple[Array, Array]:
    """Return ``u = -dpsi/dy`` and ``v = dpsi/dx`` on the grid, shape ``(..., ny, nx)``."""
    k, l = grid.wavenumbers()  # noqa: E741 -- its name in the field
    return grid.inverse(-1j * l * psi), grid.inverse(1j * k * psi)


def flux_divergence(u: Array, v: Array, tracer: Array, grid: PeriodicGrid) -> Spectrum:
    """Return the Fourier coefficients of ``d(u c)/dx + d(v c)/dy``.

    Products are taken on the grid, without dealiasing, as the solvers do.
    """
    k, l = grid.wavenumbers()  # noqa: E741 -- its name in the field
    return 1j * k * grid.transform(u * tracer) + 1j * l * grid.transform(v * tracer)


def mean_flow(attributes: Mapping[Any, Any], n_layer: int) -> Array:
    """Return the mean zonal flow, shape ``(n_layer, 1, 1)``; zero for one layer.

    Raises
    ------
    ValueError
        If a two-layer Dataset does not say what it is.
    """
    if n_layer == 1:
        return np.zeros((1, 1, 1))
    return np.array(required(attributes, "u1", "u2"))[:, np.newaxis, np.newaxis]


def advected(dataset: xr.Dataset) -> xr.DataArray:
    """Return the vorticity that the model of a Dataset advects, ``q`` or ``vorticity``.

    Raises
    ------
    ValueError
        If the Dataset has neither, or ``q`` does not have two layers before ``(y, x)``.
    """
    for name, n_layer in ADVECTED.items():
        if name not in dataset:
            continue
        field = dataset[name]
        expected = ("layer", "y", "x") if n_layer == 2 else ("y", "x")
        if field.dims[-len(expected) :] != expected or (n_layer == 2 and field.sizes["layer"] != 2):
            raise ValueError(
                f"{name}: expected the last dimensions {expected} with {n_layer} layer(s), "
                f"got {dict(field.sizes)}"
            )
        return field
    raise ValueError(
        f"dataset: expected a variable {' or '.join(ADVECTED)}, got {', '.join(map(str, dataset))}"
    )


def required(attributes: Mapping[Any, Any], *names: str) -> list[float]:
    """Return numbers from the attributes of a Dataset.

    Raises
    ------
    ValueError
        If one is missing; the message names it.
    """
    missing = [name for name in names if name not in attributes]
    if missing:
        raise ValueError(
            f"dataset: expected the attributes {', '.join(names)}, got none of the name(s) "
            f"{', '.join(missing)}; a solver's run() sets them, dataset.attrs[...] = ... does too"
        )
    return [float(attributes[name]) for name in names]
