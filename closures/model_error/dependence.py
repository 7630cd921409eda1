"""How many independent rows dependent rows are worth."""

import numpy as np

from closures.model_error.gram import Gram

# The fewest groups that a covariance of a few coefficients can be estimated from.
_FEWEST = 10


def effective_share(gram: Gram) -> float:
    r"""Return how many independent rows one row is worth, at most 1.

    The variance that the coefficients of all terms would have if the rows were independent,
    :math:`\sigma^2 (X'X)^{-1}`, relative to the one that their scores in groups of neighbouring
    rows show, :math:`(X'X)^{-1} \operatorname{cov}(X'r) (X'X)^{-1}`, the sandwich of clusters
    (Liang and Zeger 1986); the median over the terms. 1 with fewer groups than it takes.

    References
    ----------
    Liang and Zeger (1986), Biometrika 73, 13.
    """
    moments = gram.moments()
    n_term = moments.n_term
    if gram.n_group < max(_FEWEST, n_term + 2):
        return 1.0
    scale = np.sqrt(np.diag(moments.products))
    inverse = np.linalg.inv(moments.products / np.outer(scale, scale))
    shift = inverse @ (moments.projections / scale) / scale
    coefficients = moments.provisional + shift
    scores = gram.score_covariance(coefficients) / np.outer(scale, scale)
    variance = moments.residual_square(coefficients) / (moments.n_row - n_term)
    independent = variance * np.diag(inverse)
    clustered = np.diag(inverse @ scores @ inverse)
    if not (independent > 0.0).all() or not (clustered > 0.0).all():
        return 1.0
    return float(min(1.0, np.median(independent / clustered)))
