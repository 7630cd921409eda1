"""Mixtures of normal distributions: an ensemble each of whose members has noise.

The predictive distribution is ``F(x) = mean_i Phi((x - x_i) / s_i)`` with the members x_i and
their standard deviations s_i. A standard deviation of 0 is a step at the member.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from closures.ensemble_scores.errors import ScoreError
from closures.ensemble_scores.normal import mean_distance, probability_and_density

Array = NDArray[np.float64]

# Bisection alone would take about 60 to the last bit of a double.
_MOST_STEPS = 100
_TOLERANCE = 1e-10


def mixture_crps(members: ArrayLike, noise: ArrayLike, truth: ArrayLike) -> Array:
    """Return the continuous ranked probability score of the mixture, shape of `truth`.

    ``mean_i A(y - x_i, s_i^2) - mean_ij A(x_i - x_j, s_i^2 + s_j^2) / 2`` with
    ``A(d, v) = E|d + sqrt(v) Z|`` [1]. It is the score of the distribution as issued: a mixture
    of few members is not what many would give, and as the noise goes to zero the score goes to
    that of the ensemble as issued, which is above `fair_crps` by ``1 / (2 n)`` of the members' mean
    distance.

    Parameters
    ----------
    members
        ``(n_member, *truth.shape)``.
    noise
        Standard deviations, the same for all members ``truth.shape`` or by member.
    truth
        What happened, in the same units.

    Raises
    ------
    ScoreError
        If shapes do not fit or a standard deviation is negative.

    References
    ----------
    .. [1] Grimit et al. 2006, The continuous ranked probability score for circular variables and
       its application to mesoscale forecast ensemble verification, QJRMS 132,
       doi:10.1256/qj.05.235.

    Examples
    --------
    A normal distribution around the truth scores ``(sqrt(2) - 1) / sqrt(pi)``.

    >>> mixture_crps([[0.0]], [1.0], [0.0]).round(6).tolist()
    [0.233695]
    """
    y = np.asarray(truth, dtype=np.float64)
    x, s = _samples(members, noise, y.shape)
    return _crps(x, s, y.ravel()).reshape(y.shape)


def mixture_cdf(members: ArrayLike, noise: ArrayLike, value: ArrayLike) -> Array:
    """Return the probability of less than `value`, and half that of `value` itself.

    Of the truth it is the probability integral transform; arrays as for `mixture_crps`.
    """
    y = np.asarray(value, dtype=np.float64)
    x, s = _samples(members, noise, y.shape)
    return _cdf(x, s, y.ravel()).reshape(y.shape)


def mixture_quantile(members: ArrayLike, noise: ArrayLike, probability: float) -> Array:
    """Return the value below which the mixture has a probability, shape of one member.

    By Newton's method kept between bounds, to 1e-10 in probability or the last bits of the value.
    A mixture whose parts lie far apart has probabilities at which many values are the quantile to
    that accuracy; one of them is returned.

    Parameters
    ----------
    members, noise
        As for `mixture_crps`.
    probability
        Between 0 and 1.

    Raises
    ------
    ScoreError
        If shapes do not fit, a standard deviation is negative or the probability is not between
        0 and 1.

    Examples
    --------
    >>> mixture_quantile([[0.0]], [2.0], 0.975).round(6).tolist()
    [3.919928]
    """
    if not 0.0 < probability < 1.0:
        raise ScoreError(f"quantile: expected a probability between 0 and 1, got {probability}")
    # As slow to import as the rest of this file together.
    from scipy.special import ndtri  # noqa: PLC0415

    shape = np.asarray(members).shape[1:]
    x, s = _samples(members, noise, shape)
    return _quantiles(x, s, probability, float(ndtri(probability))).reshape(shape)


def _samples(members: ArrayLike, noise: ArrayLike, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return members and standard deviations with the member as the last of two axes."""
    x = np.asarray(members, dtype=np.float64)
    s = np.asarray(noise, dtype=np.float64)
    if x.shape[1:] != shape or s.shape not in (shape, x.shape):
        raise ScoreError(
            f"mixture: expected members of shape (n_member, *{shape}) and noise of shape {shape} "
            f"or that of the members, got {x.shape} and {s.shape}"
        )
    if not (s >= 0.0).all():
        raise ScoreError(f"mixture: expected noise of 0 or more, got {s.min()}")
    n_member = len(x)
    # Copies also of what is contiguous, as kernels are compiled for arrays that may be written.
    return (
        np.array(x.reshape(n_member, -1).T, order="C"),
        np.array(np.broadcast_to(s, x.shape).reshape(n_member, -1).T, order="C"),
    )


@njit(cache=True)
def _crps(members: Array, noise: Array, truth: Array) -> Array:
    n_sample, n = members.shape
    scores = np.empty(n_sample)
    for k in range(n_sample):
        x, s = members[k], noise[k]
        to_truth = pairs = own = 0.0
        for i in range(n):
            to_truth += mean_distance(truth[k] - x[i], s[i])
            own += mean_distance(0.0, math.sqrt(2.0) * s[i])
            for j in range(i):
                pairs += mean_distance(x[i] - x[j], math.sqrt(s[i] * s[i] + s[j] * s[j]))
        scores[k] = to_truth / n - (2.0 * pairs + own) / (2.0 * n * n)
    return scores


@njit(cache=True)
def _probability(x: Array, s: Array, value: float) -> tuple[float, float]:
    """Return the probability of less than the value (half at a step), and its derivative."""
    below = density = 0.0
    for i in range(x.size):
        if s[i] == 0.0:
            below += 0.5 * (np.sign(value - x[i]) + 1.0)
        else:
            probability, slope = probability_and_density((value - x[i]) / s[i])
            below += probability
            density += slope / s[i]
    return below / x.size, density / x.size


@njit(cache=True)
def _cdf(members: Array, noise: Array, values: Array) -> Array:
    found = np.empty(values.size)
    for k in range(values.size):
        found[k] = _probability(members[k], noise[k], values[k])[0]
    return found


@njit(cache=True)
def _quantiles(members: Array, noise: Array, probability: float, z: float) -> Array:
    found = np.empty(len(members))
    for k in range(found.size):
        found[k] = _quantile(members[k], noise[k], probability, z)
    return found


@njit(cache=True)
def _quantile(x: Array, s: Array, probability: float, z: float) -> Any:
    # The mixture's quantile lies between the lowest and the highest of its parts'.
    ends = x + z * s
    low, high = ends.min(), ends.max()
    value = x.mean() + z * math.sqrt(x.var() + np.square(s).mean())
    value = min(max(value, low), high)
    for _ in range(_MOST_STEPS):
        reached, density = _probability(x, s, value)
        if abs(reached - probability) < _TOLERANCE:
            break
        if reached > probability:
            high = value
        else:
            low = value
        step = low - 1.0 if density == 0.0 else value - (reached - probability) / density
        following = step if low < step < high else 0.5 * (low + high)
        if following == value:
            break
        value = following
    return value
