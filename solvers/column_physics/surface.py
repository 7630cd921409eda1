"""The surface below the columns: sun, albedo, ice and snow, and what it gives to the air.

References
----------
Briegleb, Minnis, Ramanathan, Harrison 1986, Comparison of regional clear-sky albedos inferred from
satellite observations and model computations, J. Clim. Appl. Meteor. 25, 214-226, eq. 5 (ocean).

Large, Pond 1981, Open ocean momentum flux measurements in moderate to strong winds, J. Phys.
Oceanogr. 11, 324-336 (order of the bulk coefficients).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.column_physics.constants import (
    DAY,
    EVAPORATION_HEAT,
    GAS_CONSTANT,
    HEAT_CAPACITY,
    SOLAR,
    STEFAN_BOLTZMANN,
    YEAR,
)
from solvers.column_physics.grid import Grid
from solvers.column_physics.saturation import saturation_humidities

Array = NDArray[np.float64]
Fields = dict[str, Array]

OBLIQUITY = 23.44
"""Tilt of the earth's axis [degrees]."""
ECCENTRICITY = 0.0167
"""Eccentricity of the earth's orbit [1]."""
PERIHELION = 3
"""Day of the year nearest to the sun."""
EXCHANGE = 1.0e-3, 2.5e-3
"""Bulk coefficient of heat and moisture over water and over land [1]."""
DRAG = 1.2e-3, 3.5e-3
"""Bulk coefficient of momentum over water and over land [1]."""
GUST = 2.0
"""Wind speed added in squares for gusts [m s-1]."""
LAND_WETNESS = 0.2
"""Evaporation of land relative to that of water [1]."""
NIGHT_ALBEDO = 1.0
"""Albedo where the sun is down [1]."""
NO_ICE = 1e30
"""Depth of snow on ice where there is no ice [m], as in ClimSim's files."""


@dataclass(frozen=True)
class Moment:
    """A time in the year without leap days.

    Parameters
    ----------
    day
        Day of the year, 1 to 365.
    second
        Second of the day [s].
    """

    day: int
    second: float


def sunshine(grid: Grid, moment: Moment) -> Fields:
    """Return the cosine of the zenith angle [1] and the sunlight at the top [W m-2].

    Returns
    -------
    dict
        ``cosine_zenith`` and ``toa_sunlight``, ``(n_column,)``, zero where the sun is down.
    """
    lat, lon = np.radians(grid.lat), np.radians(grid.lon)
    date = moment.day + moment.second / DAY
    sine = np.sin(np.radians(OBLIQUITY)) * np.sin(2.0 * np.pi * (date - 81.0) / YEAR)
    hour = 2.0 * np.pi * moment.second / DAY + lon - np.pi
    cosine = np.sin(lat) * sine + np.cos(lat) * np.sqrt(1.0 - sine**2) * np.cos(hour)
    distance = 1.0 + 2.0 * ECCENTRICITY * np.cos(2.0 * np.pi * (date - PERIHELION) / YEAR)
    up = np.maximum(cosine, 0.0)
    return {"cosine_zenith": up, "toa_sunlight": SOLAR * distance * up}


def cover(ground: Array, land: Array) -> Fields:
    """Return ice, land and ocean fractions [1] and snow depths [m] by ground temperature [K]."""
    frozen = np.clip((271.4 - ground) / 6.0, 0.0, 1.0)
    ice = (1.0 - land) * frozen
    return {
        "ice_fraction": ice,
        "land_fraction": land,
        "ocean_fraction": 1.0 - land - ice,
        "snow_on_ice": np.where(ice > 0.0, 0.25 * frozen, NO_ICE),
        "snow_on_land": np.where(land > 0.0, 0.5 * np.clip((273.0 - ground) / 25.0, 0.0, 2.0), 0.0),
    }


def albedos(at: Fields) -> Fields:
    """Return the four albedos [1] of what `sunshine` and `cover` gave."""
    mu = at["cosine_zenith"]
    direct = 0.026 / (mu**1.7 + 0.065) + 0.15 * (mu - 0.1) * (mu - 0.5) * (mu - 1.0)
    snow = at["snow_on_land"] / (at["snow_on_land"] + 0.05)
    result = {}
    for band, bare, white, ice in (("visible", 0.14, 0.85, 0.75), ("infrared", 0.31, 0.6, 0.5)):
        land = bare + (white - bare) * snow
        for beam, ocean in (("direct", direct), ("diffuse", 0.06)):
            mean = at["land_fraction"] * land + at["ice_fraction"] * ice
            mean = mean + at["ocean_fraction"] * ocean
            result[f"albedo_{band}_{beam}"] = np.where(mu > 0.0, mean, NIGHT_ALBEDO)
    return result


def ground_temperature(air: Array, at: Fields) -> Array:
    """Return the temperature of the ground [K], of the lowest air's reference and the sun."""
    heating = 0.02 * at["land_fraction"] * (at["toa_sunlight"] - 300.0)
    return air + 1.0 + heating


def emission(ground: Array) -> Array:
    """Return the upward longwave flux sigma T^4 [W m-2] of the ground."""
    flux: Array = STEFAN_BOLTZMANN * ground**4
    return flux


def exchange(profiles: Array, pressure: Array, ground: Array, at: Fields) -> Fields:
    """Return what the surface gives to the lowest layer: heat, vapour, stress.

    Parameters
    ----------
    profiles
        State ``(n_column, 6, n_level)``.
    pressure
        Pressure of the lowest layer ``(n_column,)`` [Pa].
    ground
        Ground temperature [K].
    at
        Surface pressure and cover.

    Returns
    -------
    dict
        ``latent_heat_flux``, ``sensible_heat_flux`` [W m-2] upward, ``eastward_stress`` and
        ``northward_stress`` on the surface's account, against the wind [N m-2].

    Notes
    -----
    F = rho C |v| (x_ground - x_air)
    """
    t, q, u, v = (profiles[:, i, -1] for i in (0, 1, 4, 5))
    flow = pressure / (GAS_CONSTANT * t) * np.sqrt(u**2 + v**2 + GUST**2)
    saturated = saturation_humidities(ground, at["surface_pressure"])
    wet = 1.0 - (1.0 - LAND_WETNESS) * at["land_fraction"]
    bulk = EXCHANGE[0] + (EXCHANGE[1] - EXCHANGE[0]) * at["land_fraction"]
    drag = DRAG[0] + (DRAG[1] - DRAG[0]) * at["land_fraction"]
    return {
        "latent_heat_flux": EVAPORATION_HEAT * bulk * flow * wet * (saturated - q),
        "sensible_heat_flux": HEAT_CAPACITY * bulk * flow * (ground - t),
        "eastward_stress": -drag * flow * u,
        "northward_stress": -drag * flow * v,
    }
