"""What ensembles of one and of two fidelities minimise."""

import torch
from torch import Tensor

from closures.multifidelity.network import FidelityEnsemble
from closures.training import Objective


class SingleFidelityError(Objective):
    """Squared error of each member on its own samples, summed over members.

    The sum, not the mean: a member's gradient then does not depend on how many others there are.

    Parameters
    ----------
    network
        Ensemble of the form ``"single"``.
    membership
        Which samples each member learns from, bool ``(n_member, n_sample)``.
    """

    network: FidelityEnsemble
    membership: Tensor

    def __init__(self, network: FidelityEnsemble, membership: Tensor) -> None:
        super().__init__(network)
        self.register_buffer("membership", membership, persistent=False)

    def forward(self, features: Tensor, targets: Tensor, numbers: Tensor) -> Tensor:
        """Return the loss of a batch."""
        members = self.network.members(self.noisy(features))
        return _error(members, targets, self.membership[:, numbers])


class TwoFidelityError(Objective):
    """Squared errors of both networks of each member on its own samples, summed over members.

    Parameters
    ----------
    network
        Ensemble of two fidelities.
    low, high
        Which low- and high-fidelity samples each member learns from.
    weight
        Of the low-fidelity error.
    """

    network: FidelityEnsemble
    low: Tensor
    high: Tensor

    def __init__(
        self, network: FidelityEnsemble, low: Tensor, high: Tensor, weight: float = 1.0
    ) -> None:
        super().__init__(network)
        self.weight = weight
        self.register_buffer("low", low, persistent=False)
        self.register_buffer("high", high, persistent=False)

    def forward(
        self,
        low_features: Tensor,
        low_targets: Tensor,
        low_numbers: Tensor,
        high_features: Tensor,
        high_targets: Tensor,
        high_numbers: Tensor,
    ) -> Tensor:
        """Return the loss of a batch of both fidelities."""
        low = self.network.low(self._seen(self.noisy(low_features)))
        high = self.network.members(self.noisy(high_features))
        low_error = _error(low, low_targets, self.low[:, low_numbers])
        return self.weight * low_error + _error(high, high_targets, self.high[:, high_numbers])

    def _seen(self, features: Tensor) -> Tensor:
        count = self.network
        return features[:, : count.n_low].unsqueeze(0).expand(count.n_member, -1, -1)


class ResidualLikelihood(Objective):
    """Negative log-likelihood of residuals, of which a part of the variance is known.

    Parameters
    ----------
    network
        Maps features to the logarithm of a standard deviation s.
    """

    def forward(self, features: Tensor, both: Tensor) -> Tensor:
        """Return the loss of residuals and known variances, side by side ``(n, 2 n_output)``."""
        residual, known = both.chunk(2, dim=1)
        variance = (2.0 * self.network(features)).exp() + known
        loss: Tensor = 0.5 * (variance.log() + residual.square() / variance).mean()
        return loss


def _error(members: Tensor, targets: Tensor, chosen: Tensor) -> Tensor:
    """Return the sum over members of the mean squared error over their samples of a batch."""
    squared = (members - targets).square().mean(dim=2)
    count = chosen.sum(dim=1).clamp(min=1)
    return (torch.where(chosen, squared, 0.0).sum(dim=1) / count).sum()
