"""Scaling of features, in particular of those that hardly vary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from closures.normalization import Normalization, fit_normalization


def test_mean_and_spread_of_two_samples() -> None:
    fitted = fit_normalization(np.array([[1.0, 10.0], [3.0, 30.0]]))
    np.testing.assert_allclose(fitted.mean, [2.0, 20.0])
    np.testing.assert_allclose(fitted.spread, [1.0, 10.0])
    np.testing.assert_allclose(fitted.normalize(np.array([[4.0, 0.0]])), [[2.0, -2.0]])
    np.testing.assert_allclose(fitted.denormalize(np.array([[2.0, -2.0]])), [[4.0, 0.0]])


def test_constant_features_have_spread_and_scale_zero() -> None:
    values = np.array([[0.0, 250.0, 250.0], [0.0, 250.0, 250.0001]])
    fitted = fit_normalization(values)
    np.testing.assert_array_equal(fitted.spread, 0.0)
    np.testing.assert_array_equal(fitted.scale, 0.0)
    # Whatever a network puts out for such a target, the result is its constant value.
    np.testing.assert_array_equal(fitted.denormalize(np.full((1, 3), 1e6)), fitted.mean[None])
    np.testing.assert_array_equal(fitted.normalize(np.array([[1.0, 300.0, 200.0]])), 0.0)


def test_traces_below_float32_do_not_give_an_infinite_scale() -> None:
    values = np.array([[0.0, 0.0], [1e-50, 1e-36]])
    assert fit_normalization(values).spread[0] == 0.0
    scale = fit_normalization(values).scale.astype(np.float32)
    assert scale[0] == 0.0
    assert np.isfinite(scale[1])
    assert scale[1] > 0.0


def test_relative_floor_is_a_fraction_of_the_mean() -> None:
    values = np.array([[99.0, 99.0, 5.0], [101.0, 101.0, 5.0]])
    fitted = fit_normalization(values, np.array([0.1, 0.0, 0.1]))
    np.testing.assert_allclose(fitted.spread, [10.0, 1.0, 0.0])


@given(
    arrays(np.float64, (7, 3), elements=st.floats(-1e3, 1e3)),
    arrays(np.float64, (2, 3), elements=st.floats(-1e3, 1e3)),
)
def test_denormalize_undoes_normalize_where_features_vary(
    samples: np.ndarray, values: np.ndarray
) -> None:
    fitted = fit_normalization(samples)
    back = fitted.denormalize(fitted.normalize(values))
    expected = np.where(fitted.scale > 0, values, fitted.mean)
    np.testing.assert_allclose(back, expected, rtol=1e-9, atol=1e-9)


def test_bad_values_are_refused() -> None:
    with pytest.raises(ValueError, match="expected finite means"):
        fit_normalization(np.array([[np.nan], [1.0]]))
    with pytest.raises(ValueError, match=r"one shape, got \(2,\) and \(3,\)"):
        Normalization(np.zeros(2), np.ones(3))
