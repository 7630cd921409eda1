"""Outputs of a column emulator as energy fluxes, the common currency of ClimSim's scores.

Tendencies count with the mass of their layer and the heat capacity or latent heat,
precipitation with latent heat and the density of water. The factor of an output depends on the
surface pressure and the wind before the step alone, so prediction and truth get the same one.
"""

import numpy as np
from numpy.typing import NDArray

from closures.climsim.errors import DataError
from closures.climsim.grid import ColumnGrid
from closures.climsim.statistics import Statistics
from closures.climsim.variables import VariableSet

Array = NDArray[np.float64]

GRAVITY = 9.80616
"""Acceleration of gravity [m s-2]."""
HEAT_CAPACITY = 1004.64
"""Specific heat of dry air at constant pressure [J kg-1 K-1]."""
LATENT_HEAT = 2.501e6
"""Latent heat of vaporisation [J kg-1]."""
WATER_DENSITY = 1000.0
"""Density of liquid water [kg m-3]."""

# Energy per unit of an output: J kg-1 per K or per kg kg-1, J m-3 per metre of water.
_ENERGY = {
    "K s-1": HEAT_CAPACITY,
    "kg kg-1 s-1": LATENT_HEAT,
    "m s-1": LATENT_HEAT * WATER_DENSITY,
    "W m-2": 1.0,
}
_WIND_TENDENCY = "m s-2"


def energy_per_unit(
    surface_pressure: Array,
    variables: VariableSet,
    grid: ColumnGrid,
    wind_speed: Array | None = None,
) -> Array:
    """Return the energy flux that one unit of each output stands for.

    A tendency of a wind component counts with the wind speed before the step: the product is
    the power that the tendency has along the wind if it points there [W m-2]. ClimSim's own
    V2 scores multiply instead by the magnitude of the tendency itself, so prediction and truth
    get different factors and a wind tendency enters squared; wind scores here are therefore not
    comparable with those.

    Parameters
    ----------
    surface_pressure
        Surface pressure ``(n,)`` [Pa].
    variables
        Variable set.
    grid
        Hybrid levels.
    wind_speed
        Wind speed before the step ``(n, n_level)`` [m s-1]; needed if an output is a tendency of
        the wind.

    Returns
    -------
    ndarray
        ``(n, n_output)`` [W m-2 per unit of the output].

    Raises
    ------
    DataError
        If the wind speed is needed and not given, or the units of an output have no energy.
    """
    layer_mass = grid.layer_thickness(surface_pressure) / GRAVITY
    factors = np.empty((surface_pressure.size, variables.n_output))
    ranges = variables.slices("outputs")
    for variable in variables.outputs:
        field = variable.field
        factor = factors[:, ranges[field.name]]
        factor[...] = layer_mass if field.dims else 1.0
        if field.units == _WIND_TENDENCY:
            if wind_speed is None:
                raise DataError(
                    f"scores: {field.name}: expected state_u and state_v among the inputs, whose "
                    "speed turns it into W m-2; choose a variable set with the wind"
                )
            factor *= wind_speed
        elif field.units in _ENERGY:
            factor *= _ENERGY[field.units]
        else:
            raise DataError(
                f"scores: {field.name}: expected units among {', '.join(_ENERGY)} and "
                f"{_WIND_TENDENCY}, got {field.units}"
            )
    return factors


def energy_of_inputs(inputs: Array, variables: VariableSet, grid: ColumnGrid) -> Array:
    """Return `energy_per_unit` with surface pressure and wind taken from input features.

    Parameters
    ----------
    inputs
        Features ``(n, n_input)`` in the units of the fields.
    variables, grid
        As for `energy_per_unit`.
    """
    ranges = variables.slices("inputs")
    speed = None
    if {"state_u", "state_v"} <= ranges.keys():
        speed = np.hypot(inputs[:, ranges["state_u"]], inputs[:, ranges["state_v"]])
    return energy_per_unit(inputs[:, ranges["state_ps"]][:, 0], variables, grid, speed)


def typical_energy(inputs: Statistics, variables: VariableSet, grid: ColumnGrid) -> Array:
    """Return `energy_per_unit` at the mean surface pressure and root-mean-square wind.

    Parameters
    ----------
    inputs
        Statistics of the input features.
    variables, grid
        As for `energy_per_unit`.

    Returns
    -------
    ndarray
        ``(n_output,)`` [W m-2 per unit of the output].
    """
    ranges = variables.slices("inputs")
    speed = None
    if {"state_u", "state_v"} <= ranges.keys():
        squares = inputs.mean**2 + inputs.std**2
        speed = np.sqrt(squares[ranges["state_u"]] + squares[ranges["state_v"]])[None]
    pressure = inputs.mean[ranges["state_ps"]]
    energy: Array = energy_per_unit(pressure, variables, grid, speed)[0]
    return energy
