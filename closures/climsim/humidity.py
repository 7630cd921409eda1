"""Relative humidity and phase of cloud water, as ClimSim's online networks define them."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FREEZING = 273.16
"""Temperature about which the polynomials are expanded [K]."""
ALL_ICE = 253.16
"""Temperature below which cloud water is all ice [K]."""
MIXED_RANGE = 20.0
"""Width of the range of temperature with both phases [K]."""
GAS_DRY, GAS_VAPOUR = 287.0, 461.0
"""Gas constants of dry air and of water vapour [J kg-1 K-1]."""

# Coefficients of powers of T - 273.16 K, the highest first; results in hPa.
LIQUID = (
    -0.976195544e-15, -0.952447341e-13, 0.640689451e-10, 0.206739458e-7, 0.302950461e-5,
    0.264847430e-3, 0.142986287e-1, 0.443987641, 6.11239921,
)  # fmt: skip
ICE = (
    0.252751365e-14, 0.146898966e-11, 0.385852041e-9, 0.602588177e-7, 0.615021634e-5,
    0.420895665e-3, 0.188439774e-1, 0.503160820, 6.11147274,
)  # fmt: skip
COLDEST_ICE = (7.48215e-7, 0.000151069, 0.00763685)


def liquid_partition(temperature: Array) -> Array:
    """Return the fraction of cloud water that is liquid [1]: a ramp from 253.16 to 273.16 K.

    Parameters
    ----------
    temperature
        Any shape [K].

    Examples
    --------
    >>> liquid_partition(np.array([250.0, 263.16, 280.0]))
    array([0. , 0.5, 1. ])
    """
    fraction: Array = np.clip((temperature - ALL_ICE) / MIXED_RANGE, 0.0, 1.0)
    return fraction


def saturation_vapour_pressure(temperature: Array) -> Array:
    """Return the saturation vapour pressure [Pa] over the mixture of `liquid_partition`.

    Polynomials of degree 8 over liquid and over ice; below 185 K a parabola over ice.

    Parameters
    ----------
    temperature
        Any shape [K].

    References
    ----------
    Flatau, Walko & Cotton 1992, Polynomial fits to saturation vapor pressure, J. Appl.
    Meteorol. 31, table 4.
    """
    celsius = temperature - FREEZING
    liquid = np.polyval(LIQUID, np.maximum(celsius, -80.0))
    cold = np.where(temperature > 185.0, np.polyval(ICE, celsius), _coldest(celsius))
    ice = np.where(temperature > 273.15, liquid, cold)
    fraction = liquid_partition(temperature)
    hectopascal = fraction * liquid + (1.0 - fraction) * ice
    return np.asarray(100.0 * hectopascal, np.float64)


def relative_humidity(temperature: Array, humidity: Array, pressure: Array) -> Array:
    """Return specific humidity over its saturation value, ``q p / (0.62 e_s)`` [1].

    Parameters
    ----------
    temperature
        Any shape [K].
    humidity
        Specific humidity [kg kg-1].
    pressure
        Pressure of the level [Pa].
    """
    saturation = GAS_DRY * saturation_vapour_pressure(temperature) / (GAS_VAPOUR * pressure)
    return np.asarray(humidity / saturation, np.float64)


def _coldest(celsius: Array) -> Array:
    return np.asarray(np.polyval(COLDEST_ICE, np.maximum(celsius, -100.0)), np.float64)
