"""What training the members of an ensemble together costs beside one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from benchmarks.comparison import Compared, Comparison
from benchmarks.interleaved import Session, interleave, often, on_processor
from benchmarks.interval import FEWEST
from closures.multifidelity import (
    EnsembleSizes,
    EnsembleTraining,
    FeatureCount,
    FidelityEnsemble,
    Samples,
    fit_ensemble,
)
from closures.training import Training

TOGETHER, IN_TURN = "training: all members together", "training: one member after the other"


@dataclass(frozen=True)
class TrainingSizes:
    """One epoch of an ensemble.

    Parameters
    ----------
    n_member, widths
        Of the ensemble.
    batch_size, n_sample
        Of the epoch.
    """

    n_member: int
    widths: tuple[int, ...]
    batch_size: int
    n_sample: int


FULL_TRAININGS = (
    # The ensemble whose archive is measured; then one as small as those of the experiments.
    TrainingSizes(32, (512, 512, 512), 64, 512),
    TrainingSizes(8, (128, 128), 512, 4096),
)
QUICK_TRAININGS = (TrainingSizes(4, (32, 32), 64, 256),)


@dataclass(frozen=True)
class TrainingCost(Compared):
    """What an epoch costs in one way beside the other.

    Parameters
    ----------
    closure, beside
        What is compared.
    n_member, widths, batch_size, n_sample
        See `TrainingSizes`.
    seconds
        Median time of an epoch of all members, from drawing their weights on [s].
    ratio, low, high
        Median of the times by the other's, turn by turn, and its 95 % interval [1].
    difference
        Largest difference of what a member predicts after either, in units of the outputs' spread.
    """

    closure: str
    beside: str
    n_member: int
    widths: tuple[int, ...]
    batch_size: int
    n_sample: int
    seconds: float
    ratio: float
    low: float
    high: float
    difference: float

    def row(self) -> dict[str, str]:
        """Return what a table shows, by heading."""
        return {
            "closure": self.closure,
            "beside": self.beside,
            "members": f"{self.n_member} of {' x '.join(map(str, self.widths))}",
            "batch": str(self.batch_size),
            "us/sample": f"{1e6 * self.seconds / self.n_sample:.2f}",
            "ratio": f"{self.ratio:.3f}",
            "at most": f"{self.high:.3f}",
            "difference": f"{self.difference:.1e}",
        }


def training_cost(samples: Samples, sizes: TrainingSizes, session: Session) -> TrainingCost:
    """Train the same members in both ways, turn by turn.

    Parameters
    ----------
    samples
        At least as many as an epoch has.
    sizes
        Of the epoch.
    session
        Number of rounds.
    """
    first = slice(sizes.n_sample)
    some = Samples(samples.features[first], samples.targets[first], samples.group[first])
    ensemble = EnsembleSizes("single", sizes.n_member, sizes.widths, 1.0)
    count = FeatureCount(some.features.shape[1], some.targets.shape[1])
    how = EnsembleTraining(Training(1, sizes.batch_size))

    def together() -> Sequence[FidelityEnsemble]:
        return [fit_ensemble(ensemble, count, how, high=some)[0]]

    def in_turn() -> Sequence[FidelityEnsemble]:
        alone = (replace(ensemble, n_member=1, first_member=k) for k in range(sizes.n_member))
        return [fit_ensemble(one, count, how, high=some)[0] for one in alone]

    difference = _members(in_turn(), some) - _members(together(), some)
    timings = interleave(
        {TOGETHER: on_processor(often(together)), IN_TURN: on_processor(often(in_turn))},
        replace(session, rounds=max(session.rounds, FEWEST)),
        f"training {sizes.n_member} members",
    )
    case = f"{sizes.n_member} members, batches of {sizes.batch_size}"
    found = Comparison.of(timings, TOGETHER, IN_TURN, what=f"{case}, {TOGETHER}")
    return TrainingCost(
        TOGETHER,
        IN_TURN,
        sizes.n_member,
        sizes.widths,
        sizes.batch_size,
        sizes.n_sample,
        timings.median(TOGETHER),
        found.ratio,
        found.low,
        found.high,
        float(difference.abs().max()),
        comparisons=(found,),
    )


def _members(networks: Sequence[FidelityEnsemble], samples: Samples) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([network.members(samples.features) for network in networks])
