"""Conditional variational autoencoder: what a column allows, drawn through a few numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import torch
from torch import Tensor, nn

from closures.columns.layout import ColumnLayout
from closures.columns.networks.interface import StochasticNetwork

LOG_DEVIATION_LIMIT = 7.0
"""Largest magnitude of log(standard deviation): 1e-3 to 1e3 of the training spread."""


@dataclass(frozen=True)
class VariationalSizes:
    """Sizes of a `ConditionalVAE`.

    Parameters
    ----------
    widths
        Hidden layers of encoder and decoder.
    n_latent
        Latent numbers.
    dropout
        Share of values left out in training.
    """

    widths: tuple[int, ...]
    n_latent: int = 4
    dropout: float = 0.05


PRESETS: Mapping[str, VariationalSizes] = MappingProxyType(
    {
        "tiny": VariationalSizes((16, 16), 2),
        "small": VariationalSizes((256, 256)),
        "published": VariationalSizes((1024, 1024, 1024)),
    }
)
"""``published``: as in [1]."""


class ConditionalVAE(StochasticNetwork):
    """Encoder ``q(z | x, y)`` for training; decoder ``p(y | x, z)``, z ~ N(0, 1), for use.

    Mean and standard deviation integrate z out by the third-degree spherical rule [2]: the 2 d
    points ``+-sqrt(d) e_i`` with equal weights, exact where the decoder is a cubic in z. Loss:
    `closures.columns.probabilistic_losses.negative_elbo`.

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Widths.

    References
    ----------
    .. [1] Yu et al. 2023, ClimSim, NeurIPS Datasets and Benchmarks.
    .. [2] Arasaratnam & Haykin 2009, Cubature Kalman filters, IEEE Trans. Autom. Control 54.
    """

    points: Tensor

    def __init__(self, layout: ColumnLayout, sizes: VariationalSizes) -> None:
        super().__init__()
        self.n_output = layout.n_output
        self.n_latent = sizes.n_latent
        self.n_noise = sizes.n_latent + layout.n_output
        self.limit = LOG_DEVIATION_LIMIT
        self.encoder = _dropped(layout.n_output + layout.n_input, sizes, 2 * sizes.n_latent)
        self.decoder = _dropped(sizes.n_latent + layout.n_input, sizes, 2 * layout.n_output)
        axes = torch.eye(sizes.n_latent) * sizes.n_latent**0.5
        self.register_buffer("points", torch.cat([axes, -axes]), persistent=False)

    def encode(self, features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log(variance) of z given both, each ``(n, n_latent)``."""
        both = self.encoder(torch.cat([targets, features], dim=1))
        return both[:, : self.n_latent], both[:, self.n_latent :]

    def decode(self, features: Tensor, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log(standard deviation) of the outputs, each ``(n, n_output)``."""
        both = self.decoder(torch.cat([latent, features], dim=1))
        mean, log_deviation = both[:, : self.n_output], both[:, self.n_output :]
        return mean, log_deviation.clamp(-self.limit, self.limit)

    def forward(self, features: Tensor) -> Tensor:
        """Return the mean ``(n, n_output)``."""
        return self.moments(features)[0]

    def moments(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation, z integrated out, each ``(n, n_output)``."""
        n, n_point = features.shape[0], 2 * self.n_latent
        latent = self.points.unsqueeze(1).expand(-1, n, -1).reshape(n_point * n, self.n_latent)
        mean, log_deviation = self.decode(features.repeat(n_point, 1), latent)
        means = mean.reshape(n_point, n, self.n_output)
        variances = torch.exp(2.0 * log_deviation).reshape(n_point, n, self.n_output)
        centre = means.mean(dim=0)
        between = (means - centre).square().mean(dim=0)
        return centre, torch.sqrt(between + variances.mean(dim=0))

    def sample(self, features: Tensor, noise: Tensor) -> Tensor:
        """Return one draw; noise ``(n, n_latent + n_output)`` is z, then the outputs' own."""
        mean, log_deviation = self.decode(features, noise[:, : self.n_latent])
        return mean + torch.exp(log_deviation) * noise[:, self.n_latent :]


def _dropped(n_input: int, sizes: VariationalSizes, n_output: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise((n_input, *sizes.widths)):
        layers += [nn.Linear(before, after), nn.LayerNorm(after), nn.ReLU()]
        layers.append(nn.Dropout(sizes.dropout))
    layers.append(nn.Linear(sizes.widths[-1], n_output))
    return nn.Sequential(*layers)
