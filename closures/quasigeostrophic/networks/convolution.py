"""Convolutions on a doubly periodic plane, free or without any direction."""

import torch
from torch import Tensor, nn
from torch.nn import functional


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
