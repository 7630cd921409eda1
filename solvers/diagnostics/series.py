"""Statistics of series and rings: memory in time, structure in space."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.signal import fftconvolve

Array = NDArray[np.float64]


def autocorrelation(values: ArrayLike, n_lag: int) -> Array:
    """Return the autocorrelation in time, averaged over all other axes.

    ``r_l = <a_t a_{t+l}> / <a_t a_t>`` with ``a`` the anomaly from the mean over everything
    (the variables are taken to be statistically alike); at lag l the average has n - l terms.

    Parameters
    ----------
    values
        Series, shape ``(n, ...)`` with time first.
    n_lag
        Largest lag, in samples.

    Returns
    -------
    ndarray
        Correlation at lags 0 to `n_lag`, shape ``(n_lag + 1,)`` [1].

    Raises
    ------
    ValueError
        If the series is not longer than the largest lag.
    """
    series = np.asarray(values, dtype=np.float64)
    n = series.shape[0]
    if n <= n_lag:
        raise ValueError(f"n_lag: expected fewer lags than the {n} samples, got {n_lag}")
    anomaly = (series - series.mean()).reshape(n, -1)
    total = np.zeros(n_lag + 1)
    for column in anomaly.T:
        total += fftconvolve(column, column[::-1])[n - 1 : n + n_lag]
    covariance = total / (n - np.arange(n_lag + 1))
    return np.asarray(covariance / covariance[0])


def lag_correlation(field: xr.DataArray, n_lag: int) -> xr.DataArray:
    """Return the autocorrelation in time of a labelled field, per layer.

    `autocorrelation` of each layer: anomalies from one mean over times, members and points.

    Parameters
    ----------
    field
        With a dimension ``time`` and uniform times.
    n_lag
        Largest lag, in samples.

    Returns
    -------
    xarray.DataArray
        Dimensions ``([layer,] lag)`` with the lag in units of time as coordinate [1].

    Raises
    ------
    ValueError
        If times are missing, not uniform, or not more than the lags.

    Examples
    --------
    >>> times = xr.Variable("time", [0.0, 10.0, 20.0], {"units": "s"})
    >>> field = xr.DataArray([1.0, 2.0, 3.0], dims="time", coords={"time": times}, name="u")
    >>> lag_correlation(field, 1)["lag"].values
    array([ 0., 10.])
    """
    if "time" not in field.coords or "time" not in field.dims:
        raise ValueError(f"{field.name}: expected a dimension time with a coordinate, got none")
    time = np.asarray(field["time"].values, dtype=np.float64)
    steps = np.diff(time)
    # Times may have been added up, step by step.
    if time.size > 1 and np.abs(steps - steps.mean()).max() > 1e-6 * np.abs(steps.mean()):
        raise ValueError(
            f"time: expected uniform times, got steps from {steps.min():g} to {steps.max():g}; "
            "select an even part or interpolate"
        )
    layered = "layer" in field.dims
    series = field.transpose("time", *(["layer"] if layered else []), ...).values
    columns = [series[:, i] for i in range(series.shape[1])] if layered else [series]
    correlation = np.stack([autocorrelation(column, n_lag) for column in columns])
    lag = steps.mean() * np.arange(n_lag + 1) if n_lag else np.zeros(1)
    axis = xr.Variable(
        "lag", lag, {"units": str(field["time"].attrs.get("units", "1")), "long_name": "lag"}
    )
    return xr.DataArray(
        correlation if layered else correlation[0],
        dims=("layer", "lag") if layered else ("lag",),
        coords={"lag": axis, **({"layer": field["layer"]} if layered else {})},
        name="autocorrelation",
        attrs={
            "units": "1",
            "long_name": f"autocorrelation of {field.attrs.get('long_name', field.name)}",
        },
    )


def wave_variance(values: ArrayLike) -> Array:
    """Return the variance of each wavenumber around a periodic ring.

    The mean over everything is removed first; the variances of wavenumbers 0 to K / 2 add up to
    the variance of the values (Parseval).

    Parameters
    ----------
    values
        States, shape ``(..., K)`` with the ring last [units].

    Returns
    -------
    ndarray
        Variance of wavenumbers 0 to K // 2, shape ``(K // 2 + 1,)`` [units^2].
    """
    states = np.asarray(values, dtype=np.float64)
    n = states.shape[-1]
    power = np.abs(np.fft.rfft(states - states.mean(), axis=-1) / n) ** 2
    # Every wave but the mean and the shortest stands for itself and its complex conjugate.
    weight = np.full(power.shape[-1], 2.0)
    weight[0] = 1.0
    if n % 2 == 0:
        weight[-1] = 1.0
    return np.asarray(weight * power.reshape(-1, power.shape[-1]).mean(axis=0))


def neighbour_correlation(values: ArrayLike, n_distance: int) -> Array:
    """Return the correlation of values at distances 0 to `n_distance` around a periodic ring.

    Parameters
    ----------
    values
        States, shape ``(..., K)`` with the ring last.
    n_distance
        Largest distance, in grid points.

    Returns
    -------
    ndarray
        ``corr(X_k, X_{k+d})``, shape ``(n_distance + 1,)`` [1].
    """
    states = np.asarray(values, dtype=np.float64)
    anomaly = states - states.mean()
    covariance = [
        float((anomaly * np.roll(anomaly, -distance, axis=-1)).mean())
        for distance in range(n_distance + 1)
    ]
    return np.asarray(covariance) / covariance[0]
