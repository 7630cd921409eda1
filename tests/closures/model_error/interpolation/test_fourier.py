"""Fourier least squares against the posterior of the same Gaussian field in the space of values."""

import numpy as np
import pytest
from numpy.typing import NDArray

from closures.model_error.interpolation import (
    Domain,
    FourierInterpolator,
    InterpolationError,
    PriorSpectrum,
    Sensors,
)
from closures.model_error.interpolation.fourier_basis import FourierBasis
from closures.model_error.interpolation.likelihood import likeliest_spectrum

CHANNEL = Domain((0.0, 0.0), (1.0, 2.0), (False, True))
LINE = Domain((0.0,), (1.0,), (True,))
PRIOR = PriorSpectrum((3.0, 6.0, 12.0), (4.0, 1.0, 0.1), noise=0.01)


def covariance(
    a: NDArray[np.float64], b: NDArray[np.float64], largest: float, prior: PriorSpectrum
) -> NDArray[np.float64]:
    """Return the covariance of the field between points of the channel, wave by wave."""
    total = np.zeros((len(a), len(b)))
    variance = 0.0
    for m in range(-60, 61):
        for n in range(-60, 61):
            k, l_ = np.pi * m, np.pi * n
            if (size := np.hypot(k, l_)) <= largest:
                level = np.log(max(size, 1e-9))
                falling = float(np.interp(level, np.log(prior.wavenumbers), prior.variances))
                apart = a[:, None] - b
                total += falling * np.cos(k * apart[..., 0] + l_ * apart[..., 1])
                variance += falling
    return total / variance


@pytest.mark.parametrize("band", [0.7, 1.5])
def test_fields_and_deviations_are_those_of_the_gaussian_posterior(band: float) -> None:
    """With fewer waves than sensors, and with more."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform((0.0, 0.0), (1.0, 2.0), (70, 2)), rng.standard_normal((2, 70))
    points = rng.uniform((0.0, 0.0), (1.0, 2.0), (15, 2))
    fitted = FourierInterpolator(band=band, prior=PRIOR).fit(Sensors(x, y, CHANNEL))
    assert (fitted.basis.n_function > 70) == (band > 1.0)
    largest = band * np.pi / CHANNEL.spacing(70)
    C = covariance(x, x, largest, PRIOR) + 0.01 * np.eye(70)
    cross = covariance(points, x, largest, PRIOR)
    mean = y.mean(axis=1, keepdims=True)
    weighted = np.linalg.solve(C, (y - mean).T)
    np.testing.assert_allclose(fitted(points), mean + (cross @ weighted).T, atol=1e-9)
    scale = np.einsum("fn,nf->f", y - mean, weighted) / 70
    left = 1.0 - np.einsum("pn,np->p", cross, np.linalg.solve(C, cross.T))
    np.testing.assert_allclose(fitted.deviation(points) ** 2, np.outer(scale, left), rtol=1e-6)
    np.testing.assert_allclose(fitted.noise, np.sqrt(0.01 * scale))


def test_functions_are_orthonormal_in_the_mean_and_complete() -> None:
    basis = FourierBasis.of(Domain((0.5, 0.0), (1.5, 2.0), (True, True)), 9.0, 1.25)
    points = np.stack(
        [each.ravel() for each in np.meshgrid(0.5 + np.arange(16) / 16, np.arange(16) / 8)], axis=1
    )
    functions = basis.at(points)
    np.testing.assert_allclose(functions.T @ functions / 256, np.eye(basis.n_function), atol=1e-12)
    # Integer vectors (m, n) with (2 pi m)^2 + (pi n)^2 <= 81: n to 2 for m = +-1, for m = 0.
    assert basis.n_function == 15


def eight_waves(x: NDArray[np.float64]) -> NDArray[np.float64]:
    phase = 2.0 * np.pi * x * np.arange(1, 9)
    return np.concatenate([np.ones_like(x), np.cos(phase), np.sin(phase)], axis=1)


def test_band_limited_fields_are_found_as_if_their_band_were_known() -> None:
    ours, known, scores, noises = [], [], [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        size = np.concatenate([[0.3], rng.standard_normal(16) / np.tile(np.arange(1, 9), 2) ** 2])
        x, points = rng.uniform(0.0, 1.0, (60, 1)), rng.uniform(0.0, 1.0, (200, 1))
        values, truth = eight_waves(x) @ size, eight_waves(points) @ size
        exact = FourierInterpolator().fit(Sensors(x, values, LINE))
        np.testing.assert_allclose(exact(points)[0], truth, atol=1e-5)
        values += 0.05 * rng.standard_normal(60)
        noisy = FourierInterpolator().fit(Sensors(x, values, LINE))
        error = noisy(points)[0] - truth
        least_squares = np.linalg.lstsq(eight_waves(x), values, rcond=None)[0]
        ours.append(np.mean(error**2))
        known.append(np.mean((eight_waves(points) @ least_squares - truth) ** 2))
        scores.append(np.mean((error / noisy.deviation(points)[0]) ** 2))
        noises.append(noisy.noise[0])
    assert np.sqrt(np.mean(ours)) < 1.2 * np.sqrt(np.mean(known))
    assert np.mean(noises) == pytest.approx(0.05, rel=0.15)
    # The stated deviation is the size of the error.
    assert 0.7 < np.sqrt(np.mean(scores)) < 1.5


def test_spectrum_and_noise_of_a_gaussian_field_are_found() -> None:
    rng = np.random.default_rng(2)
    basis = FourierBasis.of(LINE, 250.0, 1.25)
    truth = PriorSpectrum.sampled(basis, lambda k: (1.0 + (k / 20.0) ** 2) ** -2.0, noise=1e-3)
    amplitudes = np.sqrt(truth.of(basis)) * rng.standard_normal((20, basis.n_function))
    # Fields of different size.
    amplitudes *= np.linspace(0.1, 10.0, 20)[:, None]
    x = rng.uniform(0.0, 1.0, (80, 1))
    values = amplitudes @ basis.at(x).T
    noise = np.sqrt(truth.noise) * rng.standard_normal(values.shape)
    values += noise * np.linspace(0.1, 10.0, 20)[:, None]
    fractions: list[float] = []
    found = likeliest_spectrum(basis, x, values, fractions.append)
    # A knot has 2 to 30 amplitudes of each of 20 fields, which it shares with its neighbours.
    large = basis.wavenumber < 100.0
    assert np.abs(np.log(found.of(basis) / truth.of(basis)))[large].max() < 0.5
    assert found.noise == pytest.approx(truth.noise, rel=0.3)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_two_scales_are_found_that_no_power_law_has() -> None:
    """Long waves and short ones, with nothing in between."""
    rng = np.random.default_rng(2)
    basis = FourierBasis.of(LINE, 250.0, 1.25)
    k = basis.wavenumber
    spectrum = np.where(k < 15.0, 1.0, np.where((k > 90.0) & (k < 150.0), 1e-3, 0.0))
    amplitudes = np.sqrt(spectrum) * rng.standard_normal((20, basis.n_function))
    x = rng.uniform(0.0, 1.0, (80, 1))
    found = likeliest_spectrum(basis, x, amplitudes @ basis.at(x).T).of(basis)
    between, short = np.argmin(np.abs(k - 50.0)), np.argmin(np.abs(k - 120.0))
    assert found[between] < 0.2 * found[short]


def test_some_sensors_suffice_for_the_spectrum() -> None:
    rng = np.random.default_rng(3)
    x, points = rng.uniform(0.0, 1.0, (300, 1)), rng.uniform(0.0, 1.0, (100, 1))
    sensors = Sensors(x, np.sin(40.0 * np.pi * x[:, 0]), LINE)
    some = FourierInterpolator(n_likelihood=60, seed=1).fit(sensors)(points)
    np.testing.assert_allclose(some[0], np.sin(40.0 * np.pi * points[:, 0]), atol=0.01)


def test_bad_settings_are_named() -> None:
    with pytest.raises(InterpolationError, match=r"got 0\.0, 2\.0 and 800"):
        FourierInterpolator(band=0.0)
    with pytest.raises(InterpolationError, match=r"extension >= 1 .* got 1\.5, 0\.9 and 800"):
        FourierInterpolator(extension=0.9)
    with pytest.raises(InterpolationError, match=r"n_likelihood >= 50, got 1\.5, 2\.0 and 49"):
        FourierInterpolator(n_likelihood=49)
    with pytest.raises(InterpolationError, match="got 2 wavenumbers and 1 variances"):
        PriorSpectrum((1.0, 2.0), (1.0,), 0.1)
    with pytest.raises(InterpolationError, match="got 2 wavenumbers and 2 variances"):
        PriorSpectrum((2.0, 1.0), (1.0, 1.0), 0.1)
    with pytest.raises(InterpolationError, match=r"not all 0, and positive noise, got .* and 0\.0"):
        PriorSpectrum((1.0,), (1.0,), 0.0)
    sensors = Sensors(np.linspace(0.0, 0.9, 10)[:, None], np.arange(10.0), LINE)
    with pytest.raises(InterpolationError, match="got none; raise band"):
        FourierInterpolator(band=0.01).fit(sensors)
