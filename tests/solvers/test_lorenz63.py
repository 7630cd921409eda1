"""Lorenz-63 against closed forms, symmetry and an independent program."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import reference_lorenz as reference

from solvers.errors import SolverBlewUp, StabilityWarning
from solvers.integration import Integration
from solvers.lorenz63 import Lorenz63, Lorenz63Integration
from solvers.lyapunov import largest_lyapunov_exponent
from solvers.model import Model

Array = NDArray[np.float64]


def one_by_one(integration: Integration, n_step: int) -> None:
    for _ in range(n_step):
        integration.advance(1)


def final(model: Model, state: Array, n_step: int, **options: Any) -> Array:
    integration = model.start(state, **options)
    assert isinstance(integration, Lorenz63Integration)
    integration.advance(n_step)
    return integration.state


def test_a_run_is_that_of_the_reference() -> None:
    model = Lorenz63(sigma=9.0, rho=30.0, beta=2.5, dt=0.005)
    parameters = reference.Lorenz63Parameters(9.0, 30.0, 2.5)
    states = model.random_state(3, np.random.default_rng(0))
    for state, found in zip(states, final(model, states, 400), strict=True):
        expected = reference.advance(
            lambda y: reference.lorenz63_tendency(y, parameters), state, 0.005, 400
        )
        # Sums are in another order; over two time units an error grows tenfold, and a swing past
        # the saddle amplifies once more.
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-11)


def test_tendency_of_many_states() -> None:
    model = Lorenz63()
    states = np.random.default_rng(1).normal(size=(2, 4, 3))
    found = model.tendency(states)
    for i in np.ndindex(2, 4):
        expected = reference.lorenz63_tendency(states[i], reference.Lorenz63Parameters())
        np.testing.assert_allclose(found[i], expected, rtol=1e-14)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_steady_convection_stays(sign: float) -> None:
    model = Lorenz63(rho=15.0)
    speed = sign * np.sqrt(model.beta * (model.rho - 1.0))
    steady = np.array([speed, speed, model.rho - 1.0])
    # Stable for this rho, so that rounding does not grow.
    np.testing.assert_allclose(final(model, steady, 1000)[0], steady, rtol=1e-13)


def test_rolls_may_turn_either_way() -> None:
    model = Lorenz63()
    states = model.random_state(2, np.random.default_rng(2))
    turned = np.array([-1.0, -1.0, 1.0])
    np.testing.assert_array_equal(
        final(model, turned * states, 500), turned * final(model, states, 500)
    )


def test_the_fluid_at_rest_warms_as_linear_theory_says() -> None:
    model = Lorenz63()
    fastest = model.rates([0.0, 0.0, 0.0]).real.max()
    root = np.sqrt((model.sigma - 1.0) ** 2 + 4.0 * model.sigma * model.rho)
    assert fastest == pytest.approx(0.5 * (root - model.sigma - 1.0), rel=1e-13)
    # The growing direction of the linear equations.
    seed = 1e-7 * np.array([1.0, 1.0 + fastest / model.sigma, 0.0])
    found = final(model, seed, 50)[0]
    # RK4 with |rate| dt = 0.12 errs by (0.12)^5 / 120 a step.
    np.testing.assert_allclose(found[:2], np.exp(fastest * 0.5) * seed[:2], rtol=2e-5)


def test_volumes_shrink_at_the_same_rate_everywhere() -> None:
    model = Lorenz63(beta=2.0)
    states = np.random.default_rng(3).normal(scale=10.0, size=(5, 3))
    np.testing.assert_allclose(model.rates(states).sum(axis=-1).real, -13.0, rtol=1e-12)


def test_largest_lyapunov_exponent() -> None:
    found = largest_lyapunov_exponent(
        Lorenz63(), time=400.0, interval=1.0, spin_up=20.0, n_member=50
    )
    assert found.standard_error < 0.003
    assert found.value == pytest.approx(0.906, rel=0.02)


def test_a_closure_is_part_of_the_tendency() -> None:
    state = Lorenz63().random_state(1, np.random.default_rng(4))

    def more_viscous(fields: Any, step: int) -> Any:
        return {"x_tendency": 0.5 * (fields["y"] - fields["x"]), "z_tendency": -fields["z"]}

    found = final(Lorenz63(), state, 100, tendency=more_viscous)
    expected = final(Lorenz63(sigma=10.5, beta=8.0 / 3.0 + 1.0), state, 100)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_blow_up_names_the_first_step_whatever_the_cut() -> None:
    model = Lorenz63(dt=0.1)
    states = 30.0 * np.random.default_rng(5).normal(size=(4, 3))
    with pytest.warns(StabilityWarning):
        alone, whole = model.start(states), model.start(states)
    with pytest.raises(SolverBlewUp) as expected:
        one_by_one(alone, 1000)
    with pytest.raises(SolverBlewUp, match=r"^Lorenz-63: .* of member \d is not finite") as found:
        whole.advance(1000)
    assert str(found.value) == str(expected.value)
    assert found.value.step > 1
    assert np.isfinite(whole.fields()["x"]).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dt": -0.01}, r"dt: expected a positive number, got -0\.01"),
        ({"dtype": "double"}, "dtype: expected float64 or float32, got double"),
    ],
)
def test_parameters_are_checked(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Lorenz63(**values)
