"""The ensemble Kalman smoother: an observation corrects the past of the members as well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.assimilation.ensemble import EnsembleFilter, checked
from closures.model_error.assimilation.errors import AssimilationError
from closures.model_error.assimilation.observation import Observation

Step = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class SmoothedWindow:
    """Ensembles at the times of a window.

    Parameters
    ----------
    ensembles
        Shape ``(n_time, n_member, n_state)``.
    n_observation
        Observations used at each time.
    n_missing
        Observations that were NaN at each time.
    """

    ensembles: NDArray[np.float64]
    n_observation: tuple[int, ...]
    n_missing: tuple[int, ...]

    @property
    def mean(self) -> NDArray[np.float64]:
        """The estimates of the states, shape ``(n_time, n_state)``."""
        return np.asarray(self.ensembles.mean(axis=1))


def smooth(
    ensemble: ArrayLike,
    step: Step,
    observations: Sequence[Observation | None],
    method: EnsembleFilter,
    lag: int | None = None,
) -> SmoothedWindow:
    """Estimate the states of a window from observations at its times.

    The ensemble runs through the window once. Each observation corrects the members of its time
    and, by the same weights or covariances, those of the times before: for a linear model and a
    large ensemble that is the Rauch-Tung-Striebel smoother.

    The members between two observations are those of the *model*: what it lacks pulls the
    estimate towards what it does have. That is wanted for the states, not for the change from
    one to the next that model error is found in; see
    `closures.model_error.assimilation.SnapshotFilter` for a window with no model in it.

    Parameters
    ----------
    ensemble
        Members at the first time, before its observation, shape ``(n_member, n_state)``.
    step
        The model from one time to the next, all members at once, same shape in and out.
    observations
        What was observed at each time; None where nothing was.
    method
        Filter whose analysis this is.
    lag
        How many times back an observation corrects; None for all, 0 for the filter alone.

    Raises
    ------
    AssimilationError
        If there is no time, the lag is negative, or the step gives another shape or numbers that
        are not finite.

    References
    ----------
    Evensen & van Leeuwen 2000, Mon. Weather Rev. 128, 1852.

    Examples
    --------
    >>> from closures.model_error.assimilation import ETKF, Identity
    >>> observations = [None, Observation([2.0], 2.0**0.5, Identity(1))]
    >>> window = smooth([[-1.0], [1.0]], lambda x: 1.0 * x, observations, ETKF())
    >>> window.mean.ravel()
    array([1., 1.])
    """
    if not observations:
        raise AssimilationError("window: expected at least one time, got none")
    if lag is not None and lag < 0:
        raise AssimilationError(f"window: expected no negative lag, got {lag}")
    members = np.array(ensemble, dtype=np.float64)
    if members.ndim != 2:
        raise AssimilationError(
            f"ensemble: expected shape (n_member, n_state), got {members.shape}"
        )
    states: list[NDArray[np.float64]] = []
    used, missing = [], []
    for time, observation in enumerate(observations):
        if time > 0:
            members = _stepped(step, states[-1])
        first = 0 if lag is None else max(0, time - lag)
        if observation is None:
            states.append(checked(members, members.shape[1]))
            used.append(0)
            missing.append(0)
            continue
        analysis = method.update(members, observation, states[first:])
        states[first:] = analysis.earlier
        states.append(analysis.ensemble)
        used.append(analysis.n_observation)
        missing.append(analysis.n_missing)
    return SmoothedWindow(np.stack(states), tuple(used), tuple(missing))


def _stepped(step: Step, members: NDArray[np.float64]) -> NDArray[np.float64]:
    # A step that works in place must not change the states of the window.
    after = np.asarray(step(members.copy()), dtype=np.float64)
    if after.shape != members.shape:
        raise AssimilationError(
            f"step: expected states of shape {members.shape} after it, as before, got {after.shape}"
        )
    return checked(after, members.shape[1])
