"""How well an emulator does on columns that it was not trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from closures.radiation import FluxEmulator
from hybrid.experiments.plasim.learning import stacked
from hybrid.experiments.plasim.schemes import SCHEMES, usable
from hybrid.experiments.plasim.training import predict

Array = NDArray[np.float64]
Floats = TypeVar("Floats", NDArray[np.float64], NDArray[np.float32])


@dataclass(frozen=True)
class Offline:
    """Errors of the fluxes of one scheme.

    Parameters
    ----------
    flux_rmse
        Root mean square error of all fluxes [W m-2].
    net_rmse, net_bias
        Of the net flux at the top and at the ground [W m-2].
    heating_r2
        Explained variance of the net flux that each layer keeps, the top first [1].
    energy_residual
        Largest energy of a column that is not accounted for, in float32 as a model adds it up: what
        the layers keep less the difference of the net fluxes at both ends, and what comes in at
        the top less the insolation [W m-2].
    """

    flux_rmse: float
    net_rmse: tuple[float, float]
    net_bias: tuple[float, float]
    heating_r2: Array
    energy_residual: float


def score_offline(emulator: FluxEmulator, columns: xr.Dataset, name: str) -> Offline:
    """Score an emulator on recorded columns.

    Parameters
    ----------
    emulator
        Trained emulator.
    columns
        Columns later than those of the training.
    name
        Key of `SCHEMES`.
    """
    scheme = SCHEMES[name]
    columns = usable(columns, scheme)
    truth = stacked(columns, emulator.spec.outputs).astype(float)
    found = predict(emulator, columns)
    error = found - truth
    net_error, net = _net(error), _net(truth)
    kept_error, kept = np.diff(net_error, axis=1), np.diff(net, axis=1)
    ends = net_error[:, [0, -1]]
    return Offline(
        flux_rmse=float(np.sqrt((error**2).mean())),
        net_rmse=_pair(np.sqrt((ends**2).mean(axis=0))),
        net_bias=_pair(ends.mean(axis=0)),
        heating_r2=1.0 - (kept_error**2).mean(axis=0) / kept.var(axis=0),
        energy_residual=energy_residual(found, columns[scheme.scale] if scheme.scale else None),
    )


def energy_residual(fluxes: NDArray[np.float32], insolation: xr.DataArray | None) -> float:
    """Return the largest energy of a column that is not accounted for [W m-2], see `Offline`.

    Parameters
    ----------
    fluxes
        Upward and downward at the interfaces, the top first, positive downward
        ``(n, 2 * interface)``.
    insolation
        What comes in at the top ``(n,)``; None where that is not given.
    """
    single = fluxes.astype(np.float32)
    net = _net(single)
    kept = -np.diff(net, axis=1)
    residual = float(np.abs(kept.sum(axis=1) - (net[:, 0] - net[:, -1])).max())
    if insolation is None:
        return residual
    comes_in = single[:, single.shape[1] // 2]
    return max(residual, float(np.abs(comes_in - insolation.to_numpy()).max()))


def flat(scores: Mapping[str, Offline]) -> dict[str, float]:
    """Return the scores of all schemes as metrics."""
    found = {}
    for name, score in scores.items():
        found[f"{name}_flux_rmse"] = score.flux_rmse
        for i, end in enumerate(("top", "surface")):
            found[f"{name}_net_rmse_{end}"] = score.net_rmse[i]
            found[f"{name}_net_bias_{end}"] = score.net_bias[i]
        found[f"{name}_heating_r2_mean"] = float(score.heating_r2.mean())
        found[f"{name}_energy_residual"] = score.energy_residual
    return found


def _net(fluxes: Floats) -> Floats:
    up, down = np.split(fluxes, 2, axis=1)
    return up + down


def _pair(values: Array) -> tuple[float, float]:
    return float(values[0]), float(values[1])
