"""One network instead of an ensemble: its mean, its spread, and how far a column is from it all."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from closures.columns.networks.interface import GuardedNetwork
from closures.columns.seeding import seeded
from closures.multifidelity.guarded import with_noise
from closures.multifidelity.network import FeatureCount
from closures.multifidelity.trust import RelativeSpread, confidence_of


@dataclass(frozen=True)
class StudentSizes:
    """Size of a `Student`.

    Parameters
    ----------
    widths
        Hidden layers, shared by mean and spread.
    slope
        Slope of LeakyReLU for negative arguments.
    seed
        Seed of the initial weights.

    Raises
    ------
    ValueError
        If there is no hidden layer, or a negative seed.
    """

    widths: tuple[int, ...] = (512, 512, 512)
    slope: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1 or self.seed < 0:
            raise ValueError(
                "student: expected hidden layers and a seed of 0 or more, got widths "
                f"{self.widths} and seed {self.seed}"
            )


class FeatureDistance(nn.Module):
    """How far features lie from those that it was fitted to, 1 at the edge of these.

    ``d = |(x - mean) V S^-1| / (edge sqrt(n_feature))``: a Mahalanobis distance, V and S^2 being
    eigenvectors and eigenvalues of the covariance, of which the smaller ones count as `floor`
    times the largest, so that directions in which nothing was seen to vary are not infinitely far.
    Along any ray it grows without bound, which no trained network can promise of its spread.

    Parameters
    ----------
    features
        ``(n, n_feature)``, normalised.
    share
        Of the features within the edge.
    floor
        Least eigenvalue, as a share of the largest.

    Raises
    ------
    ValueError
        If there are fewer than two samples, or all are the same.
    """

    mean: Tensor
    whitening: Tensor

    def __init__(self, features: Tensor, share: float = 0.99, floor: float = 1e-3) -> None:
        super().__init__()
        values = features.double()
        if len(values) < 2 or not bool((values.std(dim=0) > 0.0).any()):
            raise ValueError("feature distance: expected samples that differ, got none or copies")
        mean = values.mean(dim=0)
        centred = values - mean
        eigenvalues, vectors = torch.linalg.eigh(centred.T @ centred / (len(values) - 1))
        kept = eigenvalues.clamp_min(floor * float(eigenvalues[-1]))
        whitening = vectors / torch.sqrt(kept * len(mean))
        # Not torch.quantile, which refuses more than 16 million numbers.
        distances = (centred @ whitening).square().sum(dim=1).sqrt().sort().values
        edge = distances[min(int(share * len(values)), len(values) - 1)]
        self.register_buffer("mean", mean.float())
        self.register_buffer("whitening", (whitening / edge).float())

    def forward(self, features: Tensor) -> Tensor:
        """Return d ``(n,)``."""
        return ((features - self.mean) @ self.whitening).square().sum(dim=1).sqrt()


class Student(GuardedNetwork):
    """One network with the mean and the standard deviation of an ensemble's members.

    The standard deviation is that of a head of the network, within the range of the ensemble's on
    the samples, times ``max(1, d)`` with the `FeatureDistance` d: beyond the samples it widens in
    proportion to the distance. What no network can know is left to the ensemble's own estimate.

    Parameters
    ----------
    count
        Features and outputs.
    sizes
        Widths.
    distance
        Fitted to the samples.
    log_range
        Least and largest logarithm of the members' standard deviation, by output
        ``(2, n_output)``.
    spread
        From standard deviations to the relative spread.
    threshold
        Relative spread above which the bridge's guard flags a column.
    noise
        Maps features to the logarithm of the noise's standard deviation; None for no noise.
    """

    log_range: Tensor

    def __init__(
        self,
        count: FeatureCount,
        sizes: StudentSizes,
        *,
        distance: FeatureDistance,
        log_range: Tensor,
        spread: RelativeSpread,
        threshold: float,
        noise: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.n_noise = self.n_output = count.output
        self.distance, self.spread = distance, spread
        self.least_confidence = confidence_of(threshold)
        self.has_noise = noise is not None
        self.noise = nn.Identity() if noise is None else noise
        self.register_buffer("log_range", log_range)
        layers: list[nn.Module] = []
        with seeded(sizes.seed):
            for before, after in pairwise((count.input, *sizes.widths)):
                layers += [nn.Linear(before, after), nn.LeakyReLU(sizes.slope)]
            layers.append(nn.Linear(sizes.widths[-1], 2 * self.n_output))
        self.layers = nn.Sequential(*layers)

    def predicted(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the members' standard deviation, as they are trained.

        Both are ``(n, n_output)``; neither range nor distance is applied.
        """
        both: Tensor = self.layers(features)
        # The head gives where in its range the logarithm lies.
        place = both[:, self.n_output :]
        low, high = self.log_range[0], self.log_range[1]
        return both[:, : self.n_output], low + (high - low) * (0.5 + place)

    def guarded(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean and standard deviation (with the noise), and the confidence."""
        mean, logarithm = self.predicted(features)
        limited = torch.minimum(torch.maximum(logarithm, self.log_range[0]), self.log_range[1])
        widening = self.distance(features).clamp_min(1.0).unsqueeze(1)
        deviation = limited.exp() * widening
        confidence = 1.0 / (1.0 + self.spread(deviation))
        if self.has_noise:
            logarithm_of_noise: Tensor = self.noise(features)
            deviation = with_noise(deviation, logarithm_of_noise.exp())
        return mean, deviation, confidence
