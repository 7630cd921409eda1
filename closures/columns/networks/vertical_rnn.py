"""Recurrent network along the levels that remembers each level until the next step."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from closures.columns.channels import FromChannels, ToChannels
from closures.columns.layout import ColumnLayout
from closures.columns.networks.interface import MemoryNetwork


@dataclass(frozen=True)
class VerticalRNNSizes:
    """Sizes of a `VerticalRNN`.

    Parameters
    ----------
    width
        Hidden values of either scan.
    n_memory
        Values remembered at each level.
    """

    width: int
    n_memory: int = 16


PRESETS: Mapping[str, VerticalRNNSizes] = MappingProxyType(
    {
        "tiny": VerticalRNNSizes(4, 2),
        "small": VerticalRNNSizes(48),
        "published": VerticalRNNSizes(128),
    }
)
"""``published``: 112 to 128 hidden values, as in the public vertical networks for ClimSim; the
number of values remembered is ours."""


class VerticalRNN(MemoryNetwork):
    """A scan from the surface up, then one of its results down, with memory between steps.

    The memory, bounded by tanh, joins the inputs of its level at the next step: what a column
    physics hides from the resolved state, such as the organisation of convection, has a place.
    It needs consecutive steps to be trained.

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Widths.

    References
    ----------
    .. [1] Ukkonen & Chantry 2024, Vertically recurrent neural networks for sub-grid
       parameterization, ESS Open Archive.
    """

    def __init__(self, layout: ColumnLayout, sizes: VerticalRNNSizes) -> None:
        super().__init__()
        self.n_level = layout.n_level
        self.n_memory = sizes.n_memory
        self.to_channels = ToChannels(layout)
        n_channel = layout.n_channel("inputs") + sizes.n_memory
        self.upward = nn.LSTM(n_channel, sizes.width, batch_first=True)
        self.downward = nn.LSTM(sizes.width + n_channel, sizes.width, batch_first=True)
        self.head = nn.Linear(2 * sizes.width, layout.n_channel("outputs"))
        self.remember = nn.Linear(2 * sizes.width, sizes.n_memory)
        self.from_channels = FromChannels(layout)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_output)`` for ``(n, n_input)`` from zero memory."""
        memory = torch.zeros(
            [features.shape[0], self.n_level, self.n_memory],
            dtype=features.dtype,
            device=features.device,
        )
        return self.step(features, memory)[0]

    def step(self, features: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Return the prediction and the new memory ``(n, n_level, n_memory)``."""
        levels = torch.cat([self.to_channels(features).transpose(1, 2), memory], dim=2)
        from_surface, _ = self.upward(levels.flip(1))
        up = from_surface.flip(1)
        down, _ = self.downward(torch.cat([levels, up], dim=2))
        hidden = torch.cat([up, down], dim=2)
        output: Tensor = self.from_channels(self.head(hidden).transpose(1, 2))
        return output, torch.tanh(self.remember(hidden))
