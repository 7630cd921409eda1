"""Moist convection of a column that neither makes nor loses water or heat."""

from closures.convection.budget import ConvectiveBudget, Head
from closures.convection.emulator import OUTPUTS, ConvectionEmulator
from closures.convection.features import MoistFeatures
from closures.convection.loss import ConvectionLoss
from closures.convection.tendencies import exchange_of, humidity_tendency, temperature_tendency

__all__ = [
    "OUTPUTS",
    "ConvectionEmulator",
    "ConvectionLoss",
    "ConvectiveBudget",
    "Head",
    "MoistFeatures",
    "exchange_of",
    "humidity_tendency",
    "temperature_tendency",
]
