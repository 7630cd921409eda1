"""ConvNeXt along the levels."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from closures.columns.channels import FromChannels, ToChannels
from closures.columns.layout import ColumnLayout

LAYER_SCALE = 1e-2
"""Initial factor of each block: deep stacks start near the identity. Ten thousand times that of
the image networks, whose training is a hundred times longer."""


@dataclass(frozen=True)
class ConvNeXtSizes:
    """Sizes of a `ConvNeXt`.

    Parameters
    ----------
    depths
        Blocks of each stage.
    widths
        Channels of each stage.
    kernel
        Levels that a convolution sees; odd.
    """

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    kernel: int = 7

    def __post_init__(self) -> None:
        if len(self.depths) != len(self.widths) or not self.depths:
            raise ValueError(
                "ConvNeXt: expected one width for each depth, at least one, got "
                f"{self.widths} and {self.depths}"
            )


PRESETS: Mapping[str, ConvNeXtSizes] = MappingProxyType(
    {
        "tiny": ConvNeXtSizes((1, 1), (8, 12), 3),
        "small": ConvNeXtSizes((1, 1, 2), (32, 48, 64)),
        "published": ConvNeXtSizes((3, 3, 9, 3), (96, 192, 384, 768)),
    }
)
"""``published``: depths, widths and kernel as in [1]."""


class ConvNeXt(nn.Module):
    """Depthwise convolution, layer norm, inverted bottleneck; stages widen, all levels stay.

    An image may lose resolution from stage to stage, a column may not: each of its levels is an
    output.

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Depths and widths.

    References
    ----------
    .. [1] Lin et al. 2025, Crowdsourcing the frontier: advancing hybrid physics-ML climate
       simulation via a 50,000 dollar Kaggle competition, arXiv 2511.20963.
    .. [2] Liu et al. 2022, A ConvNet for the 2020s, CVPR.
    """

    def __init__(self, layout: ColumnLayout, sizes: ConvNeXtSizes) -> None:
        super().__init__()
        self.to_channels = ToChannels(layout)
        stages: list[nn.Module] = []
        before = layout.n_channel("inputs")
        for depth, width in zip(sizes.depths, sizes.widths, strict=True):
            stages += [nn.Linear(before, width), nn.LayerNorm(width)]
            stages += [_Block(width, sizes.kernel) for _ in range(depth)]
            before = width
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.LayerNorm(before), nn.Linear(before, layout.n_channel("outputs"))
        )
        self.from_channels = FromChannels(layout)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_output)`` for ``(n, n_input)``."""
        levels = self.stages(self.to_channels(features).transpose(1, 2))
        output: Tensor = self.from_channels(self.head(levels).transpose(1, 2))
        return output


class _Block(nn.Module):
    """``(n, level, width)`` to the same."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.mix_levels = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.mix_channels = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.scale = nn.Parameter(torch.full((width,), LAYER_SCALE))

    def forward(self, levels: Tensor) -> Tensor:
        mixed = self.mix_levels(levels.transpose(1, 2)).transpose(1, 2)
        output: Tensor = levels + self.scale * self.mix_channels(mixed)
        return output
