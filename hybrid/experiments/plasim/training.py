"""Train the emulator of one scheme on recorded columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import nn

from closures.normalization import Normalization, fit_normalization
from closures.radiation import (
    ColumnFeatures,
    EnergyPartition,
    FluxEmulator,
    FluxLoss,
    PartitionLoss,
    Signs,
    SunlitFeatures,
)
from closures.spec import ClosureSpec
from closures.training import Training, train
from hybrid.experiments.plasim.learning import (
    INPUT_LIMIT,
    REFERENCES,
    evaluated,
    field_of,
    perceptron,
    stacked,
)
from hybrid.experiments.plasim.schemes import SCHEMES, layer_thickness, usable

Array = NDArray[np.float32]
OnProgress = Callable[[float], None]

END_WEIGHT = 0.5
"""Spread of net fluxes at top and ground in the loss, as a part of their own."""


def train_emulator(
    columns: xr.Dataset,
    name: str,
    widths: tuple[int, ...],
    training: Training,
    provenance: Mapping[str, str],
    on_progress: OnProgress,
) -> FluxEmulator:
    """Train a perceptron on what a scheme was given and what it made of it.

    Parameters
    ----------
    columns
        Recorded columns, see `hybrid.experiments.plasim.columns.read_columns`.
    name
        Key of `SCHEMES`.
    widths
        Hidden layers of the network.
    training
        Epochs, batches, rates and seed.
    provenance
        What to record in the contract.
    on_progress
        Called with the fraction done.

    Returns
    -------
    FluxEmulator
        The closure, with the range of the training columns as its envelope.
    """
    scheme = SCHEMES[name]
    # The envelope is that of all columns: night is nothing unknown.
    spec = _spec(columns, name, provenance)
    columns = usable(columns, scheme)
    inputs = stacked(columns, spec.inputs)
    targets = stacked(columns, spec.outputs)
    if scheme.scale:
        scale = columns[scheme.scale].to_numpy()[:, np.newaxis]
        targets = targets / scale
        # A fraction of the sun counts as the flux it stands for.
        kept = _drawn(scale[:, 0].astype(float) ** 2, training.seed)
        inputs, targets = inputs[kept], targets[kept]
    with torch.no_grad():
        shown = _features(spec, name)(torch.from_numpy(inputs)).double().numpy()
    task = _task(spec, name, targets)
    of_features = fit_normalization(shown)
    spread = np.where(of_features.spread > 0.0, of_features.spread.clip(scheme.resolved), 0.0)
    of_features = Normalization(of_features.mean, spread)
    emulator = _emulator(spec, name, widths, training.seed, of_features, task.outputs)
    with torch.no_grad():
        normalized = emulator.core.normalized(torch.from_numpy(inputs))
    train(emulator.core.network, normalized, task.targets, training, None, task.loss, on_progress)
    return emulator.eval()


@dataclass(frozen=True)
class _Task:
    """Normalisation of the network's output, and what it is compared with, by which loss."""

    outputs: Normalization
    targets: torch.Tensor
    loss: nn.Module


def _task(spec: ClosureSpec, name: str, targets: Array) -> _Task:
    exact = targets.astype(float)
    outputs = fit_normalization(exact)
    normalized = torch.from_numpy(outputs.normalize(exact)).float()
    loss = _loss(targets, outputs.spread)
    if not SCHEMES[name].scale:
        return _Task(outputs, normalized, loss)
    partition = EnergyPartition(spec, SCHEMES[name].scale)
    centre = partition.logits(torch.from_numpy(exact.mean(axis=0, keepdims=True)))[0]
    # The downward part at the top is always 1.
    spread = np.where(outputs.spread > 0.0, outputs.spread, 1.0)
    wanted = torch.from_numpy(exact / spread).float()
    of_parts = PartitionLoss(partition, centre.float(), torch.from_numpy(spread).float(), loss)
    return _Task(Normalization(centre.numpy(), np.ones(len(spread))), wanted, of_parts)


def restored(values: Mapping[str, Any], name: str, widths: tuple[int, ...]) -> FluxEmulator:
    """Return the emulator that `stored` was given.

    Parameters
    ----------
    values
        What it returned.
    name, widths
        As in `train_emulator`.
    """
    spec = ClosureSpec.from_json(values["spec"])
    weights = values["weights"]
    sizes = [len(weights[f"core.{key}"]) for key in ("input_mean", "output_mean")]
    # The weights replace the normalisation, too.
    neutral = [Normalization(np.zeros(n), np.ones(n)) for n in sizes]
    emulator = _emulator(spec, name, widths, 0, *neutral)
    emulator.load_state_dict(weights)
    return emulator.eval()


def _features(spec: ClosureSpec, name: str) -> nn.Module:
    n_level = next(field.size for field in spec.inputs if field.dims)
    thickness = torch.from_numpy(layer_thickness(n_level))
    kind = SunlitFeatures if SCHEMES[name].scale else ColumnFeatures
    return kind(spec.inputs, thickness)


def _emulator(
    spec: ClosureSpec,
    name: str,
    widths: tuple[int, ...],
    seed: int,
    inputs: Normalization,
    outputs: Normalization,
) -> FluxEmulator:
    network = perceptron(len(inputs.mean), len(outputs.mean), widths, seed)
    scale = SCHEMES[name].scale
    physics = EnergyPartition(spec, scale) if scale else Signs(spec)
    features = _features(spec, name)
    return FluxEmulator(spec, network, features, inputs, outputs, physics, INPUT_LIMIT)


def predict(emulator: FluxEmulator, columns: xr.Dataset) -> Array:
    """Return the fluxes ``(n_column, 2 * n_interface)`` [W m-2], the upward ones first."""
    return torch.cat(evaluated(emulator, columns), dim=1).numpy()


def _loss(targets: Array, spread: NDArray[np.float64]) -> FluxLoss:
    up, down = np.split(targets.astype(float), 2, axis=1)
    net = up + down
    heating = np.maximum(np.diff(net, axis=1).std(axis=0), 1e-3 * net.std())
    ends = END_WEIGHT * net[:, [0, -1]].std(axis=0)
    return FluxLoss(*(torch.from_numpy(each).float() for each in (spread, heating, ends)))


def _drawn(weights: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Return as many numbers of columns as there are, drawn with these weights."""
    generator = np.random.default_rng([seed, 1])
    return generator.choice(len(weights), len(weights), p=weights / weights.sum())


def _spec(columns: xr.Dataset, name: str, provenance: Mapping[str, str]) -> ClosureSpec:
    outputs = SCHEMES[name].outputs
    names = [each for each in columns.data_vars if each not in (*outputs, "step")]
    return ClosureSpec(
        name=f"plasim_{name}",
        version="1.0",
        inputs=tuple(field_of(columns, str(each), bounded=True) for each in names),
        outputs=tuple(field_of(columns, each, bounded=False) for each in outputs),
        description=f"Perceptron in the place of PlaSim's {name} radiation at T21 and 10 levels; "
        "fluxes are positive downward, level 1 is the top",
        references=REFERENCES,
        provenance={"n_column": str(columns.sizes["column"]), **provenance},
    )
