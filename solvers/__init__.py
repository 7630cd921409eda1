"""Reference numerics: the high-resolution truths and their diagnostics. Knows no closure."""

from solvers.errors import SolverBlewUp, StabilityWarning, TendencyError
from solvers.quasigeostrophic import TwoLayerQG

__all__ = ["SolverBlewUp", "StabilityWarning", "TendencyError", "TwoLayerQG"]
