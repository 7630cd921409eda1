"""How many terms of a pruning path to keep: by evidence, or where the L-curve bends."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

Array = NDArray[Any]


def evidence_of_sizes(residuals: ArrayLike, n_effective: float) -> Array:
    r"""Return the logarithm of the posterior probability of each number of terms.

    .. math::
        -\tfrac{k}{2} \ln(1 + g) - \tfrac{n}{2} \ln \frac{1 + g r_k^2}{1 + g}
        - \ln \binom{p}{k} - \ln(p + 1), \quad g = n

    The first two are the marginal likelihood of k terms, up to a constant, under the unit-
    information prior of Zellner (1986) and Kass and Wasserman (1995); the others a prior that all
    numbers of terms, and all sets of a number, are as probable (Scott and Berger 2010), which
    pays for having looked through p candidates.

    A residual below :math:`1 / \sqrt n` of the target earns nothing more: n rows cannot tell such
    a fit from a perfect one, and what a noise-free residual holds, the error of the time step,
    does not become terms of the equation.

    Parameters
    ----------
    residuals
        Root mean square of what is left of the target with 0, 1, ..., p terms, relative to it.
    n_effective
        Independent rows n.

    Returns
    -------
    ndarray
        Up to a constant, shape ``(p + 1,)``.

    References
    ----------
    Zellner (1986), in Bayesian Inference and Decision Techniques, 233. Kass and Wasserman (1995),
    J. Am. Stat. Assoc. 90, 928. Scott and Berger (2010), Ann. Stat. 38, 2587.
    """
    squares = np.square(np.asarray(residuals, dtype=np.float64))
    p = len(squares) - 1
    k, g = np.arange(p + 1), n_effective
    likelihood = -0.5 * n_effective * np.log((1.0 + g * squares) / (1.0 + g))
    sets = gammaln(p + 1) - gammaln(k + 1) - gammaln(p - k + 1)
    return np.asarray(likelihood - 0.5 * k * np.log(1.0 + g) - sets - np.log(p + 1.0))


def growth_ratios(residuals: ArrayLike, n_effective: float) -> Array:
    r"""Return how sharply the L-curve bends at each number of terms.

    .. math:: \frac{\ln(r_{k-1}^2 / r_k^2)}{\max_{j > k} \ln(r_{j-1}^2 / r_j^2)}

    How much the k-th term adds relative to the most that any later one does: the growth ratio of
    Ahn and Horenstein (2013), which finds the number of factors of a panel, with the largest of
    the later steps in the place of the next, because those of a pruning path do not fall steadily.
    No step counts as smaller than chance makes it, 1 / n.

    Parameters
    ----------
    residuals, n_effective
        As for `evidence_of_sizes`.

    Returns
    -------
    ndarray
        Ratio for 1, 2, ..., p terms, shape ``(p,)``.

    References
    ----------
    Ahn and Horenstein (2013), Econometrica 81, 1203.
    """
    squares = np.square(np.asarray(residuals, dtype=np.float64))
    chance = 1.0 / n_effective
    steps = np.maximum(-np.diff(np.log(squares)), chance)
    later = np.append(np.maximum.accumulate(steps[::-1])[::-1][1:], chance)
    return np.asarray(steps / later)


def size_by_evidence(residuals: Sequence[float], n_effective: float) -> int:
    """Return the number of terms with the largest evidence; it may be 0."""
    return int(np.argmax(evidence_of_sizes(residuals, n_effective)))


def size_by_l_curve(residuals: Sequence[float], n_effective: float) -> int:
    """Return the number of terms at which the L-curve bends most sharply, or 0.

    Of those numbers only that have no more terms than the one with the largest evidence: noise
    bends the curve too.
    """
    most = size_by_evidence(residuals, n_effective)
    return 1 + int(np.argmax(growth_ratios(residuals, n_effective)[:most])) if most else 0
