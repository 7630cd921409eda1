"""Samples of each fidelity, and batches of both."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from closures.training import Order, TrainingError
from closures.training.batches import Batch

LEAST_SHARE = 0.5
"""Least size of a batch of the smaller set, as a part of that of the larger one."""


@dataclass(frozen=True)
class Samples:
    """Normalised samples of one fidelity.

    Parameters
    ----------
    features
        ``(n, n_feature)``, float32.
    targets
        ``(n, n_output)``, float32.
    group
        Which samples belong together ``(n,)``, for example those of a moment: a member learns from
        all of a group or from none, so that what it left out is new to it.

    Raises
    ------
    TrainingError
        If numbers of samples differ, or a value is not finite.
    """

    features: Tensor
    targets: Tensor
    group: NDArray[np.int64]

    def __post_init__(self) -> None:
        n = len(self.features)
        if len(self.targets) != n or len(self.group) != n:
            raise TrainingError(
                f"samples: expected {n} targets and groups, one a sample, got "
                f"{len(self.targets)} and {len(self.group)}"
            )
        for name, values in (("features", self.features), ("targets", self.targets)):
            if not bool(torch.isfinite(values).all()):
                raise TrainingError(
                    f"samples: expected finite {name}, got NaN or infinity; leave these samples out"
                )

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.features)


def pooled(first: Samples, second: Samples) -> Samples:
    """Return the samples of both as if they were of one fidelity."""
    apart = int(first.group.max()) + 1 - int(second.group.min())
    return Samples(
        torch.cat([first.features, second.features]),
        torch.cat([first.targets, second.targets]),
        np.concatenate([first.group, second.group + apart]),
    )


def membership(
    group: NDArray[np.int64], members: range, share: float, seed: int, fidelity: int
) -> Tensor:
    """Draw which samples each member learns from: bool ``(n_member, n_sample)``.

    Parameters
    ----------
    group
        Of each sample.
    members
        Numbers of the members; each has random numbers of its own.
    share
        Part of the groups that a member learns from.
    seed, fidelity
        Seed, and which fidelity it is.

    Raises
    ------
    TrainingError
        If the share is not in (0, 1].
    """
    if not 0.0 < share <= 1.0:
        raise TrainingError(f"membership: expected a share in (0, 1], got {share}")
    names, number = np.unique(group, return_inverse=True)
    kept = max(1, round(share * names.size))
    if share < 1.0 and names.size > 1:
        # Of a few groups, one is left out, or nothing would tell how large the noise is.
        kept = min(kept, names.size - 1)
    chosen = torch.zeros(len(members), names.size, dtype=torch.bool)
    for row, member in zip(chosen, members, strict=True):
        order = np.random.default_rng([seed, fidelity, member]).permutation(names.size)
        row[torch.from_numpy(order[:kept])] = True
    return chosen[:, torch.from_numpy(number)]


class FidelityBatches:
    """Batches of low- and high-fidelity samples together.

    An epoch is a pass over the larger set; the smaller one starts again as often as needed, each
    time in another order.

    Parameters
    ----------
    low, high
        Samples.
    order
        Size of a batch of the larger set, and the seed.
    """

    def __init__(self, low: Samples, high: Samples, order: Order) -> None:
        self.low, self.high, self.order = low, high, order
        share = min(len(low), len(high)) / max(len(low), len(high))
        # Scarce samples are what matters: half a batch of them, seen again and again.
        smaller = max(1, round(order.batch_size * max(share, LEAST_SHARE)))
        self._sizes = (
            (order.batch_size, smaller) if len(low) >= len(high) else (smaller, order.batch_size)
        )
        for samples, size, name in (
            (low, self._sizes[0], "low"),
            (high, self._sizes[1], "high"),
        ):
            if len(samples) < size:
                raise TrainingError(
                    f"batches: expected at least {size} {name}-fidelity samples, got "
                    f"{len(samples)}; lower batch_size"
                )

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return max(len(self.low), len(self.high)) // self.order.batch_size

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield features, targets and numbers of low-, then of high-fidelity samples."""
        both = zip(
            self._numbers(self.low, self._sizes[0], number, 0),
            self._numbers(self.high, self._sizes[1], number, 1),
            strict=False,
        )
        for _, (low, high) in zip(range(len(self)), both, strict=False):
            yield (
                self.low.features[low],
                self.low.targets[low],
                low,
                self.high.features[high],
                self.high.targets[high],
                high,
            )

    def _numbers(self, samples: Samples, size: int, epoch: int, key: int) -> Iterator[Tensor]:
        passes = 0
        while True:
            index = self.order.permutation(len(samples), epoch, key, passes)
            for start in range(0, len(samples) - size + 1, size):
                yield index[start : start + size]
            passes += 1
