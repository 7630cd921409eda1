"""Reference numerics: the high-resolution truths and their diagnostics. Knows no closure."""

import solvers.compiled_cache  # noqa: F401 - before any function is decorated
from solvers.barotropic import Barotropic
from solvers.errors import SolverBlewUp, StabilityWarning, TendencyError
from solvers.forcing import BandForcing, KolmogorovForcing
from solvers.kuramoto_sivashinsky import KuramotoSivashinsky
from solvers.lorenz63 import Lorenz63
from solvers.lorenz96 import Lorenz96
from solvers.lorenz96_two_scale import TwoScaleLorenz96Rasp, TwoScaleLorenz96Wilks
from solvers.quasigeostrophic import TwoLayerQG
from solvers.relaxed_jet import RelaxedJetQG
from solvers.shallow_water import ShallowWater
from solvers.steady_forcing import SteadyForcing
from solvers.tendency_source import CTendency

__all__ = [
    "BandForcing",
    "Barotropic",
    "CTendency",
    "KolmogorovForcing",
    "KuramotoSivashinsky",
    "Lorenz63",
    "Lorenz96",
    "RelaxedJetQG",
    "ShallowWater",
    "SolverBlewUp",
    "StabilityWarning",
    "SteadyForcing",
    "TendencyError",
    "TwoLayerQG",
    "TwoScaleLorenz96Rasp",
    "TwoScaleLorenz96Wilks",
]
