"""Objectives of column networks that make one prediction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from closures.columns.core import Core
from closures.columns.layout import ColumnLayout
from closures.columns.losses import vertical_difference
from closures.columns.networks.interface import EnsembleNetwork, MemoryNetwork, StochasticNetwork
from closures.training.objective import Objective

Pointwise = Literal["mse", "mae", "huber"]


@dataclass(frozen=True)
class Target:
    """What predictions are compared with, and how.

    Parameters
    ----------
    weights
        Weight of each output ``(n_output,)``, 0 for one that never varies.
    least
        Least normalised value of each output ``(n_output,)``, minus infinity without one: the
        closure cuts these outputs off, and a network that knows it need not fit what is below.
    clip
        Largest magnitude of a normalised target.
    through_physics
        Compare what the core's physics layers make of a prediction.
    squared
        Which outputs are compared by squared errors whatever the kind of error ``(n_output,)``,
        bool; None for none.
    """

    weights: Tensor
    least: Tensor
    clip: float = 20.0
    through_physics: bool = False
    squared: Tensor | None = None


class ColumnObjective(Objective):
    """Base: raw inputs and targets come in, the core normalises.

    Parameters
    ----------
    core
        Network, normalisation and physics layers of an emulator.
    target
        What predictions are compared with.
    """

    weights: Tensor
    least: Tensor
    varying: Tensor
    output_scale: Tensor
    sees: Tensor

    def __init__(self, core: Core, target: Target) -> None:
        super().__init__(core.network)
        special = isinstance(core.network, StochasticNetwork | MemoryNetwork)
        # A precision, an encoder or a memory may have no part in the loss.
        self.leaves_out_parameters = special and not isinstance(core.network, EnsembleNetwork)
        self.core = core
        self.clip = target.clip
        self.through_physics = target.through_physics
        spread = core.output_spread
        scale = torch.where(spread > 0.0, 1.0 / spread, torch.zeros_like(spread))
        for name, values in (
            ("weights", target.weights.float()),
            ("least", target.least.float()),
            ("varying", torch.nonzero(target.weights > 0.0).squeeze(1)),
            ("output_scale", scale),
            ("sees", (core.input_scale != 0.0).float()),
        ):
            self.register_buffer(name, values)

    def features(self, inputs: Tensor) -> Tensor:
        """Return normalised inputs, with noise on those that the network sees while training."""
        normalized = self.core.normalized(inputs)
        if not self.training or self.input_noise == 0.0:
            return normalized
        return torch.lerp(normalized, self.noisy(normalized), self.sees)

    def targets(self, outputs: Tensor) -> Tensor:
        """Return normalised, clipped targets."""
        normalized = (outputs - self.core.output_mean) * self.output_scale
        return normalized.clamp(-self.clip, self.clip)

    def compared(self, inputs: Tensor, prediction: Tensor) -> Tensor:
        """Return the normalised prediction as the closure would give it."""
        if not self.through_physics:
            return torch.maximum(prediction, self.least)
        outputs = self.core.physical(inputs, prediction)
        return (outputs - self.core.output_mean) * self.output_scale

    def chosen(self, values: Tensor) -> Tensor:
        """Return the outputs that vary, along the last axis."""
        return values.index_select(values.dim() - 1, self.varying)


@dataclass(frozen=True)
class Error:
    """A weighted error.

    Parameters
    ----------
    kind
        ``"mse"``, ``"mae"`` or ``"huber"``.
    delta
        Threshold of Huber's loss.
    vertical_difference
        Factor of the loss of differences between neighbouring levels, which is added.
    """

    kind: Pointwise = "mse"
    delta: float = 1.0
    vertical_difference: float = 0.0

    def pointwise(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the error of each element."""
        if self.kind == "huber":
            return functional.huber_loss(prediction, target, delta=self.delta, reduction="none")
        return _POINTWISE[self.kind](prediction - target)


_POINTWISE: dict[str, Callable[[Tensor], Tensor]] = {"mse": torch.square, "mae": torch.abs}


class Regression(ColumnObjective):
    """The weighted error of one prediction a column.

    Parameters
    ----------
    core, target
        As of `ColumnObjective`.
    error
        Kind of error.
    layout
        Order of the features.
    """

    def __init__(self, core: Core, target: Target, error: Error, layout: ColumnLayout) -> None:
        super().__init__(core, target)
        self.error = error
        self.layout = layout
        self.register_buffer("counts", (self.weights > 0.0).float())
        self.register_buffer("squared", target.squared)

    counts: Tensor
    squared: Tensor | None

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of raw inputs ``(n, n_input)`` and raw targets ``(n, n_output)``."""
        prediction = self.network(self.features(inputs))
        with torch.autocast(inputs.device.type, enabled=False):
            return self.loss(inputs, prediction.float(), outputs)

    def loss(self, inputs: Tensor, prediction: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of a normalised prediction."""
        found, target = self.compared(inputs, prediction), self.targets(outputs)
        each = self.error.pointwise(found, target)
        if self.squared is not None:
            each = torch.where(self.squared, (found - target).square(), each)
        errors = each.mean(dim=0)
        total = (errors * self.weights).sum() / self.weights.sum()
        if self.error.vertical_difference > 0.0:
            total = total + self.error.vertical_difference * vertical_difference(
                found * self.counts, target * self.counts, self.layout, self.error.delta
            )
        return total


class Rollout(Regression):
    """The error of a network with a memory over consecutive steps, from zero memory on.

    Inputs are true at each step; what is carried is the memory alone.
    """

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the mean loss of ``(n, n_step, n_input)`` and ``(n, n_step, n_output)``."""
        network = self.network
        assert isinstance(network, MemoryNetwork)
        n, n_step = inputs.shape[:2]
        memory = inputs.new_zeros(n, self.layout.n_level, network.n_memory)
        total = inputs.new_zeros(())
        for step in range(n_step):
            prediction, memory = network.step(self.features(inputs[:, step]), memory)
            with torch.autocast(inputs.device.type, enabled=False):
                total = total + self.loss(inputs[:, step], prediction.float(), outputs[:, step])
        return total / n_step
