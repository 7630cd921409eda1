"""Climates of two-layer flow: configurations, spectra over rings, averages, and the cache."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.netcdf import read_dataset, write_dataset
from hybrid.experiments.quasigeostrophic.runs import truth
from hybrid.experiments.quasigeostrophic.runs.averages import BUDGET
from hybrid.experiments.quasigeostrophic.runs.climate import BLEW_UP, ENVELOPE, climate, is_lost
from hybrid.experiments.quasigeostrophic.runs.configurations import (
    AMPLITUDES,
    CONFIGURATIONS,
    HOUR,
    YEAR,
    Configuration,
    Duration,
)
from hybrid.experiments.quasigeostrophic.runs.rings import Rings
from hybrid.experiments.quasigeostrophic.runs.truth import PlainRun
from solvers.diagnostics.energy_budget import modal_energy_budget
from solvers.errors import TendencyError
from solvers.spectral import SpectralGrid

Array = NDArray[np.float64]

EDDY = CONFIGURATIONS["eddy"]
SMALL = Configuration(
    name="small", beta=1.5e-11, delta=0.25, bottom_drag=5.787e-7, n_truth=48, n_coarse=32
)
BRIEF = Duration(
    years=40.0 / 360.0,
    spin_up=0.0,
    sampled_every=240.0 * HOUR,
    snapshot_every=480.0 * HOUR,
    n_snapshot=2,
)


def turbulence() -> Array:
    """Return strong flow on the small coarse grid (2, 32, 32) [s-1]."""
    state = SMALL.coarse.random_state(1, np.random.default_rng(3))[0]
    return np.asarray(5e-6 * state / state.std())


def test_every_grid_begins_with_the_same_waves() -> None:
    fine, coarse = (np.fft.rfft2(SMALL.initial(n, seed=4)) / n**2 for n in (48, 24))
    np.testing.assert_allclose(coarse[:, :12, :12], fine[:, :12, :12], atol=1e-20)
    np.testing.assert_allclose(coarse[:, -11:, :12], fine[:, -11:, :12], atol=1e-20)
    assert np.abs(SMALL.initial(24, seed=4) - SMALL.initial(24, seed=5)).max() > 1e-6


def test_runs_begin_with_noise_in_the_upper_layer() -> None:
    upper, lower = SMALL.initial(48, seed=4)
    points, columns = AMPLITUDES
    assert not lower.any()
    assert abs(upper.mean()) < 1e-20
    # Uniform noise has a variance of a twelfth.
    by_column = upper.mean(axis=0)
    assert by_column.var() == pytest.approx(columns**2 / 12.0, rel=0.3)
    assert (upper - by_column).var() == pytest.approx(points**2 / 12.0, rel=0.1)


def test_the_benchmark_looks_at_the_last_ten_of_its_snapshots() -> None:
    duration = Duration()
    assert duration.n_state == 86
    assert duration.n_sample * duration.sampled_every <= 10.0 * YEAR
    first = (duration.n_spin_up + 1) * duration.sampled_every
    assert 5.0 * YEAR <= first < 5.0 * YEAR + duration.sampled_every


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"snapshot_every": 100.0}, "snapshot_every: expected a multiple of sampled_every"),
        ({"spin_up": 10.0}, "spin_up: expected less than the 10 years of a run"),
        ({"n_snapshot": 87}, "n_snapshot: expected 1 to 86, the snapshots of 10 years"),
    ],
)
def test_durations_that_do_not_fit_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Duration(**wrong)


def test_rings_hold_the_modes_between_two_circles() -> None:
    grid = SpectralGrid(16, 16, 1e6, 1e6)
    rings = Rings(grid)
    modes = np.random.default_rng(0).random((2, *grid.spectral_shape))
    spacing = 2.0 * np.pi / 1e6
    counts = np.rint(grid.wavenumber_squared / spacing**2)
    for j in range(len(rings.wavenumber)):
        inside = (counts >= 2 * j**2) & (counts < 2 * (j + 1) ** 2)
        # Columns 0 and n/2 have no conjugates elsewhere.
        pairs = modes * np.where((grid.k == 0.0) | (grid.k == grid.k[-1]), 1.0, 2.0)
        middle = np.sqrt(2) * spacing * (j + 0.5)
        expected = pairs[:, inside].mean(axis=-1) * np.pi * middle / spacing**2
        density = rings.density(modes)
        np.testing.assert_allclose(density[:, j], expected, rtol=1e-12)
        total = pairs[:, inside].sum(axis=-1)
        np.testing.assert_allclose(rings.totals(density)[:, j], total, rtol=1e-12)
    assert rings.wavenumber[-1] - rings.width / 2 < grid.k[-1] <= rings.wavenumber[-1] + rings.width


def test_the_integral_over_rings_is_about_the_mean_over_the_plane() -> None:
    grid = SpectralGrid(128, 128, 1e6, 1e6)
    rings = Rings(grid)
    modes = np.exp(-grid.wavenumber_squared / (0.2 * grid.k[-1]) ** 2)
    twice = np.full(grid.spectral_shape, 2.0)
    twice[:, [0, -1]] = 1.0
    integral = rings.density(modes).sum() * rings.width
    # Modes with k = 0 have no conjugates, and weigh too little in the mean over a ring.
    assert integral == pytest.approx((twice * modes).sum(), rel=0.05)


def test_spectra_count_below_the_first_wavenumber_that_the_filter_damps() -> None:
    spacing = 2.0 * np.pi / 1e6
    assert Rings(EDDY.coarse.grid).cutoff == pytest.approx(21 * spacing)
    assert Rings(EDDY.truth.grid).cutoff == pytest.approx(84 * spacing)


def test_a_climate_has_the_states_and_spectra_of_a_run() -> None:
    model = SMALL.coarse
    made = climate(model, turbulence(), BRIEF)
    run = model.run(days=40, save_every=10, initial=turbulence(), progress=False).isel(member=0)
    np.testing.assert_allclose(made.time, [480.0 * HOUR, 960.0 * HOUR])
    later = run.isel(time=[2, 4])
    for name in ("q", "u", "v"):
        limit = 1e-6 * float(abs(later[name]).max())
        np.testing.assert_allclose(made[name], later[name], atol=limit)
    energy = 0.5 * ((later.u + xr.DataArray([model.u1, model.u2], dims="layer")) ** 2 + later.v**2)
    np.testing.assert_allclose(made.kinetic_energy, energy, atol=1e-6 * float(energy.max()))
    vorticity = np.fft.irfft2(
        1j * model.grid.k * np.fft.rfft2(later.v)
        - 1j * model.grid.l[:, None] * np.fft.rfft2(later.u)
    )
    np.testing.assert_allclose(
        made.enstrophy, 0.5 * vorticity**2, atol=1e-6 * float((0.5 * vorticity**2).max())
    )
    assert made.attrs["n_sample"] == 4
    modes = modal_energy_budget(run.isel(time=slice(1, None)))
    for name in set(BUDGET) - {"parameterization"}:
        expected = Rings(model.grid).density(modes[name]).mean(axis=0)
        np.testing.assert_allclose(made[name], expected, atol=1e-9 * float(abs(expected).max()))


def test_the_work_of_a_closure_is_a_part_of_both_transfers() -> None:
    rate, model = 1e-6, SMALL.coarse

    def drag(fields: Mapping[str, Array], step: int) -> Array:
        del step
        return -rate * fields["q"]

    with_drag = climate(model, turbulence(), BRIEF, tendency=drag)
    shares = xr.DataArray([model.delta, 1.0], dims="layer") / (1.0 + model.delta)
    kinetic = (shares * with_drag.kinetic_energy_spectrum).sum("layer")
    run = model.run(days=40, save_every=10, initial=turbulence(), tendency=drag, progress=False)
    states = run.isel(time=slice(1, None), member=0)
    rings = Rings(model.grid)
    psi = np.fft.rfft2(states.psi) / 32**2
    f1, _ = model.stretching
    depth = float(shares[0])
    available = 0.5 * depth * f1 * np.abs(psi[:, 0] - psi[:, 1]) ** 2
    available_spectrum = rings.density(available).mean(axis=0)
    # A drag on q is a drag on psi: it takes energy of either kind at twice its rate.
    np.testing.assert_allclose(
        with_drag.parameterization,
        -2.0 * rate * (kinetic + available_spectrum),
        atol=1e-9 * float(abs(with_drag.parameterization).max()),
    )
    own = [_transfer(states.isel(time=[i]), rings) for i in range(4)]
    excess = with_drag.kinetic_energy_transfer - np.mean(own, axis=0)
    np.testing.assert_allclose(
        excess, -2.0 * rate * kinetic, atol=1e-9 * float(abs(kinetic).max() * rate)
    )


def _transfer(state: xr.Dataset, rings: Rings) -> Array:
    """Return the transfer of kinetic energy by advection of relative vorticity."""
    grid = rings.grid
    n = grid.n_x * grid.n_y
    psi = np.fft.rfft2(state.psi.to_numpy()[0])
    ik, il, k2 = 1j * grid.k, 1j * grid.l[:, None], grid.wavenumber_squared
    u, v, zeta = (np.fft.irfft2(each) for each in (-il * psi, ik * psi, -k2 * psi))
    advection = ik * np.fft.rfft2(u * zeta) + il * np.fft.rfft2(v * zeta)
    shares = np.array([0.25, 1.0])[:, None, None] / 1.25
    return rings.density(np.sum(shares * np.real(np.conj(psi) * advection), axis=0) / n**2)


def test_a_run_that_blows_up_is_told(tmp_path: Path) -> None:
    def growth(fields: Mapping[str, Array], step: int) -> Array:
        del step
        return 1e-3 * fields["q"]

    fractions: list[float] = []
    made = climate(SMALL.coarse, turbulence(), BRIEF, tendency=growth, on_progress=fractions.append)
    assert is_lost(made)
    assert 0.0 < made.attrs[BLEW_UP] < BRIEF.years * YEAR
    assert not made.data_vars
    assert fractions[-1] == 1.0
    write_dataset(tmp_path / "lost.nc", made)
    assert is_lost(read_dataset(tmp_path / "lost.nc"))


def test_a_closure_that_fails_in_a_sound_state_is_no_blow_up() -> None:
    def failing(fields: Mapping[str, Array], step: int) -> Array:
        if step == 300:
            raise TendencyError("no such file")
        return 0.0 * fields["q"]

    with pytest.raises(TendencyError, match="no such file"):
        climate(SMALL.coarse, turbulence(), BRIEF, tendency=failing)


def test_a_closure_that_refuses_a_runaway_is_a_blow_up() -> None:
    def guarded(fields: Mapping[str, Array], step: int) -> Array:
        del step
        if np.abs(fields["q"]).max() > 2.0 * ENVELOPE["q"]:
            raise TendencyError("outside of what it was made for")
        return 1e-4 * fields["q"]

    made = climate(SMALL.coarse, turbulence(), BRIEF, tendency=guarded)
    assert 0.0 < made.attrs[BLEW_UP] < BRIEF.years * YEAR


def test_what_was_run_once_is_read_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYBRID_CACHE_DIR", str(tmp_path))
    run = PlainRun(SMALL, 32, BRIEF, seed=1)
    interrupted = KeyboardInterrupt()

    def interrupt(_fraction: float) -> None:
        raise interrupted

    with pytest.raises(KeyboardInterrupt):
        run.climate(interrupt)
    assert not list(tmp_path.glob("*.nc"))
    made = run.climate()
    assert set(BUDGET) <= set(made.data_vars)
    calls: list[Any] = []
    monkeypatch.setattr(truth, "climate", lambda *given, **named: calls.append((given, named)))
    assert run.climate().identical(made)
    assert not calls
    with pytest.raises(AttributeError):
        PlainRun(SMALL, 32, BRIEF, seed=2).climate()
    assert len(calls) == 1
