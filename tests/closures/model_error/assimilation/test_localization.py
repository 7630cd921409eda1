"""The taper against the convolution that defines it, and distances around a circle."""

import numpy as np
import pytest

from closures.model_error.assimilation import (
    ETKF,
    AssimilationError,
    Identity,
    Localization,
    Matrix,
    Observation,
    gaspari_cohn,
    periodic_distance,
)


def hat_with_itself(z: float) -> float:
    """Return the convolution of a radial hat of radius 1 with itself in space, at distance z."""
    r = (np.arange(4000) + 0.5) / 4000
    # Over spheres of radius r around one centre; the integral over each is known in closed form.
    lower, upper = np.minimum(np.abs(z - r), 1.0), np.minimum(z + r, 1.0)
    inner = (upper**2 / 2 - upper**3 / 3) - (lower**2 / 2 - lower**3 / 3)
    return float(np.mean(r * (1.0 - r) * inner) * 2.0 * np.pi / z)


@pytest.mark.parametrize("ratio", [0.2, 0.7, 1.0, 1.4, 1.9])
def test_gaspari_cohn_is_a_hat_convolved_with_itself(ratio: float) -> None:
    at_zero = 4.0 * np.pi / 30.0
    assert gaspari_cohn(ratio) == pytest.approx(hat_with_itself(ratio) / at_zero, abs=1e-5)


def test_gaspari_cohn_has_compact_support_and_is_a_correlation() -> None:
    assert gaspari_cohn(0.0) == 1.0
    np.testing.assert_array_equal(gaspari_cohn([2.0, 2.1, 50.0]), 0.0)
    points = np.arange(40.0)[:, None]
    matrix = gaspari_cohn(periodic_distance(points, points, [40.0]) / 6.0)
    assert np.linalg.eigvalsh(matrix).min() > -1e-12


def test_distances_go_the_short_way_round_where_there_is_one() -> None:
    a, b = [[0.5, 0.0]], [[9.5, 3.0], [5.5, 0.0]]
    np.testing.assert_allclose(periodic_distance(a, b, [10.0, None]), [[10.0**0.5, 5.0]])
    np.testing.assert_allclose(periodic_distance(a, b, [None, 3.0]), [[9.0, 5.0]])


def test_observations_of_several_elements_need_a_place() -> None:
    members = np.random.default_rng(0).standard_normal((5, 4))
    observation = Observation([1.0, np.nan], 0.1, Matrix(np.ones((2, 4))))
    local = Localization(np.arange(4.0), 0.5, [4.0])
    with pytest.raises(AssimilationError, match="where it is must be told; pass `observed`"):
        ETKF(localization=local).update(members, observation)
    placed = Localization(np.arange(4.0), 0.5, [4.0], observed=[3.0, 1.0])
    moved = np.abs(ETKF(localization=placed).update(members, observation).ensemble - members)
    np.testing.assert_allclose(moved[:, [0, 1, 2]], 0.0, atol=1e-13)
    assert moved[:, 3].max() > 0.1


def test_bad_localisations_are_named() -> None:
    with pytest.raises(AssimilationError, match=r"positive half-width, got 0\.0"):
        Localization(np.arange(4.0), 0.0, [4.0])
    with pytest.raises(AssimilationError, match="got 2 for 1 dimensions"):
        Localization(np.arange(4.0), 1.0, [4.0, None])
    with pytest.raises(AssimilationError, match="positive lengths"):
        Localization(np.arange(4.0), 1.0, [-4.0])
    observation = Observation(np.zeros(5), 0.1, Identity(5))
    with pytest.raises(AssimilationError, match="positions of 5 elements of the state, got 4"):
        ETKF(localization=Localization(np.arange(4.0), 1.0, [4.0])).update(np.eye(5), observation)
