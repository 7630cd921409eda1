"""What every public solver promises: its order, the same bits however it is run, labelled data."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import solvers
from solvers import StabilityWarning
from solvers.integration import RESTART, Integration
from solvers.model import Model

Array = NDArray[Any]
State = Mapping[str, Array]

PUBLIC: dict[str, type[Model]] = {
    name: member
    for name in solvers.__all__
    if inspect.isclass(member := getattr(solvers, name)) and issubclass(member, Model)
}


@dataclass(frozen=True)
class Setting:
    """A small run of a solver.

    Parameters
    ----------
    solver
        Name of its class.
    options
        Parameters that make it quick, and its numerics a scheme for an ordinary differential
        equation: what is done once a step whatever its length, such as a filter, has no order.
    n_spin_up
        Steps after which the state is well developed.
    order_dt
        The longer step of the comparison, short enough for its errors to fall at their order.
    n_order_step
        Number of these steps.
    """

    solver: str
    options: Mapping[str, Any]
    n_spin_up: int
    order_dt: float
    n_order_step: int

    def __str__(self) -> str:
        """Name the solver, and the scheme where it is not the default."""
        schemes = [
            str(self.options[name])
            for name in ("scheme", "stepper", "time_filter")
            if name in self.options
        ]
        return "-".join([self.solver, *schemes])

    @property
    def model(self) -> Model:
        """The solver with these parameters."""
        return PUBLIC[self.solver](**self.options)


_KS = {"nx": 32, "length": 22.0, "dt": 0.1}
# Viscous enough for the error of the trapezoidal rule to show beside that of the advection.
_VORTICES = {"nx": 32, "dt": 0.005, "viscosity": 0.05}
_JET = {"nx": 16, "ny": 32, "dt": 0.02}
SETTINGS = [
    Setting("TwoLayerQG", {"nx": 32, "filter": False}, 300, 3600.0, 24),
    Setting("KuramotoSivashinsky", _KS, 1000, 0.00625, 320),
    Setting("KuramotoSivashinsky", {**_KS, "scheme": "CNAB2"}, 1000, 0.0125, 80),
    Setting("Barotropic", _VORTICES, 1000, 0.005, 40),
    Setting("Barotropic", {**_VORTICES, "stepper": "AB2-CN"}, 1000, 0.005, 40),
    Setting("Barotropic", {**_VORTICES, "stepper": "IF-RK4"}, 1000, 0.005, 40),
    Setting("RelaxedJetQG", {**_JET, "time_filter": 0.2}, 2000, 0.02, 50),
    Setting("ShallowWater", {"nx": 32, "dt": 300.0}, 200, 300.0, 20),
    Setting("Lorenz63", {}, 1000, 0.01, 50),
    Setting("Lorenz96", {}, 500, 0.02, 25),
    Setting("TwoScaleLorenz96Wilks", {}, 2000, 0.001, 50),
    Setting("TwoScaleLorenz96Rasp", {}, 2000, 0.001, 50),
]
AVAILABLE = [setting for setting in SETTINGS if setting.solver in PUBLIC]
every_setting = pytest.mark.parametrize("setting", AVAILABLE, ids=str)


def test_no_public_solver_is_left_out() -> None:
    assert set(PUBLIC) == {setting.solver for setting in AVAILABLE}


@cache
def spun_up(index: int) -> xr.Dataset:
    """Return a developed state of two members, as a run leaves it."""
    setting = AVAILABLE[index]
    n = setting.n_spin_up
    return setting.model.run(steps=n, save_every=n, n_member=2, seed=1)


def changed(model: Model, **options: Any) -> Model:
    return replace(model, **options)  # type: ignore[type-var]


def developed(setting: Setting) -> xr.Dataset:
    return spun_up(AVAILABLE.index(setting))


def memory(integration: Integration) -> dict[str, Array]:
    return {name: array.copy() for name, (_, array) in integration.restart_arrays.items()}


def assert_same_bits(found: State, expected: State) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def assert_same_end(found: xr.Dataset, expected: xr.Dataset) -> None:
    assert set(found.data_vars) == set(expected.data_vars)
    for name in expected.data_vars:
        last, same = (
            run[name].isel(time=-1) if "time" in run[name].dims else run[name]
            for run in (found, expected)
        )
        np.testing.assert_array_equal(last, same, err_msg=str(name))


def histories(integration: Integration) -> dict[str, tuple[int, Array]]:
    """Return the arrays of earlier tendencies and their axis; that of step i is in slot i mod n."""
    arrays = integration.restart_arrays
    return {
        name: (dims.index("history"), array)
        for name, (dims, array) in arrays.items()
        if "history" in dims and name.endswith("_tendency")
    }


def slot(axis: int, step: int, array: Array) -> tuple[Any, ...]:
    return (slice(None),) * axis + (step % array.shape[axis],)


# Of the longer step of the comparison, and of its half.
_SUBSTEPS = 32


@dataclass(frozen=True)
class Fine:
    """A run with very short steps: its states and tendencies at every half of the longer step."""

    states: list[dict[str, Array]]
    tendencies: list[dict[str, Array]]


def restarted(setting: Setting, dt: float) -> Integration:
    """Begin at the developed state, as of step 0 and without a history, with another step."""
    state = developed(setting)
    running = changed(setting.model, dt=dt).start(n_member=state.sizes["member"])
    # `start` would refuse it, because its history is of another step.
    running.continue_from(state)
    running.step = 0
    return running


def fine_run(setting: Setting) -> Fine:
    running = restarted(setting, setting.order_dt / _SUBSTEPS)
    states, tendencies = [], []
    for _ in range(2 * setting.n_order_step + 1):
        first = running.step
        states.append({name: array.copy() for name, array in running.prognostic.items()})
        running.advance(1)
        past = histories(running)
        tendencies.append(
            {name: array[slot(axis, first, array)].copy() for name, (axis, array) in past.items()}
        )
        running.advance(_SUBSTEPS // 2 - 1)
    return Fine(states, tendencies)


def order_error(setting: Setting, fine: Fine, stride: int) -> float:
    """Return the relative error of a run that begins with the history of the fine run.

    Its steps are `stride` halves of the longer step.
    """
    n_step = 2 * setting.n_order_step // stride
    running = restarted(setting, 0.5 * setting.order_dt * stride)
    past = histories(running)
    n_past = max((array.shape[axis] - 1 for axis, array in past.values()), default=0)
    for name, array in running.prognostic.items():
        array[...] = fine.states[n_past * stride][name]
    for name, (axis, array) in past.items():
        for step in range(n_past):
            array[slot(axis, step, array)] = fine.tendencies[step * stride][name]
    running.step = n_past
    running.advance(n_step - n_past)
    errors = [
        float(np.abs(array - fine.states[n_step * stride][name]).max() / np.abs(array).max())
        for name, array in running.prognostic.items()
    ]
    return max(errors)


@every_setting
def test_the_error_falls_at_the_stated_order(setting: Setting) -> None:
    fine = fine_run(setting)
    longer, half = (order_error(setting, fine, stride) for stride in (2, 1))
    # Well above round-off, and small enough for the leading term alone.
    assert 1e-13 < half < longer < 1e-2
    assert np.log2(longer / half) == pytest.approx(setting.model.order, abs=0.2)


@every_setting
def test_a_run_goes_on_from_its_own_output_bit_for_bit(setting: Setting) -> None:
    model, start = setting.model, developed(setting)
    whole = model.run(steps=12, save_every=12, initial=start)
    first = model.run(steps=5, save_every=5, initial=start)
    second = model.run(steps=7, save_every=7, initial=first)
    assert_same_end(second, whole)
    assert any(str(name).startswith(RESTART) for name in whole.data_vars)


@every_setting
def test_a_run_goes_on_from_its_file_bit_for_bit(setting: Setting, tmp_path: Path) -> None:
    """The file also shows that every attribute is one that netCDF can hold."""
    model, path = setting.model, tmp_path / "run.nc"
    first = model.run(steps=4, save_every=2, n_member=2, seed=3)
    first.to_netcdf(path)
    with xr.open_dataset(path) as stored:
        for name, value in first.attrs.items():
            np.testing.assert_array_equal(stored.attrs[name], value, err_msg=name)
        second = model.run(steps=3, save_every=3, initial=stored)
    whole = model.run(steps=7, save_every=7, n_member=2, seed=3)
    assert_same_end(second, whole)


@every_setting
def test_how_a_run_is_cut_does_not_matter(setting: Setting) -> None:
    at_once, in_parts = (setting.model.start(developed(setting)) for _ in range(2))
    at_once.advance(10)
    for n_step in (3, 1, 6):
        in_parts.advance(n_step)
    assert_same_bits(memory(in_parts), memory(at_once))


@every_setting
def test_members_do_not_meet(setting: Setting) -> None:
    model = setting.model
    states = model.random_state(3, np.random.default_rng(4))
    together = model.start(states)
    together.advance(6)
    for member in range(3):
        alone = model.start(states[member])
        alone.advance(6)
        expected = {name: array[member : member + 1] for name, array in memory(together).items()}
        assert_same_bits(memory(alone), expected)


@every_setting
def test_threads_do_not_change_bits(setting: Setting) -> None:
    model = setting.model
    one, two = (model.start(developed(setting), n_thread=n) for n in (1, 2))
    one.advance(6)
    two.advance(6)
    assert_same_bits(memory(two), memory(one))


@every_setting
def test_a_closure_is_asked_at_every_stage_of_every_step(setting: Setting) -> None:
    model, asked = setting.model, []

    def nothing(fields: Mapping[str, Array], step: int) -> dict[str, Array]:
        assert all(np.isfinite(field).all() for field in fields.values())
        asked.append(step)
        return {}

    plain, coupled = (model.start(developed(setting)) for _ in range(2))
    first = coupled.step
    coupled.couple(nothing)
    plain.advance(3)
    coupled.advance(3)
    counts = np.bincount(np.array(asked) - first)
    # Two members; a Runge-Kutta method of order p has p stages or more.
    n_stage = counts[0] // 2
    assert counts.tolist() == [2 * n_stage] * 3
    assert n_stage in (1, model.order)
    # A tendency of zero changes nothing but the order in which compiled loops add.
    for name, array in memory(plain).items():
        tolerance = 1e-13 * np.abs(array).max()
        np.testing.assert_allclose(memory(coupled)[name], array, rtol=0.0, atol=tolerance)


@every_setting
def test_single_precision(setting: Setting) -> None:
    double = setting.model.start(developed(setting))
    single = changed(setting.model, dtype="float32").start(n_member=2)
    for name, (_, array) in single.restart_arrays.items():
        array[...] = double.restart_arrays[name][1]
        assert array.real.dtype == np.float32
    single.step = double.step
    double.advance(5)
    single.advance(5)
    exact, rounded = double.fields(), single.fields()
    for name, expected in exact.items():
        found, units = rounded[name], expected.attrs["units"]
        assert (found.dtype, expected.dtype) == (np.float32, np.float64), name
        # A field may be a small difference of larger ones, as surface height is of thickness.
        scale = max(float(np.abs(f).max()) for f in exact.values() if f.attrs["units"] == units)
        # Round-off is 6e-8; differences of neighbours and a few steps add to it.
        tolerance = 1e-5 * scale
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=tolerance, err_msg=name)


@every_setting
def test_data_are_labelled(setting: Setting) -> None:
    model = setting.model
    run = model.run(steps=2, save_every=1, n_member=2)
    own = [name for name in run.variables if not str(name).startswith(RESTART)]
    for name in own:
        assert run[name].attrs["long_name"], name
        # Numbers of members, layers and variables have no unit.
        assert "units" in run[name].attrs or run[name].dtype == np.int64, name
    for name in set(own) - set(run.coords):
        assert run[name].dims[:2] == ("time", "member")
    assert run.sizes["time"] == 3
    assert run.time.attrs["units"] == model.time_units
    assert run.attrs["model"] == model.title
    assert run.attrs["dt"] == model.dt


@every_setting
def test_a_step_above_the_stability_limit_is_warned_of(setting: Setting) -> None:
    model = setting.model
    state = model.random_state(1, np.random.default_rng(5))
    limit = model.stability_limit(model.start(state))
    assert model.dt < limit < np.inf
    with pytest.warns(
        StabilityWarning, match=f"{model.title}: dt: .* is above the stability limit"
    ):
        changed(model, dt=1.5 * limit).start(state)


@every_setting
def test_initial_states_are_checked(setting: Setting) -> None:
    model = setting.model
    state = model.random_state(1, np.random.default_rng(5))[0]
    with pytest.raises(ValueError, match=r"initial: expected shape .* or .*, got"):
        model.start(np.concatenate([state, state], axis=-1))
    state.flat[-1] = np.nan
    with pytest.raises(ValueError, match="initial: expected finite values, got 1 non-finite of"):
        model.start(state)
    with pytest.raises(ValueError, match="dt: expected"):
        changed(model, dt=-model.dt)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_is_documented(name: str) -> None:
    text = inspect.getdoc(PUBLIC[name]) or ""
    head, _, rest = text.partition("Parameters\n----------\n")
    documented = {
        part.strip()
        for line in rest.partition("Raises\n")[0].splitlines()
        if line and not line.startswith(" ")
        for part in line.partition(":")[0].split(",")
    }
    assert documented == {field.name for field in fields(PUBLIC[name])}  # type: ignore[arg-type]
    assert ".. math::" in head
    assert "References\n----------" in rest
    assert f">>> run = {name}(" in rest
