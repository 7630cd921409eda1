"""One step of all processes in one column, for either scheme, and the loops over columns.

The processes follow one another: radiation, boundary layer, convection, condensation,
precipitation. What the surface gives off is not among them: it belongs to what happens between
two steps (see `solvers.column_physics.forcing`), as in the model whose files the columns resemble.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from solvers.column_physics.betts_miller import adjust
from solvers.column_physics.boundary_layer import (
    exchange_mass,
    factorise,
    heights,
    layer_depth,
    mix,
    mix_heat,
    mixing_diffusivity,
)
from solvers.column_physics.condensation import condense
from solvers.column_physics.constants import (
    FUSION_HEAT,
    GRAVITY,
    REFERENCE_PRESSURE,
    WATER_DENSITY,
)
from solvers.column_physics.longwave import heating_rate, high_longwave, low_longwave
from solvers.column_physics.plume import convect
from solvers.column_physics.precipitation import descend, fall_out
from solvers.column_physics.shortwave import (
    cloud_transmission,
    ground_fluxes,
    high_shortwave,
    low_shortwave,
)
from solvers.members import over_members

Array = NDArray[np.float64]

LOW, HIGH = 0, 1
"""Schemes."""
PROFILES = ("temperature", "vapour", "liquid", "ice", "eastward_wind", "northward_wind")
"""Order of the profiles of a state."""
SURFACE = (
    "surface_pressure",
    "sine_latitude",
    "cosine_zenith",
    "toa_sunlight",
    "surface_emission",
    "albedo_visible_direct",
    "albedo_infrared_direct",
    "albedo_visible_diffuse",
    "albedo_infrared_diffuse",
)
"""Order of what a step needs to know of the surface and the sun."""
FLUXES = (
    "net_sunlight",
    "sunlight_visible_direct",
    "sunlight_infrared_direct",
    "sunlight_visible_diffuse",
    "sunlight_infrared_diffuse",
    "downward_longwave",
    "precipitation",
    "snowfall",
)
"""Order of what a step gives to the surface."""
CLOUD_WIDTH = 0.2
"""Half width of the distribution of water in a layer, relative to saturation [1]."""
ENTRAINMENT = 1.8e-4
"""Entrainment of the plume of scheme high [m-1]."""
SNOW_TOP, SNOW_RANGE = 275.0, 4.0
"""Lowest-layer temperature above which scheme low has no snow, and below by how much all [K]."""


@njit(cache=True)
def radiate(
    scheme: int,
    interface: Array,
    mass: Array,
    state: Array,
    ozone: Array,
    surface: Array,
    fluxes: Array,
    timestep: float,
) -> None:
    """Advance temperature by radiation and set the six radiative fluxes at the ground."""
    n = mass.size
    net, heating = np.empty(n + 1), np.zeros(n)
    if scheme == LOW:
        fluxes[5] = low_longwave(interface, state[0], surface[1], surface[4], net)
    else:
        fluxes[5] = high_longwave(
            interface, mass, state[0], state[1], state[2], state[3], surface[4], net
        )
    heating_rate(interface, net, heating)
    fluxes[:5] = 0.0
    if surface[2] > 0.0:
        through, undisturbed = cloud_transmission(mass, state[2], state[3], surface[2])
        if scheme == LOW:
            clear = low_shortwave(interface, surface[3], net)
        else:
            clear = high_shortwave(interface, state[1], ozone, surface[3], surface[2], net)
        for k in range(n + 1):
            net[k] = -net[k]
        heating_rate(interface, net, heating)
        albedos = surface[5], surface[6], surface[7], surface[8]
        ground = ground_fluxes(clear, through, undisturbed, albedos)
        for i in range(5):
            fluxes[i] = ground[i]
    for k in range(n):
        state[0, k] += timestep * heating[k]


@njit(cache=True)
def mix_boundary_layer(
    interface: Array,
    pressure: Array,
    mass: Array,
    middle: Array,
    highest: int,
    state: Array,
    timestep: float,
) -> None:
    """Advance the column by turbulent mixing from layer `highest` down."""
    n = mass.size
    diffusivity, exchange, solver = np.empty(n + 1), np.empty(n + 1), np.empty((2, n))
    depth = layer_depth(interface[n], pressure, state[0], state[1], state[4], state[5], middle)
    wind = np.sqrt(state[4, n - 1] ** 2 + state[5, n - 1] ** 2)
    mixing_diffusivity(middle, depth, wind, highest, diffusivity)
    first = exchange_mass(interface, state[0], middle, diffusivity, timestep, exchange)
    factorise(mass, exchange, first, solver[0], solver[1])
    mix_heat(mass, exchange, first, solver, middle, state[0])
    for i in range(1, 6):
        mix(mass, exchange, first, solver[0], solver[1], state[i])


@njit(cache=True)
def condense_all(pressure: Array, state: Array, highest: int, width: float, fusion: float) -> None:
    """Bring vapour and cloud of all layers from `highest` down into equilibrium."""
    for k in range(highest, pressure.size):
        state[0, k], state[1, k], state[2, k], state[3, k] = condense(
            state[0, k], state[1, k], state[2, k], state[3, k], pressure[k], width, fusion
        )


@njit(cache=True)
def step_column(
    scheme: int,
    hyai: Array,
    hybi: Array,
    highest: int,
    timestep: float,
    surface: Array,
    ozone: Array,
    state: Array,
    fluxes: Array,
) -> None:
    """Advance one column by one step.

    Parameters
    ----------
    scheme
        `LOW` or `HIGH`.
    hyai, hybi
        Hybrid coefficients at the interfaces [1].
    highest
        Layer above which only radiation acts.
    timestep
        Length of the step [s].
    surface
        Surface and sun, in the order of `SURFACE`.
    ozone
        Mole fraction of ozone ``(n_level,)`` [mol mol-1].
    state
        Profiles in the order of `PROFILES`, ``(6, n_level)``, advanced in place.
    fluxes
        Set to what the surface gets, in the order of `FLUXES`: [W m-2], for precipitation and
        its frozen part [m s-1] of liquid water.
    """
    n = hyai.size - 1
    interface, pressure, mass, middle = np.empty(n + 1), np.empty(n), np.empty(n), np.empty(n)
    for k in range(n + 1):
        interface[k] = hyai[k] * REFERENCE_PRESSURE + hybi[k] * surface[0]
    for k in range(n):
        pressure[k] = 0.5 * (interface[k] + interface[k + 1])
        mass[k] = (interface[k + 1] - interface[k]) / GRAVITY
    radiate(scheme, interface, mass, state, ozone, surface, fluxes, timestep)
    heights(interface, state[0], state[1], middle)
    mix_boundary_layer(interface, pressure, mass, middle, highest, state, timestep)
    if scheme == LOW:
        rain = adjust(state[0], state[1], pressure, mass, highest, timestep)
        condense_all(pressure, state, highest, CLOUD_WIDTH, 0.0)
        rain += fall_out(mass, state[2], state[3], highest, timestep)
        snow = rain * min(max((SNOW_TOP - state[0, n - 1]) / SNOW_RANGE, 0.0), 1.0)
        rain -= snow
    else:
        sources = np.zeros((2, n))
        convect(
            state[0], state[1:], pressure, mass, middle, ENTRAINMENT, highest, timestep, sources
        )
        condense_all(pressure, state, highest, CLOUD_WIDTH, FUSION_HEAT)
        rain, snow = descend(
            state[0], state[1], state[2], state[3], pressure, mass, sources, highest, timestep
        )
    fluxes[6] = (rain + snow) / (WATER_DENSITY * timestep)
    fluxes[7] = min(snow / (WATER_DENSITY * timestep), fluxes[6])


@over_members
def step_columns(
    scheme: int,
    hyai: Array,
    hybi: Array,
    highest: int,
    timestep: float,
    surface: Array,
    ozone: Array,
    state: Array,
    fluxes: Array,
    first: int,
    last: int,
) -> None:
    """Advance columns first to last - 1, see `step_column`; columns are the first axis."""
    for i in range(first, last):
        step_column(
            scheme, hyai, hybi, highest, timestep, surface[i], ozone[i], state[i], fluxes[i]
        )
