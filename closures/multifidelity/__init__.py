"""Closures that combine plentiful, cheap physics with scarce, accurate data."""

from closures.multifidelity.fit import EnsembleTraining, fit_ensemble
from closures.multifidelity.invariant import InvariantColumns
from closures.multifidelity.network import (
    EnsembleSizes,
    FeatureCount,
    FidelityEnsemble,
    Form,
    NoiseNetwork,
    NoiseSizes,
)
from closures.multifidelity.samples import FidelityBatches, Samples, membership, pooled

__all__ = [
    "EnsembleSizes",
    "EnsembleTraining",
    "FeatureCount",
    "FidelityBatches",
    "FidelityEnsemble",
    "Form",
    "InvariantColumns",
    "NoiseNetwork",
    "NoiseSizes",
    "Samples",
    "fit_ensemble",
    "membership",
    "pooled",
]
