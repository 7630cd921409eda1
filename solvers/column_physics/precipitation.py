"""From cloud to the ground: conversion, melting and evaporation of what falls.

Scheme low lets a fixed share of all cloud fall out at once. Scheme high converts cloud above a
threshold, melts snow in warm air and lets rain and snow evaporate into dry air.

References
----------
Kessler 1969, On the distribution and continuity of water substance in atmospheric circulations,
Meteor. Monogr. 10(32) (threshold of conversion).

Sundqvist 1988, Parameterization of condensation and associated clouds in models for weather
prediction and general circulation simulation, in Physically-Based Modelling and Simulation of
Climate and Climatic Change, Reidel, eq. 3.27 (evaporation in proportion to the root of the flux).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.column_physics.constants import (
    EVAPORATION_HEAT,
    FREEZING,
    FUSION_HEAT,
    HEAT_CAPACITY,
)
from solvers.column_physics.saturation import saturation_humidity, saturation_slope

Array = NDArray[np.float64]

FALL_TIME = 7200.0
"""Time in which cloud of scheme low falls out [s]."""
LIQUID_THRESHOLD = 5e-5
"""Cloud liquid below which nothing is converted [kg kg-1]."""
ICE_THRESHOLD = 1e-5
"""Cloud ice below which nothing is converted [kg kg-1]."""
LIQUID_TIME = 1500.0
"""Time of conversion to rain [s]."""
ICE_TIME = 2500.0
"""Time of conversion to snow [s]."""
EVAPORATION = 2e-5
"""Coefficient of evaporation, k [m kg-1/2 s-1/2]."""
MOIST_LIMIT = 0.9
"""Relative humidity that evaporation does not exceed [1]."""


@njit(cache=True)
def fall_out(mass: Array, liquid: Array, ice: Array, highest: int, timestep: float) -> float:
    """Remove what falls in scheme low from the cloud [kg kg-1]; return it [kg m-2]."""
    share = 1.0 - np.exp(-timestep / FALL_TIME)
    fallen = 0.0
    for k in range(highest, mass.size):
        fallen += mass[k] * share * (liquid[k] + ice[k])
        liquid[k] -= share * liquid[k]
        ice[k] -= share * ice[k]
    return fallen


@njit(cache=True)
def convert(cloud: float, threshold: float, time: float, timestep: float) -> float:
    """Return what of the cloud [kg kg-1] becomes precipitation within a step."""
    return float(max(cloud - threshold, 0.0) * (1.0 - np.exp(-timestep / time)))


@njit(cache=True)
def melt(temperature: float, mass: float, snow: float) -> tuple[float, float]:
    """Return temperature [K] and snow [kg m-2] after the warmth of the layer melted some."""
    if snow <= 0.0 or temperature <= FREEZING:
        return temperature, snow
    melted = min(snow, HEAT_CAPACITY * mass * (temperature - FREEZING) / FUSION_HEAT)
    return temperature - FUSION_HEAT * melted / (HEAT_CAPACITY * mass), snow - melted


@njit(cache=True)
def evaporated(
    temperature: float, vapour: float, pressure: float, mass: float, falling: float, timestep: float
) -> float:
    """Return how much of what falls [kg m-2] evaporates in a layer within a step.

    Notes
    -----
    E = k (1 - RH / RH_max) sqrt(F) m dt, at most F dt and what brings the layer to RH_max.
    """
    if falling <= 0.0:
        return 0.0
    saturation = MOIST_LIMIT * saturation_humidity(temperature, pressure)
    deficit = saturation - vapour
    if deficit <= 0.0:
        return 0.0
    rate = EVAPORATION * (deficit / saturation) * np.sqrt(falling / timestep) * mass * timestep
    slope = saturation_slope(temperature, saturation)
    room = mass * deficit / (1.0 + (EVAPORATION_HEAT + FUSION_HEAT) / HEAT_CAPACITY * slope)
    return float(min(rate, falling, room))


@njit(cache=True)
def descend(
    temperature: Array,
    vapour: Array,
    liquid: Array,
    ice: Array,
    pressure: Array,
    mass: Array,
    sources: Array,
    highest: int,
    timestep: float,
) -> tuple[float, float]:
    """Let precipitation of scheme high form and fall; return rain and snow at the ground.

    Parameters
    ----------
    temperature, vapour, liquid, ice
        Profiles, changed in place [K], [kg kg-1].
    pressure, mass
        Pressure [Pa] and mass [kg m-2] of the layers.
    sources
        Rain and snow that convection made in each layer ``(2, n_level)`` [kg m-2].
    highest
        Layer above which nothing changes.
    timestep
        Length of the step [s].

    Returns
    -------
    tuple
        Rain and snow [kg m-2].

    Notes
    -----
    The sum of m (qv + ql + qi) decreases by rain and snow; that of
    m (cp T + Lv qv - Lf qi) increases by Lf times snow.
    """
    rain, snow = 0.0, 0.0
    for k in range(highest, mass.size):
        drops = convert(liquid[k], LIQUID_THRESHOLD, LIQUID_TIME, timestep)
        flakes = convert(ice[k], ICE_THRESHOLD, ICE_TIME, timestep)
        liquid[k] -= drops
        ice[k] -= flakes
        rain += mass[k] * drops + sources[0, k]
        snow += mass[k] * flakes + sources[1, k]
        before = snow
        temperature[k], snow = melt(temperature[k], mass[k], snow)
        rain += before - snow
        falling = rain + snow
        lost = evaporated(temperature[k], vapour[k], pressure[k], mass[k], falling, timestep)
        if lost > 0.0:
            share = lost / falling
            heat = EVAPORATION_HEAT * lost + FUSION_HEAT * share * snow
            temperature[k] -= heat / (HEAT_CAPACITY * mass[k])
            vapour[k] += lost / mass[k]
            if share >= 1.0:
                rain, snow = 0.0, 0.0
            else:
                rain -= share * rain
                snow -= share * snow
    return rain, snow
