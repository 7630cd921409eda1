"""Ensembles with random priors, of one fidelity or of two."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from closures.columns.networks.interface import EnsembleNetwork
from closures.columns.networks.member_perceptron import MemberPerceptron
from closures.columns.networks.member_statistics import member_statistics
from closures.columns.seeding import seeded

Form = Literal["single", "additive", "published"]
"""``"single"``: one ensemble f; ``"additive"``: f_L + g([x, f_L]); ``"published"``: g(f_L) [1]."""


@dataclass(frozen=True)
class EnsembleSizes:
    """What a `FidelityEnsemble` is made of.

    Parameters
    ----------
    form
        See `Form`.
    n_member
        Number of members; 1 with `prior_scale` 0 is a deterministic network.
    widths
        Hidden layers of each member, at either fidelity; none for linear members.
    prior_scale
        Factor of the fixed priors; 0 for none.
    stop_gradient
        Whether the high-fidelity loss leaves the low-fidelity network alone, as published [1].
    slope
        Slope of LeakyReLU for negative arguments, published 0.15; None for SiLU.
    seed
        Seed of all initial weights.
    first_member
        Number of the first member: members n to m of one ensemble start, and are trained, as those
        of an ensemble that has them all.

    Raises
    ------
    ValueError
        If a value is out of its range.

    References
    ----------
    .. [1] Bhouri, Joly, Yu, Gentine & Perdikaris 2023, Multi-fidelity climate model
       parameterization for better generalization and extrapolation, arXiv 2309.10231.
    """

    form: Form = "additive"
    n_member: int = 8
    widths: tuple[int, ...] = (128, 128)
    prior_scale: float = 0.5
    stop_gradient: bool = False
    slope: float | None = None
    seed: int = 0
    first_member: int = 0

    def __post_init__(self) -> None:
        if self.form not in get_args(Form):
            raise ValueError(
                f"ensemble: expected form {', '.join(get_args(Form))}, got {self.form!r}"
            )
        if self.n_member < 1 or self.prior_scale < 0.0 or self.first_member < 0 or self.seed < 0:
            raise ValueError(
                "ensemble: expected n_member >= 1, prior_scale >= 0, first_member >= 0 and seed >= "
                f"0, got {self.n_member}, {self.prior_scale}, {self.first_member} and {self.seed}"
            )
        if min(self.widths, default=1) < 1:
            raise ValueError(f"ensemble: expected widths of at least 1, got {self.widths}")


@dataclass(frozen=True)
class FeatureCount:
    """How many features an ensemble sees.

    Parameters
    ----------
    input
        Number of features.
    output
        Number of outputs, the same at both fidelities.
    low
        The low-fidelity network sees the first of them, this many; None for all.
    """

    input: int
    output: int
    low: int | None = None

    @property
    def n_low(self) -> int:
        """Features of the low-fidelity network; of the only one, if the form is ``"single"``."""
        return self.input if self.low is None else self.low


class FidelityEnsemble(EnsembleNetwork):
    """Members ``f_k``, each a trained network and a fixed random one, at one or two fidelities.

    In the additive form the high-fidelity network sees the features and what the low-fidelity
    network of the same member predicts, in the published form nothing else than that. All members
    are evaluated at once.

    Parameters
    ----------
    count
        Features and outputs.
    sizes
        Form, members and widths.
    noise
        Maps features ``(n, n_feature)`` to the logarithm of the standard deviation of what no
        network can know ``(n, n_output)``; None if there is no estimate of it.

    References
    ----------
    .. [1] Osband, Aslanides & Cassirer 2018, Randomized prior functions for deep reinforcement
       learning, NeurIPS.
    """

    def __init__(
        self, count: FeatureCount, sizes: EnsembleSizes, noise: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.n_member = self.n_noise = sizes.n_member
        self.n_low, self.n_output = count.n_low, count.output
        self.is_single = sizes.form == "single"
        self.is_additive = sizes.form == "additive"
        self.stops_gradient = sizes.stop_gradient
        self.low = PriorMembers((count.n_low, *sizes.widths, count.output), sizes, key=0)
        seen = count.input + count.output if self.is_additive else count.output
        self.high: nn.Module = (
            nn.Identity()
            if self.is_single
            else PriorMembers((seen, *sizes.widths, count.output), sizes, key=1)
        )
        self.has_noise = noise is not None
        self.noise = nn.Identity() if noise is None else noise

    def fidelities(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each member predicts, ``(n_member, n, n_output)``, at either fidelity.

        Both are the same if there is only one.
        """
        together = features.unsqueeze(0).expand(self.n_member, -1, -1)
        low: Tensor = self.low(together[:, :, : self.n_low])
        if self.is_single:
            return low, low
        seen = low.detach() if self.stops_gradient else low
        if self.is_additive:
            correction = self.high(torch.cat([together, seen], dim=2))
            return low, seen + correction
        return low, self.high(seen)

    def members(self, features: Tensor) -> Tensor:
        """Return the prediction of each member ``(n_member, n, n_output)``."""
        return self.fidelities(features)[1]

    def forward(self, features: Tensor) -> Tensor:
        """Return the mean of the members ``(n, n_output)``."""
        return self.members(features).mean(dim=0)

    def deviation(self, features: Tensor) -> Tensor:
        """Return the standard deviation of the noise ``(n, n_output)``; 0 without an estimate."""
        if self.has_noise:
            logarithm: Tensor = self.noise(features)
            return logarithm.exp()
        return torch.zeros(features.shape[0], self.n_output, device=features.device)

    def moments(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation, in which members and noise count."""
        members = self.members(features)
        mean, scatter = member_statistics(members)
        variance = self.deviation(features).square() + scatter / max(self.n_member - 1, 1)
        return mean, variance.sqrt()

    def sample(self, features: Tensor, noise: Tensor) -> Tensor:
        """Return a Gaussian draw with the members' mean and covariance; their noise is left out.

        Noise is ``(n, n_member)``.
        """
        members = self.members(features)
        mean = members.mean(dim=0)
        weights = noise.transpose(0, 1).unsqueeze(2) / max(self.n_member - 1, 1) ** 0.5
        drawn: Tensor = mean + (weights * (members - mean)).sum(dim=0)
        return drawn


class PriorMembers(nn.Module):
    """``f(x) + prior_scale * p(x)`` once a member; p keeps its random weights.

    Each member draws its weights from numbers of its own.

    Parameters
    ----------
    widths
        Number of inputs, of each hidden layer and of outputs.
    sizes
        Members, slope, prior and seed.
    key
        Tells the weights of networks of the same seed apart.
    """

    def __init__(self, widths: tuple[int, ...], sizes: EnsembleSizes, key: int) -> None:
        super().__init__()
        self.prior_scale = sizes.prior_scale
        self.has_prior = sizes.prior_scale > 0.0
        self.trained = MemberPerceptron(sizes.n_member, widths, sizes.slope)
        self.prior: nn.Module = (
            MemberPerceptron(sizes.n_member, widths, sizes.slope)
            if self.has_prior
            else nn.Identity()
        )
        self.prior.requires_grad_(requires_grad=False)
        for role, part in enumerate((self.trained, self.prior)):
            if isinstance(part, MemberPerceptron):
                _draw_by_member(part, sizes, 2 * key + role)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n_member, n, n_output)``."""
        predictions: Tensor = self.trained(features)
        if self.has_prior:
            predictions = predictions + self.prior_scale * self.prior(features)
        return predictions


def _draw_by_member(network: MemberPerceptron, sizes: EnsembleSizes, key: int) -> None:
    for k in range(sizes.n_member):
        member = sizes.first_member + k
        # Far apart, so that no two pairs of seed and member share their numbers.
        with seeded(sizes.seed * 1_000_003 + 16 * member + key):
            for layer in network.layers:
                nn.init.xavier_normal_(layer.weight.data[k])  # type: ignore[index]


@dataclass(frozen=True)
class NoiseSizes:
    """Size of a `NoiseNetwork`.

    Parameters
    ----------
    widths
        Hidden layers.
    lowest, highest
        Range of the logarithm of the standard deviation, in units of the normalised outputs.
    seed
        Seed of the initial weights.
    """

    widths: tuple[int, ...] = (64, 64)
    lowest: float = -7.0
    highest: float = 2.0
    seed: int = 0


class NoiseNetwork(nn.Module):
    """Logarithm of the standard deviation of what no network can know.

    Parameters
    ----------
    count
        Features and outputs.
    sizes
        Widths and range.
    """

    def __init__(self, count: FeatureCount, sizes: NoiseSizes) -> None:
        super().__init__()
        self.lowest, self.highest = sizes.lowest, sizes.highest
        before = count.input
        layers: list[nn.Module] = []
        with seeded(sizes.seed):
            for width in sizes.widths:
                layers += [nn.Linear(before, width), nn.SiLU()]
                before = width
            layers.append(nn.Linear(before, count.output))
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_output)``, within the range."""
        logarithm: Tensor = self.layers(features)
        return logarithm.clamp(self.lowest, self.highest)
