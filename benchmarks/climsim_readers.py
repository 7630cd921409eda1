"""Three ways to read a ClimSim pair as normalised float32 samples, with the same result."""

from dataclasses import dataclass
from typing import Any

import netCDF4
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.climsim.files import Pair, read_pair
from closures.climsim.grid import ColumnGrid
from closures.climsim.step_reader import StepReader
from closures.climsim.variables import TIMESTEP, Variable, VariableSet

LEAST = 1e-30
"""Range below which a feature counts as constant; float32 holds its reciprocal."""

Samples = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Scaling:
    """Inputs become ``(x - offset) * factor``, outputs ``y * weight``.

    Parameters
    ----------
    offset, factor
        ``(n_input,)``.
    weight
        ``(n_output,)``.
    """

    offset: NDArray[np.float64]
    factor: NDArray[np.float64]
    weight: NDArray[np.float64]

    @classmethod
    def of(cls, pair: Pair, variables: VariableSet) -> "Scaling":
        """Return mean and range of the inputs of a pair, and the size of its outputs."""
        inputs, outputs = read_pair(pair, variables)
        width = np.ptp(inputs, axis=0)
        largest = np.abs(outputs).max(axis=0)
        factor = np.divide(1.0, width, out=np.zeros_like(width), where=width > LEAST)
        weight = np.divide(1.0, largest, out=np.zeros_like(largest), where=largest > LEAST)
        return cls(inputs.mean(axis=0), factor, weight)


class Direct:
    """The reader of this project, whose samples are valid until it reads the next ones."""

    def __init__(self, variables: VariableSet, scaling: Scaling) -> None:
        self._reader = StepReader(variables, dtype=np.float32)
        self._offset = scaling.offset.astype(np.float32)
        self._factor = scaling.factor.astype(np.float32)
        self._weight = scaling.weight.astype(np.float32)
        self._inputs = np.empty((0, variables.n_input), np.float32)
        self._outputs = np.empty((0, variables.n_output), np.float32)

    def read(self, pair: Pair) -> Samples:
        """Read a pair."""
        x, y = self._reader.read(pair.files)
        # The views are transposed: computed in their order, then copied once.
        x -= self._offset
        x *= self._factor
        y *= self._weight
        if len(self._inputs) != len(x):
            self._inputs, self._outputs = np.empty(x.shape, x.dtype), np.empty(y.shape, y.dtype)
        self._inputs[...] = x
        self._outputs[...] = y
        return self._inputs, self._outputs


class Library:
    """The netCDF library and numpy, each file opened once, each variable read once."""

    def __init__(self, variables: VariableSet, scaling: Scaling) -> None:
        self._variables = variables
        self._scaling = scaling

    def read(self, pair: Pair) -> Samples:
        """Read a pair."""
        found: dict[str, dict[str, Any]] = {}
        for path, (kind, names) in zip(pair.files, _names(self._variables), strict=True):
            with netCDF4.Dataset(path) as file:
                file.set_auto_mask(False)
                found[kind] = {name: file[name][...] for name in names}
        inputs = [_made(v, found) for v in self._variables.inputs]
        outputs = [_made(v, found) for v in self._variables.outputs]
        x, y = (np.concatenate([np.atleast_2d(a) for a in part]).T for part in (inputs, outputs))
        scaling = self._scaling
        x = (x - scaling.offset) * scaling.factor
        return x.astype(np.float32), (y * scaling.weight).astype(np.float32)


class XarrayLoop:
    """A loop of xarray over pairs, in the steps of ClimSim's own loader.

    The mli file is opened for the inputs and again for the targets; inputs are merged with the
    columns' places and cut to valid ones; tendencies are variables of a Dataset; normalisation is
    arithmetic of Datasets; features are stacked from one array a variable.
    """

    def __init__(self, variables: VariableSet, scaling: Scaling, grid: ColumnGrid) -> None:
        self._variables = variables
        self._places = xr.Dataset({"lat": ("ncol", grid.lat), "lon": ("ncol", grid.lon)})
        inputs = _by_variable(variables.inputs)
        self._offset = inputs(scaling.offset)
        self._factor = inputs(scaling.factor)
        self._weight = _by_variable(variables.outputs)(scaling.weight)

    def read(self, pair: Pair) -> Samples:
        """Read a pair."""
        inputs = (self._inputs(pair) - self._offset) * self._factor
        outputs = self._outputs(pair) * self._weight
        return _stacked(inputs), _stacked(outputs)

    def _inputs(self, pair: Pair) -> xr.Dataset:
        names = [variable.of[0] for variable in self._variables.inputs]
        with xr.open_dataset(pair.mli, engine="netcdf4") as file:
            step = file[names].merge(self._places)
            step = step.where((step["lat"] > -999) & (step["lat"] < 999), drop=True)
            for variable in self._variables.inputs:
                if variable.fill is not None:
                    name = variable.of[0]
                    step[name] = step[name].where(step[name] < 0.5 * variable.fill, 0.0)
            return step.drop_vars(["lat", "lon"]).load()

    def _outputs(self, pair: Pair) -> xr.Dataset:
        with (
            xr.open_dataset(pair.mli, engine="netcdf4") as before,
            xr.open_dataset(pair.mlo, engine="netcdf4") as after,
        ):
            for variable in self._variables.outputs:
                if variable.kind == "tendency":
                    (name,) = variable.of
                    change = (after[name] - before[name]) / TIMESTEP
                    after[variable.field.name] = change
            names = [_own_name(variable) for variable in self._variables.outputs]
            step = after[names].merge(self._places)
            step = step.where((step["lat"] > -999) & (step["lat"] < 999), drop=True)
            return step.drop_vars(["lat", "lon"]).load()


def _own_name(variable: Variable) -> str:
    return variable.field.name if variable.kind == "tendency" else variable.of[0]


def _names(variables: VariableSet) -> list[tuple[str, tuple[str, ...]]]:
    return [(kind, variables.reads[kind, 0]) for kind in ("mli", "mlo")]


def _made(variable: Variable, found: dict[str, dict[str, Any]]) -> NDArray[np.float64]:
    (name,) = variable.of
    if variable.kind == "tendency":
        change: NDArray[np.float64] = (found["mlo"][name] - found["mli"][name]) / TIMESTEP
        return change
    values: NDArray[np.float64] = found[variable.file][name]
    return values if variable.fill is None else np.where(values < 0.5 * variable.fill, values, 0.0)


def _by_variable(variables: tuple[Variable, ...]) -> Any:
    def split(values: NDArray[np.float64]) -> xr.Dataset:
        parts, start = {}, 0
        for variable in variables:
            part = values[start : start + variable.field.size]
            start += variable.field.size
            parts[_own_name(variable)] = ("lev", part) if variable.field.dims else ((), part[0])
        return xr.Dataset(parts)

    return split


def _stacked(step: xr.Dataset) -> NDArray[np.float32]:
    samples = step.stack(batch=("ncol",)).to_stacked_array("feature", sample_dims=["batch"])
    result: NDArray[np.float32] = samples.values.astype(np.float32)
    return result
