import numpy as np
import pytest
from numpy.typing import NDArray

from solvers.coarse_graining import lorenz96_pairs
from solvers.lorenz96 import (
    Lorenz96Parameters,
    random_state,
    run_one_scale,
    run_two_scale,
    two_scale_tendency,
)
from solvers.time_stepping import RUNGE_KUTTA_4_ORDER

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def spun_up() -> Array:
    parameters = Lorenz96Parameters()
    state = random_state(parameters, 4, np.random.default_rng(1))
    return run_two_scale(parameters, state, 1, save_every=10_000).final_state


def textbook_tendency(p: Lorenz96Parameters, state: Array) -> Array:
    """Evaluate the equations as Wilks writes them, with rolled arrays."""
    x, y = state[: p.n_k], state[p.n_k :]
    advection_x = -np.roll(x, 1) * (np.roll(x, 2) - np.roll(x, -1))
    dx = advection_x - x + p.forcing - p.h * p.c / p.b * y.reshape(p.n_k, p.n_j).sum(axis=1)
    advection_y = -p.c * p.b * np.roll(y, -1) * (np.roll(y, -2) - np.roll(y, 1))
    dy = advection_y - p.c * y + p.h * p.c / p.b * np.repeat(x, p.n_j)
    return np.concatenate([dx, dy])


@pytest.mark.parametrize(("n_k", "n_j"), [(8, 32), (4, 1), (5, 3), (36, 10)])
def test_tendency_is_that_of_the_textbook(n_k: int, n_j: int) -> None:
    p = Lorenz96Parameters(n_k=n_k, n_j=n_j, forcing=11.0, h=0.7, c=6.0, b=9.0)
    state = np.random.default_rng(2).normal(size=p.size)
    np.testing.assert_allclose(
        two_scale_tendency(p, state), textbook_tendency(p, state), rtol=1e-12, atol=1e-12
    )


def test_energy_changes_by_forcing_and_damping_alone() -> None:
    p = Lorenz96Parameters(n_k=6, n_j=5)
    state = np.random.default_rng(3).normal(size=p.size)
    x, y = state[: p.n_k], state[p.n_k :]
    work = float(state @ two_scale_tendency(p, state))
    # Advection and coupling only move energy around.
    assert work == pytest.approx(p.forcing * x.sum() - x @ x - p.c * (y @ y), rel=1e-12)


def test_uncoupled_rest_state_is_steady() -> None:
    p = Lorenz96Parameters(h=0.0)
    state = np.zeros(p.size)
    state[: p.n_k] = p.forcing
    assert np.abs(two_scale_tendency(p, state)).max() == 0.0


def test_equations_are_the_same_in_every_sector() -> None:
    p = Lorenz96Parameters(n_k=5, n_j=4)
    state = np.random.default_rng(4).normal(size=p.size)

    def turned(values: Array) -> Array:
        return np.concatenate([np.roll(values[: p.n_k], 1), np.roll(values[p.n_k :], p.n_j)])

    np.testing.assert_allclose(
        two_scale_tendency(p, turned(state)), turned(two_scale_tendency(p, state)), rtol=1e-13
    )


def measured_order(errors: list[float]) -> float:
    return float(np.log2(errors[0] / errors[1]))


def test_order_of_the_two_scale_run(spun_up: Array) -> None:
    p = Lorenz96Parameters()

    def final(n_step: int) -> Array:
        return run_two_scale(p, spun_up, 1, save_every=n_step, dt=0.1 / n_step).final_state

    exact = final(1600)
    errors = [float(np.abs(final(n) - exact).max()) for n in (100, 200)]
    assert measured_order(errors) == pytest.approx(RUNGE_KUTTA_4_ORDER, abs=0.2)


def test_order_of_the_one_scale_run(spun_up: Array) -> None:
    p = Lorenz96Parameters()
    cubic = [-0.7, -1.1, 0.0, 0.0028]

    def final(n_step: int) -> Array:
        return run_one_scale(p, cubic, spun_up[:, :8], 1, save_every=n_step, dt=0.5 / n_step)

    exact = final(1600)
    errors = [float(np.abs(final(n) - exact).max()) for n in (50, 100)]
    assert measured_order(errors) == pytest.approx(RUNGE_KUTTA_4_ORDER, abs=0.2)


def test_both_runs_agree_without_coupling(spun_up: Array) -> None:
    p = Lorenz96Parameters(h=0.0)
    two = run_two_scale(p, spun_up, 10, save_every=10, dt=0.002)
    one = run_one_scale(p, [0.0], spun_up[:, :8], 10, save_every=10, dt=0.002)
    np.testing.assert_allclose(two.x, one, rtol=0.0, atol=1e-12)
    assert np.abs(two.subgrid_tendency).max() == 0.0


def test_what_is_saved(spun_up: Array) -> None:
    p = Lorenz96Parameters(c=4.0)
    run = run_two_scale(p, spun_up, 3, save_every=4, dt=0.001)
    np.testing.assert_allclose(run.time, [0.004, 0.008, 0.012])
    y = run.final_state[:, p.n_k :].reshape(4, p.n_k, p.n_j)
    np.testing.assert_array_equal(run.x[-1], run.final_state[:, : p.n_k])
    np.testing.assert_allclose(run.subgrid_tendency[-1], -0.4 * y.sum(axis=-1), rtol=1e-12)


def test_a_run_can_be_continued_and_members_do_not_meet(spun_up: Array) -> None:
    p = Lorenz96Parameters()
    whole = run_two_scale(p, spun_up, 60, save_every=2)
    first = run_two_scale(p, spun_up[1:2], 25, save_every=2)
    second = run_two_scale(p, first.final_state, 35, save_every=2)
    np.testing.assert_array_equal(whole.x[:, 1:2], np.concatenate([first.x, second.x]))


def test_progress_grows_to_one(spun_up: Array) -> None:
    said: list[float] = []
    run_one_scale(Lorenz96Parameters(), [0.0], spun_up[:, :8], 7, on_progress=said.append)
    assert said == sorted(said)
    assert said[-1] == 1.0
    assert len(said) == 7


def test_blow_up_is_an_error(spun_up: Array) -> None:
    with pytest.raises(FloatingPointError, match=r"no longer finite with dt = 0\.1; use a shorter"):
        run_two_scale(Lorenz96Parameters(), spun_up, 5, save_every=10, dt=0.1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_k": 3}, "n_k: expected at least 4 slow variables, got 3"),
        ({"n_j": 0}, "n_j: expected at least 4 fast variables in all, got 0 each"),
        ({"b": 0.0}, r"b, c: expected positive ratios, got b=0\.0"),
        ({"c": -1.0}, r"b, c: expected positive ratios, got .*c=-1\.0"),
    ],
)
def test_parameters_are_checked(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Lorenz96Parameters(**values)  # type: ignore[arg-type]


def test_shapes_are_checked() -> None:
    p = Lorenz96Parameters()
    with pytest.raises(ValueError, match=r"state: expected shape \(264,\), got \(8,\)"):
        two_scale_tendency(p, np.zeros(8))
    with pytest.raises(ValueError, match=r"state: expected shape \(n_member, 264\), got \(264,\)"):
        run_two_scale(p, np.zeros(264), 1)


@pytest.mark.parametrize(
    ("c", "finite_difference", "true"),
    [
        (10.0, [0.350, 1.302, -0.0135, -0.00234], [0.706, 1.110, 0.0001, -0.0028]),
        (4.0, [-0.203, 0.577, -0.0058, -0.000199], [0.305, 0.323, 0.0035, -0.00039]),
    ],
)
def test_cubic_fits_of_the_literature(
    c: float, finite_difference: list[float], true: list[float]
) -> None:
    """Arnold et al. (2013) fit -U from one-step differences of X; the true U differs."""
    p = Lorenz96Parameters(c=c)
    state = random_state(p, 4, np.random.default_rng(5))
    state = run_two_scale(p, state, 1, save_every=5000).final_state
    run = run_two_scale(p, state, 20_000, save_every=5)
    x, u = run.x[:-1], run.subgrid_tendency[:-1]
    resolved = -np.roll(x, 1, -1) * (np.roll(x, 2, -1) - np.roll(x, -1, -1)) - x + p.forcing
    difference = np.diff(run.x, axis=0) / 0.005 - resolved
    # 400 time units: three to four standard errors of the coefficients.
    tolerance = [0.12, 0.04, 0.006, 0.0004]
    for values, expected in ((difference, finite_difference), (u, true)):
        found = -np.polynomial.Polynomial.fit(x.ravel(), values.ravel(), 3).convert().coef
        np.testing.assert_array_less(np.abs(found - np.array(expected)), tolerance)


def test_pairs_are_labelled(spun_up: Array) -> None:
    p = Lorenz96Parameters()
    run = run_two_scale(p, spun_up, 6, save_every=5)
    pairs = lorenz96_pairs(p, run)
    assert pairs["x"].dims == pairs["x_tendency"].dims == ("time", "member", "k")
    assert pairs["x"].shape == (6, 4, 8)
    assert {name: pairs[name].attrs["units"] for name in pairs.variables} == {
        "x": "1",
        "x_tendency": "1",
        "time": "1",
    }
    assert pairs.attrs["c"] == 10.0
    np.testing.assert_array_equal(pairs["x_tendency"].to_numpy(), run.subgrid_tendency)
    np.testing.assert_allclose(pairs["time"].to_numpy(), 0.005 * np.arange(1, 7))
