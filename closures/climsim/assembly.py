"""Features from the values of files: sums, tendencies, formulas, in the order of a set."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.climsim.errors import DataError
from closures.climsim.grid import ColumnGrid
from closures.climsim.humidity import liquid_partition, relative_humidity
from closures.climsim.variables import TIMESTEP, File, Kind, Variable

Array = NDArray[np.float64]

Values = Mapping[tuple[File, int], Mapping[str, Array]]
"""Values by file and number of steps back in time, then by name, with the shapes in the file."""


def assemble(
    variables: Sequence[Variable], values: Values, grid: ColumnGrid | None, rows: NDArray[Any]
) -> None:
    """Stack variables as features, one a row.

    Parameters
    ----------
    variables
        Variables in feature order.
    values
        What the variables read, profiles ``(n_level, n_column)``.
    grid
        Grid of the columns; only for variables that depend on where a column is.
    rows
        Filled with the features ``(n_feature, n_column)``.

    Raises
    ------
    DataError
        If a grid is needed and not given, or has another number of columns.
    """
    start = 0
    for variable in variables:
        part = rows[start : start + variable.field.size]
        start += variable.field.size
        part[...] = _FORMULAS[variable.kind](variable, values, grid)
        if variable.fill is not None:
            part[np.abs(part) >= 0.5 * variable.fill] = 0.0


def number_of_columns(values: Values) -> int:
    """Return the number of columns of a step.

    Raises
    ------
    DataError
        If its files differ in it.
    """
    sizes = {int(array.shape[-1]) for found in values.values() for array in found.values()}
    if len(sizes) != 1:
        raise DataError(f"step: expected files with one number of columns, got {sorted(sizes)}")
    return sizes.pop()


def _sum(found: Mapping[str, Array], names: Sequence[str]) -> Array:
    total = found[names[0]]
    for name in names[1:]:
        total = total + found[name]
    return total


def _value(variable: Variable, values: Values, _: ColumnGrid | None) -> Array:
    return _sum(values[variable.file, variable.lag], variable.of)


def _tendency(variable: Variable, values: Values, _: ColumnGrid | None) -> Array:
    lag = variable.lag
    after, before = values["mlo", lag], values["mli", lag]
    change = _sum(after, variable.of) - _sum(before, variable.of)
    change /= TIMESTEP
    return change


def _dynamics(variable: Variable, values: Values, _: ColumnGrid | None) -> Array:
    lag = variable.lag
    after, before = values["mli", lag], values["mlo", lag + 1]
    change = _sum(after, variable.of) - _sum(before, variable.of)
    change /= TIMESTEP
    return change


def _relative_humidity(variable: Variable, values: Values, _: ColumnGrid | None) -> Array:
    found = values["mli", variable.lag]
    temperature, humidity, pressure = (found[name] for name in variable.of)
    return relative_humidity(temperature, humidity, pressure)


def _liquid_partition(variable: Variable, values: Values, _: ColumnGrid | None) -> Array:
    return liquid_partition(values["mli", variable.lag][variable.of[0]])


def _of_latitude(function: Callable[[Array], Array]) -> Callable[..., Array]:
    def place(variable: Variable, values: Values, grid: ColumnGrid | None) -> Array:
        name, n_column = variable.field.name, number_of_columns(values)
        if grid is None:
            raise DataError(f"{name}: expected the grid of the columns, got none; pass grid=")
        if grid.n_column != n_column:
            raise DataError(f"{name}: expected a grid of {n_column} columns, got {grid.n_column}")
        return function(np.radians(grid.lat))

    return place


def _column_number(_: Variable, values: Values, __: ColumnGrid | None) -> Array:
    return np.arange(1.0, number_of_columns(values) + 1.0)


_FORMULAS: Mapping[Kind, Callable[[Variable, Values, ColumnGrid | None], Any]] = {
    "value": _value,
    "tendency": _tendency,
    "dynamics": _dynamics,
    "relative_humidity": _relative_humidity,
    "liquid_partition": _liquid_partition,
    "cosine_of_latitude": _of_latitude(np.cos),
    "sine_of_latitude": _of_latitude(np.sin),
    "column_number": _column_number,
}
