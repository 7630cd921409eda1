"""State and tendency of windows against the Gaussian posterior, and in a regression."""

import numpy as np
import pytest
from kalman_oracle import kalman_update
from numpy.typing import NDArray

from closures.model_error.assimilation import (
    AssimilationError,
    Modes,
    SnapshotFilter,
    Spectrum,
)

MODES = Modes(("fourier",), (2.0 * np.pi,), (64,))
INTERVAL, NOISE = 0.05, 0.02


def waves(n_window: int, n_snapshot: int, seed: int = 0) -> NDArray[np.float64]:
    """Return sums of waves of a red spectrum, each with a phase speed of 0.5."""
    rng = np.random.default_rng(seed)
    x, k = MODES.positions[0], np.arange(1, 32)
    times = INTERVAL * (np.arange(n_snapshot) - 0.5 * (n_snapshot - 1))
    size = np.exp(-0.5 * k) * rng.standard_normal((2, n_window, 1, 1, 31))
    phase = k * (x[:, None] - 0.5 * times[:, None, None])
    return np.asarray((size[0] * np.cos(phase) + size[1] * np.sin(phase)).sum(axis=-1))


def noisy(truth: NDArray[np.float64], seed: int = 1) -> NDArray[np.float64]:
    return truth + NOISE * np.random.default_rng(seed).standard_normal(truth.shape)


def d_dx(fields: NDArray[np.float64]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(fields)
    spectrum[..., -1] = 0.0
    return np.fft.irfft(1j * np.arange(33) * spectrum, n=64)


@pytest.mark.parametrize("n_snapshot", [2, 3])
@pytest.mark.parametrize("n_missing", [0, 20])
def test_analysis_is_the_posterior_mean_of_state_and_tendency(
    n_snapshot: int, n_missing: int
) -> None:
    rng = np.random.default_rng(5)
    modes = Modes(("fourier",), (2.0 * np.pi,), (12,))
    k = modes.total_wavenumber
    level, slope = np.exp(-k), 0.3 * k**2 * np.exp(-k)
    times = INTERVAL * (np.arange(n_snapshot) - 0.5 * (n_snapshot - 1))
    spread = float(np.sum(times**2))
    snapshots = SnapshotFilter(
        Spectrum(modes, level, NOISE**2 / n_snapshot),
        Spectrum(modes, slope, NOISE**2 / spread),
        np.full(12, 0.7),
        INTERVAL,
        n_snapshot,
    )
    values = rng.standard_normal((1, n_snapshot, 12))
    values.reshape(-1)[rng.choice(12 * n_snapshot, n_missing, replace=False)] = np.nan
    basis = modes.inverse(np.eye(12))
    covariance = np.zeros((24, 24))
    covariance[:12, :12] = basis.T @ (level[:, None] * basis)
    covariance[12:, 12:] = basis.T @ (slope[:, None] * basis)
    H = np.concatenate([np.hstack([np.eye(12), time * np.eye(12)]) for time in times])
    there = np.flatnonzero(np.isfinite(values.ravel()))
    seen = (values.ravel()[there], H[there], NOISE**2 * np.eye(len(there)))
    prior = np.concatenate([np.full(12, 0.7), np.zeros(12)])
    mean, _ = kalman_update(prior, covariance, seen)
    analysis = snapshots(values)
    np.testing.assert_allclose(analysis.state[0], mean[:12], atol=1e-6)
    np.testing.assert_allclose(analysis.tendency[0], mean[12:], atol=1e-5)
    np.testing.assert_allclose(analysis.at(0.02)[0], mean[:12] + 0.02 * mean[12:], atol=1e-6)
    assert analysis.n_missing == n_missing


@pytest.mark.parametrize("n_snapshot", [2, 3, 5])
@pytest.mark.parametrize("known", [True, False])
def test_noise_is_found_and_goes_into_the_tendency_as_it_is(n_snapshot: int, known: bool) -> None:
    truth = waves(300, n_snapshot)
    observed = noisy(truth)
    snapshots = SnapshotFilter.fit(observed, MODES, INTERVAL, NOISE if known else None)
    assert snapshots.noise == pytest.approx(NOISE, rel=1e-12 if known else 0.03)
    analysis = snapshots(observed)
    clean = SnapshotFilter.fit(truth + 1e-9 * observed, MODES, INTERVAL, 1e-9)(truth)
    error = analysis.observed_tendency - clean.observed_tendency
    times = INTERVAL * (np.arange(n_snapshot) - 0.5 * (n_snapshot - 1))
    expected = NOISE / np.sqrt(np.sum(times**2))
    assert analysis.tendency_noise == pytest.approx(expected, rel=0.03)
    assert error.std() == pytest.approx(expected, rel=0.03)
    # 19,200 points: a correlation by chance has a standard deviation of 0.7 %.
    state_error = analysis.state - clean.state
    assert abs(np.corrcoef(error.ravel(), state_error.ravel())[0, 1]) < 0.03
    assert state_error.std() < NOISE / np.sqrt(n_snapshot)


@pytest.mark.parametrize("n_snapshot", [2, 3])
def test_a_regression_on_the_resolved_modes_is_unbiased(n_snapshot: int) -> None:
    """The speed of the waves comes out within its standard error, seed after seed."""
    scores, errors = [], []
    for seed in range(20):
        observed = noisy(waves(60, n_snapshot, seed), 100 + seed)
        snapshots = SnapshotFilter.fit(observed, MODES, INTERVAL)
        analysis = snapshots(observed)
        target = MODES.rows(analysis.observed_tendency, snapshots.resolved)
        column = MODES.rows(d_dx(analysis.state), snapshots.resolved)
        speed = -np.sum(column * target) / np.sum(column**2)
        errors.append(analysis.tendency_noise / np.sqrt(np.sum(column**2)))
        scores.append((speed - 0.5) / errors[-1])
    assert np.max(errors) < 0.025
    assert abs(np.mean(scores)) < 3.5 / np.sqrt(20)
    assert 0.6 < np.std(scores) < 1.5


def test_a_filtered_tendency_would_scale_coefficients_down() -> None:
    observed = noisy(waves(200, 2))
    analysis = SnapshotFilter.fit(observed, MODES, INTERVAL)(observed)
    column = d_dx(analysis.state)
    speed = -np.sum(column * analysis.tendency) / np.sum(column**2)
    assert 0.2 < speed < 0.48


def test_a_mean_state_is_kept() -> None:
    jet = 3.0 + np.sin(MODES.positions[0])
    truth = jet + waves(300, 2)
    observed = noisy(truth)
    snapshots = SnapshotFilter.fit(observed, MODES, INTERVAL, centre=True)
    error = snapshots(observed).state - truth.mean(axis=1)
    assert error.std() < 0.6 * NOISE


def test_bad_windows_are_named() -> None:
    observed = noisy(waves(5, 3))
    snapshots = SnapshotFilter.fit(observed, MODES, INTERVAL, NOISE)
    with pytest.raises(AssimilationError, match="ClimatologicalFilter is for single ones"):
        SnapshotFilter.fit(observed[:, :1], MODES, INTERVAL, NOISE)
    with pytest.raises(AssimilationError, match=r"expected shape \(n_window, n_snapshot, 64\)"):
        snapshots(observed[0])
    with pytest.raises(AssimilationError, match="expected 3 in each window, as fitted, got 2"):
        snapshots(observed[:, :2])
    with pytest.raises(AssimilationError, match=r"positive interval, got 0\.0"):
        SnapshotFilter.fit(observed, MODES, 0.0, NOISE)
    with pytest.raises(AssimilationError, match="positive standard deviation"):
        SnapshotFilter.fit(observed, MODES, INTERVAL, 0.0)
    holes = observed.copy()
    holes[1:, 0, 0] = np.nan
    with pytest.raises(AssimilationError, match="at least 2 windows without NaN, got 1 of 5"):
        SnapshotFilter.fit(holes, MODES, INTERVAL, NOISE)
