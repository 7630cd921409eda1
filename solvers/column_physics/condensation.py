"""Condensation and evaporation of cloud at constant enthalpy and total water.

With a width b the water of a layer is spread evenly between (1 - b) and (1 + b) of its mean, so
that cloud forms before the mean is saturated; with b = 0 the layer is all clear or all cloudy.
The spread here is b times the saturation humidity.

References
----------
Le Treut, Li 1991, Sensitivity of an atmospheric general circulation model to prescribed SST
changes, Climate Dyn. 5, 175-187, eqs. 3-6.
"""

from numba import njit

from solvers.column_physics.constants import EVAPORATION_HEAT, HEAT_CAPACITY
from solvers.column_physics.saturation import (
    liquid_fraction,
    saturation_humidity,
    saturation_slope,
)

_MOST_STEPS = 30
_ENOUGH = 1e-10


@njit(cache=True)
def condensate(water: float, saturation: float, width: float) -> tuple[float, float]:
    """Return cloud water [kg kg-1] and its derivative with respect to saturation.

    Parameters
    ----------
    water
        Total water of the layer [kg kg-1].
    saturation
        Saturation humidity [kg kg-1].
    width
        Half width of the distribution of water, relative to saturation [1].

    Notes
    -----
    qc = (w - (1 - b) qs)^2 / (4 b qs) between (1 - b) qs and (1 + b) qs, w - qs above.
    """
    if water >= (1.0 + width) * saturation:
        return water - saturation, -1.0
    excess = water - (1.0 - width) * saturation
    if excess <= 0.0:
        return 0.0, 0.0
    share = excess / (4.0 * width * saturation)
    return excess * share, -share * (2.0 * (1.0 - width) + excess / saturation)


@njit(cache=True)
def condense(
    temperature: float,
    vapour: float,
    liquid: float,
    ice: float,
    pressure: float,
    width: float,
    fusion: float,
) -> tuple[float, float, float, float]:
    """Return T [K], vapour, liquid and ice [kg kg-1] of a layer in equilibrium.

    Parameters
    ----------
    temperature, vapour, liquid, ice
        Before condensation [K], [kg kg-1].
    pressure
        Pressure [Pa].
    width
        Half width of the distribution of water, see `condensate` [1].
    fusion
        Latent heat of fusion; zero where ice counts as liquid [J kg-1].

    Notes
    -----
    cp T + Lv qv - Lf qi and qv + ql + qi keep their values. Newton's method on a function that
    grows with T, safe because it is bracketed by no cloud and by all vapour condensed.
    """
    water = vapour + liquid + ice
    if liquid + ice <= 0.0 and vapour <= (1.0 - width) * saturation_humidity(temperature, pressure):
        return temperature, vapour, liquid, ice
    heat = HEAT_CAPACITY * temperature + EVAPORATION_HEAT * vapour - fusion * ice
    low = (heat - EVAPORATION_HEAT * water) / HEAT_CAPACITY
    high = (heat + fusion * water) / HEAT_CAPACITY
    t = temperature
    for _ in range(_MOST_STEPS):
        saturation = saturation_humidity(t, pressure)
        cloud, slope = condensate(water, saturation, width)
        frozen = 1.0 - liquid_fraction(t)
        latent = EVAPORATION_HEAT + fusion * frozen
        error = HEAT_CAPACITY * t + EVAPORATION_HEAT * water - latent * cloud - heat
        if error > 0.0:
            high = t
        else:
            low = t
        change = slope * saturation_slope(t, saturation)
        derivative = HEAT_CAPACITY - latent * change
        if 0.0 < frozen < 1.0:
            derivative += fusion * cloud / 20.0
        guess = t - error / derivative
        if not low <= guess <= high:
            guess = 0.5 * (low + high)
        moved = abs(guess - t)
        t = guess
        if moved < _ENOUGH * 300.0:
            break
    cloud, _ = condensate(water, saturation_humidity(t, pressure), width)
    liquid_share = liquid_fraction(t)
    vapour = water - cloud
    liquid = liquid_share * cloud
    ice = cloud - liquid
    return (heat - EVAPORATION_HEAT * vapour + fusion * ice) / HEAT_CAPACITY, vapour, liquid, ice
