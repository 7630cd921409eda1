"""What the trainings of all schemes share: columns as tensors, contracts, networks, settings."""

from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor, nn

from closures import Closure
from closures.columns.layout import ColumnLayout
from closures.columns.networks.mlp import MLP, MLPSizes
from closures.columns.seeding import seeded
from closures.field import Field
from closures.training import Training
from hybrid.experiments.plasim.settings import N_SEASON, TEST_PART
from hybrid.experiments.plasim.source import MODEL

Array = NDArray[np.float32]

REFERENCES = (
    "Fraedrich et al. 2005, The Planet Simulator, Meteorol. Z. 14, 299-304",
    "Paradise et al. 2022, ExoPlaSim, Mon. Not. R. Astron. Soc. 511, 3272-3303",
)

INPUT_LIMIT = 5.0
"""Largest magnitude of a normalised feature: what drifts away from the training columns."""


def training_of(n_epoch: int, seed: int) -> Training:
    """Return how the networks are trained."""
    return Training(n_epoch, batch_size=512, learning_rate=3e-3, weight_decay=1e-4, seed=seed)


def provenance_of(first: int, last: int) -> dict[str, str]:
    """Return what contracts record of columns of these days after a cold start."""
    return {
        "host": MODEL,
        "days": f"{first} to {last} after a cold start, the last "
        f"{TEST_PART:.0%} of each of {N_SEASON} parts left out",
    }


def perceptron(n_input: int, n_output: int, widths: tuple[int, ...], seed: int) -> nn.Module:
    """Return a network with these hidden layers, of weights drawn with a seed."""
    layout = ColumnLayout.profiles_first(1, (0, n_input), (0, n_output))
    with seeded(seed):
        return MLP(layout, MLPSizes(widths, activation="silu"))


def stored(emulator: Closure) -> dict[str, Any]:
    """Return a trained emulator as strings and tensors."""
    return {"spec": emulator.spec.to_json(), "weights": emulator.state_dict()}


def stacked(columns: xr.Dataset, fields: tuple[Field, ...]) -> Array:
    """Return the fields side by side, ``(n_column, n_feature)``."""
    values = [columns[field.name].to_numpy() for field in fields]
    return np.concatenate([v if v.ndim == 2 else v[:, np.newaxis] for v in values], axis=1)


def evaluated(emulator: Closure, columns: xr.Dataset) -> tuple[Tensor, ...]:
    """Return the outputs on recorded columns, without gradients."""
    arguments = [torch.from_numpy(columns[f.name].to_numpy()) for f in emulator.spec.inputs]
    with torch.no_grad():
        return tuple(emulator(*arguments))


def field_of(columns: xr.Dataset, name: str, bounded: bool) -> Field:
    """Return the contract of a recorded field; if `bounded`, with its range as the envelope."""
    variable = columns[name]
    dims = tuple(str(dim) for dim in variable.dims[1:])
    low, high = (
        (variable.min("column").to_numpy(), variable.max("column").to_numpy())
        if bounded
        else (None, None)
    )
    return Field(
        name,
        str(variable.attrs["units"]),
        dims,
        variable.shape[1:],
        valid_min=_bound(low),
        valid_max=_bound(high),
    )


def _bound(values: Array | None) -> float | tuple[float, ...] | None:
    if values is None:
        return None
    return tuple(values.tolist()) if values.ndim else float(values)
