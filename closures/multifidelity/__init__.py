"""Closures that combine plentiful, cheap physics with scarce, accurate data."""

from closures.multifidelity.calibration import Agreement, calibrated_windows, member_spreads
from closures.multifidelity.cascade import Cascade, Window
from closures.multifidelity.distill import Distillation, distill
from closures.multifidelity.fit import EnsembleTraining, fit_ensemble
from closures.multifidelity.guarded import GuardedEnsemble
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
from closures.multifidelity.student import FeatureDistance, Student, StudentSizes
from closures.multifidelity.trust import RelativeSpread, confidence_of, spread_of

__all__ = [
    "Agreement",
    "Cascade",
    "Distillation",
    "EnsembleSizes",
    "EnsembleTraining",
    "FeatureCount",
    "FeatureDistance",
    "FidelityBatches",
    "FidelityEnsemble",
    "Form",
    "GuardedEnsemble",
    "InvariantColumns",
    "NoiseNetwork",
    "NoiseSizes",
    "RelativeSpread",
    "Samples",
    "Student",
    "StudentSizes",
    "Window",
    "calibrated_windows",
    "confidence_of",
    "distill",
    "fit_ensemble",
    "member_spreads",
    "membership",
    "pooled",
    "spread_of",
]
