"""Lorenz-96 against loops written from the equations of Wilks (2005) and Arnold et al. (2013)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from solvers.coarse_graining import lorenz96_pairs
from solvers.lorenz96 import (
    Lorenz96Parameters,
    run_one_scale,
    run_two_scale,
    two_scale_tendency,
)

Array = npt.NDArray[np.float64]

CASES = [
    Lorenz96Parameters(),
    Lorenz96Parameters(c=4.0),
    Lorenz96Parameters(n_k=5, n_j=3, forcing=7.5, h=0.7, c=3.0, b=6.0),
]


def tendency_by_loops(p: Lorenz96Parameters, state: Array) -> Array:
    """X first, then Y; the fast ring runs through all sectors."""
    n_y = p.n_k * p.n_j
    x, y = state[: p.n_k], state[p.n_k :]
    result = np.zeros(p.n_k + n_y)
    for k in range(p.n_k):
        before, two_before, after = x[(k - 1) % p.n_k], x[(k - 2) % p.n_k], x[(k + 1) % p.n_k]
        fast = sum(y[k * p.n_j + j] for j in range(p.n_j))
        result[k] = -before * (two_before - after) - x[k] + p.forcing - p.h * p.c / p.b * fast
    for i in range(n_y):
        after, two_after, before = y[(i + 1) % n_y], y[(i + 2) % n_y], y[(i - 1) % n_y]
        result[p.n_k + i] = (
            -p.c * p.b * after * (two_after - before) - p.c * y[i] + p.h * p.c / p.b * x[i // p.n_j]
        )
    return result


def subgrid_by_loops(p: Lorenz96Parameters, state: Array) -> Array:
    result = np.zeros(p.n_k)
    for k in range(p.n_k):
        for j in range(p.n_j):
            result[k] -= p.h * p.c / p.b * state[p.n_k + k * p.n_j + j]
    return result


def one_scale_by_loops(p: Lorenz96Parameters, coefficients: list[float], x: Array) -> Array:
    result = np.zeros(p.n_k)
    for k in range(p.n_k):
        closure = sum(b * x[k] ** power for power, b in enumerate(coefficients))
        result[k] = (
            -x[(k - 1) % p.n_k] * (x[(k - 2) % p.n_k] - x[(k + 1) % p.n_k])
            - x[k]
            + p.forcing
            + closure
        )
    return result


def rk4(f: Callable[[Array], Array], state: Array, dt: float) -> Array:
    k1 = f(state)
    k2 = f(state + dt / 2 * k1)
    k3 = f(state + dt / 2 * k2)
    k4 = f(state + dt * k3)
    return state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def draw(p: Lorenz96Parameters, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    slow = rng.normal(3.0, 5.0, p.n_k)
    return np.concatenate([slow, rng.normal(0.0, 0.5, p.n_k * p.n_j)])


@pytest.mark.parametrize("p", CASES)
def test_two_scale_tendency(p: Lorenz96Parameters) -> None:
    state = draw(p, seed=1)
    expected = tendency_by_loops(p, state)
    # Sums of terms up to a few hundred: rounding of their order of summation only.
    np.testing.assert_allclose(two_scale_tendency(p, state), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("p", CASES)
def test_two_scale_run_and_its_subgrid_tendency(p: Lorenz96Parameters) -> None:
    members = np.stack([draw(p, seed=2), draw(p, seed=3)])
    n_save, every, dt = 3, 4, 0.001
    trajectory = run_two_scale(p, members.copy(), n_save, save_every=every, dt=dt)
    for m in range(2):
        state = members[m]
        for s in range(n_save):
            for _ in range(every):
                state = rk4(lambda y: tendency_by_loops(p, y), state, dt)
            np.testing.assert_allclose(trajectory.x[s, m], state[: p.n_k], rtol=0, atol=1e-11)
            np.testing.assert_allclose(
                trajectory.subgrid_tendency[s, m], subgrid_by_loops(p, state), rtol=0, atol=1e-11
            )
        np.testing.assert_allclose(trajectory.final_state[m], state, rtol=0, atol=1e-11)
    np.testing.assert_allclose(trajectory.time, dt * every * np.arange(1, n_save + 1), rtol=1e-13)


def test_labelled_pairs_are_state_and_subgrid_tendency() -> None:
    p = CASES[2]
    start = draw(p, seed=4)
    pairs = lorenz96_pairs(p, run_two_scale(p, start[None], 2, save_every=1, dt=0.002))
    state = start
    for s in range(2):
        state = rk4(lambda y: tendency_by_loops(p, y), state, 0.002)
        np.testing.assert_allclose(pairs["x"].values[s, 0], state[: p.n_k], rtol=0, atol=1e-11)
        np.testing.assert_allclose(
            pairs["x_tendency"].values[s, 0], subgrid_by_loops(p, state), rtol=0, atol=1e-11
        )


@pytest.mark.parametrize("coefficients", [[0.0], [0.706, 1.110, 0.0001, -0.0028]])
def test_one_scale_run(coefficients: list[float]) -> None:
    p = CASES[0]
    members = np.stack([draw(p, seed=5)[: p.n_k], draw(p, seed=6)[: p.n_k]])
    n_save, every, dt = 3, 2, 0.005
    run = run_one_scale(p, coefficients, members.copy(), n_save, save_every=every, dt=dt)
    for m in range(2):
        x = members[m]
        for s in range(n_save):
            for _ in range(every):
                x = rk4(lambda y: one_scale_by_loops(p, coefficients, y), x, dt)
            np.testing.assert_allclose(run[s, m], x, rtol=0, atol=1e-11)
