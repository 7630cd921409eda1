"""Shortwave radiation in two spectral parts, each direct and diffuse at the ground.

Scheme low: gray absorption and one bulk cloud. Scheme high: ozone and Rayleigh scattering in the
visible, water vapour in the near infrared, a cloud that scatters both.

References
----------
Lacis, Hansen 1974, A parameterization for the absorption of solar radiation in the earth's
atmosphere, J. Atmos. Sci. 31, 118-133, eqs. 8-9 (ozone), 13 (air mass), 15 (Rayleigh), 22 (water).

Coakley, Chylek 1975, The two-stream approximation in radiative transfer, J. Atmos. Sci. 32,
409-418 (thin layer without absorption).

O'Gorman, Schneider 2008, The hydrological cycle over a wide range of climates simulated with an
idealized GCM, J. Climate 21, 3815-3832, eq. 3 (gray absorption).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.column_physics.constants import GRAVITY

Array = NDArray[np.float64]

VISIBLE_SHARE = 0.48
"""Share of sunlight at wavelengths below 0.7 um [1]."""
GRAY_DEPTH = 0.22
"""Shortwave optical depth of scheme low [1]."""
BACKSCATTER = 0.075
"""Share of light that a droplet scatters back, (1 - g) / 2 with g = 0.85 [1]."""
LIQUID_EXTINCTION = 150.0
"""Extinction by cloud liquid [m2 kg-1], that of droplets of 10 um."""
ICE_EXTINCTION = 54.0
"""Extinction by cloud ice [m2 kg-1], that of crystals of 30 um."""
THIN_DEPTH = 4.0
"""Optical depth at which clouds cover half of a column [1]."""
CLEAR_DIFFUSE = 0.12
"""Share of diffuse light in the visible under a clear sky [1]."""
CLEAR_DIFFUSE_INFRARED = 0.03
"""Share of diffuse light in the near infrared under a clear sky [1]."""
OZONE_AMOUNT = 100.0 * 0.022414 / (GRAVITY * 0.0289647)
"""Ozone, per mole fraction and pressure [cm at NTP Pa-1]."""


@njit(cache=True)
def ozone_absorption(x: float) -> float:
    """Return the share of sunlight that ozone on its path absorbs, x [cm at NTP]."""
    visible = 0.02118 * x / (1.0 + x * (0.042 + 0.000323 * x))
    ultraviolet = 1.082 * x / (1.0 + 138.6 * x) ** 0.805
    return float(visible + ultraviolet + 0.0658 * x / (1.0 + (103.6 * x) ** 3))


@njit(cache=True)
def vapour_absorption(y: float) -> float:
    """Return the share of sunlight that water vapour on its path absorbs, y [cm of water]."""
    return float(2.9 * y / ((1.0 + 141.5 * y) ** 0.635 + 5.925 * y))


@njit(cache=True)
def cloud_transmission(
    mass: Array, liquid: Array, ice: Array, cosine: float
) -> tuple[float, float]:
    """Return what a column's broken cloud lets through in all, and undisturbed [1].

    Parameters
    ----------
    mass
        Mass of air in the layers [kg m-2].
    liquid, ice
        Cloud [kg kg-1].
    cosine
        Cosine of the zenith angle, positive [1].

    Notes
    -----
    The cover is f = tau / (tau + tau_0) and the depth of the cloud itself tau / f; through it
    pass t = 1 / (1 + beta tau / (f mu)) and, undisturbed, exp(-tau / (f mu)).
    """
    depth = 0.0
    for k in range(mass.size):
        extinction = LIQUID_EXTINCTION * max(liquid[k], 0.0) + ICE_EXTINCTION * max(ice[k], 0.0)
        depth += extinction * mass[k]
    cover = depth / (depth + THIN_DEPTH)
    slant = (depth + THIN_DEPTH) / max(cosine, 0.05)
    clear = 1.0 - cover
    return clear + cover / (1.0 + BACKSCATTER * slant), clear + cover * np.exp(-slant)


@njit(cache=True)
def ground_fluxes(
    clear: tuple[float, float],
    through: float,
    undisturbed: float,
    albedos: tuple[float, float, float, float],
) -> tuple[float, float, float, float, float]:
    """Return the net flux into the ground and the four downward fluxes that make it.

    Parameters
    ----------
    clear
        Flux to the ground under a clear sky, visible and near infrared [W m-2].
    through, undisturbed
        Transmission of the cloud, see `cloud_transmission` [1].
    albedos
        Albedo for visible direct, near infrared direct, visible diffuse and near infrared
        diffuse light [1].

    Returns
    -------
    tuple
        Net, visible direct, near infrared direct, visible diffuse, near infrared diffuse flux
        [W m-2]; the first is the sum of the others, each times one less its albedo.
    """
    visible_direct = clear[0] * undisturbed * (1.0 - CLEAR_DIFFUSE)
    infrared_direct = clear[1] * undisturbed * (1.0 - CLEAR_DIFFUSE_INFRARED)
    # What the ground reflects, the cloud throws back in part.
    visible = clear[0] * through / (1.0 - (1.0 - through) * albedos[2])
    infrared = clear[1] * through / (1.0 - (1.0 - through) * albedos[3])
    visible_diffuse = max(visible - visible_direct, 0.0)
    infrared_diffuse = max(infrared - infrared_direct, 0.0)
    net = (
        visible_direct * (1.0 - albedos[0])
        + infrared_direct * (1.0 - albedos[1])
        + visible_diffuse * (1.0 - albedos[2])
        + infrared_diffuse * (1.0 - albedos[3])
    )
    return net, visible_direct, infrared_direct, visible_diffuse, infrared_diffuse


@njit(cache=True)
def low_shortwave(interface: Array, sunlight: float, down: Array) -> tuple[float, float]:
    """Set the downward clear-sky flux of scheme low; return its parts at the ground [W m-2].

    Notes
    -----
    D = S exp(-tau (p / ps)^2), the reflected light passing without loss.
    """
    ground = interface[-1]
    for k in range(interface.size):
        s = interface[k] / ground
        down[k] = sunlight * np.exp(-GRAY_DEPTH * s * s)
    total = down[-1]
    return VISIBLE_SHARE * total, (1.0 - VISIBLE_SHARE) * total


@njit(cache=True)
def high_shortwave(
    interface: Array,
    vapour: Array,
    ozone: Array,
    sunlight: float,
    cosine: float,
    down: Array,
) -> tuple[float, float]:
    """Set the downward clear-sky flux of scheme high; return its parts at the ground [W m-2].

    Parameters
    ----------
    interface
        Pressure [Pa].
    vapour, ozone
        Humidity [kg kg-1] and mole fraction of ozone [mol mol-1].
    sunlight
        Flux at the top [W m-2].
    cosine
        Cosine of the zenith angle [1].
    down
        Flux at the interfaces, less what gases absorbed above [W m-2].
    """
    path = 35.0 / np.sqrt(1224.0 * cosine * cosine + 1.0)
    gas, water = 0.0, 0.0
    visible, infrared = 0.0, 0.0
    down[0] = sunlight
    for k in range(vapour.size):
        thickness = interface[k + 1] - interface[k]
        gas += path * OZONE_AMOUNT * ozone[k] * thickness
        # Lines are narrower, and absorb less, where the pressure is low.
        scaled = 0.5 * (interface[k + 1] + interface[k]) / interface[-1]
        water += path * 0.1 / GRAVITY * max(vapour[k], 0.0) * thickness * scaled
        visible = ozone_absorption(gas)
        infrared = vapour_absorption(water)
        down[k + 1] = sunlight * (1.0 - visible - infrared)
    scattered = 0.28 / (1.0 + 6.43 * cosine)
    return (
        sunlight * max(VISIBLE_SHARE - visible - VISIBLE_SHARE * scattered, 0.0),
        sunlight * max(1.0 - VISIBLE_SHARE - infrared, 0.0),
    )
