"""One perceptron a member, all evaluated by batched matrix products."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class MemberPerceptron(nn.Module):
    """The same perceptron once a member, weights ``(n_member, n_before, n_after)``.

    Parameters
    ----------
    n_member
        Number of members.
    widths
        Number of inputs, of each hidden layer and of outputs.
    slope
        Slope of LeakyReLU for negative arguments; None for SiLU instead.
    """

    def __init__(self, n_member: int, widths: Sequence[int], slope: float | None) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            MemberLinear(n_member, before, after) for before, after in pairwise(widths)
        )
        self.is_smooth = slope is None
        self.slope = 0.0 if slope is None else slope
        self.n_hidden = len(widths) - 2

    def forward(self, features: Tensor) -> Tensor:
        """Return outputs ``(n_member, n, n_after)`` of inputs ``(n_member, n, n_before)``."""
        for i, layer in enumerate(self.layers):
            features = layer(features)
            if i < self.n_hidden and self.is_smooth:
                features = functional.silu(features)
            elif i < self.n_hidden:
                features = functional.leaky_relu(features, self.slope)
        return features


class MemberLinear(nn.Module):
    """One affine map a member."""

    def __init__(self, n_member: int, before: int, after: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_member, before, after))
        self.bias = nn.Parameter(torch.zeros(n_member, 1, after))
        for weight in self.weight.data:
            nn.init.xavier_normal_(weight)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n_member, n, n_after)``."""
        return torch.baddbmm(self.bias, features, self.weight)
