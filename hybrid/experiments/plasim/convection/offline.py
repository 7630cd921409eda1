"""How well the emulator of convection does on columns that it was not trained on."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.convection import ConvectionEmulator
from hybrid.experiments.plasim.convection.training import Target, predict

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ConvectionScores:
    """Whether it rains, how much, and where in the column.

    Parameters
    ----------
    hit_rate
        Part of the columns that rain in which the emulator's rain, too [1].
    false_alarms
        Part of the columns that rain in the emulator in which it does not rain [1].
    bias
        Of the mean precipitation, as a part of it [1].
    precipitation_r2
        Explained variance of the precipitation of a column [1].
    condensation_r2, vapour_r2
        Explained variance of condensation and of the change of vapour in each layer, the top
        first; NaN where there is none [1].
    """

    hit_rate: float
    false_alarms: float
    bias: float
    precipitation_r2: float
    condensation_r2: Array
    vapour_r2: Array

    def metrics(self, name: str) -> dict[str, float]:
        """Return them as flat numbers whose names begin with `name`."""
        found = {
            "hit_rate": self.hit_rate,
            "false_alarms": self.false_alarms,
            "bias": self.bias,
            "precipitation_r2": self.precipitation_r2,
            "condensation_r2_mean": float(np.nanmean(self.condensation_r2)),
            "vapour_r2_mean": float(np.nanmean(self.vapour_r2)),
        }
        return {f"{name}_{key}": value for key, value in found.items()}


def score_convection(emulator: ConvectionEmulator, columns: xr.Dataset) -> ConvectionScores:
    """Score an emulator on recorded columns.

    Parameters
    ----------
    emulator
        Trained emulator.
    columns
        Columns of steps that it was not trained on.
    """
    truth = Target.of(columns)
    condensation, moisture, _ = predict(emulator, columns)
    change = -np.diff(moisture, axis=1) - condensation
    found, rain = condensation.sum(axis=1), truth.condensation.sum(axis=1)
    hits = float(((found > 0.0) & truth.is_deep).sum())
    return ConvectionScores(
        hit_rate=hits / max(float(truth.is_deep.sum()), 1.0),
        false_alarms=1.0 - hits / max(float((found > 0.0).sum()), 1.0),
        bias=float(found.mean() / rain.mean() - 1.0),
        precipitation_r2=float(_explained(found[:, np.newaxis], rain[:, np.newaxis])[0]),
        condensation_r2=_explained(condensation, truth.condensation),
        vapour_r2=_explained(change, truth.change),
    )


def _explained(found: Array, truth: Array) -> Array:
    variance = truth.var(axis=0)
    error = ((found - truth) ** 2).mean(axis=0)
    return np.where(variance > 0.0, 1.0 - error / np.where(variance > 0.0, variance, 1.0), np.nan)
