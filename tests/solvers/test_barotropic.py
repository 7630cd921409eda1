"""Barotropic vorticity against its equation: closed forms, invariants, symmetries, orders."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from oracle import reference_barotropic as reference

from solvers.barotropic import Barotropic, BarotropicIntegration
from solvers.errors import StabilityWarning
from solvers.forcing import KolmogorovForcing
from solvers.spectral import to_grid

STEPPERS = ("AB3-CN", "AB2-CN", "IF-RK4")
MULTISTEP = ("AB3-CN", "AB2-CN")

Field = NDArray[Any]


def started(model: Barotropic, initial: Field | None = None, **how: Any) -> BarotropicIntegration:
    integration = model.start(initial, **how)
    assert isinstance(integration, BarotropicIntegration)
    return integration


def developed(model: Barotropic, n_member: int = 1, seed: int = 1) -> Field:
    return 3.0 * model.random_state(n_member, np.random.default_rng(seed))


def advanced(model: Barotropic, initial: Field, n_step: int) -> Field:
    integration = started(model, initial)
    integration.advance(n_step)
    state: Field = integration.vorticity_spectrum[0]
    return state


def compiled_tendency(model: Barotropic, vorticity: Field) -> Field:
    """The explicit part, as the time loop leaves it behind for its next step."""
    integration = started(model, vorticity)
    integration.advance(1)
    return to_grid(integration.memory[0, 0], model.grid.shape)


def rough(model: Barotropic, seed: int = 3) -> Field:
    """Vorticity with as much in the shortest wave that is kept as in the longest."""
    noise = np.random.default_rng(seed).standard_normal(model.grid.shape)
    spectrum = model.kept * np.fft.rfft2(noise)
    spectrum[0, 0] = 0.0
    return to_grid(spectrum, model.grid.shape)


# The reference is plain numpy with five transforms, in flux form. Where the grid is dealiased the
# other form of the Jacobian rounds otherwise; the flow amplifies this to 2e-14 in 200 steps here.
@pytest.mark.parametrize("stepper", STEPPERS)
@pytest.mark.parametrize("dealias", [True, False])
@pytest.mark.parametrize(("nx", "ny"), [(32, 32), (20, 28)])
def test_parity_with_the_reference(stepper: Any, dealias: bool, nx: int, ny: int) -> None:
    model = Barotropic(
        nx=nx, ny=ny, length_y=4.0 * np.pi, dt=2e-3, viscosity=1e-3, beta=3.0,
        stepper=stepper, dealias=dealias,
    )  # fmt: skip
    parameters = reference.BarotropicParameters(
        nx=nx, ny=ny, lx=model.length_x, ly=4.0 * np.pi, dt=model.dt, beta=model.beta,
        viscosity=model.viscosity, drag=model.drag, dealiased=dealias, stepper=stepper.lower(),
    )  # fmt: skip
    start = developed(model)
    forcing = reference.kolmogorov_forcing(parameters, 4.0)
    expected = np.where(model.kept, np.fft.rfft2(start[0]), 0.0)
    expected, _ = reference.advance(expected, parameters, 200, forcing)
    difference = np.abs(advanced(model, start, 200) - expected).max()
    assert difference <= 2e-13 * np.abs(expected).max()


def test_a_grid_of_multiples_of_three_keeps_less_than_a_third() -> None:
    # Two waves of exactly n / 3 add up to 2 n / 3, which the grid sees as -n / 3.
    assert Barotropic(nx=24).kept[:, 0].sum() == 15
    assert Barotropic(nx=26).kept[:, 0].sum() == 17


@pytest.mark.parametrize("dealias", [True, False])
def test_tendency_is_what_the_time_loop_takes(dealias: bool) -> None:
    model = Barotropic(
        nx=24, ny=32, length_y=2.0 * np.pi, beta=2.0, viscosity=0.0, drag=0.0, dealias=dealias
    )
    vorticity = rough(model)
    expected = model.tendency(vorticity)
    given = compiled_tendency(model, vorticity)
    np.testing.assert_allclose(given, expected, atol=1e-12 * np.abs(expected).max())


def test_tendency_includes_damping() -> None:
    model = Barotropic(nx=16, viscosity=0.3, drag=0.2, hyperviscosity=0.1, hyperviscosity_order=2)
    x = model.grid.dx * np.arange(16)
    wave = np.broadcast_to(np.sin(2.0 * x), (16, 16))
    expected = -(0.3 * 4.0 + 0.2 + 0.1 * 16.0) * wave
    given = replace(model, forcing=None).tendency(wave)
    np.testing.assert_allclose(given, expected, atol=1e-13)
    forced = model.tendency(wave) - given
    pattern = 4.0 * (np.cos(4.0 * x) + np.cos(4.0 * x)[:, np.newaxis])
    np.testing.assert_allclose(forced, pattern, atol=1e-13)


def invariance_errors(model: Barotropic) -> tuple[float, float]:
    """Energy and enstrophy tendency of the Jacobian and beta term, relative to their terms."""
    vorticity = rough(model)
    rate = compiled_tendency(model, vorticity)
    psi = to_grid(
        -model.grid.inverse_wavenumber_squared * np.fft.rfft2(vorticity), model.grid.shape
    )
    energy, enstrophy = (
        abs(np.mean(f * rate)) / np.mean(np.abs(f * rate)) for f in (psi, vorticity)
    )
    return float(energy), float(enstrophy)


@pytest.mark.parametrize("nx", [32, 48, 128])
def test_the_dealiased_jacobian_conserves_energy_and_enstrophy(nx: int) -> None:
    model = Barotropic(nx=nx, ny=32, beta=1.0, viscosity=0.0, drag=0.0, forcing=None)
    energy, enstrophy = invariance_errors(model)
    assert energy <= 1e-14
    assert enstrophy <= 1e-14


def test_the_aliased_jacobian_does_not() -> None:
    model = Barotropic(nx=32, viscosity=0.0, drag=0.0, forcing=None, dealias=False)
    assert invariance_errors(model)[1] > 1e-4


@pytest.mark.parametrize("stepper", STEPPERS)
def test_taylor_green_vortices_decay_as_the_stepper_damps(stepper: str) -> None:
    model = Barotropic(
        nx=16, dt=0.02, viscosity=0.1, drag=0.3, hyperviscosity=0.01, hyperviscosity_order=2,
        forcing=None, stepper=stepper,
    )  # fmt: skip
    cosine = np.cos(model.grid.dx * np.arange(16))
    vortices = cosine * cosine[:, np.newaxis]
    rate = 0.1 * 2.0 + 0.3 + 0.01 * 4.0
    factor = (1.0 - 0.01 * rate) / (1.0 + 0.01 * rate)
    expected = np.exp(-rate) if stepper == "IF-RK4" else factor**50
    given = to_grid(advanced(model, vortices, 50), (16, 16))
    np.testing.assert_allclose(given, expected * vortices, atol=1e-14)


@pytest.mark.parametrize("stepper", MULTISTEP)
def test_kolmogorov_flow_is_steady(stepper: str) -> None:
    model = Barotropic(nx=16, dt=0.1, viscosity=0.5, drag=0.5, stepper=stepper)
    x = model.grid.dx * np.arange(16)
    laminar = 4.0 / (16.0 * 0.5 + 0.5) * (np.cos(4.0 * x) + np.cos(4.0 * x)[:, np.newaxis])
    given = to_grid(advanced(model, laminar, 20), (16, 16))
    np.testing.assert_allclose(given, laminar, atol=1e-14)


def test_a_rossby_wave_travels_west_at_its_phase_speed() -> None:
    model = Barotropic(
        nx=16, dt=0.01, beta=5.0, viscosity=0.0, drag=0.0, forcing=None, stepper="IF-RK4"
    )
    x = model.grid.dx * np.arange(16)
    phase = 2.0 * x + 3.0 * x[:, np.newaxis]
    speed = -5.0 / (2.0**2 + 3.0**2)
    given = to_grid(advanced(model, np.cos(phase), 200), (16, 16))
    np.testing.assert_allclose(given, np.cos(phase - 2.0 * speed * 2.0), atol=1e-9)


@pytest.mark.parametrize("stepper", STEPPERS)
def test_the_error_falls_at_the_order_of_the_stepper(stepper: str) -> None:
    model = Barotropic(
        nx=16, viscosity=0.05, beta=1.0, forcing=KolmogorovForcing(wavenumber=2.0), stepper=stepper
    )
    start = developed(model)
    exact = advanced(replace(model, dt=0.5 / 1024, stepper="IF-RK4"), start, 1024)
    errors = [
        np.abs(advanced(replace(model, dt=0.5 / n), start, n) - exact).max() for n in (32, 64, 128)
    ]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, model.scheme.order, atol=0.25)


@pytest.mark.parametrize("stepper", STEPPERS)
def test_a_quarter_turn_of_the_flow_stays_one(stepper: str) -> None:
    # (x, y) -> (-y, x) about the origin, which the forcing does not notice.
    def turned(field: Field) -> Field:
        return np.roll(np.flip(field.T, axis=1), 1, axis=1)

    model = Barotropic(nx=32, dt=2e-3, viscosity=1e-3, stepper=stepper)
    start = developed(model)[0]
    straight = to_grid(advanced(model, start, 100), (32, 32))
    other = to_grid(advanced(model, turned(start), 100), (32, 32))
    assert np.abs(turned(start) - start).max() > 1.0
    np.testing.assert_allclose(other, turned(straight), atol=1e-12)


def test_energy_budget_of_a_step() -> None:
    # d/dt (u2 + v2) / 2 = -<psi F> - 2 nu Z - 2 mu E, all from fields a run returns.
    model = Barotropic(nx=32, dt=1e-4, viscosity=1e-2, stepper="IF-RK4")
    integration = started(model, developed(model))
    energies = []
    for _ in range(3):
        now = integration.fields()
        energies.append(0.5 * float((now["u"] ** 2 + now["v"] ** 2).mean()))
        if len(energies) == 2:
            enstrophy = 0.5 * float((now["vorticity"] ** 2).mean())
            forcing = to_grid(model.steady_forcing, (32, 32))
            work = -float((now["psi"] * forcing).mean())
        integration.advance(1)
    rate = (energies[2] - energies[0]) / 2e-4
    assert rate == pytest.approx(work - 2e-2 * enstrophy - 0.2 * energies[1], rel=1e-6)


def test_single_precision_follows_double() -> None:
    model = Barotropic(nx=32, dt=2e-3, viscosity=1e-3, beta=1.0, dtype="float32")
    start = developed(model)
    integration = started(model, start)
    integration.advance(100)
    assert integration.vorticity_spectrum.dtype == np.complex64
    assert {str(f.dtype) for f in integration.fields().values()} == {"float32"}
    double = advanced(replace(model, dtype="float64"), start, 100)
    error = np.abs(integration.vorticity_spectrum[0] - double).max() / np.abs(double).max()
    assert 1e-9 < error < 1e-5


@pytest.mark.parametrize("fft", ["fftw", "rocket-fft", "scipy"])
def test_every_fft_library_gives_the_same_flow(fft: str) -> None:
    model = Barotropic(nx=32, dt=2e-3, viscosity=1e-3)
    try:
        given = advanced(replace(model, fft=fft), developed(model), 50)
    except ValueError as error:
        pytest.skip(str(error))
    expected = reference.advance(
        model.kept * np.fft.rfft2(developed(model)[0]),
        reference.BarotropicParameters(nx=32, ny=32, dt=2e-3, viscosity=1e-3, drag=0.1),
        50,
        to_grid(model.steady_forcing, (32, 32)),
    )[0]
    assert np.abs(given - expected).max() <= 1e-13 * np.abs(expected).max()


def test_defaults_give_labelled_data() -> None:
    run = Barotropic(nx=32, dt=5e-3).run(time=0.5, save_every=0.25)
    assert list(run.data_vars)[:4] == ["vorticity", "u", "v", "psi"]
    assert run.vorticity.dims == ("time", "member", "y", "x")
    assert run.attrs["forcing"] == "KolmogorovForcing(wavenumber=4.0, amplitude=None)"
    assert run.attrs["viscosity"] == 5e-5
    assert isinstance(run, xr.Dataset)
    for field in ("vorticity", "u", "v", "psi"):
        assert run[field].attrs["units"] == "1"
    model = Barotropic(nx=32)
    u, v = model.velocity(np.fft.rfft2(run.vorticity.to_numpy()))
    np.testing.assert_allclose(run.u, u, atol=1e-13)
    np.testing.assert_allclose(run.v, v, atol=1e-13)


def test_initial_waves_that_are_not_kept_are_left_out() -> None:
    model = Barotropic(nx=16, dt=1e-3)
    x = model.grid.dx * np.arange(16)
    integration = started(model, np.broadcast_to(np.cos(5 * x) + np.cos(6 * x), (16, 16)))
    np.testing.assert_allclose(integration.fields()["vorticity"][0, 0], np.cos(5 * x), atol=1e-14)


def test_stability_limit_of_a_shear_flow() -> None:
    # v = 2 sin(x) carries the shortest wave along y, of wavenumber 5 where 16 points are dealiased.
    model = Barotropic(nx=16, dt=1e-3, drag=0.0, viscosity=0.0)
    shear = np.broadcast_to(2.0 * np.cos(model.grid.dx * np.arange(16)), (16, 16))
    limits = {
        stepper: replace(model, stepper=stepper).stability_limit(started(model, shear))
        for stepper in STEPPERS
    }
    assert limits["AB3-CN"] == pytest.approx(0.7236 / 10.0, rel=1e-4)
    assert limits["IF-RK4"] == pytest.approx(8.0**0.5 / 10.0)
    # Undamped, AB2's waves grow by 1e-3 of their frequency; damped by r, by r.
    assert limits["AB2-CN"] == pytest.approx(0.004 ** (1 / 3) / 10.0)
    damped = replace(model, stepper="AB2-CN", drag=0.05)
    assert damped.stability_limit(started(damped, shear)) == pytest.approx(0.02 ** (1 / 3) / 10.0)


def test_a_step_above_the_limit_is_announced() -> None:
    model = Barotropic(nx=16, dt=0.1)
    shear = np.broadcast_to(2.0 * np.cos(model.grid.dx * np.arange(16)), (16, 16))
    with pytest.warns(StabilityWarning, match=r"0\.1 is above the stability limit 0\.07236"):
        model.start(shear)


def test_a_flow_at_rest_has_no_limit() -> None:
    model = Barotropic(nx=16)
    assert model.stability_limit(started(model, np.zeros((16, 16)))) == np.inf


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"nx": 33}, "nx: expected an even number of at least 4 points, got 33"),
        ({"nx": 2}, "nx: expected an even number of at least 4 points, got 2"),
        ({"nx": 0}, "nx: expected an even number of at least 4 points, got 0"),
        ({"ny": 7}, "ny: expected an even number of at least 4 points, got 7"),
        ({"length_x": -1.0}, "length_x: expected a positive length, got -1"),
        ({"dt": -0.1}, r"dt: expected a positive number, got -0\.1"),
        ({"dt": float("nan")}, "dt: expected a positive number, got nan"),
        ({"viscosity": -1e-3}, r"viscosity: expected no negative number, got -0\.001; add energy"),
        ({"drag": -0.1}, r"drag: expected no negative number, got -0\.1"),
        ({"hyperviscosity": -1.0}, "hyperviscosity: expected no negative number"),
        (
            {"hyperviscosity_order": 1},
            "hyperviscosity_order: expected a power .* at least 2, got 1",
        ),
        ({"stepper": "RK4"}, "stepper: expected one of AB3-CN, AB2-CN, IF-RK4, got RK4"),
        ({"dtype": "float16"}, "dtype: expected float64 or float32, got float16"),
        ({"nx": 8}, "forcing: expected at most 2 waves along x, .* nx resolves, got 4; use more"),
        ({"nx": 16, "ny": 8, "length_y": 6.283185307179586}, "at most 2 waves along y"),
    ],
)
def test_wrong_parameters(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Barotropic(**wrong)


def test_a_forcing_is_one_of_two() -> None:
    with pytest.raises(
        TypeError, match=r"forcing: expected a KolmogorovForcing, a .* got function"
    ):
        Barotropic(forcing=lambda: 0.0)  # type: ignore[arg-type]
