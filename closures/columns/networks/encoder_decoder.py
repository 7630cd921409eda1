"""Encoder-decoder: everything a column says passes through a few numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from torch import Tensor, nn

from closures.columns.layout import ColumnLayout


@dataclass(frozen=True)
class EncoderDecoderSizes:
    """Sizes of an `EncoderDecoder`.

    Parameters
    ----------
    widths
        Hidden layers of the encoder; the decoder has them in reverse.
    n_latent
        Numbers between the two.
    """

    widths: tuple[int, ...]
    n_latent: int = 5


PRESETS: Mapping[str, EncoderDecoderSizes] = MappingProxyType(
    {
        "tiny": EncoderDecoderSizes((16, 8), 3),
        "small": EncoderDecoderSizes((231, 115, 57, 28)),
        "published": EncoderDecoderSizes((463, 463, 231, 115, 57, 28)),
    }
)
"""``published``: as in [1], but with a linear output: its ELU output suits targets whose negative
part is small, and would cut off targets of zero mean and unit variance at -1."""


class EncoderDecoder(nn.Module):
    """Narrowing layers, a bottleneck, widening layers; ReLU between, a linear output.

    The bottleneck can be read by `encode`: it is what the network knows of a column.

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Widths.

    References
    ----------
    .. [1] Behrens et al. 2022, Non-linear dimensionality reduction with a variational encoder
       decoder to understand convective processes in climate models, J. Adv. Model. Earth Syst. 14.
    """

    def __init__(self, layout: ColumnLayout, sizes: EncoderDecoderSizes) -> None:
        super().__init__()
        self.encoder = _dense((layout.n_input, *sizes.widths, sizes.n_latent))
        self.decoder = _dense((sizes.n_latent, *sizes.widths[::-1], layout.n_output))

    def encode(self, features: Tensor) -> Tensor:
        """Return the bottleneck ``(n, n_latent)``."""
        latent: Tensor = self.encoder(features)
        return latent

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_output)`` for ``(n, n_input)``."""
        output: Tensor = self.decoder(self.encode(features))
        return output


def _dense(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
