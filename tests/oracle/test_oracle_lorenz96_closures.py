"""Cubic fit and AR(1) process against normal equations and the textbook process."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
import xarray as xr

from closures.lorenz96 import AR1Closure, CubicClosure
from closures.lorenz96_fit import fit_ar1, fit_cubic, memory_per_step

Array = npt.NDArray[np.float64]


def make_pairs(seed: int, phi: float) -> xr.Dataset:
    """A cubic law plus a residual with memory, (time, member, k)."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-6.0, 12.0, (400, 2, 3))
    residual = np.zeros_like(x)
    residual[0] = rng.standard_normal(x.shape[1:])
    for t in range(1, x.shape[0]):
        fresh = rng.standard_normal(x.shape[1:])
        residual[t] = phi * residual[t - 1] + math.sqrt(1 - phi**2) * fresh
    tendency = 0.3 - 1.1 * x + 0.02 * x**2 + 0.003 * x**3 + 1.7 * residual
    dims = ("time", "member", "k")
    return xr.Dataset({"x": (dims, x), "x_tendency": (dims, tendency)})


def solve_by_elimination(matrix: Array, right: Array) -> Array:
    a = np.column_stack([matrix, right]).astype(np.longdouble)
    n = len(right)
    for i in range(n):
        pivot = i + int(np.argmax(np.abs(a[i:, i])))
        a[[i, pivot]] = a[[pivot, i]]
        for row in range(n):
            if row != i:
                a[row] -= a[row, i] / a[i, i] * a[i]
    return (a[:, n] / np.diag(a[:, :n])).astype(np.float64)


def cubic_by_normal_equations(x: Array, u: Array) -> Array:
    matrix, right = np.zeros((4, 4)), np.zeros(4)
    for value, target in zip(x.ravel(), u.ravel(), strict=True):
        for i in range(4):
            right[i] += value**i * target
            for j in range(4):
                matrix[i, j] += value ** (i + j)
    return solve_by_elimination(matrix, right)


def polynomial(coefficients: Array, x: Array) -> Array:
    return np.array([sum(b * value**i for i, b in enumerate(coefficients)) for value in x])


def lag_correlation(series: Array, lag: int) -> float:
    """Correlation of e_t and e_{t+lag}, over times and columns together."""
    earlier, later = series[: len(series) - lag].ravel(), series[lag:].ravel()
    a, b = earlier - earlier.mean(), later - later.mean()
    return float(np.sum(a * b) / math.sqrt(np.sum(a * a) * np.sum(b * b)))


def evaluate(closure: CubicClosure, x: Array) -> Array:
    (tendency,) = closure(torch.tensor(x))
    values: Array = tendency.detach().double().numpy()
    return values


def test_fit_cubic_solves_the_normal_equations() -> None:
    pairs = make_pairs(seed=1, phi=0.6)
    expected = cubic_by_normal_equations(pairs["x"].values, pairs["x_tendency"].values)
    x = np.linspace(-6.0, 12.0, 19)
    given = evaluate(fit_cubic(pairs), x)
    np.testing.assert_allclose(given, polynomial(expected, x), rtol=0, atol=1e-9)


def test_cubic_closure_evaluates_its_polynomial() -> None:
    coefficients = np.array([0.706, -1.11, 0.01, -0.0028])
    x = np.linspace(-10.0, 15.0, 26)
    given = evaluate(CubicClosure(coefficients.tolist()), x)
    np.testing.assert_allclose(given, polynomial(coefficients, x), rtol=0, atol=1e-12)


def test_fit_ar1_measures_residual_of_the_fit() -> None:
    pairs = make_pairs(seed=2, phi=0.9)
    x, u = pairs["x"].values, pairs["x_tendency"].values
    left = u - polynomial(cubic_by_normal_equations(x, u), x.ravel()).reshape(x.shape)
    sigma = math.sqrt(np.mean((left - left.mean()) ** 2))
    fitted = fit_ar1(pairs, fit_cubic(pairs), memory="lag_one")
    zero, one = torch.zeros(1), torch.ones(1)
    _, after = fitted(one, zero)
    tendency, _ = fitted(one, zero)
    # Sample covariances leave O(1/n) freedom in what is divided by n: 400 times, 6 series.
    assert float(after) == pytest.approx(lag_correlation(left, 1), abs=3e-3)
    assert float(tendency / after) == pytest.approx(sigma, rel=1e-3)


def test_memory_of_an_integral_lies_between_its_riemann_sums() -> None:
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((5000, 4))
    # The mean of 12 neighbours has a triangular autocorrelation.
    series = np.stack([noise[t : t + 12].mean(axis=0) for t in range(len(noise) - 12)])
    terms = [1.0]
    while (r := lag_correlation(series, len(terms))) > 0:
        terms.append(r)
    trapezoid = sum(terms) - 0.5
    phi = memory_per_step(series, "integral")
    assert -1 / math.log(phi) == pytest.approx(trapezoid, abs=0.05)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9856])
def test_ar1_closure_is_the_stationary_process(phi: float) -> None:
    sigma, n_column, n_step = 1.83, 400, 300
    rng = np.random.default_rng(4)
    closure = AR1Closure(phi, sigma)
    mine = rng.standard_normal(n_column)
    theirs = torch.tensor(mine)
    series = np.zeros((n_step, n_column))
    with torch.no_grad():
        for t in range(n_step):
            z = rng.standard_normal(n_column)
            mine = phi * mine + math.sqrt(1 - phi**2) * z
            tendency, theirs = closure(theirs, torch.tensor(z))
            np.testing.assert_allclose(tendency.numpy(), sigma * mine, rtol=0, atol=1e-12)
            series[t] = tendency.numpy()
    # Independent samples: columns times the number of memory times in the run.
    independent = n_column * max(1.0, n_step * (1 - phi) / (1 + phi))
    error = 4.0 / math.sqrt(independent)
    assert abs(series.mean()) < sigma * error
    assert series.var() == pytest.approx(sigma**2, rel=1.5 * error)
    for lag in (1, 2, 10):
        assert lag_correlation(series, lag) == pytest.approx(phi**lag, abs=error)
