"""Models beside the truth: how forecast errors grow, and how their climates differ."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from hybrid.experiments.medida_ks.corrected import CorrectedModel

Array = NDArray[Any]

SAVED = 5.0
"""Time between states of a climate [1]."""

EDGES = np.linspace(-4.0, 4.0, 65)
"""Of the bins of a probability density, in standard deviations of the truth [1]."""

# Neighbouring points tell the same: one of these is kept of a climate, for its distribution.
_THINNING = 8
# Beyond this many standard deviations a run has left any climate.
_LOST = 100.0


class Summary(NamedTuple):
    """What is kept of a climate.

    Parameters
    ----------
    values
        u at some points and times, shape ``(n_member, n)`` [1].
    spectra
        Mean variance of each wave, shape ``(n_member, nx // 2 + 1)`` [1].
    """

    values: Array
    spectra: Array


def summary(states: Array, spin_up: float) -> Summary:
    """Return what is kept of states ``(n_time, n_member, nx)`` after a spin-up [1]."""
    used = states[round(spin_up / SAVED) :]
    n_member, nx = used.shape[1:]
    values = used[..., ::_THINNING].swapaxes(0, 1).reshape(n_member, -1)
    power = np.mean(np.abs(np.fft.rfft(used) / nx) ** 2, axis=0)
    # All waves but the mean and the shortest stand for a pair of complex amplitudes.
    power[:, 1:-1] *= 2.0
    return Summary(values.astype(np.float32), power)


def error_growth(
    model: CorrectedModel, start: Array, truth: Array, every: float
) -> list[float] | None:
    """Return the forecast error by time, None if the forecast does not stay finite.

    Parameters
    ----------
    model
        What forecasts.
    start
        True states that it begins with, shape ``(n_member, nx)`` [1].
    truth
        What came after them, shape ``(n_time, n_member, nx)``, the beginning first [1].
    every
        Time between [1].

    Returns
    -------
    list
        Root mean square over members and points, in standard deviations of the truth [1].
    """
    states = model.run(start, (len(truth) - 1) * every, every)
    if states is None:
        return None
    errors = np.sqrt(np.mean((states - truth) ** 2, axis=(1, 2))) / truth.std()
    return [float(error) for error in errors]


def climate(
    model: CorrectedModel, start: Array, reference: Summary, time: tuple[float, float]
) -> dict[str, Any] | None:
    """Return how the climate of a model differs, None if its states do not stay finite.

    Parameters
    ----------
    model
        What is run.
    start
        True states that it begins with, shape ``(n_member, nx)`` [1].
    reference
        Climates of the truth, of several times as many members.
    time
        Of the climate, and left out before it [1].

    Returns
    -------
    dict
        ``distance``: Wasserstein distance of the distributions of u, in standard deviations of
        the truth [1]; ``density``: probability density in `EDGES`; ``spectrum``: variance by wave.
    """
    states = model.run(start, sum(time), SAVED)
    deviation = float(reference.values.std())
    if states is None or np.abs(states).max() > _LOST * deviation:
        return None
    kept = summary(states, time[1])
    n_member = len(start)
    return {
        "distance": distance(kept.values, reference.values[n_member:]),
        "density": density(kept.values, deviation),
        "spectrum": kept.spectra.mean(axis=0).tolist(),
    }


def distance(values: Array, reference: Array) -> float:
    """Return the Wasserstein distance, in standard deviations of the reference [1]."""
    found = wasserstein_distance(values.ravel(), reference.ravel())
    return float(found / reference.std())


def density(values: Array, deviation: float) -> list[float]:
    """Return the probability density in `EDGES` of values by their deviation from 0 [1]."""
    counts = np.histogram(values / deviation, EDGES)[0]
    found: list[float] = (counts / (values.size * np.diff(EDGES))).tolist()
    return found


def sampling_floor(reference: Summary, n_member: int) -> list[float]:
    """Return how far climates of the truth itself are from the others, one a replica [1].

    Parameters
    ----------
    reference
        Climates of the truth.
    n_member
        Members of a replica, as many as of a model's climate.
    """
    values = reference.values.reshape(-1, n_member, reference.values.shape[1])
    return [distance(one, np.delete(values, i, axis=0)) for i, one in enumerate(values)]
