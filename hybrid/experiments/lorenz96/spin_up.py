"""States on the attractor of the two-scale model."""

import numpy as np
from numpy.typing import NDArray

from solvers.lorenz96_two_scale import TwoScaleLorenz96Integration, TwoScaleLorenz96Wilks

Array = NDArray[np.float64]

SPIN_UP_TIME = 5.0
"""Time from rest to the attractor: from 3 time units on, mean, standard deviation and quantiles of
X and U in an ensemble of 1500 change by no more than sampling noise, for c = 10 and c = 4."""


def spun_up(model: TwoScaleLorenz96Wilks, n_member: int, rng: np.random.Generator) -> Array:
    """Return states on the attractor, unrelated to each other, shape ``(n_member, size)``."""
    return advanced(model, model.random_state(n_member, rng), SPIN_UP_TIME)


def advanced(model: TwoScaleLorenz96Wilks, state: Array, duration: float) -> Array:
    """Return states a time `duration` after `state`, shape ``(n_member, size)``."""
    integration = model.start(state)
    assert isinstance(integration, TwoScaleLorenz96Integration)
    integration.advance(round(duration / model.dt))
    return integration.state
