"""Statistics and rewards by formulas."""

import numpy as np
import pytest
import sympy
from two_dimensional_flow import X, Y, on_grid, turbulence

from hybrid.environments import (
    PublishedReward,
    Reference,
    SpectrumAndMomentsReward,
    SpectrumReward,
)
from hybrid.environments.blocks import Blocks
from hybrid.environments.reference import Shells, moments_of, shape_of
from solvers.spectral import SpectralGrid

N = 24
GRID = SpectralGrid(N, N, 2.0 * np.pi, 2.0 * np.pi)
REFERENCE = Reference(
    np.array([2.0, 1.0]), np.array([0.1, 0.3]), np.log([2.0, 3.0]), np.array([0.1, 0.2])
)


def test_enstrophy_of_single_waves() -> None:
    omega = 3 * sympy.cos(2 * X) + sympy.sin(3 * X - 4 * Y) + 2 * sympy.cos(7 * Y)
    enstrophy = Shells(GRID).enstrophy(on_grid(omega, N)[np.newaxis])[0]
    expected = np.zeros(7)
    expected[[1, 4, 6]] = 9 / 4, 1 / 4, 4 / 4
    assert np.allclose(enstrophy, expected, rtol=0, atol=1e-13)


def test_shells_hold_all_enstrophy_of_long_waves() -> None:
    field = turbulence(N, seed=1)
    k2 = GRID.wavenumber_squared
    field = np.fft.irfft2(np.fft.rfft2(field) * (k2 < 7.4**2), s=(N, N))
    total = Shells(GRID).enstrophy(field).sum()
    assert total == pytest.approx(0.5 * (field**2).mean())


def test_shape_of_a_wave() -> None:
    # The mean fourth power of a cosine is 3/8, of which 3/2 times the square of its mean square.
    wave = on_grid(4 * sympy.cos(2 * X), N)[np.newaxis]
    assert np.allclose(np.exp(shape_of(moments_of(wave))), [[np.sqrt(8.0), 1.5]])


def test_rewards_of_a_given_misfit() -> None:
    spectra = np.array([[2.0 * np.exp(0.2), np.exp(-0.6)]])
    moments = np.array([[4.0 * np.exp(0.4), 48.0 * np.exp(0.8)]])
    spectrum = -0.5 * (0.2**2 / (0.1**2 + 0.02**2) + 0.6**2 / (0.3**2 + 0.02**2))
    assert SpectrumReward(REFERENCE)(spectra, moments)[0] == pytest.approx(spectrum)
    # The deviation is e^0.2 too large, the kurtosis right.
    both = spectrum - 0.5 * 0.2**2 / (0.1**2 + 0.02**2)
    assert SpectrumAndMomentsReward(REFERENCE)(spectra, moments)[0] == pytest.approx(both)
    published = 1.0 / ((2 * np.exp(0.2) - 2) ** 2 + (2 * (np.exp(-0.6) - 1)) ** 2)
    assert PublishedReward(REFERENCE)(spectra, moments)[0] == pytest.approx(published)
    assert PublishedReward(REFERENCE)(REFERENCE.spectrum[np.newaxis], moments)[0] == 1e6


def test_error_is_that_of_means_of_as_many_snapshots() -> None:
    rng = np.random.default_rng(2)
    wave = on_grid(sympy.cos(X) + sympy.cos(2 * Y), N)
    # Enstrophies with a standard deviation of 10 per cent: that of their logarithm.
    snapshots = wave * np.sqrt(1.0 + 0.1 * rng.standard_normal((4000, 1, 1)))
    for n_mean in (1, 25):
        reference = Reference.of(snapshots, GRID, n_mean)
        assert reference.spectrum[:2] == pytest.approx([0.25, 0.25], rel=0.01)
        assert reference.spectrum_error[:2] == pytest.approx(0.1 / np.sqrt(n_mean), rel=0.15)


def test_agents_at_every_point_are_the_field() -> None:
    values = np.random.default_rng(3).standard_normal((2, 6, 4))
    assert np.array_equal(Blocks((6, 4), (6, 4)).to_grid(values), values)


def test_fields_between_agents_are_bilinear_and_periodic() -> None:
    # Two blocks of two points: agents at 0.5 and 2.5, so points lie a quarter of the way between.
    field = Blocks((4, 4), (1, 2)).to_grid(np.array([[0.0, 1.0]]))
    assert np.allclose(field, [[0.25, 0.25, 0.75, 0.75]] * 4)
    assert np.allclose(Blocks((4, 4), (2, 2)).mean(field), [[0.25, 0.75]] * 2)
