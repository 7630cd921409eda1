"""Squeezeformer: convolution for neighbouring levels, attention for distant ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from closures.columns.channels import FromChannels, ToChannels
from closures.columns.layout import ColumnLayout


@dataclass(frozen=True)
class SqueezeformerSizes:
    """Sizes of a `Squeezeformer`.

    Parameters
    ----------
    width
        Values of each level.
    n_block
        Blocks, each a convolution and an attention.
    n_head
        Attention heads, a divisor of `width`.
    kernel
        Levels that a convolution sees; odd.
    head
        Width of the hidden layer before the outputs.
    dropout
        Share of values left out in training.
    """

    width: int
    n_block: int
    n_head: int
    kernel: int
    head: int
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.width % self.n_head:
            raise ValueError(
                "Squeezeformer: expected a width that is a multiple of the number of heads, got "
                f"{self.width} and {self.n_head}"
            )


PRESETS: Mapping[str, SqueezeformerSizes] = MappingProxyType(
    {
        "tiny": SqueezeformerSizes(8, 1, 2, 3, 16),
        "small": SqueezeformerSizes(48, 2, 4, 15, 128),
        "published": SqueezeformerSizes(384, 12, 4, 15, 2048),
    }
)
"""``published``: widths, blocks, heads and kernel as in [1]. Layer norm takes the place of batch
norm: what a column becomes must not depend on the columns it was trained beside."""


class Squeezeformer(nn.Module):
    """Blocks of a gated depthwise convolution, attention and a feed-forward part.

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Width and depth.

    References
    ----------
    .. [1] Lin et al. 2025, Crowdsourcing the frontier: advancing hybrid physics-ML climate
       simulation via a 50,000 dollar Kaggle competition, arXiv 2511.20963.
    .. [2] Kim et al. 2022, Squeezeformer: an efficient transformer for automatic speech
       recognition, NeurIPS.
    """

    def __init__(self, layout: ColumnLayout, sizes: SqueezeformerSizes) -> None:
        super().__init__()
        self.to_channels = ToChannels(layout)
        self.embed = nn.Linear(layout.n_channel("inputs"), sizes.width)
        self.position = nn.Parameter(0.02 * torch.randn(layout.n_level, sizes.width))
        self.blocks = nn.Sequential(*(_Block(sizes) for _ in range(sizes.n_block)))
        self.head = nn.Sequential(
            nn.Linear(sizes.width, sizes.head),
            nn.SiLU(),
            nn.Linear(sizes.head, layout.n_channel("outputs")),
        )
        self.from_channels = FromChannels(layout)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_output)`` for ``(n, n_input)``."""
        levels = self.embed(self.to_channels(features).transpose(1, 2)) + self.position
        mixed = self.head(self.blocks(levels))
        output: Tensor = self.from_channels(mixed.transpose(1, 2))
        return output


class _Block(nn.Module):
    """``(n, level, width)`` to the same; every part is added to its input, then normalised."""

    def __init__(self, sizes: SqueezeformerSizes) -> None:
        super().__init__()
        width = sizes.width
        self.convolution = _Convolution(sizes)
        self.attention = _Attention(sizes)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, 4 * width),
            nn.SiLU(),
            nn.Dropout(sizes.dropout),
            nn.Linear(4 * width, width),
            nn.Dropout(sizes.dropout),
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))

    def forward(self, levels: Tensor) -> Tensor:
        levels = self.norms[0](levels + self.convolution(levels))
        levels = self.norms[1](levels + self.attention(levels))
        output: Tensor = self.norms[2](levels + self.feed_forward(levels))
        return output


class _Convolution(nn.Module):
    def __init__(self, sizes: SqueezeformerSizes) -> None:
        super().__init__()
        width, kernel = sizes.width, sizes.kernel
        self.expand = nn.Linear(width, 2 * width)
        self.mix_levels = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.project = nn.Sequential(
            nn.LayerNorm(width), nn.SiLU(), nn.Linear(width, width), nn.Dropout(sizes.dropout)
        )

    def forward(self, levels: Tensor) -> Tensor:
        gated = functional.glu(self.expand(levels), dim=2)
        mixed = self.mix_levels(gated.transpose(1, 2)).transpose(1, 2)
        output: Tensor = self.project(mixed)
        return output


class _Attention(nn.Module):
    def __init__(self, sizes: SqueezeformerSizes) -> None:
        super().__init__()
        self.n_head = sizes.n_head
        self.query_key_value = nn.Linear(sizes.width, 3 * sizes.width)
        self.project = nn.Sequential(nn.Linear(sizes.width, sizes.width), nn.Dropout(sizes.dropout))

    def forward(self, levels: Tensor) -> Tensor:
        n, n_level, width = levels.shape
        together = self.query_key_value(levels).reshape(
            n, n_level, 3, self.n_head, width // self.n_head
        )
        query, key, value = together.permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(query, key, value)
        output: Tensor = self.project(seen.transpose(1, 2).reshape(n, n_level, width))
        return output
