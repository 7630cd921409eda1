"""A loss of fluxes that also sees what the host makes of them."""

import torch
from torch import Tensor, nn

from closures.radiation.partition import EnergyPartition

N_PROFILE = 2


class FluxLoss(nn.Module):
    r"""Mean squared error of fluxes, of heating, and of the net fluxes at both ends.

    Of the errors :math:`e` of the stacked fluxes [W m-2 if not scaled] it takes

    .. math:: \\overline{(e / s)^2} + \\overline{((e^n_{k+1} - e^n_k) / h_k)^2}
              + \\overline{(e^n_b / b)^2}

    with :math:`e^n` the sum of the upward and the downward error, k the layers, and b the top and
    the ground. Neighbouring fluxes whose errors agree heat nothing; errors of the same size that
    do not agree heat a lot, which the first term alone does not tell.

    Parameters
    ----------
    spread
        Spread s of each flux ``(2 * n_interface,)``; 0 for a flux that never varies.
    heating
        Spread h of the net flux that each layer keeps ``(n_interface - 1,)``.
    net
        Spread b of the net flux at the top and at the ground ``(2,)``.
    """

    weights: Tensor

    def __init__(self, spread: Tensor, heating: Tensor, net: Tensor) -> None:
        super().__init__()
        n = len(spread) // N_PROFILE
        layers = (torch.eye(n)[1:] - torch.eye(n)[:-1]) / heating[:, None]
        ends = torch.eye(n)[[0, -1]] / net[:, None]
        net_terms = [torch.cat([rows, rows], dim=1) * spread for rows in (layers, ends)]
        terms = [torch.eye(N_PROFILE * n) * (spread > 0.0), *net_terms]
        scaled = [rows / len(rows) ** 0.5 for rows in terms]
        self.register_buffer("weights", torch.cat(scaled).T.contiguous())

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of normalised fluxes ``(n, 2 * n_interface)``."""
        return ((prediction - target) @ self.weights).square().sum(dim=1).mean()


class PartitionLoss(nn.Module):
    """`FluxLoss` of what a partition makes of logits.

    Parameters
    ----------
    partition
        Logits to fluxes as parts of the insolation.
    centre
        What is added to the logits of the network ``(2 * n_interface,)``.
    spread
        Spread of the parts, by which the targets are divided ``(2 * n_interface,)``.
    loss
        Of parts divided by their spread.
    """

    centre: Tensor
    spread: Tensor

    def __init__(
        self, partition: EnergyPartition, centre: Tensor, spread: Tensor, loss: FluxLoss
    ) -> None:
        super().__init__()
        self.partition = partition
        self.loss = loss
        self.register_buffer("centre", centre)
        self.register_buffer("spread", spread)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the loss of the network's output ``(n, 2 * n_interface)``."""
        parts: Tensor = self.partition.fractions(prediction + self.centre)
        result: Tensor = self.loss(parts / self.spread, target)
        return result
