"""Saturation over liquid, ice and, between 253.16 K and 273.16 K, a mixture of both.

References
----------
Flatau, Walko, Cotton 1992, Polynomial fits to saturation vapor pressure, J. Appl. Meteor. 31,
1507-1513, table 4 (relative error norm, eighth order), argument T - 273.16 K.
"""

import numpy as np
from numba import njit, vectorize
from numpy.typing import NDArray

from solvers.column_physics.constants import (
    ALL_ICE,
    EPSILON,
    EVAPORATION_HEAT,
    FREEZING,
    FUSION_HEAT,
    VAPOUR_GAS_CONSTANT,
)

Array = NDArray[np.float64]


@njit(cache=True, inline="always")
def liquid_fraction(temperature: float) -> float:
    """Return which part of condensate is liquid at T [K], a ramp from 0 to 1 [1]."""
    return min(max((temperature - ALL_ICE) / (FREEZING - ALL_ICE), 0.0), 1.0)


@njit(cache=True)
def liquid_vapour_pressure(temperature: float) -> float:
    """Return the saturation vapour pressure over liquid [Pa] at T [K]."""
    # Below -80 C the fit is of no use, nor is there liquid.
    x = max(temperature - FREEZING, -80.0)
    e = -0.976195544e-15 * x - 0.952447341e-13
    e = ((e * x + 0.640689451e-10) * x + 0.206739458e-7) * x + 0.302950461e-5
    e = ((e * x + 0.264847430e-3) * x + 0.142986287e-1) * x + 0.443987641
    return 100.0 * (e * x + 6.11239921)


@njit(cache=True)
def ice_vapour_pressure(temperature: float) -> float:
    """Return the saturation vapour pressure over ice [Pa] at T <= 273.16 K."""
    x = temperature - FREEZING
    if temperature <= 185.0:
        x = max(x, -100.0)
        return 100.0 * (0.00763685 + x * (0.000151069 + x * 7.48215e-7))
    e = 0.252751365e-14 * x + 0.146898966e-11
    e = ((e * x + 0.385852041e-9) * x + 0.602588177e-7) * x + 0.615021634e-5
    e = ((e * x + 0.420895665e-3) * x + 0.188439774e-1) * x + 0.503160820
    return 100.0 * (e * x + 6.11147274)


@njit(cache=True)
def vapour_pressure(temperature: float) -> float:
    """Return the saturation vapour pressure over the mixture [Pa] at T [K]."""
    liquid = liquid_fraction(temperature)
    if liquid >= 1.0:
        return liquid_vapour_pressure(temperature)
    ice = ice_vapour_pressure(temperature)
    if liquid <= 0.0:
        return ice
    return liquid * liquid_vapour_pressure(temperature) + (1.0 - liquid) * ice


@njit(cache=True)
def saturation_humidity(temperature: float, pressure: float) -> float:
    """Return the saturation specific humidity [kg kg-1] at T [K] and p [Pa], at most one.

    Notes
    -----
    qs = eps e / (p - (1 - eps) e)
    """
    e = vapour_pressure(temperature)
    # Near the model top saturation exceeds the pressure of air.
    return EPSILON * e / max(pressure - (1.0 - EPSILON) * e, EPSILON * e)


@njit(cache=True)
def saturation_slope(temperature: float, saturation: float) -> float:
    """Return d qs / dT [K-1] by Clausius and Clapeyron, qs [kg kg-1] at T [K]."""
    latent = EVAPORATION_HEAT + (1.0 - liquid_fraction(temperature)) * FUSION_HEAT
    return latent * saturation / (VAPOUR_GAS_CONSTANT * temperature * temperature)


@vectorize(["float64(float64, float64)"], cache=True)  # type: ignore[no-untyped-call]
def _saturation_humidity(temperature: float, pressure: float) -> float:
    return saturation_humidity(temperature, pressure)


def saturation_humidities(temperature: Array, pressure: Array) -> Array:
    """Return `saturation_humidity` of arrays that broadcast.

    Examples
    --------
    >>> float(saturation_humidities(np.array(273.16), np.array(1e5)).round(6))
    0.003811
    """
    return np.asarray(_saturation_humidity(temperature, pressure))
