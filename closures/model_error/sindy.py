"""The relevance vector machine as an optimizer of pysindy, which has none."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysindy.optimizers import BaseOptimizer

from closures.model_error.errors import NothingFoundError
from closures.model_error.gram import Gram
from closures.model_error.relevance import Criterion, Path, pruning_path


class RelevanceVectorMachine(BaseOptimizer):  # type: ignore[misc]
    """Sparse Bayesian regression with a pruning path, for `pysindy.SINDy`.

    Columns are scaled inside, and the coefficients are posterior means: neither
    ``normalize_columns`` nor ``unbias`` of other optimizers is needed. There is no threshold.

    Parameters
    ----------
    criterion
        How the number of terms is chosen, see `closures.model_error.Path.choose`.
    n_effective
        How many independent rows the rows are worth; by default as they show themselves.

    Attributes
    ----------
    coef_ : ndarray
        Coefficients, shape ``(n_targets, n_features)``; all 0 for a target that nothing explains.
    covariance_ : ndarray
        Their posterior covariance, shape ``(n_targets, n_features, n_features)``, 0 where a term
        was left out.
    paths_ : list of Path
        The fits of all numbers of terms, one path a target.

    Raises
    ------
    LibraryError
        When it is fitted, if there are too few rows or columns cannot be told apart.
    NothingFoundError
        If no term explains any of the targets.

    Examples
    --------
    >>> columns = np.random.default_rng(0).standard_normal((500, 5))
    >>> optimizer = RelevanceVectorMachine().fit(columns, columns @ [0.0, 2.0, 0.0, 0.0, -1.0])
    >>> optimizer.coef_.round(6)
    array([[ 0.,  2.,  0.,  0., -1.]])
    """

    def __init__(self, criterion: Criterion = "l_curve", n_effective: float | None = None) -> None:
        super().__init__(unbias=False)
        self.criterion = criterion
        self.n_effective = n_effective

    def _reduce(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        names = [f"column {i}" for i in range(x.shape[1])]
        n_target, n_term = y.shape[1], x.shape[1]
        self.coef_ = np.zeros((n_target, n_term))
        self.covariance_ = np.zeros((n_target, n_term, n_term))
        self.paths_: list[Path] = []
        failures: list[NothingFoundError] = []
        for i, target in enumerate(np.asarray(y, dtype=np.float64).T):
            gram = Gram(names)
            gram.add(np.asarray(x, dtype=np.float64).T, target)
            self.paths_.append(pruning_path(gram, self.n_effective))
            try:
                fit = self.paths_[-1].choose(self.criterion)
            except NothingFoundError as failure:
                failures.append(failure)
                continue
            self.coef_[i] = fit.dense(n_term)
            self.covariance_[i][np.ix_(fit.support, fit.support)] = fit.covariance
        if len(failures) == n_target:
            raise failures[0]
        self.history_.append(self.coef_)

    @property
    def complexity(self) -> int:
        """Number of terms that were kept."""
        return int(np.count_nonzero(self.coef_))
