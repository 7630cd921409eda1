"""Lorenz-96 against loops written from the equations of the papers.

The one-scale form and the two-scale form of Wilks (2005) and Arnold et al. (2013) are written here,
that of Rasp (2020) in `reference_lorenz`.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
from oracle import reference_lorenz as reference

from solvers.coarse_graining import lorenz96_pairs
from solvers.lorenz96 import Lorenz96
from solvers.lorenz96_two_scale import (
    TwoScaleLorenz96Integration,
    TwoScaleLorenz96Rasp,
    TwoScaleLorenz96Wilks,
)

Array = npt.NDArray[np.float64]
TwoScale = TwoScaleLorenz96Wilks | TwoScaleLorenz96Rasp

WILKS = [
    TwoScaleLorenz96Wilks(),
    TwoScaleLorenz96Wilks(c=4.0),
    TwoScaleLorenz96Wilks(n_k=5, n_j=3, forcing=7.5, h=0.7, c=3.0, b=6.0),
]
RASP = [
    TwoScaleLorenz96Rasp(),
    TwoScaleLorenz96Rasp(n_k=13, n_j=11, forcing=8.5, h=0.6, c=5.0, b=7.0),
]


def wilks_by_loops(p: TwoScale, state: Array) -> Array:
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


def rasp_by_loops(p: TwoScale, state: Array) -> Array:
    parameters = reference.RaspTwoScaleParameters(p.n_k, p.n_j, p.forcing, p.h, p.c, p.b)
    return reference.rasp_two_scale_tendency(state, parameters)


def subgrid_by_loops(p: TwoScale, state: Array) -> Array:
    """Both forms: h c / b of a sum, or h c of a mean."""
    factor = p.h * p.c / (p.b if isinstance(p, TwoScaleLorenz96Wilks) else p.n_j)
    result = np.zeros(p.n_k)
    for k in range(p.n_k):
        for j in range(p.n_j):
            result[k] -= factor * state[p.n_k + k * p.n_j + j]
    return result


def one_scale_by_loops(p: Lorenz96, x: Array) -> Array:
    result = reference.one_scale_tendency(x, p.forcing)
    for k in range(p.n_k):
        result[k] += sum(b * x[k] ** power for power, b in enumerate(p.coefficients or ()))
    return result


def rk4(f: Callable[[Array], Array], state: Array, dt: float) -> Array:
    k1 = f(state)
    k2 = f(state + dt / 2 * k1)
    k3 = f(state + dt / 2 * k2)
    k4 = f(state + dt * k3)
    return state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def draw(p: TwoScale, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    slow = rng.normal(3.0, 5.0, p.n_k)
    return np.concatenate([slow, rng.normal(0.0, 0.5, p.n_k * p.n_j)])


def tendency_by_loops(p: TwoScale) -> Callable[[Array], Array]:
    return partial(wilks_by_loops if isinstance(p, TwoScaleLorenz96Wilks) else rasp_by_loops, p)


@pytest.mark.parametrize("p", [*WILKS, *RASP])
def test_two_scale_tendency(p: TwoScale) -> None:
    state = draw(p, seed=1)
    # Sums of terms up to a few hundred: rounding of their order of summation only.
    np.testing.assert_allclose(p.tendency(state), tendency_by_loops(p)(state), rtol=0, atol=1e-11)


@pytest.mark.parametrize("p", [*WILKS, *RASP])
def test_two_scale_run_and_its_subgrid_tendency(p: TwoScale) -> None:
    members = np.stack([draw(p, seed=2), draw(p, seed=3)])
    n_save, every = 3, 4
    run = p.run(steps=n_save * every, save_every=every, initial=members)
    integration = p.start(members)
    assert isinstance(integration, TwoScaleLorenz96Integration)
    integration.advance(n_save * every)
    for m in range(2):
        state = members[m]
        for s in range(n_save + 1):
            np.testing.assert_allclose(run["x"][s, m], state[: p.n_k], rtol=0, atol=1e-11)
            np.testing.assert_allclose(
                run["x_tendency"][s, m], subgrid_by_loops(p, state), rtol=0, atol=1e-11
            )
            if s == n_save:
                break
            for _ in range(every):
                state = rk4(tendency_by_loops(p), state, 0.001)
        np.testing.assert_allclose(integration.state[m], state, rtol=0, atol=1e-11)
    np.testing.assert_allclose(run["time"], 0.001 * every * np.arange(n_save + 1), rtol=1e-13)


@pytest.mark.parametrize("p", [WILKS[0], RASP[1]])
def test_two_scale_run_of_many_steps(p: TwoScale) -> None:
    state = draw(p, seed=7)
    run = p.run(steps=150, save_every=150, initial=state)
    for _ in range(150):
        state = rk4(tendency_by_loops(p), state, 0.001)
    # From far off the attractor, errors grow tenfold in these 0.15 time units.
    np.testing.assert_allclose(run["x"][-1, 0], state[: p.n_k], rtol=0, atol=1e-11)


def test_labelled_pairs_are_state_and_subgrid_tendency() -> None:
    p = WILKS[2]
    start = draw(p, seed=4)
    pairs = lorenz96_pairs(p.run(steps=2, save_every=1, initial=start))
    state = start
    for s in range(3):
        np.testing.assert_allclose(pairs["x"].values[s, 0], state[: p.n_k], rtol=0, atol=1e-11)
        np.testing.assert_allclose(
            pairs["x_tendency"].values[s, 0], subgrid_by_loops(p, state), rtol=0, atol=1e-11
        )
        state = rk4(tendency_by_loops(p), state, 0.001)


@pytest.mark.parametrize("coefficients", [None, (0.706, 1.110, 0.0001, -0.0028)])
def test_one_scale_run(coefficients: tuple[float, ...] | None) -> None:
    p = Lorenz96(n_k=8, forcing=20.0, coefficients=coefficients, dt=0.005)
    members = np.stack([draw(WILKS[0], seed)[: p.n_k] for seed in (5, 6)])
    run = p.run(steps=120, save_every=2, initial=members)
    for m in range(2):
        x = members[m]
        for s in range(61):
            # Errors grow less than tenfold in 0.6 time units.
            np.testing.assert_allclose(run["x"][s, m], x, rtol=0, atol=1e-11)
            for _ in range(2):
                x = rk4(partial(one_scale_by_loops, p), x, 0.005)
