"""Multilayer perceptron on all features of a column at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn

from closures.columns.layout import ColumnLayout


@dataclass(frozen=True)
class MLPSizes:
    """Sizes of an `MLP`.

    Parameters
    ----------
    widths
        Widths of the hidden layers.
    slope
        Slope of LeakyReLU for negative arguments.
    activation
        What follows a hidden layer.
    layer_norm
        Whether layer norm stands between a hidden layer and its activation.
    dropout
        Share of hidden values left out in training.
    """

    widths: tuple[int, ...]
    slope: float = 0.15
    activation: Literal["leaky_relu", "silu"] = "leaky_relu"
    layer_norm: bool = False
    dropout: float = 0.0


PRESETS: Mapping[str, MLPSizes] = MappingProxyType(
    {
        "tiny": MLPSizes((16, 16)),
        "small": MLPSizes((512, 512, 512), activation="silu", layer_norm=True, dropout=0.1),
        "published": MLPSizes((768, 640, 512, 640, 640, 128)),
        "published_v2": MLPSizes((640, 1024, 1024)),
        "published_online": MLPSizes((384, 1024, 640)),
    }
)
"""``small``: on tens of thousands of columns it does better than the published sizes, see
docs/emulators.md; ``published``: 1.75 million parameters on V1 [1]; ``published_v2``: the widths of
the winner on V2 [1], reported with 2.49 million, which give 2.44 million on all inputs and 2.36 on
those it had (gases at levels 5 to 20 alone); ``published_online``: coupled to a climate model
[2]."""


class MLP(nn.Module):
    """Linear layers with an activation between.

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Widths, and what stands between the layers.

    References
    ----------
    .. [1] Yu et al. 2023, ClimSim: a large multi-scale dataset for hybrid physics-ML climate
       emulation, NeurIPS Datasets and Benchmarks.
    .. [2] Hu et al. 2025, Stable machine-learning parameterization of subgrid processes in a
       comprehensive atmospheric model learned from embedded convection-permitting simulations,
       J. Adv. Model. Earth Syst. 17.
    """

    def __init__(self, layout: ColumnLayout, sizes: MLPSizes) -> None:
        super().__init__()
        self.layers = perceptron(layout.n_input, sizes, layout.n_output)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_output)`` for ``(n, n_input)``."""
        output: Tensor = self.layers(features)
        return output


def perceptron(n_input: int, sizes: MLPSizes, n_output: int) -> nn.Sequential:
    """Return linear layers with an activation between; the last one is linear."""
    layers: list[nn.Module] = []
    for before, after in pairwise((n_input, *sizes.widths)):
        layers.append(nn.Linear(before, after))
        if sizes.layer_norm:
            layers.append(nn.LayerNorm(after))
        layers.append(nn.SiLU() if sizes.activation == "silu" else nn.LeakyReLU(sizes.slope))
        if sizes.dropout > 0.0:
            layers.append(nn.Dropout(sizes.dropout))
    layers.append(nn.Linear((n_input, *sizes.widths)[-1], n_output))
    return nn.Sequential(*layers)
