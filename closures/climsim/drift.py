"""How far the inputs of one set of time steps lie from those of another, level by level."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.climsim.grid import ColumnGrid
from closures.climsim.variables import VariableSet

Array = NDArray[np.float64]


class FeatureSums:
    """Mean, spread and range of features, from one pass over time steps.

    Parameters
    ----------
    n_feature
        Number of features.

    Attributes
    ----------
    count : int
        Number of samples.
    mean, spread : Array
        Mean and sum of squared deviations from it ``(n_feature,)``.
    low, high : Array
        Smallest and largest value.
    """

    def __init__(self, n_feature: int) -> None:
        self.count = 0
        self.mean, self.spread = np.zeros((2, n_feature))
        self.low, self.high = np.full(n_feature, np.inf), np.full(n_feature, -np.inf)

    def add(self, features: Array) -> None:
        """Add samples ``(n, n_feature)``."""
        n = len(features)
        mean = features.mean(axis=0)
        total = self.count + n
        deviation = mean - self.mean
        self.spread += ((features - mean) ** 2).sum(axis=0)
        self.spread += deviation**2 * self.count * n / total
        self.mean += deviation * n / total
        self.count = total
        self.low = np.minimum(self.low, features.min(axis=0))
        self.high = np.maximum(self.high, features.max(axis=0))

    @property
    def deviation(self) -> Array:
        """Standard deviation of each feature ``(n_feature,)``."""
        root: Array = np.sqrt(self.spread / max(self.count, 1))
        return root


@dataclass
class Drift:
    """Inputs of test steps as a network sees them that was normalised by training steps.

    Parameters
    ----------
    train
        Training inputs, complete before the first test step is added.
    test
        Test inputs.
    outside
        Number of test samples beyond the range of the training samples ``(n_feature,)``.
    """

    train: FeatureSums
    test: FeatureSums
    outside: Array

    @classmethod
    def of_training(cls, train: FeatureSums) -> "Drift":
        """Return the drift from `train` to test steps that are still to be added."""
        return cls(train, FeatureSums(train.mean.size), np.zeros(train.mean.size))

    def add(self, features: Array) -> None:
        """Add test samples ``(n, n_feature)``."""
        self.test.add(features)
        outside = (features < self.train.low) | (features > self.train.high)
        self.outside += outside.sum(axis=0)

    @property
    def shift(self) -> Array:
        """(mean of test - mean of training) / standard deviation of training; NaN where 0."""
        spread = self.train.deviation
        return _ratio(self.test.mean - self.train.mean, spread)

    @property
    def widening(self) -> Array:
        """Standard deviation of test / standard deviation of training; NaN where that is 0."""
        return _ratio(self.test.deviation, self.train.deviation)

    def dataset(self, variables: VariableSet, grid: ColumnGrid) -> xr.Dataset:
        """Return shift, widening and share outside the training range by variable and level."""
        profiles = [v for v in variables.inputs if v.field.dims]
        scalars = [v for v in variables.inputs if not v.field.dims]
        ranges = variables.slices("inputs")
        arrays = {
            "shift": (self.shift, "mean of test minus training, in training standard deviations"),
            "widening": (self.widening, "standard deviation of test relative to training"),
            "outside": (
                self.outside / max(self.test.count, 1),
                "share of test samples outside the range of training samples",
            ),
        }
        found: dict[str, tuple[Any, Array, dict[str, str]]] = {}
        for name, (values, text) in arrays.items():
            attributes = {"units": "1", "long_name": text}
            stacked = [values[ranges[v.field.name]] for v in profiles]
            found[f"input_{name}"] = (("input_profile", "level"), np.array(stacked), attributes)
            single = [values[ranges[v.field.name]][0] for v in scalars]
            found[f"input_{name}_scalar"] = ("input_scalar", np.array(single), attributes)
        return xr.Dataset(
            found,
            coords={
                "input_profile": [v.field.name for v in profiles],
                "input_scalar": [v.field.name for v in scalars],
                "pressure": ("level", grid.reference_pressure, {"units": "hPa"}),
            },
        )


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
