"""Boxes with periodic dimensions, points in them, and images around them."""

import numpy as np
import pytest

from closures.model_error.interpolation import Domain, InterpolationError, grid_points

CHANNEL = Domain((0.0, -1.0), (2.0, 1.0), (False, True))


def test_points_wrap_along_periodic_dimensions_alone() -> None:
    found = CHANNEL.wrapped([[3.0, 1.5], [0.5, -1.0], [0.5, 1.0]])
    np.testing.assert_allclose(found, [[3.0, -0.5], [0.5, -1.0], [0.5, -1.0]])


def test_images_are_the_points_moved_by_a_period() -> None:
    points = np.array([[0.2, -0.9], [0.4, 0.0], [0.6, 0.8]])
    positions, sources = CHANNEL.with_images(points, width=0.3)
    np.testing.assert_array_equal(positions[:3], points)
    images = {
        (number, *np.round(at, 6)) for number, at in zip(sources[3:], positions[3:], strict=True)
    }
    assert images == {(0, 0.2, 1.1), (2, 0.6, -1.2)}


def test_images_surround_a_doubly_periodic_box_with_its_corners() -> None:
    box = Domain((0.0, 0.0), (1.0, 1.0), (True, True))
    positions, sources = box.with_images(np.array([[0.1, 0.1]]), width=0.2)
    assert {tuple(at) for at in positions.round(6)} == {
        (0.1, 0.1),
        (1.1, 0.1),
        (0.1, 1.1),
        (1.1, 1.1),
    }
    assert (sources == 0).all()


def test_grid_points_are_in_the_order_of_a_field() -> None:
    x, y = np.arange(3.0), 10.0 * np.arange(4.0)
    field = x[:, None] + y
    points = grid_points(x, y)
    np.testing.assert_array_equal(points.sum(axis=1), field.ravel())
    assert CHANNEL.spacing(4) == pytest.approx(1.0)


def test_bad_domains_are_named() -> None:
    with pytest.raises(InterpolationError, match="got 1, 2 and 1"):
        Domain((0.0,), (1.0, 2.0), (True,))
    with pytest.raises(InterpolationError, match="upper ends above lower ones"):
        Domain((0.0,), (0.0,), (True,))
    with pytest.raises(InterpolationError, match=r"shape \(n_point, 2\), got \(3,\)"):
        CHANNEL.wrapped([1.0, 2.0, 3.0])
    with pytest.raises(InterpolationError, match="finite positions"):
        CHANNEL.wrapped([[np.nan, 0.0]])
