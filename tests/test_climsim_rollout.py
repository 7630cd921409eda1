"""An archive as the physics of running columns: inputs, outputs, memory, guard, refusals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from climsim_closures import Linear, Members
from numpy.typing import NDArray
from rollout_closures import CLOUDING, WARMING, Constant, Counting, Unknown, random_network

import hybrid
from closures import Closure, Field
from closures.climsim.files import list_pairs, read_columns
from closures.climsim.grid import find_grid, read_grid
from closures.climsim.humidity import liquid_partition
from closures.climsim.step_reader import StepReader
from closures.climsim.variables import set_names, variable_set
from hybrid.climsim_generator import Generation, generate
from hybrid.climsim_rollout import strictness
from hybrid.climsim_rollout.archive_physics import ArchivePhysics, Policy
from hybrid.climsim_rollout.rollout import NO_PHYSICS, PERTURBED, roll_out
from hybrid.climsim_rollout.settings import RolloutSettings
from hybrid.errors import RolloutError
from solvers.column_physics import Columns, ColumnSettings, generated_grid
from solvers.column_physics.rollout import TRUTH, JointStep, Rollout
from solvers.column_physics.step import PROFILES

Array = NDArray[np.float64]
DAY = 86400.0
STEP = 1200.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four consecutive steps as files."""
    path = tmp_path_factory.mktemp("steps")
    generate(path, Generation(((100, 0),), n_consecutive=4, scheme="low", n_spin_up=1))
    return path


@pytest.fixture(scope="module")
def columns() -> Columns:
    return Columns(ColumnSettings("low"), generated_grid(60, 1))


def exported(closure: Closure, folder: Path, name: str = "closure") -> Path:
    path = folder / f"{name}.pt"
    hybrid.export(closure, path)
    return path


def network(folder: Path, out: Path, name: str, architecture: str = "mlp") -> Path:
    variables, pairs = variable_set(name), list_pairs(folder)
    grid = read_grid(find_grid(folder))
    data = read_columns(pairs[variables.n_history :], variables, among=pairs, grid=grid)
    results = "memory" if architecture == "vertical_rnn" else "mean"
    closure = random_network(variables, data, architecture, results)  # type: ignore[arg-type]
    return exported(closure, out, f"{architecture}_{name}")


def steps(
    path: Path, columns: Columns, n: int, n_spin_up: int = 3, policy: Policy = "flag"
) -> list[JointStep]:
    physics = ArchivePhysics(path, columns, policy)
    return list(Rollout(columns, {"closure": physics}).run(99 * DAY, n, n_spin_up))


def arrays(data: xr.Dataset) -> dict[str, Array]:
    return {str(name): values.values for name, values in data.items()}


@pytest.mark.parametrize("name", set_names())
def test_inputs_are_those_that_are_read_from_the_files_of_the_same_steps(
    folder: Path, tmp_path: Path, name: str
) -> None:
    """Also of the two steps before: the memory of v4 to v6."""
    columns = Columns(ColumnSettings("low"))
    physics = ArchivePhysics(network(folder, tmp_path, name), columns)
    made = list(columns.run(99 * DAY, 4, 1))
    for i, step in enumerate(made[:3]):
        physics.spin_up(arrays(step.before), arrays(step.after), i - 3)
    prediction = physics.predict(arrays(made[3].before), 0)
    pairs = list_pairs(folder)
    variables = variable_set(name)
    earlier = [pair.files for pair in pairs[2::-1]][: variables.n_history]
    reader = StepReader(variables, read_grid(find_grid(folder)))
    inputs, _ = reader.read(pairs[3].files, *earlier)
    np.testing.assert_array_equal(physics.inputs.T, inputs)
    expected = {"V1": 2, "V1_albedo": 2}.get(name, 6)
    assert len(physics.predicted) == len(prediction.tendencies) == expected
    assert len(prediction.fluxes) == 8


def test_tendencies_of_the_archive_times_the_step_are_added_to_the_state(
    columns: Columns, tmp_path: Path
) -> None:
    for step in steps(exported(Linear(), tmp_path), columns, 2):
        run = step.runs["closure"]
        heated, dried = (run.after_physics - run.before)[:, :2].transpose(1, 0, 2)
        np.testing.assert_allclose(heated, STEP * 1e-8 * run.before[:, 0], rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(dried, -STEP * 1e-6 * run.before[:, 1], rtol=1e-5, atol=1e-18)
        np.testing.assert_allclose(
            run.fluxes["precipitation"], 1e-13 * step.surface_pressure, rtol=1e-6
        )


def test_cloud_is_parted_by_the_temperature_after_the_step(
    columns: Columns, tmp_path: Path
) -> None:
    (step,) = steps(exported(Constant(), tmp_path), columns, 1)
    run = step.runs["closure"]
    np.testing.assert_allclose(run.after_physics[:, 0], run.before[:, 0] + STEP * WARMING)
    cloud = run.before[:, 2:4].sum(axis=1) + STEP * CLOUDING
    liquid = liquid_partition(run.after_physics[:, 0]) * cloud
    np.testing.assert_allclose(run.after_physics[:, 2], liquid, rtol=1e-6, atol=1e-15)
    np.testing.assert_allclose(run.after_physics[:, 3], cloud - liquid, rtol=1e-6, atol=1e-15)


def test_of_an_ensemble_the_mean_is_used(columns: Columns, tmp_path: Path) -> None:
    (single,) = steps(exported(Linear(), tmp_path, "one"), columns, 1)
    (mean,) = steps(exported(Members(3), tmp_path, "three"), columns, 1)
    one, two = (
        (made.runs["closure"].after_physics - made.runs["closure"].before)[:, :2]
        for made in (single, mean)
    )
    np.testing.assert_allclose(two, 2.0 * one, rtol=1e-4, atol=1e-12)


def test_memory_of_its_own_advances_once_a_step_and_sees_the_spin_up(
    columns: Columns, tmp_path: Path
) -> None:
    for i, step in enumerate(steps(exported(Counting(), tmp_path), columns, 3, n_spin_up=4)):
        run = step.runs["closure"]
        heating = (run.after_physics - run.before)[:, 0] / STEP
        np.testing.assert_allclose(heating, 1e-6 * (4 + i + 1), rtol=1e-5)


def test_guard_flags_columns_and_the_policy_decides(columns: Columns, tmp_path: Path) -> None:
    path = exported(Constant(), tmp_path)
    runs = {}
    policies: tuple[Policy, ...] = ("flag", "zero", "host")
    for policy in policies:
        (step,) = steps(path, columns, 1, policy=policy)
        runs[policy] = step.runs["closure"]
        high = step.surface_pressure > 1e5
        assert 0 < high.sum() < high.size
        np.testing.assert_array_equal(runs[policy].flagged, high)
        np.testing.assert_allclose(
            runs[policy].after_physics[~high, 0], runs[policy].before[~high, 0] + STEP * WARMING
        )
    np.testing.assert_allclose(
        runs["flag"].after_physics[high, 0], runs["flag"].before[high, 0] + STEP * WARMING
    )
    np.testing.assert_array_equal(runs["zero"].after_physics[high, 0], runs["zero"].before[high, 0])
    own = runs["host"]
    np.testing.assert_allclose(own.after_physics[high, :1], own.reference[high, :1], rtol=1e-12)
    rain = step.runs[TRUTH].fluxes["precipitation"]
    np.testing.assert_array_equal(own.fluxes["precipitation"][high], rain[high])


def test_column_with_nan_is_lost_and_named_by_the_guard(columns: Columns, tmp_path: Path) -> None:
    path = exported(Constant(limit=300.0), tmp_path)
    physics = ArchivePhysics(path, columns)
    (step,) = Rollout(columns, {"closure": physics}).run(99 * DAY, 1, 1)
    run = step.runs["closure"]
    hot = run.before[:, 0, -1] > 300.0
    assert 0 < hot.sum() < hot.size
    np.testing.assert_array_equal(run.lost, hot)
    assert physics.flagged_fields()["ptend_t"] == {"not_finite": hot.mean()}


@pytest.mark.parametrize(("name", "architecture"), [("v6", "mlp"), ("V2", "vertical_rnn")])
def test_a_day_with_a_network_that_remembers(
    folder: Path, tmp_path: Path, name: str, architecture: str
) -> None:
    path = network(folder, tmp_path, name, architecture)
    settings = RolloutSettings(days=1, scheme="low", spin_up=3, start_day=100)
    run = roll_out([path], settings, grid=generated_grid(60, 1))
    again = roll_out([path], settings, grid=generated_grid(60, 1))
    xr.testing.assert_identical(run.scores, again.scores)
    assert run.scores["run"].values.tolist() == [
        "truth",
        path.stem,
        "scheme high",
        PERTURBED,
        NO_PHYSICS,
    ]
    error = run.scores["rmse_column"].sel(run=path.stem, profile="temperature").values
    assert np.isfinite(error).all()
    assert error[-1] > error[0] > 0.0
    archive = run.archives[path.stem]
    assert archive.n_history == (2 if name == "v6" else 0)
    assert archive.predicted == PROFILES


def test_same_name_in_two_folders(tmp_path: Path) -> None:
    paths = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        paths.append(exported(Counting(), tmp_path / name, "same"))
    settings = RolloutSettings(days=1, scheme="low", spin_up=0)
    run = roll_out(paths, settings, grid=generated_grid(60, 1))
    assert list(run.archives) == ["a/same", "b/same"]


def changed(closure: Closure, **changes: object) -> Closure:
    closure.spec = replace(closure.spec, **changes)  # type: ignore[arg-type]
    return closure


def test_archives_that_cannot_take_part(
    columns: Columns, tmp_path: Path, column_archive: Path
) -> None:
    profile = ("level",), (60,)
    useless = (Field("ptend_u", "m s-2", *profile),)
    cases = [
        (column_archive, r"state_t: expected shape \(60,\), that of the columns, got \(5,\)"),
        (
            exported(changed(Counting(), outputs=useless), tmp_path, "useless"),
            "expected an output ptend_t or ptend_q0001, got ptend_u",
        ),
    ]
    for path, message in cases:
        with pytest.raises(RolloutError, match=message):
            ArchivePhysics(path, columns)
    fast = Columns(ColumnSettings("low", timestep=600.0), generated_grid(60, 1))
    with pytest.raises(RolloutError, match="expected steps of 1200 s"):
        ArchivePhysics(exported(Constant(), tmp_path, "constant"), fast)


def test_unknown_input_is_named(columns: Columns, tmp_path: Path, folder: Path) -> None:
    path = exported(Unknown(), tmp_path)
    with pytest.raises(RolloutError, match="such as state_t, got state_x; the columns give"):
        ArchivePhysics(path, columns)
    with pytest.raises(RolloutError, match="expected 2 steps before the first, got 1; lengthen"):
        steps(network(folder, tmp_path, "v6"), columns, 1, n_spin_up=1)
    with pytest.raises(RolloutError, match="expected each archive once"):
        roll_out([path, path], RolloutSettings())


def test_how_strict_the_flow_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slower differences decay, the larger they are; the truth does not know of it."""
    monkeypatch.setattr(strictness, "generated_grid", lambda **_: generated_grid(60, 1))
    given = ["--days", "1", "--truth-days", "1"]
    strictness.main(["--out", str(tmp_path / "made.json"), *given])
    made = json.loads((tmp_path / "made.json").read_text())
    errors = [runs["no physics"]["rmse_end_T"] for runs in made["damping"].values()]
    assert list(made["damping"]) == ["6 h", "24 h", "inf h"]
    assert 0.0 < errors[0] < errors[1] < errors[2]
    assert (
        made["truth"]["energy_budget"]["physics"] < 0.0 < made["truth"]["energy_budget"]["surface"]
    )
    assert len(made["truth"]["temperature_by_thirds"]) == 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"days": 0}, "days: expected at least 1, got 0"),
        ({"start_day": 366}, "start_day: expected 1 to 365, got 366"),
        ({"damping": 1.0}, "damping: expected at least 6 h"),
        ({"spin_up": -1}, "spin_up: expected 0 or more"),
    ],
)
def test_bad_settings(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(RolloutError, match=message):
        RolloutSettings(**wrong)  # type: ignore[arg-type]
