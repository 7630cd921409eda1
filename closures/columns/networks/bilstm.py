"""Bidirectional LSTM along the levels."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor, nn

from closures.columns.channels import FromChannels, ToChannels
from closures.columns.layout import ColumnLayout


@dataclass(frozen=True)
class BiLSTMSizes:
    """Sizes of a `BiLSTM`.

    Parameters
    ----------
    width
        Hidden values of either direction.
    n_layer
        LSTM layers.
    """

    width: int
    n_layer: int


PRESETS: Mapping[str, BiLSTMSizes] = MappingProxyType(
    {
        "tiny": BiLSTMSizes(4, 1),
        "small": BiLSTMSizes(32, 2),
        "published": BiLSTMSizes(32, 3),
        "published_icon": BiLSTMSizes(280, 3),
    }
)
"""``published``: the radiation emulator that belongs to [1]; the widths of its convection emulator
are not public. ``published_icon``: the recurrent part of [2]."""


class BiLSTM(nn.Module):
    """One scan from the top and one from the surface; every level sees the whole column.

    As the emulator of the multi-scale Kain-Fritsch convection scheme [1], there with the head of
    `Triggered`, and as recurrent core of a column emulator [2].

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Width and depth.

    References
    ----------
    .. [1] Zhong et al. 2024, Machine learning parameterization of the multi-scale Kain-Fritsch
       (MSKF) convection scheme and stable simulation coupled in the Weather Research and
       Forecasting (WRF) model using WRF-ML v1.0, Geosci. Model Dev. 17, 3667.
    .. [2] Heuer et al. 2025, Beyond the training data: confidence-guided mixing of
       parameterizations in a hybrid AI-climate model, arXiv 2510.08107.
    """

    def __init__(self, layout: ColumnLayout, sizes: BiLSTMSizes) -> None:
        super().__init__()
        self.to_channels = ToChannels(layout)
        self.scan = nn.LSTM(
            layout.n_channel("inputs"),
            sizes.width,
            sizes.n_layer,
            batch_first=True,
            bidirectional=True,
        )
        self.head = nn.Linear(2 * sizes.width, layout.n_channel("outputs"))
        self.from_channels = FromChannels(layout)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_output)`` for ``(n, n_input)``."""
        hidden, _ = self.scan(self.to_channels(features).transpose(1, 2))
        output: Tensor = self.from_channels(self.head(hidden).transpose(1, 2))
        return output
