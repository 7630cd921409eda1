"""ClimSim's scores: errors of a column emulator as energy fluxes.

Every output is turned into W m-2 before it is compared: tendencies by the mass of their layer
and the heat capacity or latent heat, precipitation by latent heat and the density of water.
Columns are weighted by area.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from closures.climsim.cell_sums import CellSums, Summary, explained, summarize
from closures.climsim.energy import energy_of_inputs, energy_per_unit
from closures.climsim.errors import DataError
from closures.climsim.files import Columns, Pair, list_pairs, read_columns
from closures.climsim.grid import ColumnGrid, find_grid, read_grid
from closures.climsim.variables import VariableSet

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """Errors of one output variable; time means first, then columns, then levels.

    Parameters
    ----------
    mae
        Mean absolute error [W m-2].
    rmse
        Root of the time-mean squared error of each column and level, averaged [W m-2].
    bias
        Mean of prediction minus truth [W m-2].
    r2
        1 - SSE / SST over time of each column and level, averaged; NaN or -inf where the
        truth of a column never varies, as in ClimSim's own tables.
    r2_pooled
        1 - SSE / SST with both sums over all times, columns and levels, SST about the mean of
        each level: finite wherever the truth varies at all. Area weights are part of the
        values, so a uniform prediction of a flux with a large mean scores a little above 0.
    mae_level, r2_level
        The same before the mean over levels, ``(n_level,)`` (one entry for a scalar); the R2
        is the pooled one, NaN at a level whose truth never varies.
    """

    mae: float
    rmse: float
    bias: float
    r2: float
    r2_pooled: float
    mae_level: Array
    r2_level: Array


def to_energy_flux(
    values: Array, surface_pressure: Array, variables: VariableSet, grid: ColumnGrid
) -> dict[str, Array]:
    """Turn outputs into area-weighted energy fluxes.

    Parameters
    ----------
    values
        Outputs ``(n_time * n_column, n_output)`` in the units of the fields.
    surface_pressure
        Surface pressure ``(n_time * n_column,)`` [Pa].
    variables
        Variable set that `values` follows.
    grid
        Grid of the columns.

    Returns
    -------
    dict of ndarray
        By label, ``(n_time, n_column, n_level)`` [W m-2]; one level for a scalar.

    Raises
    ------
    DataError
        If the number of columns is no multiple of the grid's.
    """
    if values.shape[0] % grid.n_column:
        raise DataError(
            f"scores: expected columns in multiples of the grid's {grid.n_column}, got "
            f"{values.shape[0]}; pass whole time steps"
        )
    return _weighted(values * energy_per_unit(surface_pressure, variables, grid), variables, grid)


def _weighted(energy: Array, variables: VariableSet, grid: ColumnGrid) -> dict[str, Array]:
    weight = (grid.area / grid.area.mean())[None, :, None]
    fields = energy.reshape(-1, grid.n_column, variables.n_output) * weight
    ranges = variables.slices("outputs")
    return {v.label: fields[:, :, ranges[v.field.name]] for v in variables.outputs}


def compare(prediction: Array, truth: Array) -> Score:
    """Score one variable.

    Parameters
    ----------
    prediction, truth
        Energy fluxes ``(n_time, n_column, n_level)`` [W m-2].
    """
    sums = CellSums.empty(*truth.shape[1:])
    for predicted, expected in zip(prediction, truth, strict=True):
        sums.add(predicted, expected)
    return of_summary(summarize(sums, np.ones(truth.shape[1])))


def of_summary(summary: Summary, part: slice = slice(None)) -> Score:
    """Return the score of the variable whose levels are the features `part` of a summary."""
    total = summary.total[part]
    unexplained = summary.unexplained[part]
    pooled = explained(unexplained.sum(keepdims=True), total.sum(keepdims=True))
    return Score(
        mae=float(summary.mae[part].mean()),
        rmse=float(summary.rmse[part].mean()),
        bias=float(summary.bias[part].mean()),
        r2=float(summary.r2[part].mean()),
        r2_pooled=float(pooled[0]),
        mae_level=summary.mae[part],
        r2_level=explained(unexplained, total),
    )


def score(
    prediction: Array, truth: Columns, variables: VariableSet, grid: ColumnGrid
) -> dict[str, Score]:
    """Score predictions of whole time steps, one `Score` an output, by its label.

    Parameters
    ----------
    prediction
        Predicted outputs ``(n_time * n_column, n_output)`` in the units of the fields.
    truth
        The same columns from the files.
    variables
        Variable set of both.
    grid
        Grid of the columns.

    Raises
    ------
    DataError
        If shapes do not agree.
    """
    if prediction.shape != truth.outputs.shape:
        raise DataError(
            f"scores: expected predictions of shape {truth.outputs.shape}, got {prediction.shape}"
        )
    factors = energy_of_inputs(truth.inputs, variables, grid)
    predicted = _weighted(prediction * factors, variables, grid)
    expected = _weighted(truth.outputs * factors, variables, grid)
    return {label: compare(predicted[label], expected[label]) for label in expected}


def score_files(
    mlo_folder: Path, pairs: Sequence[Pair], variables: VariableSet, grid: ColumnGrid
) -> dict[str, Score]:
    """Score mlo files that a model wrote into `mlo_folder`, named like those of `pairs`."""
    truth = read_columns(pairs, variables)
    written = read_columns(pairs, variables, mlo_folder)
    return score(written.outputs, truth, variables, grid)


def score_folder(mlo_folder: Path, data: Path, variables: VariableSet) -> dict[str, Score]:
    """Score every mlo file of a folder against the pair of the same time below `data`.

    Raises
    ------
    DataError
        If no mlo file of the folder belongs to a pair.
    """
    grid = read_grid(find_grid(data))
    present = [pair for pair in list_pairs(data) if (mlo_folder / pair.mlo.name).is_file()]
    if not present:
        raise DataError(
            f"{mlo_folder}: expected mlo files with the names of those below {data}, found none"
        )
    return score_files(mlo_folder, present, variables, grid)


def largest_difference(first: dict[str, Score], second: dict[str, Score]) -> float:
    """Return the largest relative difference between two sets of scores.

    Every MAE (in the mean and per level), RMSE, bias and pooled R2 of every variable is
    compared. A difference of biases counts relative to the MAE and one of R2 relative to
    1 - R2, the share of unexplained variance: both scores may pass through zero.
    """
    worst = 0.0
    for label, a in first.items():
        b = second[label]
        pairs = [
            (a.mae, b.mae, a.mae),
            (a.rmse, b.rmse, a.rmse),
            (a.bias, b.bias, a.mae),
            (a.r2_pooled, b.r2_pooled, 1.0 - a.r2_pooled),
            *zip(a.mae_level, b.mae_level, a.mae_level, strict=True),
        ]
        for x, y, reference in pairs:
            if x != y:
                worst = max(worst, abs(x - y) / abs(reference) if reference else np.inf)
    return float(worst)
