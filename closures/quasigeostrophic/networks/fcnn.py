"""The convolutional network of Ross et al. (2023), after Guillaumin and Zanna (2021)."""

import torch
from torch import Tensor, nn

from closures.quasigeostrophic.networks.convolution import PeriodicConvolution

PUBLISHED = ((128, 5), (64, 5), (32, 3), (32, 3), (32, 3), (32, 3), (32, 3))
"""Channels, and points along a side of the kernel, of the layers before the last."""


def fcnn(n_input: int, n_output: int, layers: tuple[tuple[int, int], ...] = PUBLISHED) -> nn.Module:
    """Return convolutions, each followed by a rectifier and then by batch normalisation.

    The last one, of 3 x 3 points, is followed by nothing.

    Parameters
    ----------
    n_input, n_output
        Channels that go in and come out.
    layers
        Channels and kernel of the others; as published: 8 layers together.

    References
    ----------
    Ross et al. (2023), J. Adv. Model. Earth Syst. 15, e2022MS003258, section 4.1. Guillaumin and
    Zanna (2021), J. Adv. Model. Earth Syst. 13, e2021MS002534.
    """
    parts: list[nn.Module] = []
    before = n_input
    for n_channel, width in layers:
        parts += [
            PeriodicConvolution(before, n_channel, width),
            nn.ReLU(),
            nn.BatchNorm2d(n_channel),
        ]
        before = n_channel
    return nn.Sequential(*parts, PeriodicConvolution(before, n_output, 3))


class SideBySide(nn.Module):
    """Two networks that see the same: one makes the upper layer's tendency, one the lower's."""

    def __init__(self, upper: nn.Module, lower: nn.Module) -> None:
        super().__init__()
        self.upper, self.lower = upper, lower

    def forward(self, x: Tensor) -> Tensor:
        """Return the channels of both, those of the upper layer first."""
        return torch.cat([self.upper(x), self.lower(x)], dim=1)
