"""Gray longwave radiation: two-stream fluxes without scattering, and their divergence.

Two absorbers share one solver: the prescribed optical depth of Frierson et al. (scheme low), and
one that depends on humidity and cloud, beside strongly absorbing bands of carbon dioxide that
cool the stratosphere and a window (scheme high).

References
----------
Frierson, Held, Zurita-Gotor 2006, A gray-radiation aquaplanet moist GCM. Part I, J. Atmos. Sci.
63, 2548-2566, eqs. 2-7.

Byrne, O'Gorman 2013, Land-ocean warming contrast over a wide range of climates, J. Climate 26,
4000-4016, eq. 4.

Stephens 1978, Radiation profiles in extended water clouds. II, J. Atmos. Sci. 35, 2123-2132
(absorption by cloud droplets).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.column_physics.constants import GRAVITY, HEAT_CAPACITY, STEFAN_BOLTZMANN

Array = NDArray[np.float64]

EQUATOR_DEPTH = 6.0
"""Optical depth at the equator [1]."""
POLE_DEPTH = 1.5
"""Optical depth at the poles [1]."""
LINEAR_SHARE = 0.1
"""Share of the optical depth that is linear in pressure [1]."""

DRY_ABSORPTION = 0.8678
"""Optical depth of dry air from top to ground, a [1]."""
VAPOUR_ABSORPTION = 1997.9
"""Optical depth of air of humidity one, b [1]."""
WINDOW_WEIGHT = 0.15
"""Share of the emission in the window, where only cloud absorbs [1]."""
LIQUID_ABSORPTION = 40.0
"""Absorption by cloud liquid [m2 kg-1]."""
ICE_ABSORPTION = 20.0
"""Absorption by cloud ice [m2 kg-1]."""
CARBON_WEIGHT = (0.06, 0.016, 0.005)
"""Share of the emission in each band of carbon dioxide [1]."""
CARBON_DEPTH = (10.0, 120.0, 1500.0)
"""Optical depth of each band from top to ground [1]."""


@njit(cache=True)
def prescribed_depth(interface: Array, sine: float, depth: Array) -> None:
    """Set the optical depth of each layer [1] for the sine of latitude.

    Notes
    -----
    tau = tau0 (f s + (1 - f) s^4), tau0 = tau_e + (tau_p - tau_e) sin^2(lat), s = p / ps
    """
    total = EQUATOR_DEPTH + (POLE_DEPTH - EQUATOR_DEPTH) * sine * sine
    ground = interface[-1]
    above = 0.0
    for k in range(depth.size + 1):
        s = interface[k] / ground
        tau = total * s * (LINEAR_SHARE + (1.0 - LINEAR_SHARE) * s * s * s)
        if k > 0:
            depth[k - 1] = tau - above
        above = tau


@njit(cache=True)
def vapour_depth(interface: Array, vapour: Array, depth: Array) -> None:
    """Set the optical depth of each layer [1]: d tau = (a + b q) dp / ps."""
    for k in range(depth.size):
        share = (interface[k + 1] - interface[k]) / interface[-1]
        depth[k] = (DRY_ABSORPTION + VAPOUR_ABSORPTION * max(vapour[k], 0.0)) * share


@njit(cache=True)
def cloud_depth(mass: Array, liquid: Array, ice: Array, depth: Array) -> None:
    """Set the optical depth of each layer's cloud [1], mass [kg m-2] of air."""
    for k in range(depth.size):
        absorption = LIQUID_ABSORPTION * max(liquid[k], 0.0) + ICE_ABSORPTION * max(ice[k], 0.0)
        depth[k] = absorption * mass[k]


@njit(cache=True)
def band_flux(
    temperature: Array, depth: Array, emission: float, weight: float, net: Array
) -> float:
    """Add a band's net upward flux at the interfaces to `net`; return its flux down to ground.

    Parameters
    ----------
    temperature
        Temperature of the isothermal layers [K].
    depth
        Optical depth of the layers [1].
    emission
        Upward flux of the ground in all bands [W m-2].
    weight
        Share of the band in all emission [1].
    net
        Net upward flux ``(n_level + 1,)`` [W m-2].

    Notes
    -----
    dU/dtau = U - sigma T^4, dD/dtau = sigma T^4 - D, D = 0 at the top.
    """
    n = depth.size
    passed = np.empty(n)
    source = np.empty(n)
    down = 0.0
    for k in range(n):
        passed[k] = np.exp(-depth[k])
        square = temperature[k] * temperature[k]
        source[k] = weight * STEFAN_BOLTZMANN * square * square * (1.0 - passed[k])
        down = down * passed[k] + source[k]
        net[k + 1] -= down
    up = weight * emission
    net[n] += up
    for k in range(n - 1, -1, -1):
        up = up * passed[k] + source[k]
        net[k] += up
    return down


@njit(cache=True)
def heating_rate(interface: Array, net: Array, heating: Array) -> None:
    """Add the heating by a net upward flux [W m-2] to `heating` [K s-1].

    Notes
    -----
    dT/dt = (g / cp) d net / dp
    """
    for k in range(heating.size):
        thickness = interface[k + 1] - interface[k]
        heating[k] += GRAVITY / HEAT_CAPACITY * (net[k + 1] - net[k]) / thickness


@njit(cache=True)
def low_longwave(
    interface: Array, temperature: Array, sine: float, emission: float, net: Array
) -> float:
    """Set the net upward flux of scheme low; return the flux down to the ground [W m-2]."""
    depth = np.empty(temperature.size)
    prescribed_depth(interface, sine, depth)
    net[:] = 0.0
    return band_flux(temperature, depth, emission, 1.0, net)


@njit(cache=True)
def high_longwave(
    interface: Array,
    mass: Array,
    temperature: Array,
    vapour: Array,
    liquid: Array,
    ice: Array,
    emission: float,
    net: Array,
) -> float:
    """Set the net upward flux of scheme high; return the flux down to the ground [W m-2]."""
    n = temperature.size
    cloud = np.empty(n)
    depth = np.empty(n)
    cloud_depth(mass, liquid, ice, cloud)
    vapour_depth(interface, vapour, depth)
    for k in range(n):
        depth[k] += cloud[k]
    net[:] = 0.0
    rest = 1.0 - WINDOW_WEIGHT
    for band in range(3):
        rest -= CARBON_WEIGHT[band]
    down = band_flux(temperature, cloud, emission, WINDOW_WEIGHT, net)
    down += band_flux(temperature, depth, emission, rest, net)
    for band in range(3):
        for k in range(n):
            share = (interface[k + 1] - interface[k]) / interface[n]
            depth[k] = CARBON_DEPTH[band] * share + cloud[k]
        down += band_flux(temperature, depth, emission, CARBON_WEIGHT[band], net)
    return down
