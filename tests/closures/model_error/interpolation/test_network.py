"""Networks of the position: what random Fourier features add, and when training ends."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from closures.model_error.interpolation import (
    Domain,
    InterpolationError,
    NetworkInterpolator,
    Sensors,
)
from closures.training import Training, TrainingError

LINE = Domain((0.0,), (1.0,), (True,))
TRAINING = Training(n_epoch=200, batch_size=64, learning_rate=3e-3, weight_decay=0.0)
X = np.random.default_rng(0).uniform(0.0, 1.0, (300, 1))
POINTS = np.linspace(0.0, 1.0, 400)[:, None]


def short_waves(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sin(30.0 * np.pi * x[:, 0]) + np.cos(24.0 * np.pi * x[:, 0]))


def error(network: NetworkInterpolator) -> float:
    found = network.fit(Sensors(X, short_waves(X), LINE))(POINTS)[0]
    return float(np.sqrt(np.mean((found - short_waves(POINTS)) ** 2)))


def test_features_find_short_waves_that_a_plain_network_does_not() -> None:
    plain = NetworkInterpolator(width=48, depth=2, training=TRAINING)
    features = dataclasses.replace(plain, n_frequency=64)
    assert error(plain) > 0.7
    assert error(features) < 0.15


def test_training_ends_when_held_out_sensors_are_met_no_better() -> None:
    noise = np.random.default_rng(1).standard_normal(len(X))
    training = dataclasses.replace(TRAINING, n_epoch=4000, schedule="constant", patience=5)
    fractions: list[float] = []
    network = NetworkInterpolator(n_frequency=64, width=32, depth=1, training=training)
    network.fit(Sensors(X, noise, LINE), fractions.append)
    # Noise of 300 sensors can be learned by heart, but not foretold.
    assert fractions[-1] < 0.05
    assert fractions == sorted(fractions)


def test_seeds_differ() -> None:
    training = dataclasses.replace(TRAINING, n_epoch=2)
    network = NetworkInterpolator(n_frequency=8, width=8, depth=1, training=training)
    other = dataclasses.replace(network, training=dataclasses.replace(training, seed=1))
    sensors = Sensors(X, short_waves(X), LINE)
    assert np.abs(network.fit(sensors)(POINTS) - other.fit(sensors)(POINTS)).max() > 1e-3


def test_bad_settings_are_named() -> None:
    with pytest.raises(InterpolationError, match=r"got -1, 10\.0, 128, 4 and 0\.1"):
        NetworkInterpolator(n_frequency=-1)
    with pytest.raises(
        InterpolationError, match=r"0 < held_out < 1, got 0, 10\.0, 128, 4 and 1\.0"
    ):
        NetworkInterpolator(held_out=1.0)
    diverging = dataclasses.replace(TRAINING, learning_rate=1e30, schedule="constant", n_epoch=20)
    with pytest.raises(TrainingError, match="finite loss"):
        NetworkInterpolator(training=diverging).fit(Sensors(X, short_waves(X), LINE))
