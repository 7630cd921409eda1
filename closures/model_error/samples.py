"""Samples of a trajectory: analysed states a few steps long, and the increments of a model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.errors import SamplesError

Array = NDArray[Any]

Step = Callable[..., Any]
"""A model step: called with the analysed states of all samples, oldest first, each of shape
``(n_sample, ...)``, it returns the states one step later, same shape. A scheme with a memory takes
more than one state."""


@dataclass(frozen=True)
class Samples:
    """Short pieces of a trajectory, each of a few states one model step apart.

    Parameters
    ----------
    history
        Analysed states before the step, oldest first, each of shape ``(n_sample, ...)``.
    end
        Analysed states after the step, same shape.
    dt
        Length of the step [the unit of time of the model].
    observed
        What was observed after the step, same shape, NaN where nothing was; by default `end`.
    n_dropped
        Samples that were left out by `of`.

    Raises
    ------
    SamplesError
        If there are no samples, shapes differ, states are not finite or dt is not positive.
    """

    history: tuple[Array, ...]
    end: Array
    dt: float
    observed: Array
    n_dropped: int = 0

    def __post_init__(self) -> None:
        if not self.history or not len(self.end):
            raise SamplesError("samples: expected at least one, with a state before the step")
        if not self.dt > 0.0:
            raise SamplesError(f"dt: expected a positive time step, got {self.dt}")
        for state in (*self.history, self.observed):
            if state.shape != self.end.shape:
                raise SamplesError(
                    f"samples: expected states of one shape, {self.end.shape}, got {state.shape}"
                )
        if not all(np.isfinite(state).all() for state in (*self.history, self.end)):
            raise SamplesError(
                "samples: expected finite analysed states; drop samples with gaps by Samples.of"
            )

    @classmethod
    def of(
        cls,
        history: tuple[ArrayLike, ...] | list[ArrayLike],
        end: ArrayLike,
        dt: float,
        observed: ArrayLike | None = None,
    ) -> Self:
        """Return the samples whose analysed states are finite; the others are counted.

        Parameters
        ----------
        history, end, dt, observed
            As in the class.

        Raises
        ------
        SamplesError
            As in the class, and if no sample is finite.
        """
        states = [np.asarray(state, dtype=np.float64) for state in (*history, end)]
        seen = states[-1] if observed is None else np.asarray(observed, dtype=np.float64)
        if len({state.shape for state in (*states, seen)}) > 1 or states[-1].ndim < 2:
            shapes = ", ".join(str(state.shape) for state in (*states, seen))
            raise SamplesError(
                f"samples: expected states of one shape (n_sample, ...), got {shapes}"
            )
        n_sample = len(states[-1])
        finite = np.ones(n_sample, dtype=bool)
        for state in states:
            finite &= np.isfinite(state.reshape(n_sample, -1)).all(axis=1)
        if not finite.any():
            raise SamplesError(
                f"samples: expected finite analysed states, got none in {n_sample} samples; "
                "fill the gaps of the observations first"
            )
        *before, after = (state if finite.all() else state[finite] for state in states)
        seen = seen if finite.all() else seen[finite]
        return cls(tuple(before), after, dt, seen, int((~finite).sum()))

    def __len__(self) -> int:
        return len(self.end)

    @property
    def start(self) -> Array:
        """Analysed states at the beginning of the step."""
        return self.history[-1]

    def batches(self, size: int) -> Iterator["Samples"]:
        """Yield the samples in order, at most `size` at a time."""
        for i in range(0, len(self), size):
            part = slice(i, i + size)
            history = tuple(state[part] for state in self.history)
            yield Samples(history, self.end[part], self.dt, self.observed[part])


def one_step(step: Step, samples: Samples, **options: Any) -> Array:
    """Return the states that a model makes of the samples in one step.

    Raises
    ------
    SamplesError
        If it returns another shape, or states that are not finite.
    """
    modelled = np.asarray(step(*samples.history, **options))
    if modelled.shape != samples.end.shape:
        raise SamplesError(
            f"step: expected it to return states of shape {samples.end.shape}, that of its "
            f"arguments, got {modelled.shape}"
        )
    if modelled.dtype.kind not in "fiu":
        raise SamplesError(f"step: expected real numbers, got {modelled.dtype}")
    if not np.isfinite(modelled).all():
        bad = int((~np.isfinite(modelled).reshape(len(modelled), -1).all(axis=1)).sum())
        raise SamplesError(
            f"step: expected finite states, got others in {bad} of {len(modelled)} samples; "
            "the step is too long for the model, or its states are not those of the model"
        )
    return modelled


def analysis_increments(step: Step, samples: Samples) -> Array:
    r"""Return what a model lacks, :math:`(u_{observed} - u_{model}) / \Delta t`.

    Parameters
    ----------
    step
        One step of the model.
    samples
        The analysed states that it begins with, and what was observed after it.

    Returns
    -------
    ndarray
        A tendency, shape ``(n_sample, ...)``, NaN where nothing was observed.

    Raises
    ------
    SamplesError
        If the step returns another shape or states that are not finite.
    """
    return (samples.observed - one_step(step, samples)) / samples.dt
