"""Residual stack of bidirectional LSTMs along the levels."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor, nn
from torch.nn import functional

from closures.columns.channels import FromChannels, ToChannels
from closures.columns.layout import ColumnLayout


@dataclass(frozen=True)
class ResLSTMSizes:
    """Sizes of a `ResLSTM`.

    Parameters
    ----------
    width
        Hidden values of either direction.
    n_layer
        Bidirectional layers.
    head
        Width of the hidden layer before the outputs.
    new
        Weight of a layer's result; its input has weight ``1 - new``.
    """

    width: int
    n_layer: int
    head: int
    new: float = 0.7


PRESETS: Mapping[str, ResLSTMSizes] = MappingProxyType(
    {
        "tiny": ResLSTMSizes(4, 2, 8),
        "small": ResLSTMSizes(32, 3, 64),
        "published": ResLSTMSizes(256, 10, 1024),
    }
)
"""``published``: ten layers of 256, published with 15.40 million parameters [1]; the width of its
head is not public, 1024 comes within one per cent."""


class ResLSTM(nn.Module):
    """Bidirectional LSTM, layer norm, GELU; each mixed with what it was given.

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
    """

    def __init__(self, layout: ColumnLayout, sizes: ResLSTMSizes) -> None:
        super().__init__()
        self.to_channels = ToChannels(layout)
        width = 2 * sizes.width
        self.first = _Layer(layout.n_channel("inputs"), sizes.width)
        self.layers = nn.ModuleList(_Layer(width, sizes.width) for _ in range(sizes.n_layer - 1))
        self.new = sizes.new
        self.head = nn.Sequential(
            nn.Linear(width, sizes.head),
            nn.GELU(),
            nn.Linear(sizes.head, layout.n_channel("outputs")),
        )
        self.from_channels = FromChannels(layout)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_output)`` for ``(n, n_input)``."""
        x = self.first(self.to_channels(features).transpose(1, 2))
        for layer in self.layers:
            x = self.new * layer(x) + (1.0 - self.new) * x
        output: Tensor = self.from_channels(self.head(x).transpose(1, 2))
        return output


class _Layer(nn.Module):
    def __init__(self, n_input: int, width: int) -> None:
        super().__init__()
        self.scan = nn.LSTM(n_input, width, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(2 * width)

    def forward(self, levels: Tensor) -> Tensor:
        hidden, _ = self.scan(levels)
        return functional.gelu(self.norm(hidden))
