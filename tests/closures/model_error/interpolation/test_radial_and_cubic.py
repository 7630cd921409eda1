"""Radial functions against their linear system, cubic ones where they are exact."""

import numpy as np
import pytest

from closures.model_error.interpolation import (
    CubicInterpolator,
    Domain,
    InterpolationError,
    RadialInterpolator,
    Sensors,
)

BOX = Domain((0.0, 0.0), (1.0, 1.0), (False, False))


def test_multiquadrics_solve_their_linear_system() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0.0, 1.0, (25, 2)), rng.standard_normal(25)
    points = rng.uniform(0.0, 1.0, (10, 2))
    sharpness = 0.7 / BOX.spacing(25)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        apart = np.linalg.norm(a[:, None] - b, axis=2)
        return np.asarray(-np.sqrt(1.0 + (sharpness * apart) ** 2))

    # Weights of sum 0, and a constant.
    system = np.block([[kernel(x, x), np.ones((25, 1))], [np.ones((1, 25)), np.zeros((1, 1))]])
    solved = np.linalg.solve(system, np.append(y, 0.0))
    expected = kernel(points, x) @ solved[:-1] + solved[-1]
    found = RadialInterpolator(sharpness=0.7).fit(Sensors(x, y, BOX))(points)
    np.testing.assert_allclose(found[0], expected, atol=1e-8)


def test_smoothing_does_not_go_through_noise() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 1.0, (200, 2))
    truth = np.sin(3.0 * x[:, 0]) + x[:, 1]
    sensors = Sensors(x, truth + 0.3 * rng.standard_normal(200), BOX)
    exact = RadialInterpolator().fit(sensors)(x)[0]
    smooth = RadialInterpolator(smoothing=1.0).fit(sensors)(x)[0]
    np.testing.assert_allclose(exact, sensors.values[0], atol=1e-6)
    assert np.std(smooth - truth) < 0.6 * np.std(exact - truth)


def test_neighbours_alone_come_close_to_all() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 1.0, (200, 2))
    sensors = Sensors(x, np.sin(6.0 * x[:, 0]) + x[:, 1], BOX)
    points = rng.uniform(0.1, 0.9, (50, 2))
    near = RadialInterpolator(n_neighbour=40).fit(sensors)(points)
    np.testing.assert_allclose(near, RadialInterpolator().fit(sensors)(points), atol=0.02)


def test_two_sensors_at_one_place_are_named() -> None:
    x = np.array([[0.1, 0.1], [0.1, 0.1], [0.6, 0.3], [0.5, 0.9]])
    with pytest.raises(InterpolationError, match="twice at one place, or set a positive smoothing"):
        RadialInterpolator().fit(Sensors(x, [0.0, 1.0, 2.0, 3.0], BOX))
    with pytest.raises(
        InterpolationError, match=r"sharpness > 0 and smoothing >= 0, got 0\.5 and -1"
    ):
        RadialInterpolator(smoothing=-1.0)


def test_cubic_is_exact_for_planes_and_takes_the_nearest_beyond_the_sensors() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.2, 0.8, (100, 2))
    plane = CubicInterpolator().fit(Sensors(x, 1.0 + 2.0 * x[:, 0] - x[:, 1], BOX))
    inside = rng.uniform(0.4, 0.6, (20, 2))
    np.testing.assert_allclose(plane(inside)[0], 1.0 + 2.0 * inside[:, 0] - inside[:, 1], atol=1e-8)
    corner = np.array([[0.0, 0.0]])
    nearest = x[np.argmin(np.linalg.norm(x, axis=1))]
    assert plane(corner)[0, 0] == pytest.approx(1.0 + 2.0 * nearest[0] - nearest[1])


def test_cubic_is_for_lines_and_planes() -> None:
    space = Domain((0.0,) * 3, (1.0,) * 3, (False,) * 3)
    sensors = Sensors(np.random.default_rng(0).uniform(size=(9, 3)), np.zeros(9), space)
    with pytest.raises(InterpolationError, match="one or two dimensions, got 3; choose the radial"):
        CubicInterpolator().fit(sensors)
