"""One time step as columns of features."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.climsim.assembly import Values, assemble, number_of_columns
from closures.climsim.cdf5 import Scratch
from closures.climsim.errors import DataError
from closures.climsim.grid import ColumnGrid
from closures.climsim.reading import read_variables
from closures.climsim.variables import File, VariableSet

Place = tuple[File, int]
"""File, and how many steps back in time."""


class StepReader:
    """Reads one time step after another, in memory that it uses again.

    Parameters
    ----------
    variables
        What to read, in feature order.
    grid
        Grid of the columns, if ``variables.needs_grid``.
    dtype
        Precision of the results; tendencies are computed in that of the files.
    """

    def __init__(
        self,
        variables: VariableSet,
        grid: ColumnGrid | None = None,
        dtype: type[np.floating[Any]] = np.float64,
    ) -> None:
        self.variables = variables
        self.grid = grid
        self.dtype = dtype
        self._scratch = {place: Scratch() for place in variables.reads}
        self._rows = np.empty((0, 0), dtype)

    def read(self, *steps: tuple[Path, Path]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Read one time step.

        Parameters
        ----------
        *steps
            Its mli and mlo file, then those of the ``variables.n_history`` steps before, the
            latest first.

        Returns
        -------
        inputs, outputs
            Arrays ``(n_column, n_input)`` and ``(n_column, n_output)``, in the units of the
            fields, valid until the next call. They are transposed views: copy them.

        Raises
        ------
        DataError
            If a file is damaged, a variable is missing, has another shape, or is not finite.
        """
        variables = self.variables
        if len(steps) != variables.n_history + 1:
            raise DataError(
                f"{steps[0][0]}: variables {variables.name}: expected {variables.n_history} "
                f"earlier steps, got {len(steps) - 1}"
            )
        values: dict[Place, dict[str, NDArray[Any]]] = {}
        paths: dict[Place, Path] = {}
        for place, names in variables.reads.items():
            file, lag = place
            paths[place] = steps[lag][0 if file == "mli" else 1]
            values[place] = read_variables(paths[place], names, self._scratch[place])
            _check_shapes(paths[place], values[place], variables)
        return self._assembled(values, paths)

    def _assembled(
        self, values: Values, paths: Mapping[Place, Path]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        n_input, n_column = self.variables.n_input, number_of_columns(values)
        if self._rows.shape[1] != n_column:
            self._rows = np.empty((n_input + self.variables.n_output, n_column), self.dtype)
        rows = self._rows
        # Too large for the precision asked for is found out below.
        with np.errstate(over="ignore"):
            assemble(self.variables.inputs, values, self.grid, rows[:n_input])
            assemble(self.variables.outputs, values, self.grid, rows[n_input:])
        if not _is_finite(rows):
            raise DataError(_not_finite(values, paths))
        return rows[:n_input].T, rows[n_input:].T


def _check_shapes(path: Path, found: Mapping[str, NDArray[Any]], variables: VariableSet) -> None:
    for name, values in found.items():
        levels = (variables.n_level,) if name in variables.profiles else ()
        if values.ndim != len(levels) + 1 or values.shape[:-1] != levels:
            raise DataError(
                f"{path}: {name}: expected shape {(*levels, 'ncol')}, got {values.shape}; choose a "
                "variable set with as many levels"
            )
    sizes = {values.shape[-1] for values in found.values()}
    if len(sizes) > 1:
        raise DataError(f"{path}: expected one number of columns, got {sorted(sizes)}")


def _is_finite(values: NDArray[Any]) -> bool:
    # A sum is finite only if all terms are, and costs a quarter of looking at each.
    with np.errstate(over="ignore", invalid="ignore"):
        total = values.sum()
    return bool(np.isfinite(total)) or bool(np.isfinite(values).all())


def _not_finite(values: Values, paths: Mapping[Place, Path]) -> str:
    for place, found in values.items():
        for name, array in found.items():
            n = int(np.count_nonzero(~np.isfinite(array)))
            if n:
                return (
                    f"{paths[place]}: {name}: expected finite values, got {n} that are not; "
                    "download the file again"
                )
    first = next(iter(paths.values()))
    return f"{first}: expected values that the precision asked for can hold, got larger ones"
