"""What two ensembles of the same model would differ by."""

from collections.abc import Callable, Sequence
from math import nan, sqrt
from typing import TypeVar

import numpy as np

Member = TypeVar("Member")


def noise_floor(
    members: Sequence[Member],
    n_found: int,
    rms: Callable[[Sequence[Member], Sequence[Member]], float],
) -> float:
    """Return the root mean square difference to be expected of another ensemble of the same model.

    Each member is held against the mean of the others. The mean of n members has 1/n of their
    variance, so that is brought from one member and all but one to `n_found` members and all.

    Parameters
    ----------
    members
        Runs that differ by weather alone.
    n_found
        Members of the other ensemble.
    rms
        Root mean square difference of the means of two groups of runs.

    Returns
    -------
    float
        In the units of `rms`; NaN of a single member.
    """
    n = len(members)
    if n == 1:
        return nan
    left_out = [
        rms([members[i]], [other for k, other in enumerate(members) if k != i]) for i in range(n)
    ]
    scale = (1.0 / n_found + 1.0 / n) / (1.0 + 1.0 / (n - 1))
    return sqrt(scale * float(np.mean(np.square(left_out))))
