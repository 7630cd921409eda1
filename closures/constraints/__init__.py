"""Hard output layers: physics that a network's outputs satisfy whatever it has learned.

A layer maps packed inputs ``(n, n_input)`` and outputs ``(n, n_output)`` of a column closure, in
physical units and in the order of its fields, to outputs that satisfy an equation or an
inequality. Layers are inside the closure: they are trained through, and travel in the archive.

References
----------
Beucler et al. 2021, Enforcing analytic constraints in neural networks emulating physical
systems, Phys. Rev. Lett. 126, 098302.
Harder et al. 2023, Hard-constrained deep learning for climate downscaling, J. Mach. Learn. Res.
24, 365.
Hu et al. 2025, Stable machine-learning parameterization of subgrid processes in a comprehensive
atmospheric model learned from embedded convection-permitting simulations, arXiv:2407.00124.
Heuer et al. 2025, arXiv:2510.08107.
"""

from closures.constraints.config import EXACT, LAYERS, PhysicsConfig
from closures.constraints.pressure import HybridLevels
from closures.constraints.quantiles import TrainingLimits
from closures.constraints.ranges import FieldRanges, MissingFieldError
from closures.constraints.registry import Physics, missing_fields, physics_layers

__all__ = [
    "EXACT",
    "LAYERS",
    "FieldRanges",
    "HybridLevels",
    "MissingFieldError",
    "Physics",
    "PhysicsConfig",
    "TrainingLimits",
    "missing_fields",
    "physics_layers",
]
