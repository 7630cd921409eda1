"""Objectives of networks that predict distributions."""

from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from closures.columns.core import Core
from closures.columns.networks.heteroskedastic import HeteroskedasticRegression
from closures.columns.networks.interface import EnsembleNetwork, StochasticNetwork
from closures.columns.networks.variational import ConditionalVAE
from closures.columns.objectives import ColumnObjective, Target
from closures.columns.probabilistic_losses import (
    almost_fair_crps,
    gaussian_crps,
    heteroskedastic,
    member_squared_error,
    negative_elbo,
    random_membership,
    reparameterized,
    weight_decays,
)
from closures.errors import SpecError

FIRST_STAGE = 1.0 / 3.0
"""Part of the epochs in which heteroskedastic regression fits the mean alone."""


_Network = TypeVar("_Network", bound=nn.Module)


def _able(network: nn.Module, kind: type[_Network], loss: str) -> _Network:
    if not isinstance(network, kind):
        raise SpecError(
            f"loss {loss}: expected a {kind.__name__}, got a {type(network).__name__}; choose "
            "another loss, or another model"
        )
    return network


class Heteroskedastic(ColumnObjective):
    """Heteroskedastic regression in two stages: the squared error, then the likelihood.

    Parameters
    ----------
    core, target
        As of `ColumnObjective`.
    gamma, rho
        Of `weight_decays`: regularisation and how mean and precision share it.
    """

    def __init__(
        self, core: Core, target: Target, gamma: float = 0.022, rho: float | None = None
    ) -> None:
        super().__init__(core, target)
        _able(core.network, HeteroskedasticRegression, "heteroskedastic")
        self.decays = weight_decays(gamma, rho)

    def stage_at(self, fraction: float) -> int:
        """Return 1 in the first third of the epochs, then 2."""
        return 1 if fraction < FIRST_STAGE else 2

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:  # noqa: ARG002
        """Return mean and precision with their own weight decays."""
        network = _able(self.network, HeteroskedasticRegression, "heteroskedastic")
        parts = (network.mean, network.log_precision)
        return [
            {"params": list(part.parameters()), "weight_decay": decay}
            for part, decay in zip(parts, self.decays, strict=True)
        ]

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of a batch."""
        network = _able(self.network, HeteroskedasticRegression, "heteroskedastic")
        mean, log_precision = network.distribution(self.features(inputs))
        found = self.chosen(self.compared(inputs, mean.float()))
        precision = self.chosen(log_precision.float())
        return heteroskedastic(
            found, precision, self.chosen(self.targets(outputs)), stage=self.stage
        )


class PriorEnsemble(ColumnObjective):
    """The squared error of each member on its own part of the samples.

    Parameters
    ----------
    core, target
        As of `ColumnObjective`.
    n_sample
        Number of training samples.
    fraction
        Part of them that each member learns from.
    seed
        Seed of the choice.
    """

    membership: Tensor

    def __init__(
        self, core: Core, target: Target, n_sample: int, fraction: float = 0.8, seed: int = 0
    ) -> None:
        super().__init__(core, target)
        network = _able(core.network, EnsembleNetwork, "members")
        membership = random_membership(network.n_member, n_sample, fraction, seed)
        self.register_buffer("membership", membership, persistent=False)

    def forward(self, inputs: Tensor, outputs: Tensor, numbers: Tensor) -> Tensor:
        """Return the loss of a batch; in validation all members count on all samples."""
        network = _able(self.network, EnsembleNetwork, "members")
        members = network.members(self.features(inputs)).float()
        found = self.chosen(self.compared(inputs, members))
        target = self.chosen(self.targets(outputs))
        chosen = self.membership[:, numbers] if self.training else torch.ones_like(found[..., 0])
        return member_squared_error(found, target, chosen)


class Variational(ColumnObjective):
    """The negative evidence lower bound of a conditional variational autoencoder.

    Parameters
    ----------
    core, target
        As of `ColumnObjective`.
    beta
        Weight of the divergence from the prior.
    """

    def __init__(self, core: Core, target: Target, beta: float = 0.5) -> None:
        super().__init__(core, target)
        _able(core.network, ConditionalVAE, "elbo")
        self.beta = beta

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of a batch for one draw of the latent variables a column."""
        network = _able(self.network, ConditionalVAE, "elbo")
        features, target = self.features(inputs), self.targets(outputs)
        centre, log_variance = network.encode(features, target)
        posterior = centre.float(), log_variance.float()
        mean, log_deviation = network.decode(features, reparameterized(posterior))
        found = self.chosen(self.compared(inputs, mean.float()))
        likelihood = found, self.chosen(log_deviation.float())
        return negative_elbo(likelihood, posterior, self.chosen(target), self.beta)


class EnsembleCRPS(ColumnObjective):
    """The almost fair CRPS of an ensemble's members.

    Parameters
    ----------
    core, target
        As of `ColumnObjective`.
    alpha
        Fairness.
    """

    def __init__(self, core: Core, target: Target, alpha: float = 0.95) -> None:
        super().__init__(core, target)
        _able(core.network, EnsembleNetwork, "ensemble_crps")
        self.alpha = alpha

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of a batch."""
        network = _able(self.network, EnsembleNetwork, "ensemble_crps")
        members = network.members(self.features(inputs)).float()
        found = self.chosen(self.compared(inputs, members))
        return almost_fair_crps(found, self.chosen(self.targets(outputs)), self.alpha)


class SampleCRPS(ColumnObjective):
    """The almost fair CRPS of a few draws from a stochastic network.

    Parameters
    ----------
    core, target
        As of `ColumnObjective`.
    n_draw
        Draws a column.
    alpha
        Fairness.
    """

    def __init__(self, core: Core, target: Target, n_draw: int = 4, alpha: float = 0.95) -> None:
        super().__init__(core, target)
        _able(core.network, StochasticNetwork, "sample_crps")
        self.n_draw, self.alpha = n_draw, alpha

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of a batch."""
        network = _able(self.network, StochasticNetwork, "sample_crps")
        features = self.features(inputs).repeat(self.n_draw, 1)
        noise = torch.randn(len(features), network.n_noise, device=features.device)
        drawn = network.sample(features, noise).float()
        members = drawn.reshape(self.n_draw, len(inputs), -1)
        found = self.chosen(self.compared(inputs, members))
        return almost_fair_crps(found, self.chosen(self.targets(outputs)), self.alpha)


class GaussianCRPS(ColumnObjective):
    """The CRPS of the normal distribution with a stochastic network's moments."""

    def __init__(self, core: Core, target: Target) -> None:
        super().__init__(core, target)
        _able(core.network, StochasticNetwork, "gaussian_crps")

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of a batch."""
        network = _able(self.network, StochasticNetwork, "gaussian_crps")
        mean, deviation = network.moments(self.features(inputs))
        found = self.chosen(self.compared(inputs, mean.float()))
        spread = self.chosen(deviation.float())
        return gaussian_crps(found, spread, self.chosen(self.targets(outputs)))
