"""Better sets of terms of the same size: one term is replaced by another while that helps."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error.gram import Moments

Array = NDArray[Any]

# The least that a replacement takes off the sum of squares, relative to it: above rounding.
_GAIN = 1e-9
# What is left by a fit that is exact but for rounding, relative to the target's sum of squares.
_EXACT = (64.0 * np.finfo(np.float64).eps) ** 2


@dataclass(frozen=True)
class _Fit:
    """The least-squares fit of some terms, of columns scaled to a mean square of 1.

    Its coefficients, the inverse of their products, the products of all columns with what is
    left, and the sum of squares of that.
    """

    support: list[int]
    coefficients: Array
    inverse: Array
    left: Array
    square: float


class Replacement:
    r"""Replaces terms of sets, one at a time, by terms outside them, while the fit gets better.

    A path on which terms are only dropped does not get a term back that it once lost to a
    similar one. With the least-squares coefficients :math:`m` of a set, the inverse A of the
    products of its columns, and for a term j outside it its coefficients :math:`g_j` on the set,
    what these leave of it, :math:`v_j`, and its product with the residual, :math:`q_j`, replacing
    i by j changes the sum of squares by

    .. math::
        \frac{m_i^2}{A_{ii}}
        - \frac{(q_j + g_{ij} m_i / A_{ii})^2}{v_j + g_{ij}^2 / A_{ii}} .

    The best of all such pairs is made, again and again.

    Parameters
    ----------
    moments
        Of the rows; no columns are linearly dependent.

    References
    ----------
    Miller (2002), Subset Selection in Regression, 2nd ed., section 3.3 (sequential replacement).
    """

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._scale = np.sqrt(np.diag(moments.products))
        self._products = moments.products / np.outer(self._scale, self._scale)
        self._projections = moments.target_projections() / self._scale

    def improved(self, support: tuple[int, ...]) -> tuple[int, ...]:
        """Return a set of as many terms that no single replacement makes better.

        Parameters
        ----------
        support
            Indices of terms, from small to large; the same are returned if nothing helps.
        """
        fit = self._fit(list(support))
        exact = _EXACT * self._moments.target_square
        while len(fit.support) < self._moments.n_term and fit.square > exact:
            candidate = self._best_neighbour(fit)
            # What rounding alone promises must not be made, and unmade, for ever.
            if candidate is None or not candidate.square < (1.0 - _GAIN) * fit.square:
                break
            fit = candidate
        return tuple(sorted(fit.support))

    def _fit(self, support: list[int]) -> _Fit:
        moments = self._moments
        inverse = np.linalg.inv(self._products[np.ix_(support, support)])
        coefficients = inverse @ self._projections[support]
        dense = np.zeros(moments.n_term)
        dense[support] = coefficients / self._scale[support]
        # About the provisional coefficients, so that small residuals are not lost in rounding.
        left = moments.projections - moments.products @ (dense - moments.provisional)
        square = moments.residual_square(dense)
        return _Fit(support, coefficients, inverse, left / self._scale, square)

    def _best_neighbour(self, fit: _Fit) -> _Fit | None:
        others = np.setdiff1d(np.arange(len(self._scale)), fit.support)
        among = self._products[fit.support][:, others]
        on_set = fit.inverse @ among
        unexplained = 1.0 - np.sum(among * on_set, axis=0)
        alone = np.diag(fit.inverse)[:, None]
        mean = fit.coefficients[:, None]
        gain = np.square(fit.left[others] + on_set * mean / alone)
        gain /= unexplained + np.square(on_set) / alone
        gain -= np.square(mean) / alone
        out, into = np.unravel_index(np.argmax(gain), gain.shape)
        if gain[out, into] <= 0.0:
            return None
        support = fit.support.copy()
        support[out] = int(others[into])
        return self._fit(support)
