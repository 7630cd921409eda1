import numpy as np
import pytest
import xarray as xr
from scipy import stats

from solvers.diagnostics import (
    autocorrelation,
    courant_number,
    lag_correlation,
    probability_density,
    tail_statistics,
)


def gaussian(mean: float = 3.0, spread: float = 2.0) -> xr.DataArray:
    """Two layers, the lower one with half the spread."""
    values = np.random.default_rng(0).normal(size=(40, 2, 25, 100))
    values *= np.array([spread, 0.5 * spread])[:, None, None]
    return xr.DataArray(
        mean + values,
        dims=("time", "layer", "y", "x"),
        coords={"layer": [0, 1]},
        name="q",
        attrs={"units": "s-1", "long_name": "vorticity"},
    )


def test_density_of_a_gaussian() -> None:
    density = probability_density(gaussian(), np.linspace(-6.0, 12.0, 37))
    assert density.dims == ("layer", "value")
    assert density.units == "s"
    assert density.value.units == "s-1"
    for layer, spread in ((0, 2.0), (1, 1.0)):
        edges = np.linspace(-6.0, 12.0, 37)
        expected = np.diff(stats.norm.cdf(edges, 3.0, spread)) / 0.5
        # 1e5 samples: the relative standard error of the fullest bin is 1 %.
        np.testing.assert_allclose(density[layer], expected, atol=0.03 * expected.max())


def test_density_integrates_to_the_fraction_within_the_edges() -> None:
    field = gaussian()
    whole = probability_density(field)
    np.testing.assert_allclose((whole * whole.width).sum("value"), 1.0, rtol=1e-12)
    part = probability_density(field, [1.0, 2.0, 5.0])
    inside = ((field >= 1.0) & (field <= 5.0)).mean(("time", "y", "x"))
    np.testing.assert_allclose((part * part.width).sum("value"), inside, rtol=1e-12)


def test_standardized_density_is_that_of_the_standard_anomaly() -> None:
    field = gaussian()
    edges = np.linspace(-5.0, 5.0, 41)
    density = probability_density(field, edges, standardized=True)
    assert density.units == "1"
    for layer in (0, 1):
        values = field[:, layer].values.ravel()
        expected = np.histogram((values - values.mean()) / values.std(), edges)[0]
        np.testing.assert_allclose(density[layer] * 0.25 * values.size, expected, atol=1e-9)


def test_densities_without_layers() -> None:
    density = probability_density(gaussian().isel(layer=0, drop=True))
    assert density.dims == ("value",)
    assert density.attrs["mean"] == pytest.approx(3.0, abs=0.03)
    assert density.attrs["n_sample"] == 100_000


def test_tails_of_a_gaussian_and_of_a_laplace_distribution() -> None:
    normal = tail_statistics(gaussian())
    np.testing.assert_allclose(normal.standard_deviation, [2.0, 1.0], rtol=0.01)
    np.testing.assert_allclose(normal.skewness, 0.0, atol=0.04)
    np.testing.assert_allclose(normal.excess_kurtosis, 0.0, atol=0.08)
    np.testing.assert_allclose(normal.beyond_3, 2 * stats.norm.sf(3.0), rtol=0.2)
    np.testing.assert_allclose(
        normal["quantile"].sel(probability=0.99), 3.0 + 2.326 * np.array([2.0, 1.0]), rtol=0.01
    )
    rng = np.random.default_rng(1)
    heavy = tail_statistics(xr.DataArray(rng.laplace(size=200_000), dims="x", name="q"))
    assert float(heavy.excess_kurtosis) == pytest.approx(3.0, abs=0.3)
    assert float(heavy.beyond_3) == pytest.approx(np.exp(-3 * np.sqrt(2)), rel=0.05)


def test_moments_by_hand() -> None:
    tails = tail_statistics(xr.DataArray([0.0, 0.0, 0.0, 4.0], dims="x", name="q"))
    assert float(tails["mean"]) == 1.0
    # Anomalies -1, -1, -1, 3: second to fourth moments 3, 6, 21.
    assert float(tails.standard_deviation) == pytest.approx(np.sqrt(3.0))
    assert float(tails.skewness) == pytest.approx(6.0 / 3.0**1.5)
    assert float(tails.excess_kurtosis) == pytest.approx(21.0 / 9.0 - 3.0)


def test_bad_fields_and_edges_are_refused() -> None:
    constant = xr.DataArray(np.ones(5), dims="x", name="q")
    with pytest.raises(ValueError, match="q: expected values that vary, got a constant; give edg"):
        probability_density(constant)
    with pytest.raises(ValueError, match="q: expected values that vary, got a constant"):
        tail_statistics(constant)
    with pytest.raises(ValueError, match=r"q: expected finite values, got 1 of 5 that are not"):
        tail_statistics(constant.where(constant.x != 2))
    with pytest.raises(ValueError, match="edges: expected at least 2 increasing numbers"):
        probability_density(constant, [1.0, 0.0])


def flow(**attributes: float) -> xr.Dataset:
    shape = ("time", "member", "layer", "y", "x")
    u, v = np.zeros((2, 1, 2, 4, 8)), np.zeros((2, 1, 2, 4, 8))
    u[0, 0, 1, 2, 3], v[0, 0, 1, 2, 3] = -3.0, 0.5
    u[1, 0, 0, 0, 0], v[1, 0, 0, 1, 0] = 0.5, -2.0
    return xr.Dataset(
        {"u": (shape, u), "v": (shape, v)},
        coords={
            "time": ("time", [0.0, 1.0]),
            "y": ("y", 20.0 * np.arange(4)),
            "x": ("x", 10.0 * np.arange(8)),
        },
        attrs=attributes,
    )


def test_courant_number_includes_the_mean_flow() -> None:
    number = courant_number(flow(dt=2.0, u1=1.0, u2=-1.0))
    # Time 0: |-3 - 1| 2 / 10 + 0.5 * 2 / 20. Time 1: |0.5 + 1| 2 / 10 or 1 * 2 / 10 + 2 * 2 / 20.
    assert number.dims == ("time", "member")
    np.testing.assert_allclose(number[:, 0], [0.85, 0.4])
    np.testing.assert_allclose(courant_number(flow(u1=0.0, u2=0.0), dt=1.0)[:, 0], [0.325, 0.1])


def test_courant_number_needs_a_time_step() -> None:
    with pytest.raises(ValueError, match="expected the attributes dt"):
        courant_number(flow(u1=0.0, u2=0.0))


def test_lag_correlation_is_the_autocorrelation_of_each_layer() -> None:
    values = np.random.default_rng(2).normal(size=(30, 3, 2, 4, 5))
    time = xr.Variable("time", 600.0 * np.arange(30), {"units": "s"})
    field = xr.DataArray(
        values,
        dims=("time", "member", "layer", "y", "x"),
        coords={"time": time, "layer": [0, 1]},
        name="q",
    )
    given = lag_correlation(field, 4)
    assert given.dims == ("layer", "lag")
    assert given.lag.units == "s"
    np.testing.assert_allclose(given.lag, 600.0 * np.arange(5))
    for layer in (0, 1):
        np.testing.assert_allclose(given[layer], autocorrelation(values[:, :, layer], 4))
    single = lag_correlation(field.isel(layer=1, drop=True), 4)
    np.testing.assert_allclose(single, given[1])


def test_lag_correlation_of_a_wave_in_time() -> None:
    time = np.arange(400) * 0.25
    phase = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    field = xr.DataArray(
        np.cos(time[:, None] - phase), dims=("time", "x"), coords={"time": time}, name="u"
    )
    given = lag_correlation(field, 20)
    np.testing.assert_allclose(given, np.cos(given.lag), atol=1e-3)


def test_uneven_times_are_refused() -> None:
    field = xr.DataArray(np.arange(3.0), dims="time", coords={"time": [0.0, 1.0, 3.0]}, name="u")
    with pytest.raises(ValueError, match="time: expected uniform times, got steps from 1 to 2"):
        lag_correlation(field, 1)
    with pytest.raises(ValueError, match="u: expected a dimension time with a coordinate"):
        lag_correlation(field.drop_vars("time"), 1)
