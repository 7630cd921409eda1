"""Two-scale Lorenz-96 in both forms: equations, conservation, symmetry, what a run returns."""

from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from solvers.coarse_graining import lorenz96_pairs
from solvers.errors import SolverBlewUp, StabilityWarning
from solvers.integration import Integration
from solvers.lorenz96 import Lorenz96
from solvers.lorenz96_two_scale import (
    TwoScaleLorenz96Integration,
    TwoScaleLorenz96Rasp,
    TwoScaleLorenz96Wilks,
)
from solvers.model import Model
from solvers.time_schemes import Problem
from solvers.time_stepping import RUNGE_KUTTA_4, integrate

Array = NDArray[np.float64]
Form = type[TwoScaleLorenz96Wilks] | type[TwoScaleLorenz96Rasp]
FORMS: list[Form] = [TwoScaleLorenz96Wilks, TwoScaleLorenz96Rasp]
SIZES = [(4, 1), (5, 2), (7, 3), (8, 32), (9, 7), (16, 9), (17, 41), (36, 10)]
every_form = pytest.mark.parametrize("form", FORMS)


def advanced(model: Model, state: Array, n_step: int, **options: Any) -> Array:
    integration = model.start(state, **options)
    assert isinstance(integration, TwoScaleLorenz96Integration)
    integration.advance(n_step)
    return integration.state


def one_by_one(integration: Integration, n_step: int) -> None:
    for _ in range(n_step):
        integration.advance(1)


def random_states(model: Model, n_member: int, seed: int) -> Array:
    """Draw states of about the size that they have on the attractor."""
    n_k = model.n_k  # type: ignore[attr-defined]
    rng = np.random.default_rng(seed)
    states = rng.normal(0.0, 0.4, (n_member, *model.state_shape))
    states[:, :n_k] = rng.normal(3.0, 4.0, (n_member, n_k))
    return states


def textbook_wilks(p: TwoScaleLorenz96Wilks, state: Array) -> Array:
    x, y = state[: p.n_k], state[p.n_k :]
    advection_x = -np.roll(x, 1) * (np.roll(x, 2) - np.roll(x, -1))
    dx = advection_x - x + p.forcing - p.h * p.c / p.b * y.reshape(p.n_k, p.n_j).sum(axis=1)
    advection_y = -p.c * p.b * np.roll(y, -1) * (np.roll(y, -2) - np.roll(y, 1))
    dy = advection_y - p.c * y + p.h * p.c / p.b * np.repeat(x, p.n_j)
    return np.concatenate([dx, dy])


def textbook_rasp(p: TwoScaleLorenz96Rasp, state: Array) -> Array:
    x, y = state[: p.n_k], state[p.n_k :]
    advection_x = -np.roll(x, -1) * (np.roll(x, -2) - np.roll(x, 1))
    dx = advection_x - x + p.forcing - p.h * p.c * y.reshape(p.n_k, p.n_j).mean(axis=1)
    advection_y = -p.b * np.roll(y, 1) * (np.roll(y, 2) - np.roll(y, -1))
    return np.concatenate([dx, p.c * (advection_y - y + p.h / p.n_j * np.repeat(x, p.n_j))])


@pytest.mark.parametrize(("n_k", "n_j"), SIZES)
def test_tendencies_are_those_of_the_papers(n_k: int, n_j: int) -> None:
    wilks = TwoScaleLorenz96Wilks(n_k=n_k, n_j=n_j, forcing=11.0, h=0.7, c=6.0, b=9.0)
    rasp = TwoScaleLorenz96Rasp(n_k=n_k, n_j=n_j, forcing=11.0, h=0.7, c=6.0, b=9.0)
    (state,) = random_states(wilks, 1, seed=2)
    for found, expected in (
        (wilks.tendency(state), textbook_wilks(wilks, state)),
        (rasp.tendency(state), textbook_rasp(rasp, state)),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@every_form
@pytest.mark.parametrize(("n_k", "n_j"), SIZES)
def test_a_run_integrates_the_tendency(form: Form, n_k: int, n_j: int) -> None:
    """Sizes that fill the vectors of the compiled loop, and sizes that do not."""
    model = form(n_k=n_k, n_j=n_j, forcing=9.0, h=0.8, c=8.0, b=7.0, dt=0.002)
    states = random_states(model, 2, seed=3)
    problem = Problem(np.zeros(()), lambda y, _time: model.tendency(y))
    expected = integrate(RUNGE_KUTTA_4, problem, states, 0.002, 50)
    # Sums are in another order; a tenth of a time unit lets errors grow tenfold.
    np.testing.assert_allclose(advanced(model, states, 50), expected, rtol=0.0, atol=1e-12)


@every_form
def test_energy_changes_by_forcing_and_damping_alone(form: Form) -> None:
    model = form(n_k=6, n_j=5)
    state = np.random.default_rng(3).normal(size=36)
    x, y = state[:6], state[6:]
    work = float(state @ model.tendency(state))
    # Advection and coupling only move energy around.
    assert work == pytest.approx(model.forcing * x.sum() - x @ x - model.c * (y @ y), rel=1e-12)


@every_form
def test_uncoupled_rest_state_is_steady(form: Form) -> None:
    model = form(h=0.0)
    state = np.zeros(model.size)
    state[: model.n_k] = model.forcing
    np.testing.assert_array_equal(model.tendency(state), 0.0)
    np.testing.assert_array_equal(advanced(model, state, 10)[0], state)


@every_form
@pytest.mark.parametrize("n_k", [5, 9])
def test_all_sectors_are_alike(form: Form, n_k: int) -> None:
    model = form(n_k=n_k, n_j=4)
    states = random_states(model, 2, seed=4)

    def turned(values: Array) -> Array:
        slow, fast = values[:, :n_k], values[:, n_k:]
        return np.concatenate([np.roll(slow, 1, axis=1), np.roll(fast, 4, axis=1)], axis=1)

    np.testing.assert_array_equal(
        advanced(model, turned(states), 100), turned(advanced(model, states, 100))
    )


def test_one_form_is_the_mirror_image_of_the_other_where_the_couplings_agree() -> None:
    options: dict[str, Any] = {"n_k": 11, "n_j": 8, "b": 8.0, "forcing": 10.0}
    wilks, rasp = TwoScaleLorenz96Wilks(**options), TwoScaleLorenz96Rasp(**options)
    assert wilks.coupling == rasp.coupling
    states = random_states(wilks, 2, seed=5)

    def mirrored(values: Array) -> Array:
        return np.concatenate([values[:, 10::-1], values[:, :10:-1]], axis=1)

    np.testing.assert_array_equal(
        advanced(rasp, mirrored(states), 100), mirrored(advanced(wilks, states, 100))
    )
    assert TwoScaleLorenz96Wilks(n_j=8, b=10.0).coupling != TwoScaleLorenz96Rasp(n_j=8).coupling


@pytest.mark.parametrize("n_k", [8, 11])
def test_without_coupling_the_slow_variables_are_the_one_scale_model(n_k: int) -> None:
    two = TwoScaleLorenz96Wilks(n_k=n_k, h=0.0, dt=0.002)
    one = Lorenz96(n_k=n_k, forcing=20.0, dt=0.002)
    states = random_states(two, 3, seed=6)
    found = two.run(steps=100, save_every=10, initial=states)
    expected = one.run(steps=100, save_every=10, initial=states[:, :n_k])
    np.testing.assert_array_equal(found["x"], expected["x"])
    np.testing.assert_array_equal(found["x_tendency"], 0.0)


@every_form
def test_what_a_run_returns(form: Form) -> None:
    model = form(n_k=10, n_j=12, save_fast=True)
    states = random_states(model, 2, seed=7)
    run = model.run(steps=20, save_every=4, initial=states)
    np.testing.assert_array_equal(run["time"], 0.001 * np.arange(0, 21, 4))
    np.testing.assert_array_equal(run["x"][0], states[:, :10])
    np.testing.assert_array_equal(run["y"][0], states[:, 10:].reshape(2, 10, 12))
    end = advanced(model, states, 20)
    np.testing.assert_array_equal(run["x"][-1], end[:, :10])
    np.testing.assert_array_equal(run["y"][-1], end[:, 10:].reshape(2, 10, 12))
    np.testing.assert_allclose(
        run["x_tendency"], -model.coupling * run["y"].sum("j"), rtol=1e-12, atol=1e-12
    )
    slow = form(n_k=10, n_j=12).run(steps=20, save_every=4, initial=states)
    assert set(run.data_vars) - set(slow.data_vars) == {"y"}
    xr.testing.assert_equal(slow["x_tendency"], run["x_tendency"])


@pytest.mark.parametrize("n_j", [3, 10, 32, 45])
def test_the_order_of_sums_is_that_of_no_machine(n_j: int) -> None:
    def pairwise(rows: Array) -> Array:
        while len(rows) > 1:
            half = len(rows) // 2
            rows = rows[:half] + rows[half:]
        return np.asarray(rows[0])

    model = TwoScaleLorenz96Wilks(n_k=9, n_j=n_j)
    (state,) = random_states(model, 1, seed=8)
    y = state[9:].reshape(9, n_j).T
    n_32 = n_j // 32 * 32
    n_8 = n_32 + (n_j - n_32) // 8 * 8
    total = np.zeros(9)
    for i in range(0, n_32, 32):
        first, second, third, fourth = y[i : i + 32].reshape(4, 8, 9)
        total += pairwise((first + second) + (third + fourth))
    for i in range(n_32, n_8, 8):
        total += pairwise(y[i : i + 8])
    for row in y[n_8:]:
        total += row
    found = model.start(state).fields()["x_tendency"]
    np.testing.assert_array_equal(found[0], -model.coupling * total)


@every_form
def test_a_closure_adds_to_the_slow_variables(form: Form) -> None:
    model, stronger = form(n_k=10, n_j=4), form(n_k=10, n_j=4, forcing=form().forcing + 0.5)
    states = random_states(model, 2, seed=9)

    def more(fields: Any, step: int) -> Any:
        assert fields["x"].shape == (10,)
        return np.full(10, 0.5)

    found = advanced(model, states, 50, tendency=more)
    np.testing.assert_allclose(found, advanced(stronger, states, 50), rtol=0.0, atol=1e-12)


def test_a_closure_sees_the_state_of_each_stage() -> None:
    model = TwoScaleLorenz96Rasp(n_k=9, n_j=3)
    states = random_states(model, 1, seed=10)
    seen = []

    def remember(fields: Any, step: int) -> Any:
        seen.append(fields["x"].copy())
        return np.zeros(9)

    advanced(model, states, 1, tendency=remember)
    (state,) = states
    k1 = model.tendency(state)
    k2 = model.tendency(state + 0.0005 * k1)
    k3 = model.tendency(state + 0.0005 * k2)
    expected = (state, state + 0.0005 * k1, state + 0.0005 * k2, state + 0.001 * k3)
    np.testing.assert_allclose(seen, [values[:9] for values in expected], rtol=1e-13)


@every_form
def test_blow_up_names_the_first_step_whatever_the_cut(form: Form) -> None:
    model = form(n_k=10, n_j=4, dt=0.05)
    states = random_states(model, 3, seed=11)
    with pytest.warns(StabilityWarning):
        alone, whole, saving = (model.start(states) for _ in range(3))
    with pytest.raises(SolverBlewUp) as expected:
        one_by_one(alone, 1000)
    assert expected.value.step > 1
    for attempt in (lambda: whole.advance(1000), lambda: saving.advance_and_save(100, 10)):  # type: ignore[attr-defined]
        with pytest.raises(SolverBlewUp, match=rf"{model.title}: .* of member \d is not") as found:
            attempt()
        assert str(found.value) == str(expected.value)
    assert whole.step == saving.step == expected.value.step - 1
    assert np.isfinite(whole.fields()["x"]).all()


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
    model = TwoScaleLorenz96Wilks(c=c)
    spun_up = model.run(time=5.0, n_member=4, seed=5)
    run = model.run(time=100.0, save_every=0.005, initial=spun_up)
    saved = run["x"].to_numpy()
    x, u = saved[:-1], run["x_tendency"].to_numpy()[:-1]
    resolved = Lorenz96(n_k=8, forcing=20.0).tendency(x)
    difference = np.diff(saved, axis=0) / 0.005 - resolved
    # 400 time units: three to four standard errors of the coefficients.
    tolerance = [0.12, 0.04, 0.006, 0.0004]
    for values, expected in ((difference, finite_difference), (u, true)):
        found = -np.polynomial.Polynomial.fit(x.ravel(), values.ravel(), 3).convert().coef
        np.testing.assert_array_less(np.abs(found - np.array(expected)), tolerance)


def test_pairs_are_labelled() -> None:
    run = TwoScaleLorenz96Wilks(c=4.0, save_fast=True).run(steps=6, save_every=2, n_member=4)
    pairs = lorenz96_pairs(run)
    assert set(pairs.data_vars) == {"x", "x_tendency"}
    assert pairs["x"].dims == pairs["x_tendency"].dims == ("time", "member", "k")
    assert pairs["x"].shape == (4, 4, 8)
    assert {pairs[name].attrs["units"] for name in ("x", "x_tendency", "time")} == {"1"}
    assert pairs.attrs == {
        "source": "two-scale Lorenz-96 of Wilks",
        "n_k": 8,
        "n_j": 32,
        "forcing": 20.0,
        "h": 1.0,
        "c": 4.0,
        "b": 10.0,
    }
    xr.testing.assert_equal(pairs["x_tendency"].variable, run["x_tendency"].variable)
    assert pairs["x"].attrs["long_name"] == "slow variable of Lorenz-96"


def test_pairs_need_two_scales() -> None:
    with pytest.raises(
        ValueError, match=r"run: expected x and x_tendency, .*, got x, restart_step"
    ):
        lorenz96_pairs(Lorenz96().run(steps=1))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_k": 3}, "n_k: expected at least 4 variables, which the advection connects, got 3"),
        ({"n_j": 0}, "n_j: expected at least 1 fast variable for each slow one, got 0"),
        ({"b": 0.0}, r"b, c: expected positive ratios, got b=0\.0"),
        ({"c": -1.0}, r"b, c: expected positive ratios, got .*c=-1\.0"),
        ({"dt": -0.001}, r"dt: expected a positive number, got -0\.001"),
    ],
)
@every_form
def test_parameters_are_checked(form: Form, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        form(**values)


def test_shape_of_the_initial_state_is_checked() -> None:
    with pytest.raises(ValueError, match=r"initial: expected shape \(264,\) or .*, got \(8,\)"):
        TwoScaleLorenz96Wilks().run(steps=1, initial=np.zeros(8))
