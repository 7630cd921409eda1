"""Continuous ranked probability scores of ensembles of points."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def fair_crps(members: Array, truth: Array) -> Array:
    """Return the fair continuous ranked probability score, shape of `truth`.

    ``mean_i |x_i - y| - sum_(i<j) |x_i - x_j| / (n (n - 1))``: its expectation does not depend on
    the number of members.

    Parameters
    ----------
    members
        ``(n_member, *truth.shape)``, at least 2 members.
    truth
        What happened, in the same units.

    References
    ----------
    .. [1] Ferro 2014, Fair scores for ensemble forecasts, QJRMS 140, doi:10.1002/qj.2270.
    """
    # Takes seconds to import, as it compiles; most scores are of single predictions.
    import scoringrules  # noqa: PLC0415

    scores = scoringrules.crps_ensemble(truth, np.moveaxis(members, 0, -1), estimator="fair")
    return np.asarray(scores, dtype=np.float64)


def half_weighted_crps(absolute: Array, fair: Array) -> Array:
    """Return the score with half the weight on the spread, as public scripts have it.

    ``mean_i |x_i - y| - sum_(i<j) |x_i - x_j| / (2 n (n - 1))``, found in a tuning script of
    ClimSim and in the scores published with multi-fidelity randomized prior networks [1]. It is
    not proper: it rewards ensembles with too little spread. Use it to compare with those tables
    and for nothing else.

    Parameters
    ----------
    absolute
        Mean of ``|x_i - y|`` over the members, or sums of it.
    fair
        `fair_crps` of the same, or sums of it.

    References
    ----------
    .. [1] Bhouri et al. 2023, Multi-fidelity climate model parameterization for better
       generalization and extrapolation, arXiv:2309.10231.

    Examples
    --------
    >>> members, truth = np.array([[0.0], [4.0]]), np.array([1.0])
    >>> absolute = abs(members - truth).mean(axis=0)
    >>> half_weighted_crps(absolute, absolute - 4.0 / 2.0).tolist()
    [1.0]
    """
    half: Array = (absolute + fair) / 2.0
    return half
