"""Autocorrelation, wave variance and neighbour correlation against sums written out."""

import cmath
import math

import numpy as np
import numpy.typing as npt
import pytest

from solvers.diagnostics import autocorrelation, neighbour_correlation, wave_variance

Array = npt.NDArray[np.float64]


def random_ring(seed: int, shape: tuple[int, ...]) -> Array:
    """Correlated in time and around the ring, with a mean."""
    rng = np.random.default_rng(seed)
    a = rng.normal(2.0, 3.0, shape)
    return a + 0.5 * np.roll(a, 1, axis=-1) + 0.7 * np.roll(a, 1, axis=0)


def fourier_coefficient(ring: Array, wavenumber: int) -> complex:
    n = len(ring)
    terms = [ring[k] * cmath.exp(-2j * math.pi * wavenumber * k / n) for k in range(n)]
    return complex(sum(terms) / n)


def wave_variance_by_loops(values: Array) -> list[float]:
    """Variance over time of the coefficient, both signs of the wavenumber together."""
    rings = values.reshape(-1, values.shape[-1])
    n = rings.shape[1]
    result = []
    for wavenumber in range(n // 2 + 1):
        coefficients = [fourier_coefficient(ring, wavenumber) for ring in rings]
        mean = sum(coefficients) / len(coefficients)
        variance = sum(abs(c - mean) ** 2 for c in coefficients) / len(coefficients)
        alone = wavenumber == 0 or 2 * wavenumber == n
        result.append(variance if alone else 2 * variance)
    return result


@pytest.mark.parametrize("shape", [(50, 8), (20, 3, 8), (40, 7)])
def test_wave_variance_is_the_variance_of_the_coefficients(shape: tuple[int, ...]) -> None:
    values = random_ring(1, shape)
    # Points that are statistically alike have one mean; give the sample that property.
    values -= values.reshape(-1, shape[-1]).mean(axis=0)
    given = wave_variance(values + 4.2)
    np.testing.assert_allclose(given, wave_variance_by_loops(values), rtol=1e-11)
    assert given.sum() == pytest.approx(values.var(), rel=1e-11)


def test_wave_variance_of_a_travelling_wave() -> None:
    k, t = np.arange(8), np.arange(64)[:, None]
    values = 5.0 + 3.0 * np.cos(2 * np.pi * (2 * k / 8 - t / 16))
    np.testing.assert_allclose(wave_variance(values), [0, 0, 4.5, 0, 0], atol=1e-12)


@pytest.mark.parametrize("shape", [(60,), (60, 8), (60, 2, 3)])
def test_autocorrelation(shape: tuple[int, ...]) -> None:
    values = random_ring(2, shape) if len(shape) > 1 else random_ring(2, (*shape, 1))[:, 0]
    series = values.reshape(shape[0], -1)
    anomaly = series - series.mean()
    n, m = series.shape
    variance = sum(anomaly[t, i] ** 2 for t in range(n) for i in range(m)) / (n * m)
    expected = []
    for lag in range(6):
        products = [anomaly[t, i] * anomaly[t + lag, i] for t in range(n - lag) for i in range(m)]
        expected.append(sum(products) / ((n - lag) * m) / variance)
    np.testing.assert_allclose(autocorrelation(values, 5), expected, rtol=0, atol=1e-12)


def test_neighbour_correlation() -> None:
    values = random_ring(3, (40, 8))
    anomaly = values - values.mean()
    expected = []
    for distance in range(5):
        products = [
            anomaly[t, k] * anomaly[t, (k + distance) % 8] for t in range(40) for k in range(8)
        ]
        expected.append(sum(products) / len(products) / np.mean(anomaly**2))
    np.testing.assert_allclose(neighbour_correlation(values, 4), expected, rtol=0, atol=1e-12)
