"""One-scale Lorenz-96 against closed forms, symmetry and an independent program."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import reference_lorenz as reference

from solvers.errors import SolverBlewUp, StabilityWarning
from solvers.integration import Integration
from solvers.lorenz96 import Lorenz96, Lorenz96Integration, fastest_rate
from solvers.lyapunov import largest_lyapunov_exponent
from solvers.model import Model
from solvers.time_stepping import RUNGE_KUTTA_4, RUNGE_KUTTA_4_RADIUS, amplification

Array = NDArray[np.float64]
CUBIC = (-0.7, -1.1, 0.01, 0.0028)


def one_by_one(integration: Integration, n_step: int) -> None:
    for _ in range(n_step):
        integration.advance(1)


def final(model: Model, state: Array, n_step: int, **options: Any) -> Array:
    integration = model.start(state, **options)
    assert isinstance(integration, Lorenz96Integration)
    integration.advance(n_step)
    return integration.memory.state


@pytest.mark.parametrize("n_k", [4, 5, 8, 40])
def test_a_run_is_that_of_the_reference(n_k: int) -> None:
    model = Lorenz96(n_k=n_k, dt=0.02)
    states = 2.0 + model.random_state(2, np.random.default_rng(0))
    for state, found in zip(states, final(model, states, 100), strict=True):
        expected = reference.advance(
            lambda x: reference.one_scale_tendency(x, 8.0), state, 0.02, 100
        )
        # Sums are in another order; in two time units errors grow by exp(1.7 * 2) = 30.
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12)


def test_energy_changes_by_forcing_and_damping_alone() -> None:
    model = Lorenz96(n_k=7, forcing=5.0)
    x = np.random.default_rng(1).normal(size=(3, 7))
    work = np.sum(x * model.tendency(x), axis=-1)
    np.testing.assert_allclose(work, 5.0 * x.sum(axis=-1) - np.sum(x * x, axis=-1), rtol=1e-12)


def test_the_uniform_state_is_steady() -> None:
    model = Lorenz96(forcing=3.0)
    uniform = np.full(40, 3.0)
    np.testing.assert_array_equal(model.tendency(uniform), 0.0)
    np.testing.assert_array_equal(final(model, uniform, 10)[0], uniform)


@pytest.mark.parametrize("wave", [1, 7, 12])
def test_waves_on_the_uniform_state_move_and_grow_as_linear_theory_says(wave: int) -> None:
    model = Lorenz96(forcing=2.0, dt=0.01)
    angle = 2.0 * np.pi * wave / 40
    rate = 2.0 * (np.exp(1j * angle) - np.exp(-2j * angle)) - 1.0
    start = 1e-6 * np.exp(1j * angle * np.arange(40))
    found = np.fft.fft(final(model, 2.0 + start.real, 100)[0])[wave] / 20.0
    # Of second order in the amplitude; RK4's error is 1e-8 of it.
    assert found == pytest.approx(1e-6 * np.exp(rate), rel=1e-5)


def test_all_places_are_alike() -> None:
    model = Lorenz96(coefficients=CUBIC)
    x = model.random_state(2, np.random.default_rng(2))
    np.testing.assert_array_equal(
        final(model, np.roll(x, 3, axis=1), 200), np.roll(final(model, x, 200), 3, axis=1)
    )


def test_largest_lyapunov_exponent() -> None:
    found = largest_lyapunov_exponent(
        Lorenz96(n_k=40, forcing=8.0), time=1000.0, interval=0.5, spin_up=20.0, n_member=40
    )
    assert found.standard_error < 0.005
    assert found.value == pytest.approx(1.67, rel=0.02)


def test_a_polynomial_is_a_closure_in_the_loop() -> None:
    polynomial = np.polynomial.Polynomial(CUBIC)

    def closure(fields: Any, step: int) -> Any:
        return polynomial(fields["x"])

    plain = Lorenz96(n_k=8, forcing=20.0, dt=0.005)
    compiled = Lorenz96(n_k=8, forcing=20.0, dt=0.005, coefficients=CUBIC)
    x = 3.0 + plain.random_state(2, np.random.default_rng(3))
    found = final(compiled, x, 200)
    # Products are in another order; errors grow tenfold in a time unit.
    np.testing.assert_allclose(found, final(plain, x, 200, tendency=closure), rtol=0, atol=1e-11)
    assert np.abs(found - final(plain, x, 200)).max() > 1.0


def test_a_polynomial_is_part_of_the_tendency() -> None:
    model = Lorenz96(n_k=6, coefficients=CUBIC)
    x = np.random.default_rng(4).normal(size=6)
    expected = reference.one_scale_tendency(x, 8.0) + np.polynomial.Polynomial(CUBIC)(x)
    np.testing.assert_allclose(model.tendency(x), expected, rtol=1e-12)


def test_no_coefficients_are_no_closure() -> None:
    assert Lorenz96(coefficients=()) == Lorenz96()
    x = Lorenz96().random_state(1, np.random.default_rng(5))
    np.testing.assert_array_equal(
        final(Lorenz96(coefficients=(0.0,)), x, 50), final(Lorenz96(), x, 50)
    )


def test_no_wave_on_a_uniform_state_is_faster_than_the_bound() -> None:
    angles = np.linspace(0.0, 2.0 * np.pi, 3601)
    for x in (-3.0, 0.2, 8.0):
        rates = x * (np.exp(1j * angles) - np.exp(-2j * angles)) - 1.0
        bound = fastest_rate(np.array([0.1, x]))
        assert np.abs(rates).max() <= bound <= 1.5 * np.abs(rates).max() + 1.0


def test_the_half_disc_is_the_largest_that_is_stable() -> None:
    directions = np.exp(1j * np.linspace(0.5 * np.pi, 1.5 * np.pi, 2001))
    assert amplification(RUNGE_KUTTA_4, RUNGE_KUTTA_4_RADIUS * directions).max() <= 1.0 + 1e-12
    assert amplification(RUNGE_KUTTA_4, 1.002 * RUNGE_KUTTA_4_RADIUS * directions).max() > 1.0


def test_blow_up_names_the_first_step_whatever_the_cut() -> None:
    model = Lorenz96(dt=0.3)
    x = 10.0 * model.random_state(2, np.random.default_rng(6))
    with pytest.warns(StabilityWarning):
        alone, whole = model.start(x), model.start(x)
    with pytest.raises(SolverBlewUp) as expected:
        one_by_one(alone, 1000)
    with pytest.raises(SolverBlewUp, match=r"one-scale Lorenz-96: x of member \d is not") as found:
        whole.advance(1000)
    assert str(found.value) == str(expected.value)
    assert whole.step == found.value.step - 1
    assert np.isfinite(whole.prognostic["x"]).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_k": 3}, "n_k: expected at least 4 variables, which the advection connects, got 3"),
        ({"dt": 0.0}, r"dt: expected a positive number, got 0\.0"),
        ({"dtype": "float16"}, "dtype: expected float64 or float32, got float16"),
    ],
)
def test_parameters_are_checked(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Lorenz96(**values)
