"""Closures that fail, or do not fit the solver, are refused by name."""

from typing import Any

import numpy as np
import pytest
from coupling_examples import MODEL, Archives, advanced, drag

from hybrid.coupling import couple
from solvers import TendencyError


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
        r"finite values, got NaN in column 17 of 2048 \(column id 2065\); nothing was written$"
    )
    with pytest.raises(TendencyError, match=message):
        integration.advance(10)


MISFITS = {
    "vorticity": "vorticity: expected one of q, u, v in the solver, got vorticity;",
    "kelvin": "q: expected units .*K.*, got 's-1'",
    "levels": r"q: expected dims among \(layer, y, x\), those of q, got \(level\);",
    "three layers": "q: expected 3 along 'layer', got 2; regrid the array or export the closure",
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
    with pytest.raises(error, match=message):
        integration.advance(10)


def test_what_is_no_closure() -> None:
    not_closure: Any = "drag.pt"
    message = r"tendency: expected a function of .*hybrid.coupling.couple\(archive\), got str"
    with pytest.raises(TypeError, match=message):
        MODEL.start(tendency=not_closure)
