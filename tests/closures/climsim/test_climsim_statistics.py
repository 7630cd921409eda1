"""Statistics merged from parts are those of the whole."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from closures.climsim.statistics import Statistics


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_parts_merge_to_the_whole(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.normal(3.0, 2.0, (n, 4)) for n in sizes]
    merged = Statistics.of(parts[0])
    for part in parts[1:]:
        merged = merged.merged(Statistics.of(part))
    whole = np.concatenate(parts)
    assert merged.count == len(whole)
    np.testing.assert_allclose(merged.mean, whole.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(merged.std, whole.std(axis=0), rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(merged.minimum, whole.min(axis=0))
    np.testing.assert_array_equal(merged.maximum, whole.max(axis=0))


def test_a_large_mean_costs_no_digits() -> None:
    """The difference of a sum of squares and a squared sum would be all noise here."""
    rng = np.random.default_rng(1)
    values = 1e9 + rng.normal(0.0, 1e-3, (20_000, 1))
    parts = np.array_split(values, 50)
    merged = Statistics.of(parts[0])
    for part in parts[1:]:
        merged = merged.merged(Statistics.of(part))
    expected = (values - 1e9).std()
    np.testing.assert_allclose(merged.std, expected, rtol=1e-6)
    naive = np.mean(values**2) - np.mean(values) ** 2
    assert abs(naive - expected**2) > 0.5 * expected**2


def test_order_of_merging_hardly_matters() -> None:
    rng = np.random.default_rng(2)
    a, b = (Statistics.of(rng.normal(size=(n, 3))) for n in (7, 500))
    np.testing.assert_allclose(a.merged(b).squares, b.merged(a).squares, rtol=1e-13)


def test_json_keeps_every_bit() -> None:
    found = Statistics.of(np.random.default_rng(3).normal(size=(9, 2)))
    again = Statistics.from_dict(json.loads(json.dumps(found.to_dict())))
    np.testing.assert_array_equal(again.mean, found.mean)
    np.testing.assert_array_equal(again.std, found.std)
    assert again.count == 9
