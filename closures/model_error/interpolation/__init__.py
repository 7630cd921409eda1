"""Interpolators: from scattered sensors to fields that are known everywhere.

For model error, interpolate the state alone: the terms of a model are computed from it, and what
it misses is small and smooth. The change from one time to the next is mostly noise, which an
interpolator either keeps or takes for nothing, tendency included; compare it where it was
measured, at the sensors, with what the model makes of the interpolated state.
"""

from closures.model_error.interpolation.cubic import CubicInterpolator
from closures.model_error.interpolation.domain import Domain, grid_points
from closures.model_error.interpolation.errors import InterpolationError
from closures.model_error.interpolation.fourier import FourierInterpolant, FourierInterpolator
from closures.model_error.interpolation.interpolator import Interpolant, Interpolator, OnProgress
from closures.model_error.interpolation.network import NetworkInterpolator
from closures.model_error.interpolation.prior_spectrum import PriorSpectrum
from closures.model_error.interpolation.radial import RadialInterpolator
from closures.model_error.interpolation.sensors import Sensors, random_points, random_sensors

__all__ = [
    "CubicInterpolator",
    "Domain",
    "FourierInterpolant",
    "FourierInterpolator",
    "Interpolant",
    "InterpolationError",
    "Interpolator",
    "NetworkInterpolator",
    "OnProgress",
    "PriorSpectrum",
    "RadialInterpolator",
    "Sensors",
    "grid_points",
    "random_points",
    "random_sensors",
]
