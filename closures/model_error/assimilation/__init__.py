"""Data assimilation: states, and their tendencies, from few and noisy observations.

Observations are genuinely noisy throughout: nothing here is ever given the truth.
"""

from closures.model_error.assimilation.climatological import ClimatologicalFilter
from closures.model_error.assimilation.enkf import StochasticEnKF
from closures.model_error.assimilation.ensemble import Analysis, EnsembleFilter
from closures.model_error.assimilation.errors import AssimilationError
from closures.model_error.assimilation.etkf import ETKF
from closures.model_error.assimilation.localization import (
    Localization,
    gaspari_cohn,
    periodic_distance,
)
from closures.model_error.assimilation.modes import Modes
from closures.model_error.assimilation.noise_floor import NoiseFloor, noise_floor
from closures.model_error.assimilation.observation import Observation
from closures.model_error.assimilation.operators import (
    Identity,
    Matrix,
    ObservationOperator,
    Subsampling,
)
from closures.model_error.assimilation.smoother import SmoothedWindow, smooth
from closures.model_error.assimilation.snapshots import SnapshotAnalysis, SnapshotFilter
from closures.model_error.assimilation.spectrum import Spectrum

__all__ = [
    "ETKF",
    "Analysis",
    "AssimilationError",
    "ClimatologicalFilter",
    "EnsembleFilter",
    "Identity",
    "Localization",
    "Matrix",
    "Modes",
    "NoiseFloor",
    "Observation",
    "ObservationOperator",
    "SmoothedWindow",
    "SnapshotAnalysis",
    "SnapshotFilter",
    "Spectrum",
    "StochasticEnKF",
    "Subsampling",
    "gaspari_cohn",
    "noise_floor",
    "periodic_distance",
    "smooth",
]
