"""Where the sunlight that enters a column ends: the budget as the shape of the output.

Every part of the light is reflected to space, absorbed in a layer, or absorbed at the ground. A
network that gives the parts cannot heat with light that is not there, nor cool.
"""

import torch
from torch import Tensor, nn

from closures.constraints.ranges import ranges_of
from closures.spec import ClosureSpec

LARGEST = 30.0
"""Magnitude at which a logit is cut off: its exponential is far from the limits of float32."""

SMALLEST = 1e-6
"""Part of the light of which a logit is taken at least."""


class EnergyPartition(nn.Module):
    r"""Fluxes from logits of the parts of the light, and of what goes up inside.

    The first n + 2 of the outputs x, n being the number of layers, become parts
    :math:`p = e^{x} / \sum e^{x}`: reflected to space, absorbed by each layer from the top down,
    and by the ground. The net flux below layer k is what they leave,
    :math:`N_k = p_g + \sum_{j>k} p_j`. The others become the upward fluxes
    :math:`U_k = 1 / (1 + e^{-x})` at the interfaces below the layers, with
    :math:`U_0 = p_r`. The downward flux is :math:`D = N + U`, so :math:`D_0 = 1`. Everything is
    multiplied by the insolation.

    So the downward flux at the top is the insolation to rounding, no layer cools, no flux has the
    wrong sign, and there is nothing at night.

    Parameters
    ----------
    spec
        Contract; the outputs are the upward and the downward flux at n + 1 interfaces.
    scale
        Input that the fluxes are parts of.
    """

    below: Tensor

    def __init__(self, spec: ClosureSpec, scale: str) -> None:
        super().__init__()
        n_interface = spec.outputs[0].size
        self.n_part = n_interface + 1
        self.largest = LARGEST
        self.scale = ranges_of(spec.inputs)[scale].start
        # Net flux at interface k: all parts that end further down, but for what is reflected.
        below = torch.tril(torch.ones(self.n_part, n_interface), -1)
        self.register_buffer("below", below, persistent=False)

    def fractions(self, outputs: Tensor) -> Tensor:
        """Return upward and downward fluxes as parts of the insolation."""
        weights = torch.exp(outputs[:, : self.n_part].clamp(-self.largest, self.largest))
        parts = weights / weights.sum(dim=1, keepdim=True)
        inside = torch.sigmoid(outputs[:, self.n_part :])
        upward = torch.cat([parts[:, :1], inside], dim=1)
        return torch.cat([-upward, parts @ self.below + upward], dim=1)

    def logits(self, fractions: Tensor) -> Tensor:
        """Return logits of fluxes that are parts of the insolation: what `fractions` undoes.

        Parts that are not positive count as very small ones.
        """
        upward, downward = fractions.chunk(2, dim=1)
        net = upward + downward
        parts = torch.cat([-upward[:, :1], net[:, :-1] - net[:, 1:], net[:, -1:]], dim=1)
        inside = (-upward[:, 1:]).clamp(SMALLEST, 1.0 - SMALLEST)
        return torch.cat([torch.log(parts.clamp(min=SMALLEST)), torch.logit(inside)], dim=1)

    def forward(self, features: Tensor, outputs: Tensor) -> Tensor:
        """Return the fluxes ``(n, 2 * n_interface)`` for raw inputs and logits."""
        return self.fractions(outputs) * features[:, self.scale : self.scale + 1]
