"""Training of ensembles of one and of two fidelities, all members together."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from closures.multifidelity.network import (
    EnsembleSizes,
    FeatureCount,
    FidelityEnsemble,
    NoiseNetwork,
    NoiseSizes,
)
from closures.multifidelity.objectives import (
    ResidualLikelihood,
    SingleFidelityError,
    TwoFidelityError,
)
from closures.multifidelity.samples import FidelityBatches, Samples, membership
from closures.training import Checkpoint, History, Order, TensorBatches, Training, fit

OnProgress = Callable[[float], None]

_LOW, _HIGH = 0, 1
_BLOCK = 4096


@dataclass(frozen=True)
class EnsembleTraining:
    """How an ensemble is trained.

    Parameters
    ----------
    training
        Settings; epochs are passes over the larger set of samples.
    share
        Part of the groups of samples that each member learns from.
    low_weight
        Weight of the low-fidelity error.
    noise
        Training of the noise's estimate; None for no estimate.
    noise_sizes
        Its size.
    """

    training: Training
    share: float = 0.8
    low_weight: float = 1.0
    noise: Training | None = None
    noise_sizes: NoiseSizes = field(default_factory=NoiseSizes)


def fit_ensemble(
    sizes: EnsembleSizes,
    count: FeatureCount,
    how: EnsembleTraining,
    *,
    high: Samples,
    low: Samples | None = None,
    checkpoint: Checkpoint | None = None,
    on_progress: OnProgress | None = None,
) -> tuple[FidelityEnsemble, History]:
    """Train an ensemble.

    A training that goes on from its checkpoint gives the same weights bit for bit.

    Parameters
    ----------
    sizes
        What it is made of.
    count
        Features and outputs.
    how
        Settings.
    high
        Samples of the fidelity that is wanted; the only ones, if the form is ``"single"``.
    low
        Plentiful samples of the other fidelity.
    checkpoint
        Written after each epoch.
    on_progress
        Called with the fraction done.

    Raises
    ------
    TrainingError
        If the form does not go with the samples, there are too few, or the loss is not finite.
    """
    network = FidelityEnsemble(count, sizes)
    members = range(sizes.first_member, sizes.first_member + sizes.n_member)
    seed = how.training.seed
    order = Order(how.training.batch_size, seed, numbered=True)
    of_high = membership(high.group, members, how.share, seed, _HIGH)
    objective: SingleFidelityError | TwoFidelityError
    if low is None:
        objective = SingleFidelityError(network, of_high)
        history = fit(
            objective,
            TensorBatches(high.features, high.targets, order),
            how.training,
            checkpoint=checkpoint,
            on_progress=on_progress,
        )
    else:
        of_low = membership(low.group, members, how.share, seed, _LOW)
        objective = TwoFidelityError(network, of_low, of_high, how.low_weight)
        history = fit(
            objective,
            FidelityBatches(low, high, order),
            how.training,
            checkpoint=checkpoint,
            on_progress=on_progress,
        )
    if how.noise is not None:
        network.noise = fit_noise(network, high, of_high, how)
        network.has_noise = True
    return network, history


def fit_noise(
    network: FidelityEnsemble, high: Samples, chosen: Tensor, how: EnsembleTraining
) -> NoiseNetwork:
    """Estimate the noise from residuals of samples that members did not learn from.

    The mean of the members that left a sample out differs from the truth by the noise, by what
    all members have wrong, and by their own variance v: with m of them, the residual's variance is
    ``s^2 + v (1 + 1 / m)`` if the truth cannot be told from a further member with noise s. Where
    all members learned from a sample, or all but none, nothing is used.

    Parameters
    ----------
    network
        Trained ensemble.
    high
        Its samples.
    chosen
        Which of them each member learned from ``(n_member, n_sample)``.
    how
        Settings of the noise's training and its size.
    """
    assert how.noise is not None
    mean, variance = _left_out(network, high, chosen)
    n_left = (~chosen).sum(dim=0)
    used = n_left > 0
    known = variance * (1.0 + 1.0 / n_left.clamp(min=1)).unsqueeze(1)
    count = FeatureCount(high.features.shape[1], high.targets.shape[1])
    noise = NoiseNetwork(count, how.noise_sizes)
    both = torch.cat([high.targets - mean, known], dim=1)
    order = Order(how.noise.batch_size, how.noise.seed)
    fit(
        ResidualLikelihood(noise),
        TensorBatches(high.features[used], both[used], order),
        how.noise,
    )
    return noise


def _left_out(network: FidelityEnsemble, high: Samples, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of the members that left a sample out, and the variance of all members."""
    means, variances = [], []
    network.eval()
    with torch.no_grad():
        for start in range(0, len(high), _BLOCK):
            block = slice(start, start + _BLOCK)
            members = network.members(high.features[block])
            left = (~chosen[:, block]).float().unsqueeze(2)
            means.append((members * left).sum(dim=0) / left.sum(dim=0).clamp(min=1.0))
            several = network.n_member > 1
            variances.append(members.var(dim=0) if several else torch.zeros_like(members[0]))
    return torch.cat(means), torch.cat(variances)
