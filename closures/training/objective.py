"""What is minimised: a network and a loss in one module, whose forward is the loss."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Loss = Callable[[Tensor, Tensor], Tensor]


class Objective(nn.Module):
    """Base of objectives; a subclass defines ``forward(*batch)``, which returns a scalar.

    The loss is inside the module so that distributed data parallelism, which averages gradients of
    a module, wraps all of it.

    Parameters
    ----------
    network
        What is trained, validated and kept.

    Attributes
    ----------
    stage : int
        Part of the training, from 1 on; the trainer sets it. Losses of different stages are not
        compared.
    input_noise : float
        Standard deviation of the noise on normalised inputs, in training alone.
    leaves_out_parameters : bool
        Whether some parameters may get no gradient, which data parallelism must know.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.stage = 1
        self.input_noise = 0.0
        self.leaves_out_parameters = False

    def stage_at(self, fraction: float) -> int:  # noqa: ARG002 -- for objectives that have stages
        """Return the stage after this fraction of the epochs."""
        return 1

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Return the optimizer's groups of parameters, each with its weight decay."""
        trained = [each for each in self.network.parameters() if each.requires_grad]
        return [{"params": trained, "weight_decay": weight_decay}]

    def noisy(self, normalized: Tensor) -> Tensor:
        """Return normalised inputs with noise while training."""
        if not self.training or self.input_noise == 0.0:
            return normalized
        return normalized + self.input_noise * torch.randn_like(normalized)


class Supervised(Objective):
    """A loss of prediction and target, both normalised already.

    Parameters
    ----------
    network
        Maps inputs to predictions.
    loss
        Maps prediction and target to a scalar, the mean over samples.
    """

    def __init__(self, network: nn.Module, loss: Loss) -> None:
        super().__init__(network)
        self.loss = loss

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a batch."""
        return self.loss(self.network(self.noisy(inputs)), targets)


def mean_squared_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the mean of the squared differences."""
    return torch.mean((prediction - target) ** 2)
