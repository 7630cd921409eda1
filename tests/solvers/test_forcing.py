"""Forcings of two-dimensional turbulence, and the random numbers that kick it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.forcing import BandForcing, KolmogorovForcing
from solvers.spectral import SpectralGrid, to_grid

STEPPERS = ("AB3-CN", "AB2-CN", "IF-RK4")

Field = NDArray[Any]


def kicked(model: Barotropic, n_step: int, n_member: int = 1) -> BarotropicIntegration:
    """A run from rest."""
    integration = model.start(np.zeros((n_member, *model.grid.shape)))
    assert isinstance(integration, BarotropicIntegration)
    integration.advance(n_step)
    return integration


def energy(integration: BarotropicIntegration) -> Field:
    fields = integration.fields()
    squares = fields["u"] ** 2 + fields["v"] ** 2
    return np.asarray(0.5 * squares.mean(("y", "x")))


def inviscid(forcing: BandForcing, **parameters: Any) -> Barotropic:
    return Barotropic(
        **{"nx": 32, "dt": 0.01, "viscosity": 0.0, "drag": 0.0, "forcing": forcing, **parameters}
    )


def test_phases_do_not_depend_on_how_a_run_is_cut() -> None:
    forcing = BandForcing(seed=5)
    whole = forcing.phases(2, 3, 7, n_wave=6)
    parts = [forcing.phases(2, 3, 4, n_wave=6), forcing.phases(2, 7, 3, n_wave=6)]
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis=1))
    assert len(np.unique(whole)) == whole.size


def test_kolmogorov_forcing_is_its_formula() -> None:
    forcing = KolmogorovForcing(wavenumber=2.0, amplitude=-3.0)
    model = Barotropic(nx=16, ny=24, length_x=np.pi, length_y=3.0 * np.pi, forcing=forcing)
    x, y = model.grid.dx * np.arange(16), model.grid.dy * np.arange(24)[:, np.newaxis]
    expected = -3.0 * (np.cos(2.0 * x) + np.cos(2.0 * y))
    np.testing.assert_allclose(to_grid(model.steady_forcing, (24, 16)), expected, atol=1e-14)


def test_the_time_loop_is_pushed_by_that_formula() -> None:
    model = Barotropic(nx=16, dt=0.25, viscosity=0.0, drag=0.0)
    pushed = kicked(model, 1).vorticity_spectrum[0]
    expected = 0.25 * model.steady_forcing
    np.testing.assert_allclose(pushed, expected, atol=1e-13)


# Half the waves with 9 <= m^2 + l^2 <= 25, by counting the lattice points of the ring.
def test_a_ring_has_each_wave_once() -> None:
    waves = BandForcing(k_min=3.0, k_max=5.0).waves(SpectralGrid(32, 32, 2 * np.pi, 2 * np.pi))
    points = {(m, n) for m in range(-5, 6) for n in range(-5, 6) if 9 <= m * m + n * n <= 25}
    half = set(zip(waves.m.tolist(), waves.l.tolist(), strict=True))
    assert len(half) == len(waves.m)
    assert half | {(-m, -n) for m, n in half} == points
    assert not half & {(-m, -n) for m, n in half}


@pytest.mark.parametrize("stepper", STEPPERS)
@pytest.mark.parametrize("shape", [(32, 32, 1.0), (32, 48, 2.0)])
def test_the_first_kick_brings_exactly_its_energy(
    stepper: str, shape: tuple[int, int, float]
) -> None:
    nx, ny, aspect = shape
    model = inviscid(
        BandForcing(energy_rate=0.3), nx=nx, ny=ny, length_y=2 * np.pi * aspect, stepper=stepper
    )
    np.testing.assert_allclose(energy(kicked(model, 1, n_member=3)), 0.3 * 0.01, rtol=1e-13)


@pytest.mark.parametrize("stepper", STEPPERS)
def test_energy_comes_in_at_the_given_rate(stepper: str) -> None:
    # Without damping the flow itself conserves energy. The energy of N = 28 waves, each the square
    # of a random walk, spreads by 1 / sqrt(N) of its mean: 3 % in 40 members.
    model = inviscid(BandForcing(energy_rate=0.3), stepper=stepper)
    mean = energy(kicked(model, 50, n_member=40)).mean()
    assert mean == pytest.approx(0.3 * 0.5, rel=0.1)


def test_drag_balances_the_input() -> None:
    # dE/dt = epsilon - 2 mu E from rest: E = epsilon / (2 mu) (1 - exp(-2 mu t)).
    model = inviscid(BandForcing(energy_rate=0.2), drag=1.0, dt=0.02)
    mean = energy(kicked(model, 50, n_member=40)).mean()
    assert mean == pytest.approx(0.1 * (1.0 - np.exp(-2.0)), rel=0.1)


def test_kicks_are_uniform_in_phase_and_independent() -> None:
    # One step from rest gives the kicks themselves.
    model = inviscid(BandForcing(), nx=16)
    spectra = kicked(model, 1, n_member=400).vorticity_spectrum
    waves = model.waves()
    kicks = spectra[:, waves.l % 16, waves.m]
    unit = kicks / np.abs(kicks)
    n_wave = len(waves.m)
    # Means of 400 unit vectors and of their products: each part has deviation 1 / sqrt(800).
    assert np.abs(unit.mean(axis=0)).max() < 5.0 / np.sqrt(800.0)
    correlation = np.abs(unit.T @ unit.conj() / 400.0 - np.eye(n_wave))
    assert correlation.max() < 5.0 / np.sqrt(400.0)
    assert np.abs((unit**2).mean(axis=0)).max() < 5.0 / np.sqrt(800.0)


def test_kicks_of_later_steps_are_fresh() -> None:
    forcing = BandForcing()
    first = kicked(inviscid(forcing), 1)
    before = first.vorticity_spectrum.copy()
    first.advance(1)
    second = first.vorticity_spectrum - before
    waves = inviscid(forcing).waves()
    at = (0, waves.l[0], waves.m[0])
    assert abs(second[at] - before[at]) > 1e-3 * abs(before[at])


def test_coarse_and_fine_grids_feel_the_same_kicks() -> None:
    coarse, fine = (
        kicked(inviscid(BandForcing(seed=3), nx=n), 1).fields()["vorticity"][0] for n in (32, 64)
    )
    np.testing.assert_allclose(coarse, fine[::2, ::2], atol=1e-13)


def test_kicks_differ_by_seed_and_member() -> None:
    model = inviscid(BandForcing(seed=3))
    members = kicked(model, 1, n_member=3).vorticity_spectrum
    other = kicked(inviscid(BandForcing(seed=4)), 1).vorticity_spectrum
    for one, two in ((members[0], members[1]), (members[1], members[2]), (members[0], other[0])):
        assert np.abs(one - two).max() > 0.1 * np.abs(one).max()
    later = inviscid(replace(BandForcing(seed=3), first_member=2))
    np.testing.assert_array_equal(kicked(later, 1).vorticity_spectrum[0], members[2])


def test_kicks_are_real_fields() -> None:
    spectrum = kicked(inviscid(BandForcing()), 1).vorticity_spectrum[0]
    np.testing.assert_allclose(np.fft.rfft2(to_grid(spectrum, (32, 32))), spectrum, atol=1e-12)


@pytest.mark.parametrize(
    ("forcing", "wrong", "message"),
    [
        (KolmogorovForcing, {"wavenumber": 0.0}, "wavenumber: expected a positive number, got 0"),
        (BandForcing, {"energy_rate": -1.0}, r"energy_rate: expected no negative rate, got -1\.0"),
        (BandForcing, {"k_min": 6.0}, r"expected 0 < k_min <= k_max, got 6\.0 and 5\.0"),
        (BandForcing, {"k_min": 0.0}, r"expected 0 < k_min <= k_max, got 0\.0 and 5\.0"),
        (BandForcing, {"seed": -1}, "seed: expected a number of 0 to .*, got -1"),
        (BandForcing, {"first_member": -2}, "first_member: expected a number of 0 to .*, got -2"),
    ],
)
def test_wrong_forcings(forcing: type[Any], wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        forcing(**wrong)


@pytest.mark.parametrize(
    ("forcing", "message"),
    [
        (KolmogorovForcing(wavenumber=2.5), "a whole number of waves .* along x, got 2.5"),
        (BandForcing(k_min=0.1, k_max=0.9), r"wavenumbers of 0\.1 to 0\.9, got none: those of"),
        (BandForcing(k_min=3.0, k_max=11.0), "expected at most 10 waves along x, .* got 11; use"),
    ],
)
def test_forcings_that_do_not_fit(forcing: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Barotropic(nx=32, forcing=forcing)
