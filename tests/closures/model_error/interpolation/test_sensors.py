"""Sensors: which are left, which are set aside, which are refused."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from closures.model_error.interpolation import (
    Domain,
    InterpolationError,
    Sensors,
    random_points,
    random_sensors,
)

LINE = Domain((0.0,), (1.0,), (True,))
X = np.linspace(0.0, 0.9, 10)[:, None]


def test_sensors_without_all_fields_are_left_out_and_counted() -> None:
    values = np.arange(20.0).reshape(2, 10)
    values[0, 3] = values[1, 3] = values[1, 7] = np.nan
    sensors = Sensors(X, values, LINE)
    assert (len(sensors), sensors.n_field, sensors.n_missing) == (8, 2, 2)
    np.testing.assert_array_equal(sensors.positions, np.delete(X, [3, 7], axis=0))
    np.testing.assert_array_equal(sensors.values, np.delete(values, [3, 7], axis=1))


def test_split_shares_all_sensors_out_by_seed() -> None:
    sensors = Sensors(X, np.arange(10.0), LINE)
    kept, aside = sensors.split(0.3, seed=1)
    assert (len(kept), len(aside)) == (7, 3)
    together = np.sort(np.concatenate([kept.values[0], aside.values[0]]))
    np.testing.assert_array_equal(together, np.arange(10.0))
    again, other = sensors.split(0.3, seed=1)[1], sensors.split(0.3, seed=2)[1]
    np.testing.assert_array_equal(again.values, aside.values)
    assert set(other.values[0]) != set(aside.values[0])


def test_random_sensors_are_points_of_the_grid_with_their_values() -> None:
    points = np.linspace(0.0, 1.0, 100, endpoint=False)[:, None]
    sensors = random_sensors(np.stack([points[:, 0], points[:, 0] ** 2]), points, LINE, 0.25, 3)
    assert len(sensors) == 25
    assert len(np.unique(sensors.positions)) == 25
    np.testing.assert_array_equal(sensors.positions, points[random_points(100, 0.25, 3)])
    np.testing.assert_array_equal(sensors.values[0], sensors.positions[:, 0])
    np.testing.assert_array_equal(sensors.values[1], sensors.positions[:, 0] ** 2)
    other = random_sensors(points[:, 0], points, LINE, 0.25, 4)
    assert set(other.values[0]) != set(sensors.values[0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(9), r"shape \(n_field, 10\), as there are positions, got \(9,\)"),
        (np.zeros((2, 3, 10)), r"got \(2, 3, 10\)"),
        (np.where(np.arange(10) == 4, np.inf, 0.0), "got 1 infinite ones"),
        (np.where(np.arange(10) < 8, np.nan, 0.0), "at least 3 with values, got 2 of 10"),
    ],
)
def test_bad_sensors_are_named(values: ArrayLike, message: str) -> None:
    with pytest.raises(InterpolationError, match=message):
        Sensors(X, values, LINE)


def test_bad_shares_are_named() -> None:
    with pytest.raises(InterpolationError, match=r"between 0 and 1, got 1\.0"):
        Sensors(X, np.zeros(10), LINE).split(1.0, 0)
    with pytest.raises(InterpolationError, match=r"above 0 and at most 1, got 0\.0"):
        random_sensors(np.zeros(10), X, LINE, 0.0, 0)
    with pytest.raises(InterpolationError, match=r"shape \(n_field, 10\), as there are points"):
        random_sensors(np.zeros(9), X, LINE, 0.5, 0)
