"""Training of one network on what an ensemble predicts."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from closures.columns.networks.member_statistics import member_statistics
from closures.multifidelity.network import FeatureCount, FidelityEnsemble
from closures.multifidelity.student import FeatureDistance, Student, StudentSizes
from closures.multifidelity.trust import RelativeSpread
from closures.training import (
    Checkpoint,
    History,
    Objective,
    Order,
    TensorBatches,
    Training,
    TrainingError,
    fit,
)

OnProgress = Callable[[float], None]

_COLUMNS = 384
_LEAST_DEVIATION = 1e-6
_TAIL = 0.001


@dataclass(frozen=True)
class Distillation:
    """How a student is trained.

    Parameters
    ----------
    training
        Settings.
    sizes
        Size of the student.
    spread_weight
        Of the squared error of the logarithm of the standard deviation, beside that of the mean.
    n_between
        Further samples, each between two of those given, of which the ensemble is asked too.
    """

    training: Training
    sizes: StudentSizes = field(default_factory=StudentSizes)
    spread_weight: float = 0.1
    n_between: int = 0


def distill(
    ensemble: FidelityEnsemble,
    features: Tensor,
    how: Distillation,
    *,
    spread: RelativeSpread,
    threshold: float,
    checkpoint: Checkpoint | None = None,
    on_progress: OnProgress | None = None,
) -> tuple[Student, History]:
    """Train a student on the mean and the standard deviation of an ensemble's members.

    No targets are needed, so any inputs serve: those of either fidelity, of warm climates, and
    those between them. What a student has not seen, it does not know: give it all climates.

    Parameters
    ----------
    ensemble
        Trained; its noise is taken over as it is.
    features
        Normalised inputs ``(n, n_feature)``.
    how
        Settings.
    spread, threshold
        As of `GuardedEnsemble`.
    checkpoint
        Written after each epoch.
    on_progress
        Called with the fraction done.

    Raises
    ------
    TrainingError
        If there is one member or no sample, or the loss is not finite.
    """
    if ensemble.n_member < 2 or len(features) < 2:
        raise TrainingError(
            "distillation: expected at least 2 members and 2 samples, got "
            f"{ensemble.n_member} and {len(features)}"
        )
    inputs = torch.cat([features, _between(features, how.n_between, how.training.seed)])
    mean, logarithm = _member_moments(ensemble, inputs)
    ordered = logarithm.sort(dim=0).values
    last = len(ordered) - 1
    ends = torch.stack([ordered[round(_TAIL * last)], ordered[round((1.0 - _TAIL) * last)]])
    student = Student(
        FeatureCount(features.shape[1], ensemble.n_output),
        how.sizes,
        distance=FeatureDistance(features),
        log_range=ends,
        spread=spread,
        threshold=threshold,
        noise=copy.deepcopy(ensemble.noise) if ensemble.has_noise else None,
    )
    history = fit(
        MomentsError(student, how.spread_weight),
        TensorBatches(
            inputs,
            torch.cat([mean, logarithm], dim=1),
            Order(how.training.batch_size, how.training.seed),
        ),
        how.training,
        checkpoint=checkpoint,
        on_progress=on_progress,
    )
    return student, history


class MomentsError(Objective):
    """Squared errors of means and of logarithms of standard deviations.

    Parameters
    ----------
    network
        Student.
    spread_weight
        Of the second.
    """

    network: Student

    def __init__(self, network: Student, spread_weight: float) -> None:
        super().__init__(network)
        self.spread_weight = spread_weight
        network.noise.requires_grad_(requires_grad=False)

    def forward(self, features: Tensor, both: Tensor) -> Tensor:
        """Return the loss of means and logarithms, side by side ``(n, 2 n_output)``."""
        mean, logarithm = both.chunk(2, dim=1)
        predicted_mean, predicted_logarithm = self.network.predicted(features)
        of_mean = (predicted_mean - mean).square().mean()
        of_spread = (predicted_logarithm - logarithm).square().mean()
        loss: Tensor = of_mean + self.spread_weight * of_spread
        return loss


def _between(features: Tensor, n: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.randint(len(features), (2, n), generator=generator)
    share = torch.rand(n, 1, generator=generator)
    return share * features[first] + (1.0 - share) * features[second]


def _member_moments(ensemble: FidelityEnsemble, features: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and logarithm of the standard deviation of the members."""
    means, logarithms = [], []
    ensemble.eval()
    with torch.no_grad():
        for part in torch.split(features, _COLUMNS):
            mean, scatter = member_statistics(ensemble.members(part))
            deviation = (scatter / (ensemble.n_member - 1)).sqrt()
            means.append(mean)
            logarithms.append(deviation.clamp_min(_LEAST_DEVIATION).log())
    return torch.cat(means), torch.cat(logarithms)
