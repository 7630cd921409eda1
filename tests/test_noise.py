"""The bridge's random numbers: numpy and C++ agree, and they are what they claim to be."""

import numpy as np
import pytest
from scipy import stats

from fortran_bridge.noise import noise
from hybrid.noise import standard_normal


@pytest.mark.parametrize(
    ("seed", "field", "step", "size"), [(0, 0, 0, 1), (7, 3, 12345, 6), (2**64 - 1, 0, -2, 3)]
)
def test_numpy_and_native_agree(seed: int, field: int, step: int, size: int) -> None:
    ids = np.array([1, 2, 384, 10**12])
    native = noise(seed, field, step, ids, size)
    # Both start from the same bits; only the last place of log and cos may differ.
    np.testing.assert_allclose(
        standard_normal(seed, field, step, ids, size), native, rtol=1e-13, atol=1e-15
    )


def test_a_column_does_not_feel_its_neighbours() -> None:
    ids = np.arange(100)
    everyone = noise(1, 0, 5, ids, 3)
    np.testing.assert_array_equal(noise(1, 0, 5, ids[17:18], 3), everyone[17:18])
    np.testing.assert_array_equal(noise(1, 0, 5, ids[::-1].copy(), 3), everyone[::-1])


def test_every_part_of_the_key_matters() -> None:
    ids = np.arange(50)
    base = noise(1, 0, 5, ids, 1)
    for other in (noise(2, 0, 5, ids, 1), noise(1, 1, 5, ids, 1), noise(1, 0, 6, ids, 1)):
        assert abs(np.corrcoef(base[:, 0], other[:, 0])[0, 1]) < 0.5
        assert not np.any(base == other)


def test_numbers_are_standard_normal_and_independent() -> None:
    values = noise(0, 0, 1, np.arange(40_000), 4)
    assert stats.kstest(values.ravel(), "norm").pvalue > 1e-3
    correlations = np.corrcoef(values.T) - np.eye(4)
    assert np.max(np.abs(correlations)) < 4 / np.sqrt(40_000)
