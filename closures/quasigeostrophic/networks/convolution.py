"""Convolutions on a doubly periodic plane, free or without any direction."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from closures.quasigeostrophic.networks.minimal_filtering import TILE, MinimalFiltering

# Kernels and channels for which fewer products are worth the sums that they take.
_LEAST_WIDTH, _MANY_CHANNELS = 5, 64


def periodic(n_in: int, n_out: int, width: int, *, groups: int = 1, bias: bool = True) -> nn.Conv2d:
    """Return a convolution that sees the plane as periodic; `width` is odd, in points."""
    return nn.Conv2d(
        n_in, n_out, width, padding=width // 2, padding_mode="circular", groups=groups, bias=bias
    )


def mixing(n_in: int, n_out: int, *, bias: bool = True) -> nn.Conv2d:
    """Return a linear map of the channels of every point."""
    return nn.Conv2d(n_in, n_out, 1, bias=bias)


class IsotropicConvolution(nn.Module):
    """One kernel a channel that is the same after any turn by 90 degrees and in any mirror.

    Weights at points that a turn or a mirror takes to each other are one number: 6 for a kernel of
    5 x 5 points. So what it makes of a turned field is the turned result, exactly.

    Parameters
    ----------
    n_channel
        Channels.
    width
        Points along a side of the kernel, odd.
    """

    orbit: Tensor

    def __init__(self, n_channel: int, width: int) -> None:
        super().__init__()
        self.n_channel, self.reach = n_channel, width // 2
        # The two distances from the middle, without their order, say which points belong together.
        away = (torch.arange(width) - self.reach).abs()
        near, far = torch.minimum(away[:, None], away), torch.maximum(away[:, None], away)
        found, orbit = torch.unique(near + width * far, return_inverse=True)
        self.register_buffer("orbit", orbit)
        # Independent values at all points keep their variance.
        self.weight = nn.Parameter(torch.randn(n_channel, len(found)) / width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the filtered channels, shape ``(n, n_channel, y, x)`` as before."""
        kernel = self.weight[:, self.orbit].unsqueeze(1)
        around = functional.pad(x, [self.reach] * 4, mode="circular")
        return functional.conv2d(around, kernel, groups=self.n_channel)


class PeriodicConvolution(nn.Conv2d):
    """`periodic` for many channels: the same weights under the same names, computed faster.

    Channels are kept last in memory. Kernels of 5 x 5 points between many channels are applied by
    `MinimalFiltering` to grids of whole tiles, which changes rounding.

    Parameters
    ----------
    n_in, n_out
        Channels that go in and come out.
    width
        Points along a side of the kernel, odd.
    """

    pays: Final[bool]

    def __init__(self, n_in: int, n_out: int, width: int) -> None:
        super().__init__(n_in, n_out, width)
        self.reach, self.tile = width // 2, TILE
        self.pays = width == _LEAST_WIDTH and min(n_in, n_out) >= _MANY_CHANNELS
        self.minimal = MinimalFiltering(width) if self.pays else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the filtered channels, shape ``(n, n_out, y, x)``, of ``(n, n_in, y, x)``."""
        around = wrapped(wrapped(x.permute(0, 2, 3, 1), 1, self.reach), 2, self.reach)
        whole = x.size(2) % self.tile == 0 and x.size(3) % self.tile == 0
        # The constant first: TorchScript compiles no branch that it rules out.
        if self.pays and whole:
            made: Tensor = self.minimal(around, self.weight) + self.bias
            return made.permute(0, 3, 1, 2)
        return functional.conv2d(around.permute(0, 3, 1, 2), self.weight, self.bias)


def wrapped(x: Tensor, dim: int, reach: int) -> Tensor:
    """Return a field with `reach` points of the other end at both ends of a dimension."""
    if reach == 0:
        return x
    n = x.size(dim)
    return torch.cat([x.narrow(dim, n - reach, reach), x, x.narrow(dim, 0, reach)], dim)
