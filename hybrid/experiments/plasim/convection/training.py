"""Train the emulator of moist convection on recorded columns."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from closures.convection import (
    OUTPUTS,
    ConvectionEmulator,
    ConvectionLoss,
    ConvectiveBudget,
    Head,
    MoistFeatures,
)
from closures.convection.air import GRAVITY
from closures.convection.features import NAMES
from closures.normalization import Normalization, fit_normalization
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
from hybrid.experiments.plasim.schemes import layer_thickness

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

TIMESTEP = 3600.0
"""Time over which the model applies tendencies: two of its steps, as it leaps [s]."""

ROUNDING = 1e-6
"""Spread of a flux, as a part of that of the largest one, below which nothing is carried."""

LEAST_SPREAD = 0.05
"""Of a layer, as a part of the largest one: rarer events would count by their errors alone."""


def train_convection(
    columns: xr.Dataset,
    widths: tuple[int, ...],
    training: Training,
    provenance: Mapping[str, str],
    on_progress: OnProgress,
) -> ConvectionEmulator:
    """Train a perceptron on what the scheme was given and what it made of it.

    Parameters
    ----------
    columns
        Recorded columns, see `hybrid.experiments.plasim.columns.read_columns`.
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
    ConvectionEmulator
        The closure, with the range of the training columns as its envelope.
    """
    spec = _spec(columns, provenance)
    inputs = torch.from_numpy(stacked(columns, spec.inputs))
    target = Target.of(columns)
    budget = _budget(spec, torch.from_numpy(target.transport()).float())
    with torch.no_grad():
        shown = _features(spec)(inputs).double().numpy()
    emulator = _emulator(spec, widths, training.seed, fit_normalization(shown), budget)
    with torch.no_grad():
        normalized = emulator.core.normalized(inputs)
    loss = target.loss(budget)
    train(
        emulator.core.network, normalized, target.packed(budget), training, None, loss, on_progress
    )
    return emulator.eval()


def restored(values: Mapping[str, Any], widths: tuple[int, ...]) -> ConvectionEmulator:
    """Return the emulator that `hybrid.experiments.plasim.learning.stored` was given.

    Parameters
    ----------
    values
        What it returned.
    widths
        As in `train_convection`.
    """
    spec = ClosureSpec.from_json(values["spec"])
    weights = values["weights"]
    n = len(weights["core.input_mean"])
    # The weights replace the normalisation and the spread of the fluxes, too.
    neutral = Normalization(np.zeros(n), np.ones(n))
    n_level = spec.outputs[0].size
    emulator = _emulator(spec, widths, 0, neutral, _budget(spec, torch.ones(2 * (n_level - 1))))
    emulator.load_state_dict(weights)
    return emulator.eval()


class Target:
    """What the network is to give, in columns by layers.

    Parameters
    ----------
    supply, condensation, change
        Accession of moisture, condensation, and change of vapour ``(n, n_level)`` [kg m-2 s-1].
    moisture, heat
        Fluxes at the inner interfaces ``(n, n_level - 1)`` [kg m-2 s-1], [W m-2].
    """

    def __init__(
        self, supply: Array, condensation: Array, change: Array, moisture: Array, heat: Array
    ) -> None:
        self.supply, self.condensation, self.change = supply, condensation, change
        self.fluxes = np.concatenate([moisture, heat], axis=1)
        self.is_deep = condensation.sum(axis=1) > 0.0
        self.is_shallow = ~self.is_deep & (self.fluxes != 0.0).any(axis=1)

    @classmethod
    def of(cls, columns: xr.Dataset) -> "Target":
        """Return those of recorded columns."""
        condensation, moisture, heat = (columns[name].to_numpy().astype(float) for name in OUTPUTS)
        accession = columns["moisture_accession"].to_numpy().astype(float)
        mass = layer_mass(columns)
        change = -np.diff(moisture, axis=1) - condensation
        return cls(accession * mass, condensation, change, moisture[:, 1:-1], heat[:, 1:-1])

    def transport(self) -> Array:
        """Return the spread of both fluxes in shallow columns, 0 where they are but rounding."""
        spread = np.sqrt((self.fluxes[self.is_shallow] ** 2).sum(axis=0))
        spread = spread / max(np.sqrt(self.is_shallow.sum()), 1.0)
        largest = spread.reshape(2, -1).max(axis=1, keepdims=True)
        is_kept = (spread.reshape(2, -1) > ROUNDING * largest).ravel()
        return np.where(is_kept, spread, 0.0)

    def loss(self, budget: ConvectiveBudget) -> ConvectionLoss:
        """Return the loss, with spreads in columns of deep convection."""
        rain, change = self.condensation[self.is_deep], self.change[self.is_deep]
        total = float(rain.sum(axis=1).std()) if len(rain) else 1.0
        return ConvectionLoss(budget, _spread(rain), _spread(change), total)

    def packed(self, budget: ConvectiveBudget) -> torch.Tensor:
        """Return everything side by side, as `ConvectionLoss` has it."""
        spread = budget.transport.double().numpy()
        # Fluxes of a deep cloud follow from its changes of vapour.
        is_carried = self.is_shallow[:, np.newaxis] & (spread > 0.0)
        fluxes = np.where(is_carried, self.fluxes / np.where(spread > 0.0, spread, 1.0), 0.0)
        parts = [self.supply, self.condensation, self.change, fluxes]
        return torch.from_numpy(np.concatenate(parts, axis=1)).float()


def layer_mass(columns: xr.Dataset) -> Array:
    """Return the mass of the layers ``(n, n_level)`` [kg m-2]."""
    pressure = columns["surface_pressure"].to_numpy().astype(float)
    mass: Array = pressure[:, np.newaxis] * layer_thickness(columns.sizes["level"]) / GRAVITY
    return mass


def predict(emulator: ConvectionEmulator, columns: xr.Dataset) -> tuple[Array, Array, Array]:
    """Return condensation and the fluxes of moisture and heat, in the units of the contract."""
    condensation, moisture, heat = (each.double().numpy() for each in evaluated(emulator, columns))
    return condensation, moisture, heat


def _spread(values: Array) -> torch.Tensor:
    if not len(values):
        return torch.ones(values.shape[1])
    spread = values.std(axis=0)
    largest = float(spread.max())
    least = LEAST_SPREAD * largest if largest > 0.0 else 1.0
    return torch.from_numpy(np.maximum(spread, least)).float()


def _features(spec: ClosureSpec) -> MoistFeatures:
    return MoistFeatures(spec.inputs, _thickness(spec))


def _budget(spec: ClosureSpec, transport: torch.Tensor) -> ConvectiveBudget:
    return ConvectiveBudget(spec, _thickness(spec), TIMESTEP, transport)


def _thickness(spec: ClosureSpec) -> torch.Tensor:
    return torch.from_numpy(layer_thickness(spec.outputs[0].size))


def _emulator(
    spec: ClosureSpec,
    widths: tuple[int, ...],
    seed: int,
    inputs: Normalization,
    budget: ConvectiveBudget,
) -> ConvectionEmulator:
    n_output = Head(budget.n_level).size
    network = perceptron(len(inputs.mean), n_output, widths, seed)
    outputs = Normalization(np.zeros(n_output), np.ones(n_output))
    return ConvectionEmulator(spec, network, _features(spec), inputs, outputs, budget, INPUT_LIMIT)


def _spec(columns: xr.Dataset, provenance: Mapping[str, str]) -> ClosureSpec:
    return ClosureSpec(
        name="plasim_convection",
        version="1.0",
        inputs=tuple(field_of(columns, each, bounded=True) for each in NAMES),
        outputs=tuple(field_of(columns, each, bounded=False) for each in OUTPUTS),
        description="Perceptron in the place of PlaSim's moist convection (Kuo) at T21 and 10 "
        "levels; the state is that after the tendencies so far, fluxes are positive downward and "
        f"nothing at both ends, level 1 is the top; for tendencies applied over {TIMESTEP:.0f} s",
        references=REFERENCES,
        provenance={"n_column": str(columns.sizes["column"]), **provenance},
    )
