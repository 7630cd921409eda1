"""Sums of products of the columns and the target of a regression, gathered row block by row block.

All that a linear Gaussian regression needs to know of its rows are X'X, X'y and y'y: memory does
not grow with their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from closures.model_error.errors import LibraryError

Array = NDArray[np.float64]

# Rows multiplied at a time: a block of some tens of columns stays in the cache.
_BLOCK = 4096
_N_GROUP = 50


@dataclass(frozen=True)
class Moments:
    r"""What is known of the rows, about provisional coefficients c.

    With :math:`r = y - X c`. Residuals that are 1e-8 of the target, as noise-free samples give,
    would be lost in the rounding of :math:`y'y - 2 m'X'y + m'X'Xm`; about a c that nearly fits,
    as the variance about a provisional mean, they are not.

    Parameters
    ----------
    products
        :math:`X'X`, shape ``(n_term, n_term)``.
    projections
        :math:`X'r`, shape ``(n_term,)``.
    square
        :math:`r'r`.
    provisional
        c, shape ``(n_term,)``.
    target_square
        :math:`y'y`.
    n_row
        Rows.
    """

    products: Array
    projections: Array
    square: float
    provisional: Array
    target_square: float
    n_row: int

    @property
    def n_term(self) -> int:
        """Columns."""
        return len(self.provisional)

    def residual_square(self, coefficients: Array) -> float:
        """Return the sum of squares of ``y - X coefficients``."""
        shift = coefficients - self.provisional
        linear = 2.0 * float(shift @ self.projections)
        return max(self.square - linear + float(shift @ self.products @ shift), 0.0)

    def target_projections(self) -> Array:
        """Return ``X'y``."""
        return np.asarray(self.projections + self.products @ self.provisional)


class Gram:
    """Gathers the moments of rows, in groups of neighbouring rows.

    Rows that are neighbours in space and time are not independent. The groups nearly are, and
    tell how much that matters, see `effective_share`. Each call of `add` deals its rows out to all
    groups, a block of neighbours each.

    Parameters
    ----------
    names
        Names of the columns.
    n_group
        Number of groups; by default 50, and at least twice that of the columns.

    Attributes
    ----------
    n_masked : int
        Rows that were left out because their target was NaN.

    Raises
    ------
    LibraryError
        If there are fewer than 2 groups.
    """

    def __init__(self, names: Sequence[str], n_group: int | None = None) -> None:
        n = len(names)
        n_group = max(_N_GROUP, 2 * n) if n_group is None else n_group
        if n_group < 2:
            raise LibraryError(f"n_group: expected at least 2 groups, got {n_group}")
        self.names = tuple(names)
        self.n_masked = 0
        self._provisional: Array | None = None
        self._products = np.zeros((n_group, n, n))
        self._projections = np.zeros((n_group, n))
        self._square, self._target_square = np.zeros(n_group), np.zeros(n_group)
        self._n_row = np.zeros(n_group, dtype=np.int64)
        self._sums = np.zeros(n)
        self._next = 0

    @property
    def n_row(self) -> int:
        """Rows so far."""
        return int(self._n_row.sum())

    def add(self, columns: ArrayLike, target: ArrayLike) -> None:
        """Add rows; those whose target is NaN are masked and counted.

        Parameters
        ----------
        columns
            Shape ``(n_term, ...)``: one field a term.
        target
            Shape ``(...)``.

        Raises
        ------
        LibraryError
            If the shapes do not fit, or a column is not finite or the target infinite.
        """
        x, y = np.asarray(columns, dtype=np.float64), np.asarray(target, dtype=np.float64)
        if x.shape != (len(self.names), *y.shape):
            raise LibraryError(
                f"columns: expected shape {(len(self.names), *y.shape)}, a column of the shape "
                f"of the target for each term, got {x.shape}"
            )
        x, y = x.reshape(len(x), -1), y.ravel()
        seen = ~np.isnan(y)
        if not seen.all():
            self.n_masked += int((~seen).sum())
            x, y = x[:, seen], y[seen]
        if not y.size:
            return
        sums = x.sum(axis=1)
        if not np.isfinite(sums).all() or not np.isfinite(y.sum()):
            bad = [
                name for name, total in zip(self.names, sums, strict=True) if not np.isfinite(total)
            ]
            raise LibraryError(
                f"columns: expected finite values, got others in {', '.join(bad) or 'the target'}"
            )
        self._sums += sums
        if self._provisional is None:
            fitted = np.linalg.lstsq(x[:, :_BLOCK].T, y[:_BLOCK], rcond=None)[0]
            self._provisional = np.asarray(fitted, dtype=np.float64)
        size = min(_BLOCK, max(1, -(-y.size // len(self._n_row))))
        for i in range(0, y.size, size):
            self._add_block(x[:, i : i + size], y[i : i + size], self._provisional)

    def _add_block(self, x: Array, y: Array, provisional: Array) -> None:
        group, residual = self._next, y - provisional @ x
        self._next = (group + 1) % len(self._n_row)
        self._products[group] += x @ x.T
        self._projections[group] += x @ residual
        self._square[group] += residual @ residual
        self._target_square[group] += y @ y
        self._n_row[group] += y.size

    def moments(self) -> Moments:
        """Return the moments of all rows.

        Raises
        ------
        LibraryError
            If there are fewer rows than terms, or the target is 0 in all of them.
        """
        n_term = len(self.names)
        if self._provisional is None or self.n_row < n_term + 1:
            raise LibraryError(
                f"samples: expected more rows than the {n_term} terms, got {self.n_row}"
                f"{f' and {self.n_masked} without a target' if self.n_masked else ''}; "
                "use more samples or fewer terms"
            )
        moments = Moments(
            self._products.sum(axis=0),
            self._projections.sum(axis=0),
            float(self._square.sum()),
            self._provisional,
            float(self._target_square.sum()),
            self.n_row,
        )
        if moments.target_square == 0.0:
            raise LibraryError(
                "target: expected increments that are not 0 everywhere; the model has no error "
                "in these samples, or the observations are its own forecast"
            )
        return moments

    def means(self) -> Array:
        """Return the mean of each column."""
        return np.asarray(self._sums / self.n_row)

    def score_covariance(self, coefficients: Array) -> Array:
        """Return the covariance of ``X'(y - X coefficients)``, estimated from the groups.

        Shape ``(n_term, n_term)``. It does not suppose that rows of a group are independent.
        """
        moments = self.moments()
        shift = coefficients - moments.provisional
        scores = (self._projections - self._products @ shift)[self._n_row > 0]
        scores = scores - scores.mean(axis=0)
        return np.asarray(scores.T @ scores * (len(scores) / max(len(scores) - 1, 1)))

    @property
    def n_group(self) -> int:
        """Groups that have rows."""
        return int((self._n_row > 0).sum())
