"""What a training has done so far."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class History:
    """Loss after each epoch.

    Parameters
    ----------
    training
        Mean over the batches of the epoch.
    validation
        Over the validation samples; empty if there are none.
    learning_rate
        At the end of the epoch.
    best_epoch
        Epoch, from 1 on, whose weights were kept.
    seconds
        Time that all epochs took, interruptions not counted [s]; two histories are equal
        whatever it is.
    """

    training: tuple[float, ...]
    validation: tuple[float, ...]
    learning_rate: tuple[float, ...] = ()
    best_epoch: int = 0
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class EpochReport:
    """One epoch, for people who wait.

    Parameters
    ----------
    epoch, n_epoch
        Number of the epoch from 1 on, and of all.
    training, validation
        Losses; `validation` is None without validation samples.
    best
        Least validation loss so far, or training loss without validation samples.
    improved
        Whether this epoch is the best so far.
    learning_rate
        At the end of the epoch.
    samples_per_second
        Of all ranks together, validation not counted.
    seconds_left
        Expected time of all epochs to come [s].
    """

    epoch: int
    n_epoch: int
    training: float
    validation: float | None
    best: float
    improved: bool
    learning_rate: float
    samples_per_second: float
    seconds_left: float


@dataclass
class Progress:
    """Losses so far, and which epoch was the best one.

    Parameters
    ----------
    training, validation, learning_rate
        As of `History`.
    stage
        Stage of the objective; the best is looked for anew in each.
    best
        Least loss of the stage.
    best_epoch
        Its epoch, from 1 on.
    seconds
        As of `History`.
    """

    training: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    stage: int = 1
    best: float = math.inf
    best_epoch: int = 0
    seconds: float = field(default=0.0, compare=False)

    @property
    def n_done(self) -> int:
        """Number of finished epochs."""
        return len(self.training)

    @property
    def since_best(self) -> int:
        """Number of epochs after the best one."""
        return self.n_done - self.best_epoch

    @property
    def history(self) -> History:
        """What is kept of it."""
        return History(
            tuple(self.training),
            tuple(self.validation),
            tuple(self.learning_rate),
            self.best_epoch,
            self.seconds,
        )

    def enter(self, stage: int) -> None:
        """Begin an epoch of a stage."""
        if stage != self.stage:
            self.stage, self.best, self.best_epoch = stage, math.inf, self.n_done

    def add(self, training: float, validation: float | None, learning_rate: float) -> bool:
        """Add an epoch; return whether it is the best of its stage."""
        self.training.append(training)
        self.learning_rate.append(learning_rate)
        if validation is not None:
            self.validation.append(validation)
            improved = validation < self.best
        else:
            # Without samples apart, a lower loss does not tell a better network.
            improved = True
        if improved:
            self.best = training if validation is None else validation
            self.best_epoch = self.n_done
        return improved

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the progress of plain values."""
        return cls(**values)
