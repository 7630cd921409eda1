"""From a truth run to pairs of resolved state and subgrid tendency, as labelled data."""

from solvers.coarse_graining.diffusion import diffusion_filter
from solvers.coarse_graining.filters import exponential_filter, gaussian_filter, sharp_filter
from solvers.coarse_graining.lorenz96 import lorenz96_pairs
from solvers.coarse_graining.operators import (
    OPERATORS,
    CoarseGrainingOperator,
    box_mean,
    diffuse_and_average,
    truncate,
    truncate_exponential,
    truncate_gaussian,
)
from solvers.coarse_graining.periodic_grid import PeriodicGrid
from solvers.coarse_graining.subgrid import advection_pairs, tendency_pairs

__all__ = [
    "OPERATORS",
    "CoarseGrainingOperator",
    "PeriodicGrid",
    "advection_pairs",
    "box_mean",
    "diffuse_and_average",
    "diffusion_filter",
    "exponential_filter",
    "gaussian_filter",
    "lorenz96_pairs",
    "sharp_filter",
    "tendency_pairs",
    "truncate",
    "truncate_exponential",
    "truncate_gaussian",
]
