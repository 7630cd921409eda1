"""Networks that give the radiative fluxes at the interfaces of a column."""

from closures.radiation.features import ColumnFeatures
from closures.radiation.fluxes import FluxEmulator
from closures.radiation.loss import FluxLoss

__all__ = ["ColumnFeatures", "FluxEmulator", "FluxLoss"]
