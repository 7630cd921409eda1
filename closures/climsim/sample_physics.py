"""Toy columns for the generated sample: a made-up state and a made-up physics.

The numbers are plausible, not right; they exercise the format, the identities of the files and
every step of an experiment. Exact here, as in ClimSim: p = hyam p0 + hybm ps; net sunlight at the
surface is what the four downward fluxes leave after reflection; snow is part of precipitation;
no sunlight without sun; humidity, cloud and wind do not change in the uppermost twelve levels.
Exact here, in ClimSim only in the mean: the column loses as much water as falls out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from closures.climsim.energy import GRAVITY, HEAT_CAPACITY, LATENT_HEAT, WATER_DENSITY
from closures.climsim.grid import ColumnGrid

Array = NDArray[np.float64]
Variables = dict[str, Array]

INERT_LEVELS = 12
"""Uppermost levels whose humidity, cloud and wind the physics leaves alone."""
SOLAR = 1361.0
"""Sunlight at the top of the atmosphere [W m-2]."""
STEFAN_BOLTZMANN = 5.670374e-8
"""Stefan-Boltzmann constant [W m-2 K-4]."""
DAY = 86400.0
"""Seconds of a day [s]."""
FILL = 1e30
"""What ClimSim's files hold for snow on ice where there is no ice."""


@dataclass(frozen=True)
class Moment:
    """When a column is looked at: day of the no-leap year, and second of the day [s]."""

    day_of_year: int
    second: int


def saturation_humidity(temperature: Array, pressure: Array) -> Array:
    """Return saturation specific humidity over water [kg kg-1] of T [K] and p [Pa].

    References
    ----------
    Bolton 1980, The computation of equivalent potential temperature, Mon. Wea. Rev., eq. 10.
    """
    celsius = temperature - 273.15
    # The formula has a pole at -243.5 C, colder than any column but not than every perturbation.
    vapour = 611.2 * np.exp(17.67 * celsius / np.maximum(celsius + 243.5, 30.0))
    return 0.622 * vapour / np.maximum(pressure - 0.378 * vapour, vapour)


def surface(grid: ColumnGrid, moment: Moment, rng: np.random.Generator) -> Variables:
    """Return sun, surface types, albedos and surface pressure, each ``(n_column,)``."""
    lat, lon = np.radians(grid.lat), np.radians(grid.lon)
    tilt = np.radians(23.44) * np.sin(2 * np.pi * (moment.day_of_year - 81) / 365)
    hour = 2 * np.pi * moment.second / DAY + lon - np.pi
    height = np.sin(lat) * np.sin(tilt) + np.cos(lat) * np.cos(tilt) * np.cos(hour)
    cosine = np.maximum(height, 0.0)
    land = (np.sin(2 * lon + 1.0) * np.cos(1.5 * lat) > 0.35).astype(float)
    ice = (1.0 - land) * (np.abs(grid.lat) > 68.0)
    visible = 0.06 + 0.08 * land + 0.6 * ice
    near_infrared = 0.06 + 0.2 * land + 0.4 * ice
    night = cosine <= 0.0
    return {
        "cam_in_ALDIF": np.where(night, 1.0, near_infrared + 0.02),
        "cam_in_ALDIR": np.where(night, 1.0, near_infrared),
        "cam_in_ASDIF": np.where(night, 1.0, visible + 0.02),
        "cam_in_ASDIR": np.where(night, 1.0, visible),
        "cam_in_ICEFRAC": ice,
        "cam_in_LANDFRAC": land,
        "cam_in_OCNFRAC": 1.0 - land - ice,
        "cam_in_SNOWHICE": np.where(ice > 0, 0.2, FILL),
        "cam_in_SNOWHLAND": land * np.maximum(np.abs(grid.lat) - 50.0, 0.0) / 400.0,
        "pbuf_COSZRS": cosine,
        "pbuf_SOLIN": SOLAR * cosine,
        "state_ps": 1.01e5 - 6e3 * land + 700.0 * rng.standard_normal(grid.n_column),
        "_season": np.sin(lat - 0.5 * tilt) ** 2,
    }


def state(grid: ColumnGrid, at: Variables, rng: np.random.Generator) -> Variables:
    """Return profiles ``(n_column, n_level)`` and surface exchange for given surfaces."""
    n = grid.n_column
    lat, lon, season = np.radians(grid.lat), np.radians(grid.lon), at["_season"]
    pressure = grid.midpoint_pressure(at["state_ps"])
    sigma = pressure / at["state_ps"][:, None]

    def weather(size: float) -> Array:
        wave = rng.integers(1, 6, size=3)
        phase = rng.uniform(0, 2 * np.pi, size=(2, 3))
        waves = np.cos(wave * lon[:, None] + phase[0]) * np.cos(2 * lat[:, None] + phase[1])
        noise: Array = size * (0.7 * waves.sum(axis=1) + 0.4 * rng.standard_normal(n))
        return noise

    def profile(size: float) -> Array:
        modes = [np.cos(k * np.pi * sigma) * weather(size / k)[:, None] for k in (1, 2, 3)]
        total: Array = np.sum(modes, axis=0)
        return total

    ground = 300.0 - 45.0 * season + weather(2.0) + 0.004 * at["pbuf_SOLIN"]
    stratosphere = 203.0 + 12.0 * season[:, None] + 8.0 * np.log(np.maximum(1e4 / pressure, 1.0))
    troposphere = ground[:, None] * sigma**0.19
    temperature = np.maximum(troposphere, stratosphere) + profile(1.2)
    saturation = saturation_humidity(temperature, pressure)
    moist = 0.72 - 0.15 * np.sin(2 * lat) ** 2 + weather(0.12)
    relative = np.clip(moist[:, None] * sigma**0.3 + profile(0.07), 0.03, 1.03)
    dry = pressure < 1.2e4
    trace = 3e-6 * (1.0 + 0.005 * weather(1.0)[:, None])
    humidity = np.where(dry, trace, relative * saturation)
    cloud = np.where(dry, 0.0, 2e-4 * np.maximum(relative - 0.8, 0.0) / 0.2)
    liquid = np.clip((temperature - 253.15) / 20.0, 0.0, 1.0)
    jet = 30.0 * np.sin(2 * lat)[:, None] ** 2 * np.sin(np.pi * sigma**0.6)
    wind = {"state_u": jet + profile(6.0), "state_v": profile(5.0)}
    stress = -0.003 * wind["state_u"][:, -1], -0.003 * wind["state_v"][:, -1]
    return {
        "cam_in_LWUP": STEFAN_BOLTZMANN * ground**4,
        "pbuf_LHFLX": (20.0 + 110.0 * np.cos(lat) ** 2) * np.exp(0.2 * weather(1.0)),
        "pbuf_SHFLX": 12.0 + 0.12 * at["cam_in_LANDFRAC"] * at["pbuf_SOLIN"] + weather(4.0),
        "pbuf_TAUX": stress[0],
        "pbuf_TAUY": stress[1],
        "state_pmid": pressure,
        "state_q0001": humidity,
        "state_q0002": cloud * liquid,
        "state_q0003": cloud * (1.0 - liquid),
        "state_t": temperature,
        **wind,
        "pbuf_CH4": 9.9e-7 * np.minimum(1.0, pressure / 1e4) ** 0.5,
        "pbuf_N2O": 4.9e-7 * np.minimum(1.0, pressure / 1e4) ** 0.5,
        "pbuf_ozone": 2e-8 + 1.2e-5 * np.exp(-0.5 * np.log(pressure / 1e3) ** 2),
    }


def physics(grid: ColumnGrid, before: Variables, rng: np.random.Generator) -> Variables:
    """Return tendencies ``tend_*`` [per second] and the eight ``cam_out_*`` of the columns."""
    mass = grid.layer_thickness(before["state_ps"]) / GRAVITY
    t, q, pressure = before["state_t"], before["state_q0001"], before["state_pmid"]
    active = np.arange(grid.n_level) >= INERT_LEVELS
    sigma = pressure / before["state_ps"][:, None]
    vapour = np.where(active, q * mass, 0.0)
    water = vapour.sum(axis=1)
    full = (np.where(active, saturation_humidity(t, pressure), 0.0) * mass).sum(axis=1)
    # Rain sets in where the column is moist enough; the random part cannot be predicted.
    excess = np.maximum(water / full - 0.45, 0.0)
    rain = 3.5e-4 * excess * (water / 50.0) * np.exp(0.5 * rng.standard_normal(grid.n_column))
    condensation = rain[:, None] * q * active / water[:, None]
    shape = np.sin(np.pi * np.clip((sigma - 0.12) / 0.88, 0.0, 1.0))
    release = rain[:, None] * shape / (shape * mass).sum(axis=1, keepdims=True)
    low = sigma > 0.9
    warming = before["pbuf_SHFLX"][:, None] * low / (low * mass).sum(axis=1, keepdims=True)
    evaporation = {name: np.where(active, before[name] / 7200.0, 0.0) for name in _CLOUD}
    gain = sum(evaporation.values())
    sunshine = (before["pbuf_SOLIN"] / SOLAR)[:, None]
    radiation = (-1.6 + (1.2 + 2.5 * np.exp(-pressure / 2e3)) * sunshine) / DAY
    energy = LATENT_HEAT * (release - gain) + warming
    tendencies = {
        "tend_t": radiation + energy / HEAT_CAPACITY,
        "tend_q0001": gain - condensation,
        "tend_q0002": -evaporation["state_q0002"],
        "tend_q0003": -evaporation["state_q0003"],
        "tend_u": -before["state_u"] * low / DAY,
        "tend_v": -before["state_v"] * low / DAY,
    }
    snow = np.clip((275.0 - t[:, -1]) / 4.0, 0.0, 1.0)
    cover = np.clip((water / full - 0.4) / 0.5, 0.0, 0.9)
    return {
        **tendencies,
        **_sunlight(before, cover),
        "cam_out_PRECC": rain / WATER_DENSITY,
        "cam_out_PRECSC": snow * rain / WATER_DENSITY,
        "cam_out_FLWDS": (0.56 + 0.03 * np.sqrt(water) + 0.08 * cover)
        * STEFAN_BOLTZMANN
        * t[:, -1] ** 4,
    }


_CLOUD = ("state_q0002", "state_q0003")


def _sunlight(before: Variables, cover: Array) -> Variables:
    down = 0.78 * (1.0 - 0.7 * cover) * before["pbuf_SOLIN"]
    direct = 0.85 * (1.0 - cover)
    parts = {
        "SOLS": (0.45 * down * direct, "ASDIR"),
        "SOLL": (0.55 * down * direct, "ALDIR"),
        "SOLSD": (0.45 * down * (1.0 - direct), "ASDIF"),
        "SOLLD": (0.55 * down * (1.0 - direct), "ALDIF"),
    }
    absorbed = [flux * (1.0 - before[f"cam_in_{albedo}"]) for flux, albedo in parts.values()]
    return {
        "cam_out_NETSW": np.sum(absorbed, axis=0),
        **{f"cam_out_{name}": flux for name, (flux, _) in parts.items()},
    }
