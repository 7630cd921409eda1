"""Randomized prior ensemble: members that disagree where the data do not tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor

from closures.columns.layout import ColumnLayout
from closures.columns.networks.interface import EnsembleNetwork
from closures.columns.networks.member_perceptron import MemberPerceptron
from closures.columns.networks.member_statistics import member_statistics


@dataclass(frozen=True)
class RandomizedPriorSizes:
    """Sizes of a `RandomizedPriorEnsemble`.

    Parameters
    ----------
    n_member
        Members, at least two.
    widths
        Hidden layers of each member and of each prior.
    slope
        Slope of LeakyReLU for negative arguments.
    prior_scale
        Factor of the priors.
    """

    n_member: int
    widths: tuple[int, ...]
    slope: float = 0.15
    prior_scale: float = 1.0

    def __post_init__(self) -> None:
        if self.n_member < 2:
            raise ValueError(
                f"randomized prior ensemble: expected at least 2 members, got {self.n_member}"
            )


PRESETS: Mapping[str, RandomizedPriorSizes] = MappingProxyType(
    {
        "tiny": RandomizedPriorSizes(3, (8, 8)),
        "small": RandomizedPriorSizes(8, (128, 128)),
        "published": RandomizedPriorSizes(32, (768, 640, 512, 640, 640, 128)),
    }
)
"""``published``: as in [1]; with its fixed priors an archive of 450 MB."""


class RandomizedPriorEnsemble(EnsembleNetwork):
    """Members ``f_k(x) + prior_scale * p_k(x)``: f_k is trained, p_k keeps its random weights.

    All members are evaluated at once by batched matrix products.

    Parameters
    ----------
    layout
        Order of the features.
    sizes
        Members and widths.

    References
    ----------
    .. [1] Yu et al. 2023, ClimSim, NeurIPS Datasets and Benchmarks.
    .. [2] Osband, Aslanides & Cassirer 2018, Randomized prior functions for deep reinforcement
       learning, NeurIPS.
    """

    def __init__(self, layout: ColumnLayout, sizes: RandomizedPriorSizes) -> None:
        super().__init__()
        self.n_member = self.n_noise = sizes.n_member
        self.prior_scale = sizes.prior_scale
        widths = (layout.n_input, *sizes.widths, layout.n_output)
        self.trained = MemberPerceptron(sizes.n_member, widths, sizes.slope)
        self.prior = MemberPerceptron(sizes.n_member, widths, sizes.slope)
        self.prior.requires_grad_(requires_grad=False)

    def members(self, features: Tensor) -> Tensor:
        """Return the prediction of each member ``(n_member, n, n_output)``."""
        together = features.unsqueeze(0).expand(self.n_member, -1, -1)
        predictions: Tensor = self.trained(together) + self.prior_scale * self.prior(together)
        return predictions

    def forward(self, features: Tensor) -> Tensor:
        """Return the mean of the members ``(n, n_output)``."""
        return self.members(features).mean(dim=0)

    def moments(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation (with n - 1) of the members."""
        mean, scatter = member_statistics(self.members(features))
        return mean, (scatter / (self.n_member - 1)).sqrt()

    def sample(self, features: Tensor, noise: Tensor) -> Tensor:
        """Return a Gaussian draw with the members' mean and covariance.

        ``mean + sum_k noise_k (member_k - mean) / sqrt(n_member - 1)``: outputs vary together as
        they do among the members. Noise is ``(n, n_member)``.
        """
        members = self.members(features)
        mean = members.mean(dim=0)
        weights = noise.transpose(0, 1).unsqueeze(2) / (self.n_member - 1) ** 0.5
        drawn: Tensor = mean + (weights * (members - mean)).sum(dim=0)
        return drawn
