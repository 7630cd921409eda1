"""Runs of shallow water: the same bits however they are cut, closures, data, ends, errors."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.shallow_water_step import NumpyShallowWater
from solvers import shallow_water_kernel as kernel
from solvers.errors import SolverBlewUp, StabilityWarning, TendencyError
from solvers.shallow_water import ShallowWater, ShallowWaterIntegration

Field = NDArray[Any]
Fields = Mapping[str, Field]

CHANNEL = ShallowWater(nx=16, ny=10, dt=300.0)
MODELS = [
    *(replace(CHANNEL, scheme=scheme) for scheme in kernel.SCHEMES),
    replace(CHANNEL, walls=False, beta=0.0, viscosity=0.0),
    replace(CHANNEL, dtype="float32"),
    ShallowWater(nx=5, ny=4, dt=300.0),
]


def label(model: ShallowWater) -> str:
    where = "channel" if model.walls else "torus"
    return f"{model.scheme} {where} {model.dtype} {model.nx}x{model.ny}"


every_model = pytest.mark.parametrize("model", MODELS, ids=label)


def started(model: ShallowWater, *arguments: Any, **how: Any) -> ShallowWaterIntegration:
    integration = model.start(*arguments, **how)
    assert isinstance(integration, ShallowWaterIntegration)
    return integration


def state(model: ShallowWater, *chunks: int, **how: Any) -> Field:
    integration = started(model, **how)
    for n_step in chunks:
        integration.advance(n_step)
    return integration.state.copy()


@every_model
def test_a_run_cut_in_two_has_the_same_bits(model: ShallowWater) -> None:
    np.testing.assert_array_equal(state(model, 10), state(model, 3, 7))


@every_model
def test_a_restarted_run_has_the_same_bits(model: ShallowWater) -> None:
    whole = model.run(steps=10, n_member=2)
    begun = model.run(steps=4, n_member=2)
    resumed = model.run(steps=6, initial=begun)
    for name in ("h", "u", "v", "eta", "vorticity"):
        np.testing.assert_array_equal(resumed[name][-1], whole[name][-1])
    assert resumed.time[-1] == 10 * model.dt


@every_model
def test_members_and_threads_share_nothing(model: ShallowWater) -> None:
    together = state(model, 10, n_member=3)
    np.testing.assert_array_equal(state(model, 10, n_member=3, n_thread=2), together)
    first = started(model, n_member=3).state.copy()
    for member in range(3):
        alone = started(model, first[member])
        alone.advance(10)
        np.testing.assert_array_equal(alone.state[0], together[member])
    assert np.ptp(together, axis=0).max() > 0.0


@every_model
def test_bits_do_not_depend_on_the_size_of_the_strips(
    model: ShallowWater, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = state(model, 10)
    for bytes_ in (0, 7 * 14 * (model.nx + 2) * 8):
        monkeypatch.setattr(kernel, "_STRIP_BYTES", bytes_)
        np.testing.assert_array_equal(state(model, 10), whole)


def test_single_precision_follows_double() -> None:
    double = started(CHANNEL)
    single = started(replace(CHANNEL, dtype="float32"))
    assert single.state.dtype == np.float32
    for integration in (double, single):
        integration.advance(100)
    # 500 m round by 3e-5 m, which waves of sqrt(g / H) turn into 4e-6 m/s a time.
    np.testing.assert_allclose(single.state[:, 0], double.state[:, 0], atol=1e-3)
    np.testing.assert_allclose(single.state[:, 1:], double.state[:, 1:], atol=2e-4)
    assert np.abs(single.state - double.state).max() > 0.0


def test_the_jet_begins_balanced_and_without_divergence() -> None:
    model = replace(ShallowWater(nx=64, dt=200.0), drag=0.0, viscosity=0.0, wind_stress=0.0)
    for choice in (model, replace(model, walls=False, beta=0.0)):
        begun = started(choice, n_member=2, seed=5).state
        h, u, v = begun[:, 0], begun[:, 1], begun[:, 2]
        tendency = choice.tendency(begun)
        # Mass: what flows into a cell flows out of it again, 500 m times 1 m/s rounded.
        assert np.abs(tendency[:, 0]).max() < 8 * np.finfo(float).eps * 500.0 / choice.dx
        assert (h + choice.bottom).mean() == pytest.approx(500.0, rel=1e-12)
        # The torus has a return flow, of a fifth of the jet.
        assert 0.75 < np.abs(u).max() < 1.3
        assert 0.0 < np.abs(v).max() < 0.1
        # Far from the ridge nothing moves but what eddies, a hundredth of the jet, do.
        west = np.abs(tendency[:, 1:, :, :8]).max()
        assert west < 0.05 * choice.coriolis * choice.jet_speed
    assert (begun[0] != begun[1]).any()
    np.testing.assert_array_equal(started(choice, n_member=2, seed=5).state, begun)


def test_fields_stand_where_they_are() -> None:
    run = CHANNEL.run(steps=2, n_member=2)
    assert run.h.dims == run.eta.dims == ("time", "member", "y", "x")
    assert run.u.dims == ("time", "member", "y", "x_u")
    assert run.v.dims == ("time", "member", "y_v", "x")
    assert run.vorticity.dims == ("time", "member", "y_v", "x_u")
    np.testing.assert_allclose(run.x.values - run.x_u.values, 0.5 * CHANNEL.dx)
    np.testing.assert_allclose(run.y.values - run.y_v.values, 0.5 * CHANNEL.dy)
    assert run.y_v[0] == 0.0
    assert run.x_u.attrs["c_grid_axis_shift"] == -0.5
    assert {run[name].attrs["units"] for name in ("h", "eta")} == {"m"}
    assert {run[name].attrs["units"] for name in ("u", "v")} == {"m s-1"}
    assert run.vorticity.attrs["units"] == "s-1"
    np.testing.assert_allclose(run.eta, run.h + run.bottom - 500.0, atol=1e-12)
    assert run.bottom.max() == pytest.approx(50.0, rel=0.3)
    np.testing.assert_array_equal(run.vorticity[:, :, 0], 0.0)


def test_vorticity_of_a_rotating_disc() -> None:
    # u = -y, v = x turn with vorticity 2, exact for central differences; rows at y = 0 are a wall.
    x = np.arange(16) * CHANNEL.dx
    y = np.arange(10)[:, np.newaxis] * CHANNEL.dy
    u = np.broadcast_to(-(y + 0.5 * CHANNEL.dy), (10, 16))
    v = np.broadcast_to(x + 0.5 * CHANNEL.dx, (10, 16))
    np.testing.assert_allclose(CHANNEL.vorticity(u, v)[1:, 1:], 2.0)


def test_heights_of_the_bottom_may_be_given(tmp_path: Any) -> None:
    bottom = 10.0 * np.add.outer(np.arange(10.0), np.zeros(16))
    run = replace(CHANNEL, topography=bottom).run(steps=2, path=tmp_path / "run.nc")
    np.testing.assert_array_equal(run.bottom, bottom)
    assert run.attrs["topography"] == "array"


def test_a_closure_is_called_at_every_stage() -> None:
    seen: list[tuple[int, Field]] = []

    def closure(fields: Fields, step: int) -> Fields:
        seen.append((step, np.array(fields["u"])))
        assert set(fields) == {"h", "u", "v"}
        return {}

    np.testing.assert_array_equal(state(CHANNEL, 2, tendency=closure), state(CHANNEL, 2))
    assert [step for step, _ in seen] == [0, 0, 0, 0, 1, 1, 1, 1]
    # The stages look at different states, the first at that of the step.
    assert len({u.tobytes() for _, u in seen}) == 8
    np.testing.assert_array_equal(seen[0][1], started(CHANNEL).state[0, 1])


def test_a_closure_that_is_drag_is_the_drag() -> None:
    def drag(fields: Fields, step: int) -> Fields:
        return {"u_tendency": -1e-5 * fields["u"], "v_tendency": -1e-5 * fields["v"]}

    coupled = state(replace(CHANNEL, drag=0.0), 50, tendency=drag)
    own = state(replace(CHANNEL, drag=1e-5), 50)
    # They round differently once a stage.
    np.testing.assert_allclose(coupled[:, 1:], own[:, 1:], rtol=0.0, atol=1e-13)
    assert np.abs(own - state(replace(CHANNEL, drag=0.0), 50)).max() > 1e-3


def test_nothing_flows_through_a_wall() -> None:
    def push(fields: Fields, step: int) -> Fields:
        return {"v_tendency": np.full_like(fields["v"], 1e-6)}

    assert not state(CHANNEL, 20, tendency=push)[:, 2, 0].any()
    assert state(CHANNEL, 20, tendency=push)[:, 2, 1:].all()


def test_a_closure_that_fails_leaves_the_state_as_it_was() -> None:
    calls: list[int] = []

    def failing(fields: Fields, step: int) -> Fields:
        calls.append(step)
        if len(calls) == 7:
            raise ArithmeticError("no more")
        return {}

    integration = started(CHANNEL, tendency=failing)
    with pytest.raises(ArithmeticError, match="no more"):
        integration.advance(5)
    # The third stage of the second step had failed.
    np.testing.assert_array_equal(integration.state, state(CHANNEL))


def test_a_closure_of_the_wrong_shape_is_refused() -> None:
    def wrong(fields: Fields, step: int) -> Fields:
        return {"h_tendency": np.zeros(3)}

    with pytest.raises(TendencyError, match=r"h_tendency: expected shape \(10, 16\) \(y, x\)"):
        state(CHANNEL, 1, tendency=wrong)


@pytest.mark.parametrize("n_step", [1, 7, 40])
def test_a_run_that_blows_up_says_when(n_step: int) -> None:
    def push(fields: Fields, step: int) -> Fields:
        # Finite itself, but not the square of the velocity that the next stage sees.
        rate = np.zeros_like(fields["u"])
        rate[4, 5] = 1e200 if step == n_step - 1 else 0.0
        return {"u_tendency": rate}

    integration = started(CHANNEL, n_member=2, tendency=push)
    with pytest.raises(SolverBlewUp) as error:
        integration.advance(50)
    assert error.value.step == n_step
    assert "u" in error.value.field
    np.testing.assert_array_equal(integration.state, state(CHANNEL, n_step - 1, n_member=2))


def test_too_long_a_step_is_warned_of_and_blows_up() -> None:
    model = replace(CHANNEL, dt=4000.0)
    with pytest.warns(
        StabilityWarning, match=r"dt: 4000 is above the stability limit 1\d{3} \[s\]"
    ):
        integration = model.start()
    with pytest.raises(SolverBlewUp, match=r"rotating shallow water: .* use a shorter dt"):
        integration.advance(1000)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"nx": 3}, "nx: expected at least 4 cells, got 3"),
        ({"ny": 2}, "ny: expected at least 4 cells, got 2"),
        ({"dt": -1.0}, "dt: expected a positive number, got -1.0"),
        ({"depth": 0.0}, "depth: expected a positive number, got 0.0"),
        ({"length_x": float("nan"), "ny": 10}, "length_x: expected a positive number, got nan"),
        ({"drag": -1e-6}, "drag: expected no negative number, got -1e-06"),
        ({"viscosity": -1.0}, "viscosity: expected no negative number, got -1.0"),
        ({"dtype": "float16"}, "dtype: expected one of float64, float32, got float16"),
        (
            {"scheme": "mass"},
            "scheme: expected one of energy-enstrophy, energy, enstrophy, got mass",
        ),
        (
            {"walls": False},
            "beta: expected 0 without walls, got 1.6e-11: .* use walls=True",
        ),
        ({"topography": "alps"}, "topography: expected ridge, flat or an array, got 'alps'"),
        (
            {"topography": np.zeros((16, 10))},
            r"topography: expected shape \(ny, nx\) = \(10, 16\), got \(16, 10\)",
        ),
        (
            {"ridge_height": 900.0},
            "topography: expected heights below the surface .* got up to .* use a greater depth",
        ),
        (
            {"topography": np.full((10, 16), np.nan)},
            "topography: expected heights below the surface at depth = 500 m, got up to nan m",
        ),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        replace(CHANNEL, **given)


def test_states_that_cannot_be_are_refused() -> None:
    begun = started(CHANNEL).state[0]
    dry = begun.copy()
    dry[0, 3, 3] = -2.0
    with pytest.raises(ValueError, match="a positive thickness h everywhere, got -2 m"):
        CHANNEL.start(dry)
    leaking = begun.copy()
    leaking[2, 0, 3] = 0.5
    with pytest.raises(ValueError, match=r"expected v\[0\] = 0, because the south wall .* 0.5 m s"):
        CHANNEL.start(leaking)
    with pytest.raises(ValueError, match=r"expected shape \(3, 10, 16\)"):
        CHANNEL.start(begun[:2])
    leaking[2, 0, 3] = np.nan
    with pytest.raises(ValueError, match="expected finite values, got 1 non-finite"):
        CHANNEL.start(leaking)


def test_cells_are_square_by_default() -> None:
    model = ShallowWater(nx=32)
    assert model.ny == 16
    assert model.dx == model.dy


def test_the_benchmark_compares_with_the_same_model() -> None:
    model = replace(CHANNEL, walls=False, beta=0.0)
    plain = NumpyShallowWater(model, started(model).state[0])
    plain.advance(50)
    np.testing.assert_allclose(plain.state, state(model, 50)[0], rtol=1e-14, atol=1e-13)
