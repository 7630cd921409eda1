"""Vectors in compiled code against numpy."""

from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError
from numpy.typing import NDArray

from solvers.vectors import LANES, load, moved_down, moved_up, splat, store

every_precision = pytest.mark.parametrize("dtype", ["float32", "float64"])


@njit
def _combine(a: NDArray[Any], b: NDArray[Any], number: Any, i: int, result: NDArray[Any]) -> None:
    first, second = load(a, i), load(b, i + 1)
    store(result, i + 2, first * second - splat(number) * (first + second))


@njit
def _move(a: NDArray[Any], number: Any, lane: int, up: NDArray[Any], down: NDArray[Any]) -> None:
    store(up, 0, moved_up(load(a, 0), number))
    store(down, 0, moved_down(load(a, 0), number, lane))


@njit
def _mix(a: NDArray[Any], b: NDArray[Any], result: NDArray[Any]) -> None:
    store(result, 0, load(a, 0) + load(b, 0))


def numbers(n: int, dtype: str, seed: int) -> NDArray[Any]:
    return np.random.default_rng(seed).normal(size=n).astype(dtype)


@every_precision
@pytest.mark.parametrize("i", [0, 1, 5])
def test_arithmetic_is_that_of_each_number(dtype: str, i: int) -> None:
    a, b = numbers(20, dtype, 1), numbers(20, dtype, 2)
    number, result = np.dtype(dtype).type(0.3), np.zeros(20, dtype=dtype)
    _combine(a, b, number, i, result)
    first, second = a[i : i + LANES], b[i + 1 : i + 1 + LANES]
    expected = np.zeros(20, dtype=dtype)
    expected[i + 2 : i + 2 + LANES] = first * second - number * (first + second)
    np.testing.assert_array_equal(result, expected)


@every_precision
@pytest.mark.parametrize("lane", [0, 3, 7])
def test_moved_lanes(dtype: str, lane: int) -> None:
    a, number = numbers(LANES, dtype, 3), np.dtype(dtype).type(9.0)
    up, down = np.zeros(LANES, dtype=dtype), np.zeros(LANES, dtype=dtype)
    _move(a, number, lane, up, down)
    np.testing.assert_array_equal(up, [9.0, *a[:-1]])
    expected = np.array([*a[1:], 0.0])
    expected[lane] = 9.0
    np.testing.assert_array_equal(down, expected)


def test_precisions_do_not_mix() -> None:
    with pytest.raises(TypingError, match="add"):
        _mix(numbers(8, "float32", 4), numbers(8, "float64", 5), np.zeros(8))
