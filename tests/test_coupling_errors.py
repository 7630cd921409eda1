"""Closures that fail, or do not fit the solver, are refused by name."""

from typing import Any

import numpy as np
import pytest
from coupling_examples import MODEL, Archives, advanced, drag

from hybrid.coupling import couple
from solvers import SolverBlewUp, TendencyError


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    return Archives(tmp_path_factory.mktemp("archives"))


def test_a_closure_that_fails_stops_the_run_with_its_message(archives: Archives) -> None:
    initial = np.zeros((3, *MODEL.state_shape))
    initial[1, 0, 0, 16] = 2e-4
    # The message comes from the thread that ran the member.
    integration = MODEL.start(initial, tendency=couple(archives["root"]), n_thread=2)
    message = (
        "^two-layer quasi-geostrophic: member 1, step 0: the closure's result q_tendency: expected "
        r"finite values, got NaN in column 17 of 2048 \(column id 2065\); nothing was written\n"
        "two-layer quasi-geostrophic: member 1, step 0: the closure was given q up to 0.0002 s-1, "
        r"u up to \S+ m s-1, v up to \S+ m s-1$"
    )
    with pytest.raises(TendencyError, match=message):
        integration.advance(10)


MISFITS = {
    "vorticity": "vorticity: expected one of q, u, v in the solver, got vorticity;",
    "kelvin": "q: expected units .*K.*, got 's-1'",
    "levels": r"q: expected dims among \(layer, y, x\), those of q, got \(level\);",
    "three layers": "q: expected 3 along 'layer', got 2; regrid the array or export the closure",
    "finer maps": (
        "drag: expected a grid with spacing 15625 along 'x', for which the closure was trained, "
        "got 31250; train it for this grid;"
    ),
    "shear": r"q_tendency: expected columns along \(y, x\) as for q, got \(layer, y, x\); give",
    "rows": (
        r"q: expected columns that lie evenly in memory, got those along \(layer, x\) of "
        r"\(layer, y, x\); give the field dims that leave neighbours;"
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_refused(archives: Archives, name: str) -> None:
    with pytest.raises(TendencyError, match=rf"^closure \w+: {MISFITS[name]}") as misfit:
        MODEL.start(tendency=couple(archives[name]))
    q = "q [s-1] (layer: 2, y: 32, x: 32), u [m s-1] (layer: 2, y: 32, x: 32), v [m s-1] ("
    assert f"; the solver gives {q}" in str(misfit.value)
    assert str(misfit.value).endswith("and takes q_tendency [s-2] (layer: 2, y: 32, x: 32)")


def test_names_are_checked(archives: Archives) -> None:
    with pytest.raises(TendencyError, match=r"^closure drag: q: expected units .*got 'm s-1'"):
        MODEL.start(tendency=couple(archives["points"], names={"q": "u"}))
    message = "^closure drag: names: expected keys among q, q_tendency, got Q;"
    with pytest.raises(TendencyError, match=message):
        MODEL.start(tendency=couple(archives["points"], names={"Q": "q"}))
    with pytest.raises(TendencyError, match=r"q_tendency: expected one of q_tendency .*, got q;"):
        MODEL.start(tendency=couple(archives["points"], names={"q_tendency": "q"}))


def test_a_closure_that_does_not_fit_leaves_the_one_before(archives: Archives) -> None:
    integration = MODEL.start(seed=1, tendency=couple(archives["points"]))
    with pytest.raises(TendencyError):
        integration.couple(couple(archives["kelvin"]))
    integration.advance(20)
    np.testing.assert_array_equal(integration.prognostic["q"], advanced(drag))


def fails_later(fields: Any, step: int) -> Any:
    if step == 3:
        raise KeyError("no such table")
    return fields["q"]


SHAPE = r"closure: q_tendency: expected shape \(2, 32, 32\) \(layer, y, x\), got \(32, 32\)"


@pytest.mark.parametrize("n_thread", [1, 2])
@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (fails_later, KeyError, "no such table"),
        (lambda fields, _: fields["q"][0], TendencyError, SHAPE),
        (lambda fields, _: {"q": fields["q"]}, TendencyError, "tendencies of q_tendency, got q"),
        (lambda fields, _: fields["q"].fill(0.0), ValueError, "read-only"),
    ],
)
def test_what_a_python_function_raises_comes_through(
    function: Any, error: type[Exception], message: str, n_thread: int
) -> None:
    integration = MODEL.start(n_member=2, tendency=function, n_thread=n_thread)
    with pytest.raises(error, match=message) as caught:
        integration.advance(10)
    step = 3 if function is fails_later else 0
    assert any(
        f"two-layer quasi-geostrophic: member 0, step {step}: the closure was given q up to" in note
        for note in caught.value.__notes__
    )
    assert integration.step == 0


NO_NUMBERS = {
    "complex": (lambda fields, _: fields["q"] * 1j, "got complex128; return their real part"),
    "text": (lambda _fields, _: "drag", "got <U4"),
}


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_a_python_function_returns_real_numbers(name: str) -> None:
    function, got = NO_NUMBERS[name]
    message = f"closure: q_tendency: expected real numbers, {got}"
    with pytest.raises(TendencyError, match=message):
        MODEL.start(tendency=function).advance(1)


# Far too strong for the time step.
VIOLENT = 1e-3 * np.random.default_rng(0).standard_normal(MODEL.state_shape)
CALM = np.zeros(MODEL.state_shape)

unstable = pytest.mark.filterwarnings("ignore::solvers.errors.StabilityWarning")
overflows = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def blow_up_alone() -> SolverBlewUp:
    with pytest.raises(SolverBlewUp) as caught:
        MODEL.start(VIOLENT).advance(500)
    return caught.value


@unstable
@overflows
@pytest.mark.parametrize(
    "function",
    [lambda fields, _: 0.0 * fields["q"], lambda fields, _: np.sqrt(np.abs(fields["q"])) * 0.0],
)
def test_a_closure_that_fails_because_the_state_blew_up(function: Any) -> None:
    """The closure returns what is not finite for a state that is not finite."""
    integration = MODEL.start(VIOLENT, tendency=function)
    with pytest.raises(SolverBlewUp) as caught:
        integration.advance(500)
    assert caught.value.step == blow_up_alone().step
    assert integration.step == caught.value.step - 1


@unstable
@overflows
def test_a_closure_that_overflows_says_that_the_run_blows_up() -> None:
    integration = MODEL.start(VIOLENT, tendency=lambda fields, _: 1e-30 * fields["q"] ** 2)
    message = "expected finite values(.|\n)*; the run is blowing up; use a shorter dt or more diss"
    with pytest.raises(TendencyError, match=message):
        integration.advance(500)
    assert integration.step == 0


@unstable
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("first", ["blow-up", "closure"])
def test_the_earliest_failure_of_all_members_is_reported(first: str, order: int) -> None:
    step_of_blow_up = blow_up_alone().step
    # The state is not finite after step - 1, counted from 0; the closure fails within a step.
    step_of_failure = step_of_blow_up + (20 if first == "blow-up" else -2)

    def late(fields: Any, step: int) -> Any:
        if step == step_of_failure and np.abs(fields["q"]).max() == 0.0:
            raise KeyError("calm member")
        return np.zeros(MODEL.state_shape)

    integration = MODEL.start(np.stack([VIOLENT, CALM][::order]), tendency=late)
    with pytest.raises((SolverBlewUp, KeyError)) as caught:
        integration.advance(step_of_blow_up + 100)
    assert isinstance(caught.value, SolverBlewUp if first == "blow-up" else KeyError)


def test_what_is_no_closure() -> None:
    not_closure: Any = "drag.pt"
    message = r"tendency: expected a function of .*hybrid.coupling.couple\(archive\), got str"
    with pytest.raises(TypeError, match=message):
        MODEL.start(tendency=not_closure)
