"""Kalman filter and smoothers as textbooks print them: means, covariances, no ensemble."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Gaussian = tuple[Array, Array]
# What was observed, H, and the covariance R of its noise.
Seen = tuple[Array, Array, Array]


def kalman_update(mean: Array, covariance: Array, seen: Seen) -> Gaussian:
    """Return mean and covariance after an observation, in Joseph's form."""
    y, H, R = seen
    K = covariance @ H.T @ np.linalg.inv(H @ covariance @ H.T + R)
    left = np.eye(len(mean)) - K @ H
    return mean + K @ (y - H @ mean), left @ covariance @ left.T + K @ R @ K.T


def rauch_tung_striebel(
    prior: Gaussian, transition: Array, observations: Sequence[Seen | None]
) -> list[Gaussian]:
    """Return the smoothed states of a linear model without noise of its own."""
    forecasts, analyses = [], []
    state = prior
    for time, seen in enumerate(observations):
        if time > 0:
            state = transition @ state[0], transition @ state[1] @ transition.T
        forecasts.append(state)
        state = state if seen is None else kalman_update(*state, seen)
        analyses.append(state)
    smoothed = [analyses[-1]]
    for (mean, P), (ahead, P_ahead) in zip(
        reversed(analyses[:-1]), reversed(forecasts[1:]), strict=True
    ):
        G = P @ transition.T @ np.linalg.inv(P_ahead)
        later, P_later = smoothed[0]
        smoothed.insert(0, (mean + G @ (later - ahead), P + G @ (P_later - P_ahead) @ G.T))
    return smoothed


def batch_initial_state(
    prior: Gaussian, transition: Array, observations: Sequence[Seen | None]
) -> Gaussian:
    """Return the first state from the normal equations of all observations at once."""
    information = np.linalg.inv(prior[1])
    vector = information @ prior[0]
    power = np.eye(len(prior[0]))
    for seen in observations:
        if seen is not None:
            y, H, R = seen
            weighted = (H @ power).T @ np.linalg.inv(R)
            information = information + weighted @ H @ power
            vector = vector + weighted @ y
        power = transition @ power
    covariance = np.linalg.inv(information)
    return covariance @ vector, covariance
