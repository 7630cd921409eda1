"""Scores of several models in one pass over time steps, in memory that does not grow."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from closures.climsim.cell_sums import CellSums
from closures.climsim.energy import energy_of_inputs
from closures.climsim.ensemble_sums import EnsembleSums
from closures.climsim.errors import DataError
from closures.climsim.grid import ColumnGrid
from closures.climsim.regions import is_day
from closures.climsim.variables import VariableSet

Array = NDArray[np.float64]

RAIN_EDGES = np.logspace(-2.0, np.log10(500.0), 36)
"""Bins of the distribution of precipitation [mm day-1]."""
MILLIMETRE_PER_DAY = 1000.0 * 86400.0
"""Factor from m s-1 to mm day-1."""
RAIN = "cam_out_precc"
TRUTH = "truth"


class Scorer:
    """Collects what the scores of models need while time steps go by.

    Parameters
    ----------
    variables
        Variable set of inputs, truth and predictions.
    grid
        Grid of the columns.
    members
        Number of members by name of the model: 1 for a single prediction.

    Attributes
    ----------
    n_step : int
        Number of time steps so far.
    day, night : dict
        `CellSums` of energy fluxes [W m-2] by model, over columns in sunlight and the others;
        of an ensemble, its mean.
    ensembles : dict
        `EnsembleSums` by model, for those with several members.
    rain : dict
        Area-weighted number of columns by bin of precipitation, by model and ``"truth"``; the
        first entry counts those below the lowest edge, the last one those above the highest.

    Raises
    ------
    DataError
        If a model has the name of the truth.
    """

    def __init__(
        self, variables: VariableSet, grid: ColumnGrid, members: Mapping[str, int]
    ) -> None:
        if TRUTH in members:
            raise DataError(f"scores: {TRUTH!r} stands for the data; rename that model")
        self.variables = variables
        self.grid = grid
        self.members = dict(members)
        self.n_step = 0
        size = (grid.n_column, variables.n_output)
        self.day = {name: CellSums.empty(*size) for name in members}
        self.night = {name: CellSums.empty(*size) for name in members}
        self._ranges = variables.slices("outputs")
        parts = list(self._ranges.values())
        self.ensembles = {
            name: EnsembleSums(n, parts, grid.n_column) for name, n in members.items() if n > 1
        }
        series = (TRUTH, *members) if RAIN in self._ranges else ()
        self.rain = {name: np.zeros(RAIN_EDGES.size + 1) for name in series}

    def add(self, inputs: Array, truth: Array, predictions: Mapping[str, Array]) -> None:
        """Add one time step of all columns.

        Parameters
        ----------
        inputs
            Features ``(n_column, n_input)`` in the units of the fields.
        truth
            Outputs ``(n_column, n_output)`` in the units of the fields.
        predictions
            The same by model; of an ensemble, ``(n_member, n_column, n_output)``.

        Raises
        ------
        DataError
            If a prediction is missing, not finite, or of another shape.
        """
        self._check(truth, predictions)
        factors = energy_of_inputs(inputs, self.variables, self.grid)
        day = is_day(inputs, self.variables)
        energy = truth * factors
        self.n_step += 1
        self._add_rain(TRUTH, truth)
        for name in self.members:
            prediction = predictions[name]
            self._add_rain(name, prediction)
            predicted = prediction * factors
            if name in self.ensembles:
                self.ensembles[name].add(predicted, energy)
                predicted = predicted.mean(axis=0)
            self.day[name].add(predicted, energy, day)
            self.night[name].add(predicted, energy, ~day)

    def _add_rain(self, name: str, outputs: Array) -> None:
        if not self.rain:
            return
        rain = outputs[..., self._ranges[RAIN]][..., 0] * MILLIMETRE_PER_DAY
        share = np.broadcast_to(self.grid.area / self.grid.area.sum(), rain.shape)
        n_member = rain.size // self.grid.n_column
        edges = np.concatenate([[-np.inf], RAIN_EDGES, [np.inf]])
        self.rain[name] += np.histogram(rain, edges, weights=share)[0] / n_member

    def _check(self, truth: Array, predictions: Mapping[str, Array]) -> None:
        expected = (self.grid.n_column, self.variables.n_output)
        if truth.shape != expected:
            raise DataError(
                f"scores: expected a time step of shape {expected}, one row a column of the grid, "
                f"got {truth.shape}"
            )
        for name, n in self.members.items():
            if name not in predictions:
                raise DataError(f"scores: expected a prediction of {name}, got none")
            shape = expected if n == 1 else (n, *expected)
            if predictions[name].shape != shape:
                raise DataError(
                    f"scores: {name}: expected predictions of shape {shape}, got "
                    f"{predictions[name].shape}"
                )
            if not np.isfinite(predictions[name]).all():
                raise DataError(
                    f"scores: {name}: expected finite predictions, got NaN or infinity at time "
                    f"step {self.n_step + 1}; scores of the rest would flatter the model"
                )
