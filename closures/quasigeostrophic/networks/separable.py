"""Small residual networks: kernels that act on one channel each, and maps of channels."""

import torch
from torch import Tensor, nn

from closures.quasigeostrophic.networks.convolution import IsotropicConvolution, mixing, periodic


class SeparableBlock(nn.Module):
    """``x + M2 relu(M1 K x)``: a kernel a channel, then twice as many channels and back."""

    def __init__(self, n_channel: int, width: int) -> None:
        super().__init__()
        self.kernel = periodic(n_channel, n_channel, width, groups=n_channel)
        self.spread = mixing(n_channel, 2 * n_channel)
        self.gather = mixing(2 * n_channel, n_channel)

    def forward(self, x: Tensor) -> Tensor:
        """Return the channels, changed, shape ``(n, n_channel, y, x)`` as before."""
        change: Tensor = self.gather(torch.relu(self.spread(self.kernel(x))))
        return x + change


class GatedBlock(nn.Module):
    """``x + M2 (z s(G log(1 + z^2)))``, ``z = K M1 x``, K without directions, s a sigmoid.

    Channels that change their sign in a mirror are multiplied by gates that do not, and no constant
    is added to them: the block keeps every symmetry that its input has. It grows with its
    input in proportion, at most.
    """

    def __init__(self, n_channel: int, width: int) -> None:
        super().__init__()
        self.spread = mixing(n_channel, n_channel, bias=False)
        self.kernel = IsotropicConvolution(n_channel, width)
        self.gate = mixing(n_channel, n_channel)
        self.gather = mixing(n_channel, n_channel, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the channels, changed, shape ``(n, n_channel, y, x)`` as before."""
        z = self.kernel(self.spread(x))
        change: Tensor = self.gather(z * torch.sigmoid(self.gate(torch.log1p(z * z))))
        return x + change


def separable(n_input: int, n_channel: int, n_block: int, width: int) -> nn.Module:
    """Return a residual network of `SeparableBlock`, for any inputs.

    Parameters
    ----------
    n_input
        Channels that go in; 2 come out.
    n_channel, n_block
        Channels between, and blocks.
    width
        Points along a side of the kernels, odd.
    """
    blocks = [SeparableBlock(n_channel, width) for _ in range(n_block)]
    return nn.Sequential(mixing(n_input, n_channel), *blocks, mixing(n_channel, 2))


def gated(n_input: int, n_channel: int, n_block: int, width: int) -> nn.Module:
    """Return a residual network of `GatedBlock`, for inputs that turn with the flow as q does.

    Turns by 90 degrees and mirrors of the inputs turn and mirror the result, by construction.

    Parameters
    ----------
    n_input, n_channel, n_block, width
        As of `separable`.
    """
    blocks = [GatedBlock(n_channel, width) for _ in range(n_block)]
    ends = mixing(n_input, n_channel, bias=False), mixing(n_channel, 2, bias=False)
    return nn.Sequential(ends[0], *blocks, ends[1])
