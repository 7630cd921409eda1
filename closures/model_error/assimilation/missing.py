"""Filters of whole grids, on grids where some observations are missing."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, cg

from closures.model_error.assimilation.errors import AssimilationError

_TOLERANCE = 1e-10
_MOST_PASSES = 5_000


def filled(
    observed: NDArray[np.float64],
    estimate: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Replace what is missing by what the estimate from all the rest is there.

    With E for the estimate, the values x in the gaps solve ``x = E(y with x in the gaps)``. The
    estimate from such fields is the posterior mean from the observations alone, since values that
    equal the estimate do not pull on it: where expectation maximisation would end, found here by
    conjugate gradients.

    Parameters
    ----------
    observed
        Noisy fields with NaN where nothing was observed.
    estimate
        Posterior mean from complete noisy fields, same shape: linear, symmetric, and with
        eigenvalues from 0 to 1.

    Raises
    ------
    AssimilationError
        If everything is missing, a value is infinite, or the gradients do not converge.

    References
    ----------
    Dempster, Laird & Rubin 1977, J. R. Stat. Soc. B 39, 1 (expectation maximisation).
    """
    missing = np.isnan(observed)
    if np.isinf(observed).any():
        raise AssimilationError(
            "fields: expected finite values, or NaN where nothing was observed, got "
            f"{int(np.isinf(observed).sum())} infinite ones"
        )
    if missing.all():
        raise AssimilationError("fields: expected observations, got NaN everywhere")
    if not missing.any():
        return observed
    n = int(missing.sum())

    def left(gaps: NDArray[np.float64]) -> NDArray[np.float64]:
        fields = np.zeros(observed.shape)
        fields[missing] = gaps
        return gaps - estimate(fields)[missing]

    complete = np.where(missing, 0.0, observed)
    right = estimate(complete)[missing]
    gaps, failed = cg(
        LinearOperator((n, n), matvec=left, dtype=np.float64),
        right,
        rtol=_TOLERANCE,
        maxiter=_MOST_PASSES,
    )
    if failed:
        raise AssimilationError(
            f"fields: expected estimates of {n} missing values to settle within {_MOST_PASSES} "
            "passes, and they do not; interpolate fields as sparse as these with "
            "closures.model_error.interpolation"
        )
    complete[missing] = gaps
    return complete
