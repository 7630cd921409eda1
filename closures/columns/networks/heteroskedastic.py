"""Heteroskedastic regression: a mean and, for each output, how far it is to be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import torch
from torch import Tensor, nn

from closures.columns.layout import ColumnLayout
from closures.columns.networks.interface import StochasticNetwork

LOG_PRECISION_LIMIT = 14.0
"""Largest magnitude of log(precision) at evaluation: standard deviations of 1e-3 to 1e3 of the
training spread. An unseen column must not give an infinite one."""


@dataclass(frozen=True)
class HeteroskedasticSizes:
    """Sizes of a `HeteroskedasticRegression`.

    Parameters
    ----------
    widths
        Hidden layers of either network.
    """

    widths: tuple[int, ...]


PRESETS: Mapping[str, HeteroskedasticSizes] = MappingProxyType(
    {
        "tiny": HeteroskedasticSizes((16, 16)),
        "small": HeteroskedasticSizes((256, 256)),
        "published": HeteroskedasticSizes((1024, 1024, 1024, 1024)),
    }
)
"""``published``: as in [1]."""


class HeteroskedasticRegression(StochasticNetwork):
    """Two separate networks for mean and log(precision): y ~ N(m(x), 1 / p(x)).

    Losses: `closures.columns.probabilistic_losses.heteroskedastic`, in two stages.

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Widths.

    References
    ----------
    .. [1] Yu et al. 2023, ClimSim, NeurIPS Datasets and Benchmarks.
    .. [2] Wong-Toi et al. 2024, Understanding pathologies of deep heteroskedastic regression, UAI.
    """

    def __init__(self, layout: ColumnLayout, sizes: HeteroskedasticSizes) -> None:
        super().__init__()
        self.n_noise = layout.n_output
        self.limit = LOG_PRECISION_LIMIT
        self.mean = _normed(layout.n_input, sizes.widths, layout.n_output)
        self.log_precision = _normed(layout.n_input, sizes.widths, layout.n_output)

    def distribution(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log(precision), each ``(n, n_output)``, as the losses take them."""
        return self.mean(features), self.log_precision(features)

    def forward(self, features: Tensor) -> Tensor:
        """Return the mean ``(n, n_output)``."""
        mean: Tensor = self.mean(features)
        return mean

    def moments(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation, each ``(n, n_output)``."""
        mean, log_precision = self.distribution(features)
        limited = log_precision.clamp(-self.limit, self.limit)
        return mean, torch.exp(-0.5 * limited)

    def sample(self, features: Tensor, noise: Tensor) -> Tensor:
        """Return mean + standard deviation * noise, noise being ``(n, n_output)``."""
        mean, deviation = self.moments(features)
        return mean + deviation * noise


def _normed(n_input: int, widths: tuple[int, ...], n_output: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise((n_input, *widths)):
        layers += [nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU()]
    layers.append(nn.Linear(widths[-1], n_output))
    return nn.Sequential(*layers)
