"""Lyapunov exponents of systems that have them in closed form, and of multistep schemes."""

import math
from dataclasses import replace

import numpy as np
import pytest

from solvers import KuramotoSivashinsky, Lorenz63, Lorenz96
from solvers.lyapunov import largest_lyapunov_exponent


@pytest.mark.parametrize("forcing", [0.3, 0.8, -0.3])
def test_a_stable_steady_state_has_the_exponent_of_its_slowest_wave(forcing: float) -> None:
    angles = 2.0 * np.pi * np.arange(6) / 6
    rates = forcing * (np.cos(angles) - np.cos(2.0 * angles)) - 1.0
    found = largest_lyapunov_exponent(
        Lorenz96(n_k=6, forcing=forcing, dt=0.02), time=20.0, interval=1.0, spin_up=60.0
    )
    # RK4 with |rate| dt = 0.03 errs by less than 1e-8; rounding of differences of 1e-8, by 1e-8.
    assert found.value == pytest.approx(rates.max(), abs=1e-6)
    assert found.standard_error < 1e-6


def test_rest_without_convection() -> None:
    # The slowest decay is that of the vertical profile, -beta, or of the flow.
    model = Lorenz63(rho=0.5)
    found = largest_lyapunov_exponent(model, time=20.0, interval=0.5, spin_up=40.0, n_member=3)
    assert found.value == pytest.approx(model.rates(np.zeros(3)).real.max(), abs=1e-6)


def test_multistep_schemes_have_the_exponent_of_the_equation() -> None:
    one_step = KuramotoSivashinsky(nx=32, length=22.0, dt=0.05)
    exponents = [
        largest_lyapunov_exponent(
            model, time=2000.0, interval=5.0, spin_up=200.0, n_member=8, n_thread=1
        )
        for model in (one_step, replace(one_step, scheme="CNAB2"))
    ]
    first, second = exponents
    error = math.hypot(first.standard_error, second.standard_error)
    assert error < 0.15 * first.value
    assert abs(first.value - second.value) < 4.0 * error
    # Cvitanovic, Davidchack and Siminos (2010), SIAM J. Appl. Dyn. Syst. 9, 1-33: 0.048.
    assert abs(first.value - 0.048) < 4.0 * first.standard_error


def test_the_size_of_differences_does_not_matter_while_it_is_small() -> None:
    small, smaller = (
        largest_lyapunov_exponent(
            Lorenz63(), time=20.0, interval=0.5, spin_up=5.0, n_member=2, size=size
        )
        for size in (1e-7, 1e-9)
    )
    # The same trajectories; differences are linear to about their size times their growth.
    assert small.value == pytest.approx(smaller.value, rel=1e-4)
    assert small != smaller


def test_one_pair_has_no_standard_error() -> None:
    found = largest_lyapunov_exponent(Lorenz63(), time=10.0, interval=0.5, n_member=1)
    assert math.isnan(found.standard_error)
    assert math.isfinite(found.value)


def test_it_begins_at_given_states() -> None:
    model, rest = Lorenz63(rho=20.0), np.zeros((2, 3))
    found = largest_lyapunov_exponent(model, time=2.0, interval=0.5, spin_up=2.0, initial=rest)
    # No run stays at rest by itself; RK4 with rate dt = 0.09 errs by a few millionths.
    assert found.value == pytest.approx(model.rates(rest[0]).real.max(), rel=1e-4)
    assert found.standard_error < 1e-4


@pytest.mark.parametrize("interval", [0.004, 3.0])
def test_the_interval_is_checked(interval: float) -> None:
    with pytest.raises(
        ValueError, match=r"interval: expected between dt = 0\.01 and time = 1, got [\d.]+$"
    ):
        largest_lyapunov_exponent(Lorenz63(), time=1.0, interval=interval)
