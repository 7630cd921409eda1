import numpy as np
import pytest
from scipy.signal import lfilter

from solvers.diagnostics import autocorrelation, neighbour_correlation, wave_variance


def test_autocorrelation_of_an_autoregressive_process() -> None:
    noise = np.random.default_rng(0).normal(size=(20_000, 10))
    series = lfilter([1.0], [1.0, -0.8], noise, axis=0)
    # The largest standard error of these lags is 0.006 with 2e5 samples.
    np.testing.assert_allclose(autocorrelation(series, 5), 0.8 ** np.arange(6), atol=0.02)


def test_autocorrelation_of_a_short_series_by_hand() -> None:
    # Anomalies -1, 0, 1: variance 2/3, lag one (0 + 0) / 2, lag two -1.
    np.testing.assert_allclose(autocorrelation([1.0, 2.0, 3.0], 2), [1.0, 0.0, -1.5], atol=1e-12)


def test_autocorrelation_needs_more_samples_than_lags() -> None:
    with pytest.raises(ValueError, match="n_lag: expected fewer lags than the 3 samples, got 3"):
        autocorrelation([1.0, 2.0, 3.0], 3)


@pytest.mark.parametrize("n", [8, 9])
def test_wave_variances_add_up_to_the_variance(n: int) -> None:
    values = np.random.default_rng(1).normal(size=(50, 3, n))
    assert wave_variance(values).sum() == pytest.approx(values.var(), rel=1e-12)


def test_one_wave_has_all_the_variance() -> None:
    angle = 2.0 * np.pi * np.arange(8) / 8
    phases = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
    wave = 5.0 + 3.0 * np.cos(2.0 * angle + phases[:, None])
    np.testing.assert_allclose(wave_variance(wave), [0.0, 0.0, 4.5, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(neighbour_correlation(wave, 4), np.cos(2.0 * angle[:5]), atol=1e-12)
