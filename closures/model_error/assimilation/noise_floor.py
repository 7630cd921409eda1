"""Where the spectrum of noisy fields ends in noise, and how much noise that is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from closures.model_error.assimilation.errors import AssimilationError

# Share of all amplitudes that has to be noise for its level to be told from them.
_LEAST_TAIL = 0.1


@dataclass(frozen=True)
class NoiseFloor:
    """White noise in a spectrum.

    Parameters
    ----------
    variance
        Of the noise at a point, and so of each amplitude of an orthonormal mode [units^2].
    n_signal
        Groups of modes, from the longest waves on, that hold more than noise.
    """

    variance: float
    n_signal: int


def noise_floor(
    power: NDArray[np.float64], count: NDArray[np.float64], variance: float | None = None
) -> NoiseFloor:
    r"""Find the wavenumber above which there is nothing but white noise.

    Amplitudes are Gaussian; those of group g have a variance of their own below the cut and the
    variance :math:`\sigma^2` of the noise above it. The cut m is where

    .. math::
        -\log L(m) = \tfrac12 \sum_{g < m} n_g (\log P_g + 1)
        + \tfrac12 \sum_{g \ge m} n_g (\log \sigma^2 + P_g / \sigma^2) + \tfrac{m}{2} \log n

    is least: maximum likelihood, with the price that the Bayesian information criterion sets on
    each variance. An unknown :math:`\sigma^2` is the mean power above the cut.

    Parameters
    ----------
    power
        Mean square amplitude P of each group, in the order of wavenumbers [units^2].
    count
        Amplitudes n in each group, those of all fields together.
    variance
        Of the noise, where it is known [units^2].

    Raises
    ------
    AssimilationError
        If the variance is unknown and the signal leaves no tail of noise.

    References
    ----------
    Schwarz 1978, Ann. Stat. 6, 461.

    Examples
    --------
    >>> floor = noise_floor(np.array([9.0, 4.0, 1.1, 0.9]), np.full(4, 100.0))
    >>> floor.n_signal, round(floor.variance, 3)
    (2, 1.0)
    """
    # A group without power, as of a mean that is 0 exactly, holds no noise: no logarithm of 0.
    positive = np.maximum(power, np.finfo(np.float64).tiny)
    total = float(count.sum())
    head = np.concatenate([[0.0], np.cumsum(0.5 * count * (np.log(positive) + 1.0))])[:-1]
    tail = _tails(count)
    tail_power = _tails(count * positive)
    sigma2 = tail_power / tail if variance is None else np.full_like(tail, variance)
    cost = head + 0.5 * (tail * np.log(sigma2) + tail_power / sigma2)
    cost += 0.5 * np.log(total) * np.arange(len(power))
    allowed = tail >= _LEAST_TAIL * total if variance is None else np.full(len(tail), True)
    n_signal = int(np.argmin(np.where(allowed, cost, np.inf)))
    if variance is None and n_signal + 1 == int(allowed.sum()):
        raise AssimilationError(
            "noise: expected a spectrum that ends in a flat tail of noise, got signal up to the "
            f"shortest {_LEAST_TAIL:.0%} of the waves; give the standard deviation of the noise"
        )
    return NoiseFloor(float(sigma2[n_signal]), n_signal)


def _tails(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums from each element to the last."""
    return np.asarray(np.cumsum(values[::-1])[::-1])
