"""Replacing terms of a set: exhaustive search as the oracle, and terms that look alike."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from closures.model_error import Gram, pruning_path
from closures.model_error.replacement import Replacement

Array = NDArray[np.float64]


def gram_of(x: Array, y: Array) -> Gram:
    gram = Gram([str(i) for i in range(x.shape[1])])
    gram.add(x.T, y)
    return gram


def left_by(x: Array, y: Array, support: tuple[int, ...]) -> float:
    columns = x[:, support]
    rest = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    return float(rest @ rest)


def alike(seed: int, noise: float) -> tuple[Array, Array]:
    """Odd powers of one variable, and of another: neighbours look alike. The target is one."""
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 800))
    x = np.stack([*(a**k for k in (1, 3, 5, 7)), *(b**k for k in (1, 3, 5, 7))], axis=1)
    x *= np.logspace(-4, 4, 8)
    y = x[:, 1] / x[:, 1].std() + noise * rng.standard_normal(len(a))
    return x, y


@pytest.mark.parametrize("seed", range(5))
def test_no_single_replacement_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = alike(seed, 2.0)
    replaced = Replacement(gram_of(x, y).moments()).improved
    for size in (1, 2, 4):
        start = tuple(sorted(map(int, rng.permutation(8)[:size])))
        found = replaced(start)
        least = left_by(x, y, found)
        assert len(set(found)) == size
        assert least <= left_by(x, y, start) * (1.0 + 1e-9)
        neighbours = [s for s in combinations(range(8), size) if len({*s} - {*found}) <= 1]
        assert least == pytest.approx(min(left_by(x, y, s) for s in neighbours), rel=1e-9)


def test_one_term_is_the_best_of_all() -> None:
    x, y = alike(0, 0.5)
    replaced = Replacement(gram_of(x, y).moments()).improved
    best = int(np.argmin([left_by(x, y, (i,)) for i in range(8)]))
    assert [replaced((i,)) for i in range(8)] == [(best,)] * 8


def test_nothing_is_replaced_in_the_set_of_all_nor_where_the_fit_is_exact() -> None:
    x, y = alike(0, 0.0)
    replaced = Replacement(gram_of(x, y).moments()).improved
    assert replaced(tuple(range(8))) == tuple(range(8))
    assert replaced((1,)) == (1,)
    assert replaced((4, 6)) in {(1, 4), (1, 6)}


def test_a_term_that_was_dropped_for_a_similar_one_comes_back() -> None:
    """Of many seeds, the path with replacements has the one right term more often, never less."""
    pruned_right = replaced_right = 0
    for seed in range(60):
        x, y = alike(seed, 8.0)
        gram = gram_of(x, y)
        path = pruning_path(gram, 800.0)
        replaced_right += path.fits[0].support == (1,)
        # Without replacements the last fit on the path is worse where the term was another.
        pruned_right += path.fits[0].support == (1,) and bool(
            np.isclose(path.pruned[1], path.residuals[1], rtol=1e-9)
        )
        assert path.residuals[1] <= path.pruned[1] * (1.0 + 1e-6)
    assert replaced_right >= pruned_right + 5
