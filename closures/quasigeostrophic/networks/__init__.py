"""Convolutional networks as closures of two-layer flow, and their training on given states."""

from closures.quasigeostrophic.networks.closure import PAPER, Architecture, NetworkClosure
from closures.quasigeostrophic.networks.fit import fit_network
from closures.quasigeostrophic.networks.inputs import INPUTS
from closures.quasigeostrophic.networks.limiter import EnergyLimiter
from closures.quasigeostrophic.networks.symmetry import SymmetricMean

__all__ = [
    "INPUTS",
    "PAPER",
    "Architecture",
    "EnergyLimiter",
    "NetworkClosure",
    "SymmetricMean",
    "fit_network",
]
