import cf_units
import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from solvers.diagnostics import (
    enstrophy_spectrum,
    kinetic_energy_spectrum,
    spectral_slope,
    variance_spectrum,
)

Array = NDArray[np.float64]

LENGTH_X, LENGTH_Y = 8e5, 1e6


def dataset(
    names: dict[str, str], values: Array, lx: float = LENGTH_X, ly: float = LENGTH_Y
) -> xr.Dataset:
    """Variables of given units with the same values, dimensions (time, layer, y, x)."""
    ny, nx = values.shape[-2:]
    return xr.Dataset(
        {
            name: (("time", "layer", "y", "x"), values, {"units": units, "long_name": name})
            for name, units in names.items()
        },
        coords={
            "time": ("time", np.arange(values.shape[0]) * 10.0, {"units": "s"}),
            "layer": ("layer", np.arange(values.shape[1])),
            "y": ("y", np.arange(ny) * ly / ny, {"units": "m"}),
            "x": ("x", np.arange(nx) * lx / nx, {"units": "m"}),
        },
    )


def noise(*shape: int) -> Array:
    return np.random.default_rng(0).normal(2.0, 1.0, shape)


def integral(spectrum: xr.DataArray) -> xr.DataArray:
    return spectrum.sum("wavenumber") * float(spectrum.wavenumber[1])


@pytest.mark.parametrize(("ny", "nx"), [(24, 16), (15, 16), (16, 15), (2, 32)])
def test_spectra_integrate_to_the_mean_square(ny: int, nx: int) -> None:
    run = dataset({"q": "s-1", "u": "m s-1", "v": "m s-1"}, noise(3, 2, ny, nx))
    square = (run.q**2).mean(("y", "x"))
    np.testing.assert_allclose(integral(variance_spectrum(run.q)), square, rtol=1e-13)
    np.testing.assert_allclose(integral(enstrophy_spectrum(run)), 0.5 * square, rtol=1e-13)
    # u and v hold the same values: each gives half of the energy.
    np.testing.assert_allclose(integral(kinetic_energy_spectrum(run)), square, rtol=1e-13)


@pytest.mark.parametrize(("m", "n"), [(3, 0), (0, -4), (8, 3), (0, 12), (0, 0)])
def test_a_wave_has_its_energy_at_its_wavenumber(m: int, n: int) -> None:
    nx, ny, amplitude = 16, 24, 3.0
    y, x = np.arange(ny)[:, np.newaxis] / ny, np.arange(nx) / nx
    run = dataset({"q": "s-1"}, amplitude * np.cos(2 * np.pi * (m * x + n * y))[None, None])
    spectrum = variance_spectrum(run.q)[0, 0]
    wavenumber = 2 * np.pi * np.hypot(m / LENGTH_X, n / LENGTH_Y)
    width = 2 * np.pi / LENGTH_X
    shell = int(np.argmax(spectrum.values))
    assert abs(float(spectrum.wavenumber[shell]) - wavenumber) <= 0.5 * width
    # A wave that is its own conjugate has twice the mean square of others.
    square = amplitude**2 * (1.0 if (m, n) in {(0, 0), (0, 12)} else 0.5)
    expected = np.zeros(spectrum.size)
    expected[shell] = square / width
    np.testing.assert_allclose(spectrum, expected, atol=1e-12 * expected.max())


def test_shells_have_the_width_of_the_larger_wavenumber_step() -> None:
    spectrum = variance_spectrum(dataset({"q": "s-1"}, noise(1, 1, 24, 16)).q)
    width = 2 * np.pi / LENGTH_X
    np.testing.assert_allclose(spectrum.wavenumber, width * np.arange(spectrum.size))
    corner = np.hypot(8 / LENGTH_X, 12 / LENGTH_Y) * LENGTH_X
    assert spectrum.size == int(corner + 0.5) + 1
    largest = spectrum.attrs["largest_complete_wavenumber"]
    assert largest == pytest.approx(np.pi / (LENGTH_X / 16))


def test_means_over_shells_of_white_noise_rise_with_the_circumference() -> None:
    # The expectation of each mode of noise of variance 1 is 1 / n^2.
    n, length = 32, 2 * np.pi
    values = np.random.default_rng(3).normal(size=(2000, 1, n, n))
    run = dataset({"q": "1"}, values, length, length)
    spectrum = variance_spectrum(run.q, shells="mean").mean(("time", "layer"))
    inner = spectrum[1 : n // 2]
    # The smallest shell has 4 independent modes in 2000 samples: a standard error of 1.6 %.
    np.testing.assert_allclose(inner, 2 * np.pi * inner.wavenumber / n**2, rtol=0.08)


def test_sums_and_means_of_shells_differ_by_the_number_of_modes() -> None:
    n, length = 16, 2 * np.pi
    run = dataset({"q": "1"}, noise(1, 1, n, n), length, length)
    by_sum, by_mean = (variance_spectrum(run.q, shells=s)[0, 0] for s in ("sum", "mean"))
    # Five waves and their conjugates have 1.5 <= K < 2.5: (2, 0), (0, 2), (1, 2), ...
    m, o = np.meshgrid(np.arange(-8, 8), np.arange(-8, 8))
    count = ((np.hypot(m, o) >= 1.5) & (np.hypot(m, o) < 2.5)).sum()
    assert float(by_mean[2]) == pytest.approx(float(by_sum[2]) / count * 2 * np.pi * 2.0)


def test_the_spectrum_of_a_line_integrates_to_the_mean_square() -> None:
    for n in (16, 17):
        x = np.arange(n) * 0.5
        field = xr.DataArray(
            noise(4, n),
            dims=("time", "x"),
            coords={"time": np.arange(4.0), "x": ("x", x, {"units": "1"})},
            name="u",
        )
        spectrum = variance_spectrum(field)
        assert spectrum.dims == ("time", "wavenumber")
        np.testing.assert_allclose(integral(spectrum), (field**2).mean("x"), rtol=1e-13)
        np.testing.assert_allclose(spectrum.wavenumber, 2 * np.pi * np.fft.rfftfreq(n, 0.5))


def test_spectra_are_labelled() -> None:
    run = dataset({"q": "s-1", "u": "m s-1", "v": "m s-1"}, noise(3, 2, 24, 16))
    kinetic, enstrophy = kinetic_energy_spectrum(run), enstrophy_spectrum(run)
    assert kinetic.dims == ("time", "layer", "wavenumber")
    assert (kinetic.units, enstrophy.units) == ("m3 s-2", "m s-2")
    assert kinetic.wavenumber.units == "m-1"
    assert enstrophy.long_name == "potential enstrophy spectrum"
    assert enstrophy_spectrum(run.rename(q="vorticity")).long_name == "enstrophy spectrum"
    xr.testing.assert_identical(kinetic.time, run.time)
    for spectrum in (kinetic, enstrophy):
        assert not cf_units.Unit(spectrum.units).is_unknown()


@pytest.mark.parametrize("slope", [-3.0, -5 / 3])
def test_slope_of_a_power_law(slope: float) -> None:
    k = np.arange(0.0, 33.0)
    values = np.zeros((2, 33))
    values[:, 1:] = np.array([[1.0], [7.0]]) * k[1:] ** slope
    values[:, 1:4] = 3.0
    spectrum = xr.DataArray(values, dims=("layer", "wavenumber"), coords={"wavenumber": k})
    given = spectral_slope(spectrum, 4.0, 20.0)
    assert given.dims == ("layer",)
    np.testing.assert_allclose(given, slope, rtol=1e-12)
    assert given.attrs["k_max"] == 20.0


def test_slope_is_the_least_squares_one() -> None:
    k = np.arange(1.0, 33.0)
    values = np.random.default_rng(0).lognormal(size=32)
    spectrum = xr.DataArray(values, dims="wavenumber", coords={"wavenumber": k})
    inside = slice(4, 20)
    expected = np.polyfit(np.log(k[inside]), np.log(values[inside]), 1)[0]
    assert float(spectral_slope(spectrum, 5.0, 20.0)) == pytest.approx(expected, rel=1e-12)


def test_slopes_without_a_range_are_refused() -> None:
    k = np.arange(0.0, 10.0)
    spectrum = xr.DataArray(1.0 - (k > 5.0), dims="wavenumber", coords={"wavenumber": k})
    with pytest.raises(ValueError, match=r"at least 3 shells, got 2 from 0 to 2; .* goes to 9"):
        spectral_slope(spectrum, 0.0, 2.0)
    with pytest.raises(ValueError, match="spectrum: expected positive values, got a smallest of 0"):
        spectral_slope(spectrum, 1.0, 9.0)


def test_unknown_shells_are_refused() -> None:
    run = dataset({"q": "s-1"}, noise(1, 1, 8, 8))
    with pytest.raises(ValueError, match="shells: expected 'sum' or 'mean', got 'median'"):
        variance_spectrum(run.q, shells="median")  # type: ignore[arg-type]
