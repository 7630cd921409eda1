"""Test bed of real columns: ClimSim's present as truth, its warmest held out, generated physics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.climsim.errors import DataError
from closures.climsim.files import Pair, list_pairs, read_columns
from closures.climsim.grid import find_grid
from closures.climsim.splits import GAP_HOURS, interleaved
from closures.climsim.variables import VariableSet, variables_named
from hybrid.climsim_generator import BEFORE, STATE, solver_grid
from hybrid.experiments.multifidelity.bed import Bed, Table, Tables
from hybrid.experiments.multifidelity.moist_columns import (
    OUTPUTS,
    SCALARS,
    joined,
    moist_bed,
    stacked,
    tendencies,
)
from solvers.column_physics import Columns, ColumnSettings, Grid
from solvers.column_physics.constants import STEFAN_BOLTZMANN
from solvers.column_physics.saturation import saturation_humidities
from solvers.column_physics.surface import emission
from solvers.column_physics.warming import warmed

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

_NEEDED = (
    *STATE,
    *SCALARS,
    "cam_in_ASDIF",
    "cam_in_ALDIF",
    "pbuf_ozone",
)
"""What the networks or the cheap scheme must know of a column, by its name in the files."""


@dataclass(frozen=True)
class ClimsimSizes:
    """Which columns, and what is made of them.

    Parameters
    ----------
    warmest
        Share of the columns that the high fidelity never shows: those whose surface is warmest.
    low_per_high
        Low-fidelity samples made of each column of the high fidelity.
    warmings
        By how much their columns are warmer than the real ones [K]; the moments take turns.
    low_steps
        Steps of the cheap scheme over which its tendencies are means. Real columns are out of its
        balance: its first step alone changes them twice as much as the truth does.
    stride
        Every so many moments of the training, and of the tests, are used.
    """

    warmest: float = 0.05
    low_per_high: int = 4
    warmings: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
    low_steps: int = 9
    stride: int = 1


@dataclass(frozen=True)
class _Columns:
    """Columns of several moments.

    Parameters
    ----------
    before
        As in `solvers.column_physics.Step.before`.
    outputs
        Real tendencies ``(n, n_output)``.
    moment
        Number of the moment of each column ``(n,)``.
    """

    before: xr.Dataset
    outputs: Array
    moment: NDArray[np.int64]

    @property
    def surface_temperature(self) -> Array:
        """Of each column [K]."""
        return surface_temperature(np.asarray(self.before[BEFORE["cam_in_LWUP"]]))

    def where(self, chosen: NDArray[np.bool_]) -> "_Columns":
        """Return some of them."""
        before = self.before.isel(column=chosen)
        return _Columns(before, self.outputs[chosen], self.moment[chosen])


def climsim_bed(data: Path) -> Bed:
    """Return the contract and scores of heating and moistening of ClimSim's columns.

    Parameters
    ----------
    data
        Folder of its files, with the grid's.
    """
    return moist_bed(
        "climsim",
        "ClimSim's columns",
        "Heating and moistening of ClimSim's columns, from them and a cheap column physics",
        solver_grid(find_grid(data)),
        ("warm",),
        {
            "low_fidelity": "scheme low of the column physics, on columns of the training",
            "high_fidelity": "ClimSim's columns but the warmest",
            "split": f"interleaved; tests {GAP_HOURS} h from the training",
        },
    )


def climsim_tables(data: Path, sizes: ClimsimSizes, on_progress: OnProgress) -> Tables:
    """Read the real columns, and make the low fidelity's of those of the training.

    High fidelity: columns of the training's moments (`closures.climsim.splits.interleaved`) whose
    surface is not among the warmest of these moments. Tests: columns of all moments at least 12 h
    from these, ``"present"`` below the same threshold and ``"warm"`` above it. Low fidelity: the
    columns of the high fidelity, warmed at the same relative humidity, by the cheap scheme.

    Parameters
    ----------
    data
        Folder of ClimSim's files.
    sizes
        Which columns.
    on_progress
        Called with the fraction done.

    Raises
    ------
    closures.climsim.errors.DataError
        If files are missing or damaged.
    """
    grid = solver_grid(find_grid(data))
    columns = Columns(ColumnSettings("low"), grid)
    train, test = _moments(list_pairs(data), sizes.stride)
    real, held = _read(train, grid), _read(test, grid)
    threshold = float(np.quantile(real.surface_temperature, 1.0 - sizes.warmest))
    known = real.where(real.surface_temperature <= threshold)
    warm = held.surface_temperature > threshold
    parts = []
    n_part = sizes.low_per_high * len(train)
    for moment in range(len(train)):
        of_moment = known.where(known.moment == moment)
        for turn in range(moment * sizes.low_per_high, (moment + 1) * sizes.low_per_high):
            warmer = warmer_columns(of_moment.before, sizes.warmings[turn % len(sizes.warmings)])
            made = tendencies(columns, warmer, "low", sizes.low_steps)
            parts.append(Table(stacked(warmer), made, of_moment.moment, made))
            on_progress((turn + 1) / n_part)
    return Tables(
        joined(parts),
        _table(columns, known, sizes),
        {
            "present": _table(columns, held.where(~warm), sizes),
            "warm": _table(columns, held.where(warm), sizes),
        },
    )


def surface_temperature(emitted: Array) -> Array:
    """Return the temperature [K] of a surface that gives off a longwave flux [W m-2]."""
    temperature: Array = (emitted / STEFAN_BOLTZMANN) ** 0.25
    return temperature


def warmer_columns(before: xr.Dataset, warming: float) -> xr.Dataset:
    """Return columns of a warmer climate: relative humidity, clouds, winds and sun are kept.

    Parameters
    ----------
    before
        As in `solvers.column_physics.Step.before`.
    warming
        Of surface and lowest layer [K]; aloft it is moist adiabatic.
    """
    pressure, temperature = np.asarray(before["pressure"]), np.asarray(before["temperature"])
    result = warmed(temperature, pressure, warming)
    moister = saturation_humidities(result, pressure) / saturation_humidities(temperature, pressure)
    ground = surface_temperature(np.asarray(before["surface_emission"])) + warming
    return before.assign(
        temperature=(("column", "level"), result),
        vapour=before["vapour"] * moister,
        surface_emission=("column", emission(ground)),
    )


def _moments(pairs: Sequence[Pair], stride: int) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Return the moments of the training, and all that are far enough from them."""
    train = interleaved(pairs).train
    apart = tuple(
        pair for pair in pairs if all(abs(pair.hours - other.hours) >= GAP_HOURS for other in train)
    )
    return train[::stride], apart[::stride]


def _table(columns: Columns, real: _Columns, sizes: ClimsimSizes) -> Table:
    code = tendencies(columns, real.before, "low", sizes.low_steps)
    return Table(stacked(real.before), real.outputs, real.moment, code)


def _read(pairs: Sequence[Pair], grid: Grid) -> _Columns:
    variables = variables_named([name.lower() for name in _NEEDED], OUTPUTS, grid.n_level)
    found = read_columns(pairs, variables)
    n_column = len(found.inputs) // len(pairs)
    if n_column != grid.n_column:
        raise DataError(
            f"{pairs[0].mli}: expected {grid.n_column} columns as the grid file has, got "
            f"{n_column}; put the grid file of these columns beside them"
        )
    moment = np.repeat(np.arange(len(pairs)), grid.n_column)
    return _Columns(_dataset(found.inputs, variables, grid), found.outputs, moment)


def _dataset(inputs: Array, variables: VariableSet, grid: Grid) -> xr.Dataset:
    own = {name.lower(): name_here for name, name_here in (BEFORE | STATE).items()}
    fields: dict[str, Array] = {}
    for name, part in variables.slices("inputs").items():
        values = inputs[:, part]
        fields[own[name]] = values if values.shape[1] > 1 else values[:, 0]
    fields["pressure"] = grid.midpoint_pressure(fields["surface_pressure"])
    n_moment = len(inputs) // grid.n_column
    fields["sine_latitude"] = np.tile(np.sin(np.radians(grid.lat)), n_moment)
    return xr.Dataset(
        {name: (("column", "level")[: values.ndim], values) for name, values in fields.items()}
    )
