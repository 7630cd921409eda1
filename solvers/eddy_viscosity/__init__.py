"""Eddy viscosities of two-dimensional flow, computed inside the time loop.

The same closures, as archives take them, are in `closures.turbulence`; tests hold the two equal.
"""

from solvers.eddy_viscosity.settings import (
    Backscatter,
    DynamicEddyViscosity,
    EddyViscosity,
    LinearPolicy,
    Viscosity,
)

__all__ = ["Backscatter", "DynamicEddyViscosity", "EddyViscosity", "LinearPolicy", "Viscosity"]
