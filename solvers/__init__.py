"""Reference numerics: the high-resolution truths and their diagnostics. Knows no closure.

The names below are imported when they are first used: a solver then waits for no other.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import solvers.compiled_cache  # noqa: F401 - before any function is decorated

if TYPE_CHECKING:
    from solvers.barotropic import Barotropic
    from solvers.deconvolution import Deconvolution
    from solvers.errors import SolverBlewUp, StabilityWarning, TendencyError
    from solvers.forcing import BandForcing, KolmogorovForcing
    from solvers.kuramoto_sivashinsky import KuramotoSivashinsky
    from solvers.leith_e import LeithE
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
    "Deconvolution",
    "KolmogorovForcing",
    "KuramotoSivashinsky",
    "LeithE",
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

_HOME = {
    "BandForcing": "solvers.forcing",
    "Barotropic": "solvers.barotropic",
    "CTendency": "solvers.tendency_source",
    "KolmogorovForcing": "solvers.forcing",
    "KuramotoSivashinsky": "solvers.kuramoto_sivashinsky",
    "Deconvolution": "solvers.deconvolution",
    "LeithE": "solvers.leith_e",
    "Lorenz63": "solvers.lorenz63",
    "Lorenz96": "solvers.lorenz96",
    "RelaxedJetQG": "solvers.relaxed_jet",
    "ShallowWater": "solvers.shallow_water",
    "SolverBlewUp": "solvers.errors",
    "StabilityWarning": "solvers.errors",
    "SteadyForcing": "solvers.steady_forcing",
    "TendencyError": "solvers.errors",
    "TwoLayerQG": "solvers.quasigeostrophic",
    "TwoScaleLorenz96Rasp": "solvers.lorenz96_two_scale",
    "TwoScaleLorenz96Wilks": "solvers.lorenz96_two_scale",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'solvers' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
