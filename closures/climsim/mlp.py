"""ClimSim's multilayer perceptron for the V1 variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from closures.climsim.emulator import CLIP, column_emulator, emulator_spec, normalizations
from closures.climsim.files import Columns
from closures.climsim.variables import VariableSet
from closures.columns.emulator import ColumnEmulator
from closures.columns.networks.mlp import PRESETS, MLPSizes, perceptron
from closures.columns.seeding import seeded
from closures.normalization import Normalization
from closures.training import History, OnProgress, Training, mean_squared_error, train

WIDTHS = PRESETS["published"].widths
"""Widths of the hidden layers in ClimSim's baseline."""

SLOPE = PRESETS["published"].slope
"""Slope of LeakyReLU for negative arguments."""


@dataclass(frozen=True)
class MLPConfig:
    """Network and training.

    Parameters
    ----------
    training
        Epochs, batches, rates, and the seed of weights and batches.
    widths
        Widths of the hidden layers, the last of which feeds the 128 outputs.
    """

    training: Training = field(default_factory=lambda: Training(n_epoch=10))
    widths: tuple[int, ...] = WIDTHS

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"MLP: expected positive widths of hidden layers, got {self.widths}")


def build_network(n_input: int, widths: tuple[int, ...], n_output: int, seed: int) -> nn.Sequential:
    """Return linear layers with LeakyReLU between, weights drawn from `seed`."""
    with seeded(seed):
        return perceptron(n_input, MLPSizes(widths, SLOPE), n_output)


def train_mlp(
    columns: Columns,
    variables: VariableSet,
    config: MLPConfig,
    validation: Columns | None = None,
    provenance: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
) -> tuple[ColumnEmulator, History]:
    """Train ClimSim's MLP on columns.

    Parameters
    ----------
    columns
        Training columns.
    variables
        Their variable set.
    config
        Sizes, rates and seed.
    validation
        Columns for a loss after each epoch.
    provenance
        What to record in the closure's contract beyond data and training.
    on_progress
        Called after each epoch with the fraction done.

    Returns
    -------
    ColumnEmulator, History
        The trained closure, and the loss of each epoch.
    """
    training = config.training
    inputs, outputs = normalizations(columns, variables)
    network = build_network(
        variables.n_input, config.widths, variables.n_output, seed=training.seed
    )
    least = _least_normalized(outputs, variables)

    def loss(prediction: Tensor, target: Tensor) -> Tensor:
        # The closure cuts scalars off at zero; a network that knows it need not fit the zeros.
        return mean_squared_error(torch.maximum(prediction, least), target)

    history = train(
        network,
        *_tensors(columns, inputs, outputs),
        training,
        None if validation is None else _tensors(validation, inputs, outputs),
        loss,
        on_progress,
    )
    spec = emulator_spec(
        "climsim_mlp",
        f"MLP {'-'.join(str(width) for width in config.widths)} on ClimSim's V1 variables",
        columns,
        variables,
        {
            "training": f"{training.n_epoch} epochs, AdamW, one cycle, "
            f"batch {training.batch_size}, learning rate {training.learning_rate:g}, "
            f"weight decay {training.weight_decay:g}",
            "seed": str(training.seed),
            "training_loss": f"{history.training[-1]:.6g}",
            **(provenance or {}),
        },
    )
    return column_emulator(spec, network, inputs, outputs).eval(), history


def _least_normalized(outputs: Normalization, variables: VariableSet) -> Tensor:
    least = np.full(variables.n_output, -np.inf)
    for variable, part in zip(variables.outputs, variables.slices("outputs").values(), strict=True):
        if not variable.field.dims:
            least[part] = outputs.normalize(np.zeros(variables.n_output))[part]
    return torch.from_numpy(least).float()


def _tensors(
    columns: Columns, inputs: Normalization, outputs: Normalization
) -> tuple[Tensor, Tensor]:
    targets = np.clip(outputs.normalize(columns.outputs), -CLIP, CLIP)
    return (
        torch.from_numpy(inputs.normalize(columns.inputs)).float(),
        torch.from_numpy(targets).float(),
    )
