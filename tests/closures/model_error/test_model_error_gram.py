"""Moments of rows: precision, memory, dependence of rows, columns that cannot be told apart."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from closures.model_error import Gram, LibraryError, pruning_path
from closures.model_error.checks import check_columns
from closures.model_error.dependence import effective_share

Array = NDArray[np.float64]
NAMES = ("a", "b", "c")


def rows(n: int = 2000, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((3, n)) * np.array([[1.0], [1e4], [1e-3]])
    return x, np.array([1.0, -2e-4, 0.0]) @ x


def test_moments_are_sums_of_products_however_the_rows_come() -> None:
    x, y = rows()
    y = y + np.random.default_rng(1).standard_normal(y.size)
    whole, pieces = Gram(NAMES), Gram(NAMES, n_group=7)
    whole.add(x.reshape(3, 20, 100), y.reshape(20, 100))
    for i in range(0, 2000, 300):
        pieces.add(x[:, i : i + 300], y[i : i + 300])
    for gram in (whole, pieces):
        moments = gram.moments()
        np.testing.assert_allclose(moments.products, x @ x.T, rtol=1e-10)
        np.testing.assert_allclose(moments.target_projections(), x @ y, rtol=1e-10)
        assert moments.target_square == pytest.approx(float(y @ y), rel=1e-12)
        for coefficients in (np.zeros(3), np.array([1.0, 0.0, 5.0])):
            residual = y - coefficients @ x
            assert moments.residual_square(coefficients) == pytest.approx(
                float(residual @ residual), rel=1e-10
            )


@pytest.mark.parametrize("size", [1e-9, 1e-12])
def test_residuals_far_below_the_square_root_of_rounding_are_exact(size: float) -> None:
    """y'y - 2 m'X'y + m'X'Xm loses residuals of 1e-8 of the target; about a fit they stay."""
    x, y = rows()
    noise = size * np.random.default_rng(2).standard_normal(y.size)
    gram = Gram(NAMES)
    gram.add(x, y + noise)
    truth = np.array([1.0, -2e-4, 0.0])
    found = gram.moments().residual_square(truth) / 2000
    # The rounding of the target itself, 1e-16, is a part of its residual.
    assert np.sqrt(found) == pytest.approx(size, rel=0.05)


def test_memory_does_not_grow_with_rows() -> None:
    def peak(n_chunk: int) -> int:
        rng = np.random.default_rng(0)
        tracemalloc.start()
        gram = Gram([str(i) for i in range(8)])
        for _ in range(n_chunk):
            x = rng.standard_normal((8, 5000))
            gram.add(x, x[0])
        gram.moments()
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(60) < 1.05 * peak(6)


def test_rows_without_a_target_are_masked_and_counted() -> None:
    x, y = rows()
    holes = y.copy()
    holes[::4] = np.nan
    gram, seen = Gram(NAMES), ~np.isnan(holes)
    gram.add(x, holes)
    assert (gram.n_row, gram.n_masked) == (1500, 500)
    np.testing.assert_allclose(gram.moments().products, x[:, seen] @ x[:, seen].T, rtol=1e-10)


def test_all_targets_missing_says_so() -> None:
    gram = Gram(NAMES)
    gram.add(np.ones((3, 40)), np.full(40, np.nan))
    with pytest.raises(LibraryError, match="more rows than the 3 terms, got 0 and 40 without a t"):
        pruning_path(gram)


def test_independent_rows_are_worth_as_many() -> None:
    x, y = rows(20000)
    gram = Gram(NAMES)
    gram.add(x, y + np.random.default_rng(3).standard_normal(y.size))
    assert effective_share(gram) > 0.6


@pytest.mark.parametrize("length", [10, 40])
def test_repeated_rows_are_worth_one_each(length: int) -> None:
    x, y = rows(20000)
    noisy = y + np.random.default_rng(4).standard_normal(y.size)
    gram = Gram(NAMES)
    gram.add(np.repeat(x, length, axis=1), np.repeat(noisy, length))
    # Known to about a fifth from 50 groups, and from the median of 3 terms.
    assert effective_share(gram) == pytest.approx(1.0 / length, rel=0.5)


def test_too_few_groups_count_rows_as_independent() -> None:
    x, y = rows(2000)
    gram = Gram(NAMES, n_group=4)
    gram.add(
        np.repeat(x, 10, axis=1), np.repeat(y + np.random.default_rng(5).standard_normal(2000), 10)
    )
    assert effective_share(gram) == 1.0


def spoilt(change: Callable[[Array], Array]) -> Gram:
    x, y = rows()
    gram = Gram(NAMES)
    gram.add(change(x), y)
    return gram


def test_columns_that_cannot_be_told_apart_are_named() -> None:
    check_columns(spoilt(lambda x: x))
    cases: dict[str, Callable[[Array], Array]] = {
        "columns not 0 everywhere, got b": lambda x: x * np.array([[1.0], [0.0], [1.0]]),
        "columns that vary, got c": lambda x: np.stack([x[0], x[1], np.full(x[2].shape, 3.3)]),
        "got a and c, which are proportional": lambda x: np.stack([x[0], x[1], -2.0 * x[0]]),
        "combination of a, b, c that is 0": lambda x: np.stack([x[0], x[1], x[0] + 1e-4 * x[1]]),
    }
    for message, change in cases.items():
        with pytest.raises(LibraryError, match=message):
            pruning_path(spoilt(change))


def test_nearly_collinear_columns_are_not_refused() -> None:
    rng = np.random.default_rng(6)
    check_columns(spoilt(lambda x: np.stack([x[0], x[1], x[0] + 1e-4 * rng.standard_normal(2000)])))


def test_bad_rows_are_refused() -> None:
    gram = Gram(NAMES)
    with pytest.raises(LibraryError, match=r"columns: expected shape \(3, 5\).*got \(2, 5\)"):
        gram.add(np.ones((2, 5)), np.ones(5))
    with pytest.raises(LibraryError, match="finite values, got others in b"):
        gram.add(np.array([[1.0, 2.0], [np.nan, 1.0], [1.0, 1.0]]), np.ones(2))
    with pytest.raises(LibraryError, match="finite values, got others in the target"):
        gram.add(np.ones((3, 2)), np.array([1.0, np.inf]))
    gram.add(*(values[..., :3] for values in rows()))
    with pytest.raises(LibraryError, match="expected more rows than the 3 terms, got 3; use more"):
        pruning_path(gram)
    silent = Gram(NAMES)
    silent.add(rows()[0], np.zeros(2000))
    with pytest.raises(
        LibraryError, match="increments that are not 0 everywhere; the model has no"
    ):
        pruning_path(silent)
    with pytest.raises(LibraryError, match="at least 2 groups, got 1"):
        Gram(NAMES, n_group=1)
