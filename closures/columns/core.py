"""From raw features to raw outputs, around a network on normalised ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from closures.normalization import Normalization

if TYPE_CHECKING:
    from closures.columns.networks.interface import (
        ConfidentNetwork,
        EnsembleNetwork,
        GuardedNetwork,
        MemoryNetwork,
        StochasticNetwork,
        TriggeredNetwork,
    )

# TorchScript reads annotations of attributes and takes those of modules for its own classes, so
# type checkers alone see what kind of network a core has.


class Core(nn.Module):
    """``y = y_mean + y_spread * network((d(x) - d_mean) * d_scale)``, then the physics layers.

    Parameters
    ----------
    network
        Maps normalised ``(n, n_input)`` to normalised ``(n, n_output)``.
    inputs, outputs
        Normalisation of features and targets.
    physics
        Modules ``(raw inputs, raw outputs) -> raw outputs``, ``(n, n_input)`` and
        ``(n, n_output)`` in physical units, applied in order.
    input_limit
        Largest magnitude of a normalised input, at which it is cut off; None for no limit.
    derived
        The d above: from raw inputs ``(n, n_input)`` to what is normalised and shown to the
        network, for example relative humidity; None for the inputs themselves.

    A subclass defines ``forward(features, *state, *noise)``, which returns a tuple.
    """

    input_mean: Tensor
    input_scale: Tensor
    output_mean: Tensor
    output_spread: Tensor

    def __init__(
        self,
        network: nn.Module,
        inputs: Normalization,
        outputs: Normalization,
        physics: Sequence[nn.Module],
        input_limit: float | None = None,
        derived: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.derived = nn.Identity() if derived is None else derived
        self.is_limited = input_limit is not None
        self.input_limit = 0.0 if input_limit is None else input_limit
        self.physics = nn.ModuleList(physics)
        for name, values in (
            ("input_mean", inputs.mean),
            ("input_scale", inputs.scale),
            ("output_mean", outputs.mean),
            ("output_spread", outputs.spread),
        ):
            self.register_buffer(name, torch.from_numpy(values).float())

    def normalized(self, features: Tensor) -> Tensor:
        """Return normalised features, within their limit if they have one."""
        normalized: Tensor = (self.derived(features) - self.input_mean) * self.input_scale
        if self.is_limited:
            normalized = normalized.clamp(-self.input_limit, self.input_limit)
        return normalized

    def denormalized(self, prediction: Tensor) -> Tensor:
        """Return raw outputs of a normalised prediction, before the physics layers."""
        return prediction * self.output_spread + self.output_mean

    def constrained(self, features: Tensor, outputs: Tensor) -> Tensor:
        """Return raw outputs after the physics layers."""
        for layer in self.physics:
            outputs = layer(features, outputs)
        return outputs

    def physical(self, features: Tensor, prediction: Tensor) -> Tensor:
        """Return raw outputs of a normalised prediction, after the physics layers."""
        return self.constrained(features, self.denormalized(prediction))


class MeanCore(Core):
    """One prediction."""

    def forward(self, features: Tensor) -> tuple[Tensor]:
        """Return the outputs ``(n, n_output)``."""
        return (self.physical(features, self.network(self.normalized(features))),)


class MomentsCore(Core):
    """Mean and standard deviation; the physics layers see the mean."""

    if TYPE_CHECKING:
        network: StochasticNetwork

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return both, each ``(n, n_output)``."""
        mean, deviation = self.network.moments(self.normalized(features))
        return self.physical(features, mean), deviation * self.output_spread


class GuardedCore(Core):
    """Mean, standard deviation and a confidence; the physics layers see the mean."""

    if TYPE_CHECKING:
        network: GuardedNetwork

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the first two ``(n, n_output)``, and the confidence ``(n,)``, in (0, 1]."""
        mean, deviation, confidence = self.network.guarded(self.normalized(features))
        return self.physical(features, mean), deviation * self.output_spread, confidence


class MembersCore(Core):
    """Every member of an ensemble; each goes through the physics layers."""

    if TYPE_CHECKING:
        network: EnsembleNetwork

    def forward(self, features: Tensor) -> tuple[Tensor]:
        """Return the members ``(n, n_member, n_output)``."""
        members = self.network.members(self.normalized(features))
        n_member, n = members.shape[0], members.shape[1]
        outputs = self.physical(features.repeat(n_member, 1), members.flatten(0, 1))
        return (outputs.reshape(n_member, n, -1).transpose(0, 1),)


class SampleCore(Core):
    """One draw."""

    if TYPE_CHECKING:
        network: StochasticNetwork

    def forward(self, features: Tensor, noise: Tensor) -> tuple[Tensor]:
        """Return the draw ``(n, n_output)`` that belongs to the noise ``(n, n_noise)``."""
        drawn = self.network.sample(self.normalized(features), noise)
        return (self.physical(features, drawn),)


class MemoryCore(Core):
    """One prediction, and what to remember."""

    if TYPE_CHECKING:
        network: MemoryNetwork

    def forward(self, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs and the new memory ``(n, n_level, n_memory)``."""
        prediction, remembered = self.network.step(self.normalized(features), memory)
        return self.physical(features, prediction), remembered


class ConfidenceCore(Core):
    """One prediction and a confidence: ``1 / (1 + mean predicted loss)``."""

    if TYPE_CHECKING:
        network: ConfidentNetwork

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs and the confidence ``(n,)``, in (0, 1]."""
        prediction, loss = self.network.with_loss(self.normalized(features))
        confidence = 1.0 / (1.0 + loss.mean(dim=1))
        return self.physical(features, prediction), confidence


class TriggerCore(Core):
    """One prediction, zero where the trigger is off, and the probability that it is on."""

    if TYPE_CHECKING:
        network: TriggeredNetwork

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs and the probability ``(n,)``, off up to 1/2."""
        prediction, log_odds = self.network.with_trigger(self.normalized(features))
        outputs = self.denormalized(prediction)
        active = (log_odds > 0.0).unsqueeze(1)
        gated = torch.where(active, outputs, torch.zeros_like(outputs))
        return self.constrained(features, gated), torch.sigmoid(log_odds)
