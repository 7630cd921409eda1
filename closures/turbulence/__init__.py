"""Eddy viscosities of two-dimensional turbulence, as closures for archives and for training.

Each takes the vorticity on a doubly periodic grid and returns its tendency. The solver
`solvers.Barotropic` computes the same inside its time loop (`solvers.eddy_viscosity`).
"""

from closures.turbulence.backscatter import Backscatter
from closures.turbulence.dynamic import DynamicEddyViscosity
from closures.turbulence.eddy_viscosity import EddyViscosity
from closures.turbulence.invariants import INVARIANTS, local_invariants
from closures.turbulence.linear_policy import LinearPolicy

__all__ = [
    "INVARIANTS",
    "Backscatter",
    "DynamicEddyViscosity",
    "EddyViscosity",
    "LinearPolicy",
    "local_invariants",
]
