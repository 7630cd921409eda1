"""What every learner returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Learned:
    """A policy, and how it was learned.

    Parameters
    ----------
    weights
        Weights of c2 and of c4, shape ``(2, 6)`` [1], see `closures.turbulence.LinearPolicy`.
    steps
        Steps of coarse models spent by the end of each update, shape ``(update,)``.
    rewards
        Mean reward of the episodes of each update, as the learner saw it, shape ``(update,)`` [1].
    """

    weights: Array
    steps: NDArray[np.int64]
    rewards: Array
