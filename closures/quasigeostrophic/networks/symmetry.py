"""Networks made symmetric by taking the mean over turned and mirrored flows."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Symmetry = Literal["none", "mirror", "square"]
"""``"mirror"``: north and south exchanged, which the whole flow keeps, beta and mean shear and all.
``"square"``: also turns by 90 degrees, which the subgrid advection keeps, but not the flow."""


class SymmetricMean(nn.Module):
    r"""A network of fields that turn with the flow, made equivariant.

    .. math:: f(x) = \frac{1}{|G|} \sum_{g \in G} g^{-1} f_0(g x)

    Exact, and as many times as costly as the group has members: 2 or 8. On a grid that is not
    square, turned fields have rows for columns, which a convolution does not mind.

    Parameters
    ----------
    network
        f_0, a sum of convolutions and functions of points, from the channels of `inputs` to q's.
    inputs
        What the channels are, for both layers each: ``q`` and ``advection``, which change their
        sign in a mirror, and ``u`` and ``v``, always both.
    symmetry
        The group.
    """

    channels: Tensor

    def __init__(self, network: nn.Module, inputs: Sequence[str], symmetry: Symmetry) -> None:
        super().__init__()
        self.network = network
        self.n_turn = 4 if symmetry == "square" else 1
        mirror, turn = (_on_channels(inputs, which) for which in ("mirror", "turn"))
        each = []
        for mirrored in (False, True):
            for n in range(self.n_turn):
                first = mirror if mirrored else torch.eye(len(mirror))
                each.append(torch.linalg.matrix_power(turn, n) @ first)
        self.register_buffer("channels", torch.stack(each))

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean of what the network makes, ``(n, 2, y, x)``."""
        total = torch.zeros_like(x[:, :2])
        for i in range(2 * self.n_turn):
            n, mirrored = i % self.n_turn, i >= self.n_turn
            field = x.flip(-2) if mirrored else x
            there = torch.einsum("ij,njyx->niyx", self.channels[i], field)
            made = self.network(torch.rot90(there, n, [-2, -1]))
            back = torch.rot90(made, -n, [-2, -1])
            total = total - back.flip(-2) if mirrored else total + back
        return total / (2 * self.n_turn)


def _on_channels(inputs: Sequence[str], which: str) -> Tensor:
    """Return what a mirror in y, or a turn of the grid by `torch.rot90`, makes of the channels."""
    n = len(inputs)
    matrix = torch.zeros(n, n)
    for i, name in enumerate(inputs):
        if name in ("q", "advection"):
            matrix[i, i] = -1.0 if which == "mirror" else 1.0
        elif which == "mirror":
            matrix[i, i] = 1.0 if name == "u" else -1.0
        elif name == "u":
            # The x axis is turned to where y decreases.
            matrix[i, inputs.index("v")] = 1.0
        else:
            matrix[i, inputs.index("u")] = -1.0
    return torch.kron(matrix, torch.eye(2))
