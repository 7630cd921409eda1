from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq

from solvers.exponential_schemes import exponential_coefficients
from solvers.time_schemes import AdamsBashforth, Problem, RungeKutta, Scheme
from solvers.time_stepping import (
    ADAMS_BASHFORTH_2,
    ADAMS_BASHFORTH_3,
    RUNGE_KUTTA_4,
    RUNGE_KUTTA_4_RADIUS,
    SCHEMES,
    SSP_RUNGE_KUTTA_3,
    amplification,
    integrate,
    runge_kutta_4_stage,
)

Array = NDArray[Any]

EXPLICIT = [ADAMS_BASHFORTH_2, ADAMS_BASHFORTH_3, SSP_RUNGE_KUTTA_3, RUNGE_KUTTA_4]


@dataclass(frozen=True)
class Solved:
    """A problem with its solution in closed form."""

    problem: Problem
    solution: Callable[[float], Array]


def solved(linear: complex, nonlinear: Callable[[Any, float], Any], y: Any) -> Solved:
    return Solved(Problem(np.array(linear), nonlinear), lambda t: np.asarray(y(t)))


PROBLEMS = {
    # Logistic growth, y(0) = 1/2. (From 1/4, the error of IF-RK4 changes its sign at time 1.)
    "logistic": solved(1.0, lambda y, _: -y * y, lambda t: 1.0 / (1.0 + np.exp(-t))),
    # A forcing that depends on time, in a problem whose linear term is fast.
    "forced": solved(
        -3.0,
        lambda y, t: 3.0 * np.sin(t) + np.cos(t) + np.sin(t) ** 2 - y * y,
        np.sin,
    ),
    # An oscillator whose frequency depends on its amplitude.
    "oscillator": solved(
        2.0j, lambda y, _: 0.7j * abs(y) ** 2 * y, lambda t: 1.2 * np.exp(1j * t * 3.008)
    ),
}


def error(scheme: Scheme, case: Solved, dt: float, *, history: bool) -> float:
    """Return the error at time 1 of a run that begins with the exact history, or none."""
    times = [-i * dt for i in range(1, scheme.n_past + 1)] if history else []
    past = [scheme.tendency(case.problem, case.solution(t), t) for t in times]
    n_step = round(1.0 / dt)
    final = integrate(scheme, case.problem, case.solution(0.0), dt, n_step, past=past)
    return float(np.abs(final - case.solution(1.0)))


def measured_order(scheme: Scheme, case: Solved, *, history: bool = True) -> float:
    coarse, fine = (error(scheme, case, dt, history=history) for dt in (1.0 / 80.0, 1.0 / 160.0))
    return float(np.log2(coarse / fine))


@pytest.mark.parametrize("case", PROBLEMS)
@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_has_the_order_it_states(name: str, case: str) -> None:
    assert measured_order(SCHEMES[name], PROBLEMS[case]) == pytest.approx(
        SCHEMES[name].order, abs=0.15
    )


@pytest.mark.parametrize("case", PROBLEMS)
def test_the_solutions_in_closed_form_solve_their_problems(case: str) -> None:
    assert error(RUNGE_KUTTA_4, PROBLEMS[case], 1e-3, history=True) < 1e-11


@pytest.mark.parametrize("name", [name for name, scheme in SCHEMES.items() if scheme.n_past])
def test_without_history_multistep_schemes_start_with_euler(name: str) -> None:
    scheme, case = SCHEMES[name], PROBLEMS["oscillator"]
    # One step of Euler's method costs an error of second order, whatever comes later.
    assert measured_order(scheme, case, history=False) == pytest.approx(2.0, abs=0.15)
    first = integrate(scheme, case.problem, case.solution(0.0), 1e-3, 1)
    euler = case.solution(0.0) * (1.0 + 1e-3 * 3.008j)
    # The trapezoidal rule of the linear term departs from it by (2 dt)^2 / 2 and smaller terms.
    assert complex(first) == pytest.approx(complex(euler), abs=5e-6)


@pytest.mark.parametrize("scheme", [ADAMS_BASHFORTH_2, ADAMS_BASHFORTH_3])
def test_adams_bashforth_weights_integrate_polynomials(scheme: AdamsBashforth) -> None:
    for n_past, row in enumerate(scheme.weights):
        assert not row[n_past + 1 :].any()
        for power in range(n_past + 1):
            moment = sum(b * float(-i) ** power for i, b in enumerate(row))
            assert moment == pytest.approx(1.0 / (power + 1), rel=1e-15)


@pytest.mark.parametrize("scheme", [SSP_RUNGE_KUTTA_3, RUNGE_KUTTA_4])
def test_runge_kutta_order_conditions(scheme: RungeKutta) -> None:
    """Hairer, Norsett and Wanner (1993), table II.2.2: one condition for each rooted tree."""
    a, b, c = scheme.matrix, scheme.weights, scheme.nodes
    np.testing.assert_array_equal(np.triu(a), 0.0)
    conditions = {
        1: [(b.sum(), 1.0)],
        2: [(b @ c, 1 / 2)],
        3: [(b @ c**2, 1 / 3), (b @ a @ c, 1 / 6)],
        4: [
            *[(b @ c**3, 1 / 4), ((b * c) @ a @ c, 1 / 8)],
            *[(b @ a @ c**2, 1 / 12), (b @ a @ a @ c, 1 / 24)],
        ],
    }
    for order, pairs in conditions.items():
        holds = all(abs(found - expected) < 1e-15 for found, expected in pairs)
        assert holds == (order <= scheme.order)


def test_ssp_runge_kutta_is_a_mean_of_euler_steps() -> None:
    """Shu and Osher (1988): y1 = E(y), y2 = 3/4 y + 1/4 E(y1), then 1/3 y + 2/3 E(y2)."""
    y, dt = np.random.default_rng(1).standard_normal(5), 0.3
    problem = Problem(np.array(-0.4), lambda state, _: np.sin(state))

    def euler(state: Array) -> Array:
        return np.asarray(state + dt * (np.sin(state) - 0.4 * state))

    expected = y / 3.0 + 2.0 / 3.0 * euler(0.75 * y + 0.25 * euler(euler(y)))
    found = integrate(SSP_RUNGE_KUTTA_3, problem, y, dt, 1)
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=4e-16)


def test_compiled_stages_are_the_tableau() -> None:
    state, dt = np.random.default_rng(2).standard_normal(6), 0.2
    problem = Problem(np.array(0.0), lambda y, _: np.cos(3.0 * y) - y)
    expected = integrate(RUNGE_KUTTA_4, problem, state, dt, 3)
    increment, argument = np.empty_like(state), state.copy()
    for _ in range(3):
        for stage in range(4):
            tendency = problem.nonlinear(argument, 0.0)
            runge_kutta_4_stage(stage, dt, state, tendency, increment, argument)
    # Additions in another order: a few units in the last place a step.
    np.testing.assert_allclose(state, expected, rtol=0.0, atol=2e-15)
    np.testing.assert_array_equal(argument, state)


@pytest.mark.parametrize("name", ["IF-RK4", "ETDRK4"])
@pytest.mark.parametrize("linear", [-1e4, -2.0, 0.0, 0.3, 5.0j])
def test_exponential_schemes_are_exact_without_the_nonlinear_term(
    name: str, linear: complex
) -> None:
    problem = Problem(np.array(linear), lambda y, _: 0.0 * y)
    final = integrate(SCHEMES[name], problem, np.array(1.0), 0.5, 4)
    assert complex(final) == pytest.approx(complex(np.exp(2.0 * linear)), rel=1e-14)


def test_without_the_linear_term_exponential_schemes_are_runge_kutta() -> None:
    state = np.random.default_rng(3).standard_normal(4)
    problem = Problem(np.array(0.0), lambda y, t: np.sin(y) + np.cos(t))
    expected = integrate(RUNGE_KUTTA_4, problem, state, 0.1, 5)
    for name in ("IF-RK4", "ETDRK4"):
        found = integrate(SCHEMES[name], problem, state, 0.1, 5)
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=2e-15)


def test_semi_implicit_schemes_keep_the_trapezoidal_rule_of_the_linear_term() -> None:
    problem = Problem(np.array(-3.0), lambda y, _: 0.0 * y)
    for name in ("AB2-CN", "AB3-CN"):
        final = integrate(SCHEMES[name], problem, 1.0, 0.5, 3)
        assert float(final) == pytest.approx(((1.0 - 0.75) / (1.0 + 0.75)) ** 3, rel=1e-14)


def phi(k: int, z: Fraction) -> Fraction:
    """Return phi_k(z) = sum_j z^j / (j + k)!, with terms until none counts in double precision."""
    return sum((z**j / factorial(j + k) for j in range(60)), Fraction(0))


@pytest.mark.parametrize("z", [Fraction(-3), Fraction(-1, 1000), Fraction(0), Fraction(2, 7)])
def test_exponential_coefficients_are_the_exact_ones(z: Fraction) -> None:
    dt = 0.25
    q = exponential_coefficients(np.array([float(z) / dt]), dt)
    p1, p2, p3 = (phi(k, z) for k in (1, 2, 3))
    exact = {
        "full": float(phi(0, z)),
        "half": float(phi(0, z / 2)),
        "stage": dt * float(phi(1, z / 2) / 2),
        "first": dt * float(p1 - 3 * p2 + 4 * p3),
        "middle": dt * float(2 * p2 - 4 * p3),
        "last": dt * float(4 * p3 - p2),
    }
    for name, value in exact.items():
        assert float(getattr(q, name)[0]) == pytest.approx(value, rel=2e-14), name


def test_exponential_coefficients_are_real_where_the_term_is() -> None:
    rates = np.linspace(-900.0, 2.0, 7)
    real = exponential_coefficients(rates, 0.1)
    complex_ = exponential_coefficients(rates + 0.0j, 0.1)
    for one, other in zip(real, complex_, strict=True):
        assert one.dtype == np.float64
        np.testing.assert_allclose(one, other, rtol=1e-15)


def crossing(scheme: Scheme, direction: complex, near: float) -> float:
    """Return where on a ray the growth factor rises through 1."""

    def excess(distance: float) -> float:
        return float(amplification(scheme, direction * distance)) - 1.0

    return float(brentq(excess, 0.9 * near, 1.1 * near, xtol=1e-13))


@pytest.mark.parametrize("scheme", EXPLICIT, ids=lambda scheme: scheme.name)
def test_limits_on_the_real_axis(scheme: AdamsBashforth | RungeKutta) -> None:
    limit = scheme.real_limit
    assert crossing(scheme, -1.0, limit) == pytest.approx(limit, rel=1e-9)
    inside = amplification(scheme, -np.linspace(0.0, 0.999, 200) * limit)
    assert inside.max() <= 1.0 + 1e-14


@pytest.mark.parametrize("scheme", EXPLICIT[1:], ids=lambda scheme: scheme.name)
def test_limits_on_the_imaginary_axis(scheme: AdamsBashforth | RungeKutta) -> None:
    limit = scheme.imaginary_limit
    assert crossing(scheme, 1.0j, limit) == pytest.approx(limit, rel=1e-9)
    inside = amplification(scheme, 1j * np.linspace(0.0, 0.999, 200) * limit)
    assert inside.max() <= 1.0 + 1e-14


def test_half_disc_of_the_fourth_order_runge_kutta_method() -> None:
    half_circle = np.exp(1j * np.linspace(0.5, 1.5, 2001) * np.pi)
    limit = RUNGE_KUTTA_4_RADIUS
    assert amplification(RUNGE_KUTTA_4, limit * half_circle).max() <= 1.0 + 1e-14
    assert amplification(RUNGE_KUTTA_4, (limit + 1e-3) * half_circle).max() > 1.0


def test_second_order_adams_bashforth_bears_no_oscillation() -> None:
    """|A| = 1 + z^4 / 4 + ..., Durran (2010), section 2.4.2: it grows, slowly."""
    assert ADAMS_BASHFORTH_2.imaginary_limit == 0.0
    z = 0.05
    growth = float(amplification(ADAMS_BASHFORTH_2, 1j * z)) - 1.0
    assert growth == pytest.approx(z**4 / 4.0, rel=0.02)


def test_amplification_tells_the_linear_term_apart() -> None:
    assert float(amplification(SCHEMES["ETDRK4"], 0.0, -7.0)) == pytest.approx(np.exp(-7.0))
    assert float(amplification(SCHEMES["AB2-CN"], 0.0, -7.0)) == pytest.approx(2.5 / 4.5)
    assert amplification(SCHEMES["AB3-CN"], [0.1, 0.2], [[-1.0], [0.0]]).shape == (2, 2)
