"""Entraining plumes with a closure on CAPE, the convection of scheme high.

A plume leaves the moistest layer near the ground, entrains and detrains on its way, condenses,
freezes and rains, and ends where it is no longer buoyant. The air around it sinks. The mass flux
at its base removes the plume's own CAPE within a given time.

References
----------
Arakawa, Schubert 1974, Interaction of a cumulus cloud ensemble with the large-scale environment.
Part I, J. Atmos. Sci. 31, 674-701, eqs. 35-48 (budgets of plume and environment).

Tiedtke 1989, A comprehensive mass flux scheme for cumulus parameterization in large-scale models,
Mon. Wea. Rev. 117, 1779-1800 (bulk plumes, entrainment, momentum).

Gregory, Rowntree 1990, A mass flux convection scheme with representation of cloud ensemble
characteristics and stability-dependent closure, Mon. Wea. Rev. 118, 1483-1506.

Nordeng 1994, Extended versions of the convective parametrization scheme at ECMWF, ECMWF Tech.
Memo. 206, eq. 14 (closure: CAPE over time and over stabilisation per mass flux).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.column_physics.betts_miller import moistest_layer
from solvers.column_physics.condensation import condense
from solvers.column_physics.constants import (
    FUSION_HEAT,
    GAS_CONSTANT,
    GRAVITY,
    HEAT_CAPACITY,
    VIRTUAL,
)

Array = NDArray[np.float64]

CLOSURE_TIME = 21600.0
"""Time within which CAPE is removed [s]."""
EXCESS = 0.3
"""Excess of virtual temperature that counts for the plume's start [K]."""
MOST_INHIBITION = 40.0
"""Work against stable air that a plume can do [J kg-1]."""
RAIN_RATE = 1.5e-3
"""Conversion of the plume's cloud to precipitation per height [m-1]."""
RAIN_THRESHOLD = 2e-4
"""Plume cloud below which nothing rains [kg kg-1]."""
MOST_MASS_FLUX = 0.15
"""Largest mass flux at the base [kg m-2 s-1]."""
MOST_DISPLACED = 0.8
"""Largest share of a layer's mass that is displaced within a step [1]."""

N_TRACER = 6
"""Transported quantities: s / cp, vapour, liquid, ice, eastward and northward wind."""


@njit(cache=True)
def rained(cloud: float, depth: float) -> float:
    """Return the share of the plume's cloud [kg kg-1] that rains out over a depth [m]."""
    if cloud <= RAIN_THRESHOLD:
        return 0.0
    return float((1.0 - RAIN_THRESHOLD / cloud) * (1.0 - np.exp(-RAIN_RATE * depth)))


@njit(cache=True)
def rise(
    x: Array,
    pressure: Array,
    middle: Array,
    limits: tuple[int, int],
    entrainment: float,
    flux: Array,
    exchange: Array,
    plume: Array,
    fallen: Array,
) -> float:
    """Let a plume of base mass flux one rise; return its CAPE [J kg-1], zero if there is none.

    Parameters
    ----------
    x
        Surroundings ``(6, n_level)``: s / cp [K], vapour, liquid, ice [kg kg-1], wind [m s-1].
    pressure, middle
        Pressure [Pa] and height [m] of the layers.
    limits
        First layer from above that may be reached, and the layer of the start.
    entrainment
        Entrainment per height [m-1]; half as much is detrained.
    flux
        Set to the mass flux through the interfaces ``(n_level + 1,)`` [1].
    exchange
        Set to what is entrained and detrained in each layer ``(2, n_level)`` [1].
    plume
        Set to the plume's properties ``(6, n_level)`` in the layers.
    fallen
        Set to the rain and snow made in each layer, ``(2, n_level)`` [kg kg-1].
    """
    flux[:] = 0.0
    exchange[:] = 0.0
    fallen[:] = 0.0
    highest, base = limits
    carried = x[:, base].copy()
    exchange[0, base] = 1.0
    flux[base] = 1.0
    cape, work = 0.0, 0.0
    last = base
    for k in range(base - 1, highest - 1, -1):
        depth = middle[k] - middle[k + 1]
        entrained = flux[k + 1] * entrainment * depth
        mixed = flux[k + 1] + entrained
        for i in range(N_TRACER):
            carried[i] = (flux[k + 1] * carried[i] + entrained * x[i, k]) / mixed
        height = GRAVITY / HEAT_CAPACITY * middle[k]
        around = (x[0, k] - height) * (1.0 + VIRTUAL * x[1, k] - x[2, k] - x[3, k])
        t, vapour, liquid, ice = condense(
            carried[0] - height, carried[1], carried[2], carried[3], pressure[k], 0.0, FUSION_HEAT
        )
        inside = t * (1.0 + VIRTUAL * vapour - liquid - ice)
        buoyancy = GRAVITY * (inside - around) / around * depth
        helped = buoyancy + GRAVITY * EXCESS / around * depth
        work += helped
        if helped <= 0.0 and (cape > 0.0 or work < -MOST_INHIBITION):
            break
        if helped > 0.0:
            cape += max(buoyancy, 0.0)
        share = rained(liquid + ice, depth)
        drops, flakes = share * liquid, share * ice
        fallen[0, k], fallen[1, k] = mixed * drops, mixed * flakes
        carried[0], carried[1] = t + height, vapour
        carried[2], carried[3] = liquid - drops, ice - flakes
        plume[:, k] = carried
        exchange[0, k] = entrained
        exchange[1, k] = 0.5 * entrained
        flux[k] = mixed - exchange[1, k]
        last = k
    if cape <= 0.0:
        return 0.0
    exchange[1, last] += flux[last]
    flux[last] = 0.0
    return cape


@njit(cache=True)
def budget(x: Array, i: int, k: int, flux: Array, exchange: Array, plume: Array) -> float:
    """Return the change of quantity i in layer k, times mass, per mass through the base.

    Notes
    -----
    M_top x_{k-1} - M_bottom x_k + D x_plume - E x_k, the surroundings sinking by M.
    """
    change = -(flux[k + 1] + exchange[0, k]) * x[i, k] + exchange[1, k] * plume[i, k]
    if flux[k] > 0.0:
        change += flux[k] * x[i, k - 1]
    return float(change)


@njit(cache=True)
def convect(
    temperature: Array,
    state: Array,
    pressure: Array,
    mass: Array,
    middle: Array,
    entrainment: float,
    highest: int,
    timestep: float,
    sources: Array,
) -> float:
    """Advance a column by the convection of one kind of plume; return its mass flux at the base.

    Parameters
    ----------
    temperature
        Temperature [K], changed in place.
    state
        ``(5, n_level)``: vapour, liquid, ice [kg kg-1], wind [m s-1], changed in place.
    pressure, mass, middle
        Pressure [Pa], mass [kg m-2] and height [m] of the layers.
    entrainment
        Entrainment per height [m-1].
    highest
        Layer above which nothing changes.
    timestep
        Length of the step [s].
    sources
        Rain and snow made in each layer ``(2, n_level)`` [kg m-2], added to.

    Returns
    -------
    float
        Mass flux [kg m-2 s-1].
    """
    n = temperature.size
    x = np.empty((N_TRACER, n))
    for k in range(n):
        x[0, k] = temperature[k] + GRAVITY / HEAT_CAPACITY * middle[k]
        for i in range(1, N_TRACER):
            x[i, k] = state[i - 1, k]
    base = moistest_layer(temperature, state[0], pressure)
    flux, exchange = np.empty(n + 1), np.empty((2, n))
    plume, fallen = np.zeros((N_TRACER, n)), np.empty((2, n))
    limits = (highest + 1, base)
    cape = rise(x, pressure, middle, limits, entrainment, flux, exchange, plume, fallen)
    if cape <= 0.0:
        return 0.0
    stabilisation, displaced = 0.0, 0.0
    for k in range(highest, base + 1):
        displaced = max(displaced, (flux[k + 1] + exchange[0, k]) / mass[k])
        if flux[k + 1] <= 0.0:
            continue
        warming = budget(x, 0, k, flux, exchange, plume) / mass[k]
        moistening = budget(x, 1, k, flux, exchange, plume) / mass[k]
        log_thickness = mass[k] * GRAVITY / pressure[k]
        stabilisation += (
            GAS_CONSTANT * log_thickness * (warming + VIRTUAL * temperature[k] * moistening)
        )
    base_flux = MOST_MASS_FLUX
    if stabilisation > 0.0:
        base_flux = min(base_flux, cape / (CLOSURE_TIME * stabilisation))
    moved = min(base_flux * timestep, MOST_DISPLACED / displaced)
    for k in range(highest, base + 1):
        share = moved / mass[k]
        temperature[k] += share * budget(x, 0, k, flux, exchange, plume)
        for i in range(1, N_TRACER):
            state[i - 1, k] += share * budget(x, i, k, flux, exchange, plume)
    for k in range(highest, base + 1):
        sources[0, k] += moved * fallen[0, k]
        sources[1, k] += moved * fallen[1, k]
    return moved / timestep
