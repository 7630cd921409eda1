"""Observations and operators say what is wrong with them."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from closures.model_error.assimilation import (
    AssimilationError,
    Identity,
    Matrix,
    Observation,
    Subsampling,
)


def test_operators_select() -> None:
    states = np.arange(12.0).reshape(2, 6)
    H = Matrix(np.eye(6)[[5, 1, 3]])
    chosen = np.array([2, 0])
    for operator in (Subsampling(6, [5, 1, 3]), H):
        np.testing.assert_array_equal(operator.apply(states), states[:, [5, 1, 3]])
        np.testing.assert_array_equal(operator.select(chosen).apply(states), states[:, [3, 5]])
        assert (operator.n_state, operator.n_observation) == (6, 3)
    np.testing.assert_array_equal(Identity(6).select(chosen).apply(states), states[:, [2, 0]])


@pytest.mark.parametrize(
    ("values", "noise", "message"),
    [
        ([1.0, 2.0], 0.1, r"values of shape \(3,\), as the operator gives, got \(2,\)"),
        ([1.0, np.inf, 2.0], 0.1, "got 1 infinite ones; mark what is missing with NaN"),
        ([1.0, 2.0, 3.0], [0.1, 0.1], r"one for each of 3 observations, got shape \(2,\)"),
        ([1.0, 2.0, 3.0], -0.1, r"positive standard deviations as noise, got -0\.1"),
        ([1.0, 2.0, 3.0], 0.0, r"positive standard deviations as noise, got 0\.0"),
        ([1.0, 2.0, 3.0], np.nan, "positive standard deviations as noise, got nan"),
    ],
)
def test_bad_observations_are_named(values: ArrayLike, noise: ArrayLike, message: str) -> None:
    with pytest.raises(AssimilationError, match=message):
        Observation(values, noise, Identity(3))


def test_bad_operators_are_named() -> None:
    with pytest.raises(AssimilationError, match="indices from 0 to 3, got -1 to 2"):
        Subsampling(4, [2, -1])
    with pytest.raises(AssimilationError, match=r"a list of indices, got shape \(1, 2\)"):
        Subsampling(4, [[0, 1]])
    with pytest.raises(AssimilationError, match=r"got shape \(3,\) with 1 not finite"):
        Matrix([1.0, np.nan, 2.0])
