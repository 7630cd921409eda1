"""Convolutional networks as closures of two-layer flow, their training, and noise for the rest."""

from closures.quasigeostrophic.networks.closure import PAPER, Architecture, NetworkClosure
from closures.quasigeostrophic.networks.fit import fit_network
from closures.quasigeostrophic.networks.inputs import INPUTS
from closures.quasigeostrophic.networks.limiter import EnergyLimiter
from closures.quasigeostrophic.networks.stochastic import StochasticNetwork
from closures.quasigeostrophic.networks.stochastic_fit import fit_spread
from closures.quasigeostrophic.networks.symmetry import SymmetricMean

__all__ = [
    "INPUTS",
    "PAPER",
    "Architecture",
    "EnergyLimiter",
    "NetworkClosure",
    "StochasticNetwork",
    "SymmetricMean",
    "fit_network",
    "fit_spread",
]
