"""The filter of each mode against the Gaussian posterior of the whole grid, and its estimates."""

import numpy as np
import pytest
from kalman_oracle import kalman_update
from numpy.typing import NDArray

from closures.model_error.assimilation import (
    AssimilationError,
    ClimatologicalFilter,
    Modes,
    Spectrum,
    noise_floor,
)

LINE = Modes(("fourier",), (2.0 * np.pi,), (24,))
CHANNEL = Modes(("cosine", "fourier"), (1.0, 2.0), (6, 8))
NOISE = 0.1


def red(modes: Modes) -> NDArray[np.float64]:
    """Return a spectrum that falls over many decades."""
    lowest = np.sort(np.unique(modes.total_wavenumber))[1]
    return np.asarray(np.exp(-1.5 * modes.total_wavenumber / lowest))


def drawn(modes: Modes, n_field: int, seed: int = 0) -> NDArray[np.float64]:
    amplitudes = np.random.default_rng(seed).standard_normal((n_field, *modes.shape))
    return modes.inverse(np.sqrt(red(modes)) * amplitudes)


@pytest.mark.parametrize("modes", [LINE, CHANNEL])
@pytest.mark.parametrize("n_missing", [0, 9])
def test_filter_is_the_posterior_mean_of_the_whole_grid(modes: Modes, n_missing: int) -> None:
    n = int(np.prod(modes.shape))
    rng = np.random.default_rng(1)
    mean = rng.standard_normal(modes.shape)
    noisy = mean + drawn(modes, 1) + NOISE * rng.standard_normal((1, *modes.shape))
    noisy.reshape(-1)[rng.choice(n, n_missing, replace=False)] = np.nan
    wiener = ClimatologicalFilter(Spectrum(modes, red(modes), NOISE**2), mean)
    basis = modes.inverse(np.eye(n).reshape(n, *modes.shape)).reshape(n, n)
    covariance = basis.T @ (red(modes).reshape(-1, 1) * basis)
    there = np.flatnonzero(np.isfinite(noisy.ravel()))
    seen = (noisy.ravel()[there], np.eye(n)[there], NOISE**2 * np.eye(len(there)))
    expected, P = kalman_update(mean.ravel(), covariance, seen)
    np.testing.assert_allclose(wiener(noisy).ravel(), expected, atol=1e-7)
    if n_missing == 0:
        assert wiener.spectrum.posterior_variance == pytest.approx(np.diag(P).mean())


def test_known_and_unknown_noise_give_the_same_filter() -> None:
    rng = np.random.default_rng(2)
    modes = Modes(("fourier",), (2.0 * np.pi,), (64,))
    truth = drawn(modes, 200)
    noisy = truth + NOISE * rng.standard_normal(truth.shape)
    known = ClimatologicalFilter.fit(noisy, modes, NOISE)
    unknown = ClimatologicalFilter.fit(noisy, modes)
    # Of the 12,800 amplitudes more than 10,000 hold noise alone: 0.7 % standard error at most.
    assert unknown.noise == pytest.approx(NOISE, rel=0.03)
    perfect = ClimatologicalFilter(Spectrum(modes, red(modes), NOISE**2), np.zeros(64))
    best = np.std(perfect(noisy) - truth)
    for each in (known, unknown):
        assert np.std(each(noisy) - truth) < 1.05 * best
    assert best < 0.4 * NOISE


def test_short_waves_hold_exactly_nothing() -> None:
    modes = Modes(("fourier",), (2.0 * np.pi,), (256,))
    truth = drawn(modes, 20)
    noisy = truth + NOISE * np.random.default_rng(2).standard_normal(truth.shape)
    signal = ClimatologicalFilter.fit(noisy, modes).spectrum.signal
    assert (signal[modes.total_wavenumber > 20.0] == 0.0).all()
    assert (signal[modes.total_wavenumber < 2.5] > 0.0).all()


@pytest.mark.parametrize("isotropic", [True, False])
def test_mean_and_noise_of_a_channel(isotropic: bool) -> None:
    modes = Modes(("cosine", "fourier"), (1.0, 2.0), (24, 32))
    rng = np.random.default_rng(3)
    jet = 5.0 * np.sin(np.pi * modes.positions[0])[:, None] * np.ones(32)
    truth = jet + drawn(modes, 30)
    noisy = truth + NOISE * rng.standard_normal(truth.shape)
    wiener = ClimatologicalFilter.fit(noisy, modes, centre=True, isotropic=isotropic)
    assert wiener.noise == pytest.approx(NOISE, rel=0.05)
    assert np.std(wiener(noisy) - truth) < 0.5 * NOISE


def test_white_signal_and_noise_cannot_be_told_apart_by_their_floor() -> None:
    modes = Modes(("fourier",), (1.0,), (32,))
    steep = np.where(modes.total_wavenumber > 90.0, 1.0, 100.0 - modes.total_wavenumber)
    fields = modes.inverse(steep * np.random.default_rng(0).standard_normal((5000, 32)))
    with pytest.raises(AssimilationError, match="got signal up to the shortest 10% of the waves"):
        ClimatologicalFilter.fit(fields, modes)


def test_floor_is_where_the_likelihood_says_by_trying_all_cuts() -> None:
    rng = np.random.default_rng(4)
    count = np.full(30, 40.0)
    variance = np.where(np.arange(30) < 11, 5.0 * 0.7 ** np.arange(30) + 0.4, 0.4)
    power = variance * rng.chisquare(40, 30) / 40
    costs = []
    for cut in range(28):
        level = np.average(power[cut:], weights=count[cut:])
        modelled = np.where(np.arange(30) < cut, power, level)
        likelihood = 0.5 * np.sum(count * (np.log(modelled) + power / modelled))
        costs.append(likelihood + 0.5 * cut * np.log(count.sum()))
    best = int(np.argmin(costs))
    floor = noise_floor(power, count)
    assert floor.n_signal == best
    assert floor.variance == pytest.approx(power[best:].mean())
    assert noise_floor(power, count, variance=0.4).variance == 0.4


def test_bad_fields_are_named() -> None:
    fields = drawn(LINE, 5)
    wiener = ClimatologicalFilter.fit(fields, LINE, noise=0.1)
    holes = fields.copy()
    holes[:4, 0] = np.nan
    with pytest.raises(AssimilationError, match="at least 2 fields without NaN, got 1 of 5"):
        ClimatologicalFilter.fit(holes, LINE, noise=0.1)
    with pytest.raises(AssimilationError, match=r"positive standard deviation, .* got -0\.1"):
        ClimatologicalFilter.fit(fields, LINE, noise=-0.1)
    with pytest.raises(AssimilationError, match=r"shape \(\.\.\., 24\), got \(5, 23\)"):
        wiener(fields[:, 1:])
    with pytest.raises(AssimilationError, match="NaN everywhere"):
        wiener(np.full((2, 24), np.nan))
    with pytest.raises(AssimilationError, match="got 1 infinite ones"):
        wiener(np.where(np.arange(24) == 3, np.inf, 0.0))
