"""A warmer climate: moist-adiabatic warming aloft, relative humidity kept.

The profile warms by the difference of two moist adiabats that leave the ground at its
temperature and at that plus the warming, from the ground to the tropopause and less above it. In
cold, dry air the adiabats converge upward, in warm air the upper troposphere warms most.

References
----------
Held, Soden 2006, Robust responses of the hydrological cycle to global warming, J. Climate 19,
5686-5699 (relative humidity kept).

Romps 2011, Response of tropical precipitation to global warming, J. Atmos. Sci. 68, 123-138
(moist-adiabatic warming aloft).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.column_physics.betts_miller import moist_step
from solvers.column_physics.saturation import saturation_humidity

Array = NDArray[np.float64]

FADING = 0.7
"""Range of log pressure below the tropopause over which the warming ends [1]."""


@njit(cache=True)
def warmed(temperature: Array, pressure: Array, warming: float) -> Array:
    """Return profiles [K] of a climate warmer by `warming` [K] at the ground.

    Parameters
    ----------
    temperature, pressure
        Profiles ``(n_column, n_level)`` [K], [Pa].
    warming
        Warming of the lowest layer [K].
    """
    result = temperature.copy()
    last = temperature.shape[1] - 1
    for i in range(temperature.shape[0]):
        tropopause = _coldest(temperature[i], pressure[i])
        cool, warm = temperature[i, last], temperature[i, last] + warming
        result[i, last] += warming
        for k in range(last - 1, -1, -1):
            above, below = pressure[i, k], pressure[i, k + 1]
            if above <= tropopause:
                break
            cool = moist_step(cool, saturation_humidity(cool, below), above, below)
            warm = moist_step(warm, saturation_humidity(warm, below), above, below)
            share = min(np.log(above / tropopause) / FADING, 1.0)
            result[i, k] += share * (warm - cool)
    return result


@njit(cache=True)
def _coldest(temperature: Array, pressure: Array) -> float:
    """Return the pressure of the coldest layer between 50 and 400 hPa [Pa]."""
    found, least = 1e4, 1e4
    for k in range(temperature.size):
        if 5e3 < pressure[k] < 4e4 and temperature[k] < least:
            found, least = pressure[k], temperature[k]
    return found
