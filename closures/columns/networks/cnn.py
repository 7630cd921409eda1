"""Residual convolutional network along the levels."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor, nn

from closures.columns.channels import FromChannels, ToChannels
from closures.columns.layout import ColumnLayout


@dataclass(frozen=True)
class CNNSizes:
    """Sizes of a `CNN`.

    Parameters
    ----------
    n_block
        Residual blocks of two convolutions.
    width
        Channels.
    kernel
        Levels that a convolution sees; odd.
    dropout
        Share of values left out in training.
    """

    n_block: int
    width: int
    kernel: int = 3
    dropout: float = 0.175


PRESETS: Mapping[str, CNNSizes] = MappingProxyType(
    {
        "tiny": CNNSizes(2, 8),
        "small": CNNSizes(4, 64),
        "published": CNNSizes(12, 406),
    }
)
"""``published``: as in [1]."""


class CNN(nn.Module):
    """Residual blocks of convolutions; scalars enter as channels and leave as level means.

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Depth and width.

    References
    ----------
    .. [1] Yu et al. 2023, ClimSim: a large multi-scale dataset for hybrid physics-ML climate
       emulation, NeurIPS Datasets and Benchmarks.
    """

    def __init__(self, layout: ColumnLayout, sizes: CNNSizes) -> None:
        super().__init__()
        self.to_channels = ToChannels(layout)
        widths = [layout.n_channel("inputs")] + [sizes.width] * sizes.n_block
        self.blocks = nn.Sequential(
            *(_Block(before, sizes) for before in widths[:-1]),
        )
        n_output = layout.n_channel("outputs")
        self.head = nn.Sequential(
            nn.Conv1d(sizes.width, n_output, 1), nn.ELU(), nn.Conv1d(n_output, n_output, 1)
        )
        self.from_channels = FromChannels(layout)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_output)`` for ``(n, n_input)``."""
        output: Tensor = self.from_channels(self.head(self.blocks(self.to_channels(features))))
        return output


class _Block(nn.Module):
    def __init__(self, n_input: int, sizes: CNNSizes) -> None:
        super().__init__()
        width, kernel = sizes.width, sizes.kernel
        self.body = nn.Sequential(
            nn.Conv1d(n_input, width, kernel, padding=kernel // 2),
            nn.ReLU(),
            nn.Dropout(sizes.dropout),
            nn.Conv1d(width, width, kernel, padding=kernel // 2),
            nn.ReLU(),
            nn.Dropout(sizes.dropout),
        )
        self.skip = nn.Conv1d(n_input, width, 1)

    def forward(self, channels: Tensor) -> Tensor:
        output: Tensor = self.body(channels) + self.skip(channels)
        return output
