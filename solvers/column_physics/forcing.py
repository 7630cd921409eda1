"""What happens between two steps of the physics: large-scale flow and surface exchange.

The flow is prescribed. It draws the columns towards the reference climate plus weather, and
lifts and lowers the air in moist and dry regions, which cools and moistens or warms and dries it:

    dT/dt = (T_w - T) / tau + omega (kappa T / p - dT/dp),
    dq/dt = (RH_w qs(T) - q) / tau - omega dq/dp,    du/dt = (u_w - u) / tau.

So the columns keep a climate, whatever their physics, and each state differs from the last by
physics and flow, as in a global model; see `Randall, Xu, Somerville, Iacobellis 1996`.

References
----------
Randall, Xu, Somerville, Iacobellis 1996, Single-column models and cloud ensemble models as links
between observations and climate models, J. Climate 9, 1683-1697 (relaxation forcing).
"""

import numpy as np
from numpy.typing import NDArray

from solvers.column_physics.constants import (
    EVAPORATION_HEAT,
    GRAVITY,
    HEAT_CAPACITY,
    KAPPA,
    YEAR,
)
from solvers.column_physics.grid import Grid
from solvers.column_physics.reference import ReferenceClimate, land_and_pressure
from solvers.column_physics.saturation import saturation_humidities
from solvers.column_physics.surface import Moment
from solvers.column_physics.warming import warmed
from solvers.column_physics.weather import Waves, Weather

Array = NDArray[np.float64]
Fields = dict[str, Array]

RELAXATION_TIME = 21600.0
"""Time of relaxation towards the weather, tau [s]."""
RELAXED = 0, 1, 4, 5
"""Profiles of a state that are drawn: temperature, vapour, wind."""
LEAST_VAPOUR = 1e-7
"""Humidity below which the flow leaves none [kg kg-1]."""
LIFTING = 0.04
"""Standard deviation of the pressure velocity in the middle troposphere [Pa s-1]."""
STEEPNESS = {"t": 1.6, "rh": 0.8, "u": 0.8, "v": 0.8}
"""How alike the levels of a field are, see `solvers.column_physics.weather.Weather`."""
PRESSURE_DEVIATION = 700.0
"""Standard deviation of the surface pressure [Pa]."""
STRATOSPHERIC_VAPOUR = 2.2e-6
"""Humidity above 75 hPa [kg kg-1]."""
DRIFT = 0.015
"""Relative variation of that humidity [1]."""
STRATOSPHERE = 7500.0
"""Pressure above which humidity is prescribed [Pa]."""


class LargeScale:
    """Reference climate, weather and large-scale flow on a grid.

    Parameters
    ----------
    grid
        Grid of the columns.
    seed
        Seed of the weather.
    warming
        Warming at the ground against the present climate [K].
    """

    def __init__(self, grid: Grid, seed: int, warming: float) -> None:
        rng = np.random.default_rng(seed)
        self.grid = grid
        self.warming = warming
        self.climate = ReferenceClimate(grid)
        self.land, self._pressure = land_and_pressure(grid)
        self._weather = {name: Weather(grid, rng, steep) for name, steep in STEEPNESS.items()}
        self._deviation = {name: self.climate.deviation(name) for name in STEEPNESS}
        self._flow = Waves(grid, 2, rng)

    def surface_pressure(self, time: float) -> Array:
        """Return ps [Pa], ``(n_column,)``, at a time [s]."""
        pressure: Array = self._pressure + PRESSURE_DEVIATION * self._flow.at(time)[0]
        return pressure

    def target(self, moment: Moment, time: float, pressure: Array) -> Array:
        """Return the state to which columns are drawn, ``(n_column, 6, n_level)``, without cloud.

        Parameters
        ----------
        moment
            Season and hour.
        time
            Time of the weather [s].
        pressure
            Pressure of the layers ``(n_column, n_level)`` [Pa].
        """
        day = (moment.day - 1) % YEAR + 1
        weather = {name: field.at(time) for name, field in self._weather.items()}
        values = {name: self._deviation[name] * field for name, field in weather.items()}
        for name in ("t", "rh", "u"):
            values[name] += self.climate.mean(name, day)
        humidity = np.clip(values["rh"], 0.01, 0.98)
        temperature = values["t"]
        if self.warming != 0.0:
            temperature = warmed(temperature, pressure, self.warming)
        vapour = humidity * saturation_humidities(temperature, pressure)
        dry = STRATOSPHERIC_VAPOUR * (1.0 + DRIFT * np.tanh(weather["rh"]))
        vapour = np.where(pressure < STRATOSPHERE, dry, np.maximum(vapour, 1e-6))
        none = np.zeros_like(vapour)
        return np.stack([temperature, vapour, none, none, values["u"], values["v"]], axis=1)

    def pressure_velocity(self, time: float, pressure: Array) -> Array:
        """Return omega [Pa s-1], ``(n_column, n_level)``: moist regions rise."""
        moist = self._weather["rh"].leading(time)
        strength = -LIFTING * (0.8 * moist + 0.6 * self._flow.at(time)[1])
        top = np.clip((pressure - 1e4) / 8e4, 0.0, 1.0)
        velocity: Array = strength[:, None] * np.sin(np.pi * top)
        return velocity

    def advance(
        self, profiles: Array, target: Array, omega: Array, pressure: Array, timestep: float
    ) -> None:
        """Change the state by the flow of one step, in place: `lift`, then `relax`."""
        lift(profiles, omega, pressure, timestep)
        relax(profiles, target, timestep)


def lift(profiles: Array, omega: Array, pressure: Array, timestep: float) -> None:
    """Change temperature and vapour by the vertical flow of one step, in place.

    Parameters
    ----------
    profiles
        State ``(n_column, 6, n_level)``.
    omega, pressure
        Pressure velocity [Pa s-1] and pressure [Pa], ``(n_column, n_level)``.
    timestep
        Length of the step [s].
    """
    for i in (0, 1):
        gradient = _upwind(profiles[:, i], pressure, omega)
        change = -timestep * omega * gradient
        if i == 0:
            change += timestep * omega * KAPPA * profiles[:, 0] / pressure
        profiles[:, i] += change


def relax(profiles: Array, target: Array, timestep: float) -> None:
    """Draw temperature, vapour and wind towards a target for one step, in place.

    Parameters
    ----------
    profiles, target
        State and what it is drawn to, ``(n_column, 6, n_level)``.
    timestep
        Length of the step [s].
    """
    share = timestep / (RELAXATION_TIME + timestep)
    for i in RELAXED:
        profiles[:, i] += share * (target[:, i] - profiles[:, i])
    profiles[:, 1] = np.maximum(profiles[:, 1], LEAST_VAPOUR)


def add_surface_fluxes(
    profiles: Array, fluxes: Fields, lowest_thickness: Array, timestep: float
) -> None:
    """Give the surface fluxes of one step to the lowest layer, in place.

    Parameters
    ----------
    profiles
        State ``(n_column, 6, n_level)``.
    fluxes
        From `solvers.column_physics.surface.exchange`.
    lowest_thickness
        Pressure thickness of the lowest layer ``(n_column,)`` [Pa].
    timestep
        Length of the step [s].
    """
    share = timestep * GRAVITY / lowest_thickness
    profiles[:, 0, -1] += share * fluxes["sensible_heat_flux"] / HEAT_CAPACITY
    profiles[:, 1, -1] += share * fluxes["latent_heat_flux"] / EVAPORATION_HEAT
    profiles[:, 4, -1] += share * fluxes["eastward_stress"]
    profiles[:, 5, -1] += share * fluxes["northward_stress"]


def _upwind(values: Array, pressure: Array, omega: Array) -> Array:
    """Return d values / dp from the side that the air comes from."""
    slope = np.diff(values, axis=1) / np.diff(pressure, axis=1)
    edge = np.zeros_like(values[:, :1])
    from_above, from_below = np.hstack([edge, slope]), np.hstack([slope, edge])
    gradient: Array = np.where(omega > 0.0, from_above, from_below)
    return gradient
