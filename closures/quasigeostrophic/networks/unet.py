"""A small network that sees the flow on several grids."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from closures.quasigeostrophic.networks.convolution import mixing, periodic


class Level(nn.Module):
    """Channels on one grid, beside what coarser grids make of them."""

    def __init__(self, n_channel: int, n_halving: int, width: int) -> None:
        super().__init__()
        self.here = periodic(n_channel, n_channel, width)
        self.coarser = periodic(n_channel, 2 * n_channel, width)
        self.deeper = Level(2 * n_channel, n_halving - 1, width) if n_halving > 1 else nn.Identity()
        self.together = periodic(3 * n_channel, n_channel, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the channels, changed, shape ``(n, n_channel, y, x)`` as before."""
        fine = torch.relu(self.here(x))
        coarse = torch.relu(self.coarser(functional.avg_pool2d(fine, 2)))
        back = functional.interpolate(self.deeper(coarse), scale_factor=2.0, mode="nearest")
        return torch.relu(self.together(torch.cat([fine, back], dim=1)))


class UNet(nn.Module):
    """Convolutions and rectifiers on grids of half, a quarter ... of the points along a side.

    On each coarser grid there are twice as many channels; each grid adds what it knows to the next
    finer one. A shift of the flow by whole cells of the coarsest grid shifts the result.

    Parameters
    ----------
    n_input
        Channels that go in; 2 come out.
    n_channel
        Channels on the finest grid.
    n_halving
        Grids besides the finest: the points along a side are a multiple of 2 to this power.
    width
        Points along a side of the kernels, odd.

    References
    ----------
    Ronneberger et al. (2015), U-Net, MICCAI, doi:10.1007/978-3-319-24574-4_28.
    """

    def __init__(self, n_input: int, n_channel: int, n_halving: int, width: int) -> None:
        super().__init__()
        self.unit = 2**n_halving
        self.enter = periodic(n_input, n_channel, width)
        self.levels = Level(n_channel, n_halving, width)
        self.leave = mixing(n_channel, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return 2 channels, shape ``(n, 2, y, x)``.

        Raises
        ------
        ValueError
            If the points along a side are no multiple of ``2**n_halving``.
        """
        if x.size(2) % self.unit != 0 or x.size(3) % self.unit != 0:
            raise ValueError(
                f"unet: expected a multiple of {self.unit} points along y and x, "
                f"got {x.size(2)} x {x.size(3)}"
            )
        made: Tensor = self.leave(self.levels(torch.relu(self.enter(x))))
        return made
