"""Simplified Betts-Miller convection, the convection of scheme low.

Temperature relaxes to the moist adiabat of a parcel from the moistest layer near the ground,
humidity to a fixed relative humidity along it. Where that would dry and warm the column it rains;
the faster of the two is then slowed down so that enthalpy is conserved. Where it would not rain,
the layer is as deep as it can be without raining, and both profiles are changed so that neither
water nor enthalpy is lost.

References
----------
Frierson 2007, The dynamics of idealized convection schemes and their effect on the zonally
averaged tropical circulation, J. Atmos. Sci. 64, 1959-1976, sections 2a-2c.

Betts 1986, A new convective adjustment scheme. Part I, Q. J. R. Meteorol. Soc. 112, 677-691.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.column_physics.constants import (
    EVAPORATION_HEAT,
    HEAT_CAPACITY,
    KAPPA,
    VIRTUAL,
)
from solvers.column_physics.saturation import saturation_humidity, saturation_slope

Array = NDArray[np.float64]

RELAXATION_TIME = 115200.0
"""Time of relaxation, tau [s].

Long against Frierson's two hours: the prescribed flow keeps up the columns' instability, which
in a free model convection would have used up.
"""
REFERENCE_HUMIDITY = 0.5
"""Relative humidity to which air relaxes [1]."""
LAUNCH_DEPTH = 10000.0
"""Depth above ground of the layers from which air may rise [Pa]."""
LONGEST_INHIBITION = 15000.0
"""Depth of the layer in which the parcel may be colder than its surroundings [Pa]."""


@njit(cache=True)
def moist_step(temperature: float, saturation: float, above: float, below: float) -> float:
    """Return the temperature [K] of saturated air lifted from pressure below to above [Pa].

    Notes
    -----
    dT / dlnp = (kappa T + Lv qs / cp) / (1 + (Lv / cp) dqs/dT), midpoint rule.
    """
    log_pressure = np.log(above / below)
    middle_pressure = np.sqrt(above * below)
    slope = _moist_slope(temperature, saturation)
    middle = temperature + 0.5 * log_pressure * slope
    slope = _moist_slope(middle, saturation_humidity(middle, middle_pressure))
    return float(temperature + log_pressure * slope)


@njit(cache=True)
def _moist_slope(temperature: float, saturation: float) -> float:
    ratio = EVAPORATION_HEAT / HEAT_CAPACITY
    growth = 1.0 + ratio * saturation_slope(temperature, saturation)
    return (KAPPA * temperature + ratio * saturation) / growth


@njit(cache=True)
def moistest_layer(temperature: Array, vapour: Array, pressure: Array) -> int:
    """Return the layer near the ground from which air rises most easily.

    Notes
    -----
    The largest T (p_ground / p)^kappa + (Lv / cp) q, the power linear in the small difference.
    """
    last = pressure.size - 1
    best, most = last, 0.0
    for k in range(last, 0, -1):
        if pressure[last] - pressure[k] > LAUNCH_DEPTH:
            break
        warmth = temperature[k] * (1.0 + KAPPA * (pressure[last] / pressure[k] - 1.0))
        energy = warmth + EVAPORATION_HEAT / HEAT_CAPACITY * vapour[k]
        if energy > most:
            best, most = k, energy
    return best


@njit(cache=True)
def lift_parcel(
    temperature: Array,
    vapour: Array,
    pressure: Array,
    limits: tuple[int, int],
    parcel: Array,
    parcel_vapour: Array,
) -> int:
    """Lift a parcel; return the index of the highest layer in which it is buoyant.

    Parameters
    ----------
    temperature, vapour, pressure
        Profile [K], [kg kg-1], [Pa].
    limits
        Layer above which nothing rises, and the layer that the parcel comes from.
    parcel, parcel_vapour
        Set to the parcel's temperature and humidity up to the returned layer, and one above.

    Returns
    -------
    int
        The layer that it comes from if the parcel never is buoyant.
    """
    highest, base = limits
    origin = vapour[base]
    parcel[base], parcel_vapour[base] = temperature[base], origin
    top = base
    saturated = False
    saturation, condensation = 0.0, 0.0
    for k in range(base - 1, highest - 1, -1):
        if not saturated:
            parcel[k] = parcel[base] * (pressure[k] / pressure[base]) ** KAPPA
            parcel_vapour[k] = origin
            saturation = saturation_humidity(parcel[k], pressure[k])
            saturated = saturation <= origin
            if saturated:
                # The layer in which condensation sets in: as much heat as vapour condenses.
                condensation = pressure[k]
                slope = saturation_slope(parcel[k], saturation)
                excess = origin - saturation
                excess /= 1.0 + EVAPORATION_HEAT / HEAT_CAPACITY * slope
                parcel[k] += EVAPORATION_HEAT / HEAT_CAPACITY * excess
                saturation = saturation_humidity(parcel[k], pressure[k])
                parcel_vapour[k] = min(saturation, origin)
        else:
            parcel[k] = moist_step(parcel[k + 1], saturation, pressure[k], pressure[k + 1])
            saturation = saturation_humidity(parcel[k], pressure[k])
            parcel_vapour[k] = saturation
        virtual = parcel[k] * (1.0 + VIRTUAL * parcel_vapour[k])
        if saturated and virtual > temperature[k] * (1.0 + VIRTUAL * vapour[k]):
            top = k
        elif top < base or condensation - pressure[k] > LONGEST_INHIBITION:
            break
    return top


@njit(cache=True)
def adjust(
    temperature: Array,
    vapour: Array,
    pressure: Array,
    mass: Array,
    highest: int,
    timestep: float,
) -> float:
    """Advance T [K] and humidity [kg kg-1] by convection; return the rain [kg m-2].

    Parameters
    ----------
    temperature, vapour
        Profile, changed in place.
    pressure, mass
        Pressure [Pa] and mass [kg m-2] of the layers.
    highest
        Layer above which nothing changes.
    timestep
        Length of the step [s].
    """
    n = temperature.size
    parcel = np.empty(n)
    parcel_vapour = np.empty(n)
    base = moistest_layer(temperature, vapour, pressure)
    limits = highest, base
    top = lift_parcel(temperature, vapour, pressure, limits, parcel, parcel_vapour)
    if top >= base:
        return 0.0
    share = timestep / (RELAXATION_TIME + timestep)
    drying, warming = 0.0, 0.0
    for k in range(top, base + 1):
        # From here on, the parcel's humidity is the reference.
        parcel_vapour[k] = REFERENCE_HUMIDITY * saturation_humidity(parcel[k], pressure[k])
        drying += mass[k] * (vapour[k] - parcel_vapour[k])
        warming += mass[k] * HEAT_CAPACITY / EVAPORATION_HEAT * (parcel[k] - temperature[k])
    if warming <= 0.0:
        return 0.0
    if drying <= 0.0:
        _shallow(temperature, vapour, parcel, parcel_vapour, mass, (top, base), share)
        return 0.0
    rain = share * min(drying, warming)
    for k in range(top, base + 1):
        temperature[k] += rain / warming * (parcel[k] - temperature[k])
        vapour[k] += rain / drying * (parcel_vapour[k] - vapour[k])
    return rain


@njit(cache=True)
def _shallow(
    temperature: Array,
    vapour: Array,
    parcel: Array,
    parcel_vapour: Array,
    mass: Array,
    limits: tuple[int, int],
    share: float,
) -> None:
    """Mix the deepest layer within the limits that would not lack water, without rain."""
    top, base = limits
    surplus, lowest = 0.0, base + 1
    for k in range(base, top - 1, -1):
        surplus += mass[k] * (vapour[k] - parcel_vapour[k])
        if surplus >= 0.0:
            lowest = k
        elif lowest <= base:
            break
    if lowest >= base:
        return
    water, reference, shift, weight = 0.0, 0.0, 0.0, 0.0
    for k in range(lowest, base + 1):
        water += mass[k] * vapour[k]
        reference += mass[k] * parcel_vapour[k]
        shift += mass[k] * (temperature[k] - parcel[k])
        weight += mass[k]
    for k in range(lowest, base + 1):
        temperature[k] += share * (parcel[k] + shift / weight - temperature[k])
        vapour[k] += share * (parcel_vapour[k] * water / reference - vapour[k])
