"""What an emulator does when one level of its input changes: its mean Jacobian, level by level."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from closures.climsim.energy import energy_of_inputs
from closures.climsim.grid import ColumnGrid
from closures.climsim.variables import VariableSet

Array = NDArray[np.float64]
Predict = Callable[[Array, VariableSet], Array]

WARMER = 0.5
"""Change of temperature on either side [K]: large beside float32 rounding, small beside weather."""
MOISTER = 0.05
"""Relative change of humidity on either side [1]."""

_TENDENCIES = ("ptend_t", "ptend_q0001")


@dataclass(frozen=True)
class Responses:
    """Mean change of heating and moistening per change of one level of temperature or humidity.

    Parameters
    ----------
    pressure
        Mean pressure of the levels ``(n_level,)`` [hPa].
    matrices
        By input field and output field, ``(n_level of the output, n_level of the input)``:
        W m-2 in the output's layer per K, or per 10 % of the humidity.
    """

    pressure: Array
    matrices: Mapping[tuple[str, str], Array]


def responses(
    predict: Predict, inputs: Array, variables: VariableSet, grid: ColumnGrid
) -> Responses:
    """Perturb each level of temperature and humidity by central differences.

    Parameters
    ----------
    predict
        Maps features ``(n, n_input)`` to outputs ``(n, n_output)`` or
        ``(n_member, n, n_output)``, whose mean over members counts.
    inputs
        Columns over which the response is averaged ``(n, n_input)``.
    variables
        Variable set.
    grid
        Hybrid levels.

    Returns
    -------
    Responses
        Of those of temperature and of specific or relative humidity that the set has.
    """
    factors = energy_of_inputs(inputs, variables, grid)
    sources, targets = variables.slices("inputs"), variables.slices("outputs")
    made = [name for name in _TENDENCIES if name in targets]
    matrices = {}
    for source, relative, per in (
        ("state_t", False, 1.0 / WARMER),
        ("state_q0001", True, 0.1 / MOISTER),
        ("state_rh", True, 0.1 / MOISTER),
    ):
        if source not in sources:
            continue
        part = sources[source]
        columns = []
        for feature in range(part.start, part.stop):
            change = np.zeros_like(inputs)
            change[:, feature] = MOISTER * inputs[:, feature] if relative else WARMER
            # Not in one batch: a closure with random numbers draws the same ones for both.
            up, down = (predict(inputs + s * change, variables) for s in (1.0, -1.0))
            effect = (up - down) / 2.0
            effect = effect.mean(axis=0) if effect.ndim == 3 else effect
            columns.append((effect * factors).mean(axis=0) * per)
        for name in made:
            matrices[source, name] = np.array(columns)[:, targets[name]].T
    pressure = grid.midpoint_pressure(inputs[:, sources["state_ps"]][:, 0]).mean(axis=0) / 100.0
    return Responses(pressure, matrices)
