"""Networks that give the radiative fluxes at the interfaces of a column."""

from closures.radiation.features import ColumnFeatures
from closures.radiation.fluxes import FluxEmulator, Signs
from closures.radiation.loss import FluxLoss, PartitionLoss
from closures.radiation.partition import EnergyPartition
from closures.radiation.sunlight import SunlitFeatures

__all__ = [
    "ColumnFeatures",
    "EnergyPartition",
    "FluxEmulator",
    "FluxLoss",
    "PartitionLoss",
    "Signs",
    "SunlitFeatures",
]
