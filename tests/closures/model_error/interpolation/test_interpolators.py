"""What every interpolator has to do: come near smooth fields, periodic where the domain is."""

import numpy as np
import pytest
from numpy.typing import NDArray

from closures.model_error.interpolation import (
    CubicInterpolator,
    Domain,
    FourierInterpolator,
    InterpolationError,
    Interpolator,
    NetworkInterpolator,
    RadialInterpolator,
    Sensors,
)
from closures.training import Training

CHANNEL = Domain((0.0, 0.0), (1.0, 2.0), (False, True))
SHORT = Training(n_epoch=150, batch_size=64, learning_rate=5e-3, weight_decay=0.0)
INTERPOLATORS: dict[str, Interpolator] = {
    "plain": NetworkInterpolator(width=32, depth=2, training=SHORT),
    "features": NetworkInterpolator(
        n_frequency=32, bandwidth=1.5, width=32, depth=1, training=SHORT
    ),
    "radial": RadialInterpolator(),
    "cubic": CubicInterpolator(),
    "fourier": FourierInterpolator(n_likelihood=150),
}
# Largest root-mean-square error over the standard deviation of the field.
TOLERANCE = {"plain": 0.35, "features": 0.15, "radial": 0.02, "cubic": 0.1, "fourier": 0.005}
LINEAR = ("radial", "cubic")


def fields(points: NDArray[np.float64]) -> NDArray[np.float64]:
    y, x = points[:, 0], np.pi * points[:, 1]
    return np.stack([np.sin(x) * np.cos(2.0 * y) + y**2, 5.0 + np.cos(2.0 * x + 3.0 * y)])


def scattered(n: int, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform((0.0, 0.0), (1.0, 2.0), (n, 2))


def sensors(n: int = 300) -> Sensors:
    positions = scattered(n, 0)
    return Sensors(positions, fields(positions), CHANNEL)


@pytest.mark.parametrize("name", INTERPOLATORS)
def test_smooth_fields_are_met_everywhere_and_have_no_seam(name: str) -> None:
    fractions: list[float] = []
    interpolant = INTERPOLATORS[name].fit(sensors(), fractions.append)
    points = scattered(500, 1)
    truth = fields(points)
    error = np.sqrt(np.mean((interpolant(points) - truth) ** 2, axis=1)) / truth.std(axis=1)
    assert error.max() < TOLERANCE[name]
    beyond = points + np.array([0.0, 2.0])
    np.testing.assert_allclose(interpolant(beyond), interpolant(points), atol=1e-5)
    if name != "plain":
        seam = np.stack([np.linspace(0.1, 0.9, 9), np.zeros(9)], axis=1)
        before = interpolant(seam - np.array([0.0, 1e-7]))
        np.testing.assert_allclose(before, interpolant(seam), atol=1e-4)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


@pytest.mark.parametrize("name", INTERPOLATORS)
def test_units_do_not_matter(name: str) -> None:
    some = sensors(60)
    points = scattered(20, 1)
    scaled = Sensors(some.positions, 1e4 + 1e3 * some.values, CHANNEL)
    expected = 1e4 + 1e3 * INTERPOLATORS[name].fit(some)(points)
    np.testing.assert_allclose(INTERPOLATORS[name].fit(scaled)(points), expected, rtol=1e-3)


@pytest.mark.parametrize("name", LINEAR)
def test_fields_do_not_mix(name: str) -> None:
    some = sensors(60)
    points = scattered(20, 1)
    both = INTERPOLATORS[name].fit(some)(points)
    second = Sensors(some.positions, some.values[1], CHANNEL)
    alone = INTERPOLATORS[name].fit(second)(points)
    assert alone.shape == (1, 20)
    np.testing.assert_allclose(both[1:], alone, atol=1e-8)


@pytest.mark.parametrize("name", INTERPOLATORS)
def test_the_same_seed_gives_the_same_fields(name: str) -> None:
    some, points = sensors(60), scattered(20, 1)
    first, second = (INTERPOLATORS[name].fit(some)(points) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", INTERPOLATORS)
@pytest.mark.parametrize("periodic", [True, False])
def test_lines_as_well(name: str, periodic: bool) -> None:
    rng = np.random.default_rng(2)
    x = np.sort(rng.uniform(0.0, 1.0, 80))
    line = Domain((0.0,), (1.0,), (periodic,))

    def wave(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.sin(2.0 * np.pi * x + 0.5))

    interpolant = INTERPOLATORS[name].fit(Sensors(x[:, None], wave(x), line))
    wanted = rng.uniform(x[0], x[-1], 200)
    error = interpolant(wanted[:, None])[0] - wave(wanted)
    assert np.sqrt(np.mean(error**2)) < 0.15


@pytest.mark.parametrize("name", INTERPOLATORS)
def test_bad_points_are_named(name: str) -> None:
    interpolant = INTERPOLATORS[name].fit(sensors(60))
    with pytest.raises(InterpolationError, match=r"shape \(n_point, 2\), got \(5, 3\)"):
        interpolant(np.zeros((5, 3)))
    with pytest.raises(InterpolationError, match="finite positions"):
        interpolant([[0.0, np.inf]])
