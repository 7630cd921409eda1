"""Runs side by side: what is the same, what differs, what is lost, what is conserved."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from solvers.column_physics import ColumnError, Columns, ColumnSettings, generated_grid
from solvers.column_physics.forcing import RELAXATION_TIME
from solvers.column_physics.replacement import (
    Fields,
    NoPhysics,
    Prediction,
    SchemePhysics,
    stacked,
)
from solvers.column_physics.rollout import TRUTH, JointStep, Rollout

Array = NDArray[np.float64]
DAY = 86400.0
START = 100 * DAY


@dataclass
class Constant:
    """Tendencies that are the same everywhere, and what it was shown."""

    tendencies: dict[str, float]
    column: int | None = None

    def __post_init__(self) -> None:
        self.seen: list[int] = []
        self.recorded: list[tuple[Array, Array]] = []

    @property
    def predicted(self) -> tuple[str, ...]:
        return tuple(self.tendencies)

    def spin_up(self, before: Fields, after: Fields, step: int) -> None:
        assert before["temperature"].shape == after["temperature"].shape
        self.seen.append(step)

    def predict(self, before: Fields, step: int) -> Prediction:
        assert step == len(self.recorded)
        made = {name: np.zeros_like(before[name]) for name in self.tendencies}
        for name, value in self.tendencies.items():
            made[name][... if self.column is None else self.column] = value
        return Prediction(made, {}, np.zeros(len(before["temperature"]), dtype=np.bool_))

    def record(self, before: Fields, after: Fields) -> None:
        self.recorded.append((before["temperature"], after["temperature"]))


@pytest.fixture(scope="module")
def columns() -> Columns:
    return Columns(ColumnSettings("low", seed=2), generated_grid(60, 2))


def steps(rollout: Rollout, n: int, n_spin_up: int = 2) -> list[JointStep]:
    return list(rollout.run(START, n, n_spin_up))


def test_truth_is_what_the_columns_do_alone(columns: Columns) -> None:
    alone = list(columns.run(START, 3, 2))
    beside = steps(Rollout(columns, {"none": NoPhysics()}), 3)
    for one, other in zip(alone, beside, strict=True):
        assert one.time == other.time
        truth = other.runs[TRUTH]
        fields = {str(name): values.values for name, values in one.before.items()}
        np.testing.assert_array_equal(truth.before, stacked(fields))
        np.testing.assert_array_equal(truth.after_physics[:, 0], one.after["temperature"])
        np.testing.assert_array_equal(truth.fluxes["snowfall"], one.after["snowfall"])


@pytest.mark.parametrize("scheme", ["low", "high"])
@pytest.mark.parametrize("damping", [RELAXATION_TIME, np.inf])
def test_perfect_closure_reproduces_the_truth(scheme: str, damping: float) -> None:
    """State to tendency and back costs a rounding, which a day of physics must not amplify."""
    columns = Columns(ColumnSettings(scheme), generated_grid(60, 1))  # type: ignore[arg-type]
    perfect = SchemePhysics(columns, columns.settings.scheme)
    last = steps(Rollout(columns, {"perfect": perfect}, damping), 72)[-1]
    truth, run = last.runs[TRUTH], last.runs["perfect"]
    assert not run.lost.any()
    np.testing.assert_allclose(run.after_flow[:, 0], truth.after_flow[:, 0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.after_flow[:, 1:4], truth.after_flow[:, 1:4], rtol=0, atol=1e-11)
    np.testing.assert_allclose(run.after_flow[:, 4:], truth.after_flow[:, 4:], rtol=0, atol=1e-8)
    rain = truth.fluxes["precipitation"]
    assert rain.max() > 1e-8
    np.testing.assert_allclose(run.fluxes["precipitation"], rain, rtol=0, atol=1e-15)


def test_shortest_damping_is_the_flow_of_the_truth(columns: Columns) -> None:
    (step,) = steps(Rollout(columns, {"none": NoPhysics()}, RELAXATION_TIME), 1)
    run = step.runs["none"]
    around = columns.surroundings(START)
    expected = run.after_surface.copy()
    columns.large_scale.advance(
        expected, around.target, around.omega, around.fields["pressure"], 1200.0
    )
    np.testing.assert_allclose(run.after_flow, expected, rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("hours", [6.0, 48.0, np.inf])
def test_differences_decay_as_fast_as_asked(columns: Columns, hours: float) -> None:
    """Where neither surface nor lifting act, in the stratosphere, damping is all there is."""
    offset = 1e-3
    physics = Constant({"temperature": offset / 1200.0})
    nothing = Constant({"temperature": 0.0})
    rollout = Rollout(columns, {"warm": physics, "none": nothing}, hours * 3600.0)
    (step,) = steps(rollout, 1)
    difference = step.runs["warm"].after_flow[:, 0, 5] - step.runs["none"].after_flow[:, 0, 5]
    # The backward step of the flow: 1 / (1 + dt / tau) of the truth, a share of it for others.
    share = 1200.0 / (RELAXATION_TIME + 1200.0) * RELAXATION_TIME / (hours * 3600.0)
    np.testing.assert_allclose(difference, offset * (1.0 - share), rtol=1e-8)


def test_what_is_not_predicted_comes_from_the_truth(columns: Columns) -> None:
    physics = Constant({"temperature": 1e-5, "vapour": 0.0})
    first, second = steps(Rollout(columns, {"constant": physics}, np.inf), 2)
    for step in (first, second):
        run, truth = step.runs["constant"], step.runs[TRUTH]
        np.testing.assert_array_equal(run.before[:, 2:], truth.before[:, 2:])
        np.testing.assert_array_equal(run.after_physics[:, 2:], truth.after_physics[:, 2:])
        change = run.after_physics[:, 0] - run.before[:, 0]
        np.testing.assert_allclose(change, 1e-5 * 1200.0, rtol=1e-9)
    assert np.abs(second.runs["constant"].before[:, 0] - second.runs[TRUTH].before[:, 0]).max() > 0


def test_a_physics_looks_on_at_the_spin_up_and_is_told_its_own_steps(columns: Columns) -> None:
    physics = Constant({"temperature": 2e-5})
    made = steps(Rollout(columns, {"constant": physics}), 2, 3)
    assert physics.seen == [-3, -2, -1]
    for step, (before, after) in zip(made, physics.recorded, strict=True):
        np.testing.assert_array_equal(before, step.runs["constant"].before[:, 0])
        np.testing.assert_array_equal(after, step.runs["constant"].after_physics[:, 0])


@pytest.mark.parametrize("value", [1.0, -1.0, np.nan, np.inf])
def test_a_lost_column_follows_the_truth_and_leaves_others_alone(
    columns: Columns, value: float
) -> None:
    bad = Constant({"temperature": value, "vapour": 0.0}, column=7)
    good = Constant({"temperature": 0.0, "vapour": 0.0})
    first, second = steps(Rollout(columns, {"bad": bad, "good": good}), 2)
    for step in (first, second):
        run = step.runs["bad"]
        assert np.flatnonzero(run.lost).tolist() == [7]
        np.testing.assert_array_equal(run.after_flow[7], step.runs[TRUTH].after_flow[7])
        others = np.arange(len(run.before)) != 7
        np.testing.assert_array_equal(run.after_flow[others], step.runs["good"].after_flow[others])
        assert not step.runs["good"].lost.any()


def test_negative_water_is_raised_to_zero_and_counted(columns: Columns) -> None:
    physics = Constant({"liquid": -1e-6}, column=3)
    (step,) = steps(Rollout(columns, {"dry": physics}), 1)
    run = step.runs["dry"]
    wanted = run.before[:, 2].copy()
    wanted[3] -= 1e-6 * 1200.0
    assert (wanted[3] < 0.0).any()
    np.testing.assert_allclose(run.after_physics[:, 2], np.maximum(wanted, 0.0), atol=1e-20)
    mass = columns.grid.layer_mass(step.surface_pressure)
    missing = -(mass * np.minimum(wanted, 0.0)).sum(axis=1)
    np.testing.assert_allclose(run.added_water, missing, rtol=1e-12)
    assert np.flatnonzero(run.added_water).tolist() == [3]


def test_perturbed_run_starts_as_far_away_as_asked(columns: Columns) -> None:
    physics = {"near": SchemePhysics(columns, "low"), "same": SchemePhysics(columns, "low")}
    (step,) = steps(Rollout(columns, physics, perturbed={"near": 0.1}), 1)
    change = step.runs["near"].before - step.runs[TRUTH].before
    assert change[:, 0].std() == pytest.approx(0.1, rel=0.05)
    assert not change[:, 1:].any()
    assert not (step.runs["same"].before - step.runs[TRUTH].before).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"damping_time": 3600.0}, "expected at least 21600 s, the relaxation time of the flow"),
        ({"damping_time": float("nan")}, "got nan"),
        ({"perturbed": {"other": 1.0}}, "expected names of runs, got other"),
        ({"physics": {"truth": NoPhysics()}}, "expected another name; it is that of the truth"),
    ],
)
def test_bad_rollouts(columns: Columns, arguments: dict[str, object], message: str) -> None:
    given = {"physics": {"none": NoPhysics()}, **arguments}
    with pytest.raises(ColumnError, match=message):
        Rollout(columns, **given)  # type: ignore[arg-type]
