"""States on the attractor of the two-scale model."""

import numpy as np
from numpy.typing import NDArray

from hybrid.experiments.lorenz96.settings import TRUTH_STEP
from solvers.lorenz96 import Lorenz96Parameters, random_state, run_two_scale

Array = NDArray[np.float64]

SPIN_UP_TIME = 5.0
"""Time from rest to the attractor: from 3 time units on, mean, standard deviation and quantiles of
X and U in an ensemble of 1500 change by no more than sampling noise, for c = 10 and c = 4."""


def spun_up(parameters: Lorenz96Parameters, n_member: int, rng: np.random.Generator) -> Array:
    """Return states on the attractor, unrelated to each other, shape ``(n_member, size)``."""
    return advanced(parameters, random_state(parameters, n_member, rng), SPIN_UP_TIME)


def advanced(parameters: Lorenz96Parameters, state: Array, duration: float) -> Array:
    """Return states a time `duration` after `state`, shape ``(n_member, size)``."""
    steps = round(duration / TRUTH_STEP)
    return run_two_scale(parameters, state, 1, save_every=steps, dt=TRUTH_STEP).final_state
