"""Ensembles that say which columns they are not to be trusted with."""

import copy

import torch
from torch import Tensor, nn

from closures.columns.networks.interface import GuardedNetwork
from closures.columns.networks.member_perceptron import MemberLinear
from closures.columns.networks.member_statistics import member_statistics
from closures.multifidelity.network import FidelityEnsemble
from closures.multifidelity.trust import RelativeSpread, confidence_of


class GuardedEnsemble(GuardedNetwork):
    """All members; a column is not to be trusted where they disagree by more than a threshold.

    The confidence is ``1 / (1 + r)`` with the relative spread r of the members: their noise, which
    is what no network can know, does not lower it.

    Parameters
    ----------
    ensemble
        At least two members.
    spread
        From the members' standard deviations to r.
    threshold
        The r above which the bridge's guard flags a column.

    Raises
    ------
    ValueError
        If there is one member, or the threshold is not above 0.
    """

    def __init__(
        self, ensemble: FidelityEnsemble, spread: RelativeSpread, threshold: float
    ) -> None:
        super().__init__()
        check_guard(ensemble, threshold)
        self.n_noise = ensemble.n_output
        self.n_member = ensemble.n_member
        self.first = part_of(ensemble, 0, 1)
        self.others = MembersInTurn(ensemble, range(1, ensemble.n_member))
        self.spread = spread
        self.least_confidence = confidence_of(threshold)

    def guarded(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean and standard deviation (with the noise), and the confidence."""
        members = torch.cat([self.first.members(features), self.others(features)])
        mean, scatter = member_statistics(members)
        deviation = torch.sqrt(scatter / (self.n_member - 1))
        confidence = 1.0 / (1.0 + self.spread(deviation))
        return mean, with_noise(deviation, self.first.deviation(features)), confidence


class MembersInTurn(nn.Module):
    """Some members, one after the other: what one of them computes stays in the cache.

    Parameters
    ----------
    ensemble
        All members.
    which
        Those that are evaluated.
    block
        Columns at once; 0 for all.
    """

    def __init__(self, ensemble: FidelityEnsemble, which: range, block: int = 0) -> None:
        super().__init__()
        self.each = nn.ModuleList(part_of(ensemble, k, k + 1, noise=False) for k in which)
        self.n_member, self.n_output = len(which), ensemble.n_output
        self.block = block

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n_member, n, n_output)``."""
        n = features.shape[0]
        parts = torch.split(features, self.block if self.block > 0 else max(n, 1))
        predicted: list[Tensor] = []
        for member in self.each:
            for part in parts:
                predicted.append(member(part))  # noqa: PERF401 -- not in TorchScript
        return torch.cat(predicted).reshape(self.n_member, n, self.n_output)


def check_guard(ensemble: FidelityEnsemble, threshold: float) -> None:
    """Raise ValueError unless members can disagree, by more than a threshold above 0."""
    if ensemble.n_member < 2:
        raise ValueError(
            f"guarded ensemble: expected at least 2 members, got {ensemble.n_member}: one cannot "
            "disagree with itself"
        )
    if not 0.0 < threshold < float("inf"):
        raise ValueError(f"guarded ensemble: expected a threshold above 0, got {threshold}")


def with_noise(deviation: Tensor, noise: Tensor) -> Tensor:
    """Return the standard deviation of members and noise together."""
    return torch.sqrt(deviation.square() + noise.square())


def part_of(
    ensemble: FidelityEnsemble, first: int, stop: int, *, noise: bool = True
) -> FidelityEnsemble:
    """Return an ensemble of members `first` to ``stop - 1`` alone, with copies of their weights.

    Parameters
    ----------
    ensemble
        The whole.
    first, stop
        Which members.
    noise
        Whether the part has the noise of the whole; otherwise none.
    """
    # Copied in place of what they are part of.
    instead: dict[int, nn.Module | nn.Parameter] = {
        id(values): nn.Parameter(values.detach()[first:stop].clone(), values.requires_grad)
        for layer in ensemble.modules()
        if isinstance(layer, MemberLinear)
        for values in layer.parameters()
    }
    if not noise:
        instead[id(ensemble.noise)] = nn.Identity()
    part = copy.deepcopy(ensemble, instead)
    part.n_member = part.n_noise = stop - first
    part.has_noise = ensemble.has_noise and noise
    return part
