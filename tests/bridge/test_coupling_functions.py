"""A user's own C or Fortran function as the closure of a solver."""

import ctypes
import gc
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import cfunc

from fortran_bridge.build import SOURCE
from solvers import TendencyError, TwoLayerQG
from solvers.integration import Integration
from solvers.tendency_source import FUNCTION, CTendency

RATE = 1e-6
MODEL = TwoLayerQG(nx=32)
HERE = Path(__file__).parent


class Drag(ctypes.Structure):
    """The context of drag.c."""

    _fields_ = (
        ("rate", ctypes.c_double),
        *((name, ctypes.c_int64) for name in ("failing_step", "calls", "last_step", "last_stage")),
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    path = tmp_path_factory.mktemp("drag") / "libdrag.so"
    flags = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC")
    source = str(HERE / "c" / "drag.c")
    subprocess.run(["gcc", *flags, f"-I{SOURCE / 'include'}", source, "-o", str(path)], check=True)
    return ctypes.CDLL(str(path))


def started(tendency: Any, model: TwoLayerQG = MODEL, **options: Any) -> Integration:
    return model.start(seed=1, tendency=tendency, **options)


def q_of(integration: Integration) -> np.ndarray[Any, Any]:
    return integration.prognostic["q"]


def drag_in_python(fields: Any, step: int) -> Any:
    return -RATE * fields["q"]


def test_a_c_function_does_what_a_python_function_does(library: ctypes.CDLL) -> None:
    drag = Drag(RATE, -1)
    compiled = started(CTendency(library.drag, [drag]))
    python = started(drag_in_python)
    free = started(None)
    for integration in (compiled, python, free):
        integration.advance(30)
    np.testing.assert_array_equal(q_of(compiled), q_of(python))
    assert np.abs(q_of(compiled) - q_of(free)).max() > 0.1 * np.abs(q_of(free)).max()
    assert (drag.calls, drag.last_step, drag.last_stage) == (30, 29, 0)


@pytest.mark.fortran
def test_a_fortran_function_does_what_a_python_function_does(tmp_path: Path) -> None:
    path = tmp_path / "libdrag.so"
    flags = ("-std=f2018", "-Wall", "-fcheck=all", "-shared", "-fPIC", f"-J{tmp_path}")
    source = str(HERE / "fortran" / "drag.f90")
    subprocess.run(["gfortran", *flags, source, "-o", str(path)], check=True)
    compiled = started(CTendency(ctypes.CDLL(str(path)).drag, [np.array([RATE])]))
    python = started(drag_in_python)
    for integration in (compiled, python):
        integration.advance(30)
    np.testing.assert_array_equal(q_of(compiled), q_of(python))


def test_a_numba_function_does_what_a_python_function_does() -> None:
    number = "CPointer(float64)"

    @cfunc(f"int32(voidptr, int64, int64, {number}, {number}, CPointer(int64))")
    def drag(context: Any, step: int, stage: int, fields: Any, tendency: Any, sizes: Any) -> int:
        for i in range(sizes[4] * sizes[5] * sizes[6]):
            tendency[i] = -RATE * fields[i]
        return 0

    compiled, python = started(CTendency(drag.ctypes)), started(drag_in_python)
    for integration in (compiled, python):
        integration.advance(10)
    np.testing.assert_array_equal(q_of(compiled), q_of(python))


def test_each_member_has_its_context(library: ctypes.CDLL) -> None:
    drags = [Drag(RATE, -1), Drag(0.0, -1), Drag(-RATE, -1)]
    initial = started(None).fields()["q"].to_numpy()[0]
    source = CTendency(library.drag, drags)
    together = MODEL.start(initial, n_member=3, tendency=source, n_thread=2)
    together.advance(10)
    for member, drag in enumerate(drags):
        alone = MODEL.start(initial, tendency=CTendency(library.drag, [drag]))
        alone.advance(10)
        np.testing.assert_array_equal(q_of(together)[member], q_of(alone)[0])
        assert drag.calls == 20


def test_a_context_is_kept_or_an_address(library: ctypes.CDLL) -> None:
    drag = Drag(RATE, -1)
    kept = started(CTendency(library.drag, [Drag(RATE, -1)]))
    address = started(CTendency(library.drag, [ctypes.addressof(drag)]))
    gc.collect()
    for integration in (kept, address):
        integration.advance(5)
    np.testing.assert_array_equal(q_of(kept), q_of(address))
    assert drag.calls == 5


def test_single_precision(library: ctypes.CDLL) -> None:
    model = TwoLayerQG(nx=32, dtype="float32")
    compiled = started(CTendency(library.drag, [Drag(RATE, -1)]), model)
    python = started(lambda fields, _: -np.float32(RATE) * fields["q"], model)
    for integration in (compiled, python):
        integration.advance(10)
    assert q_of(compiled).dtype == np.complex64
    np.testing.assert_array_equal(q_of(compiled), q_of(python))


def test_a_function_that_writes_nothing_adds_nothing(library: ctypes.CDLL) -> None:
    free, coupled = started(None), started(drag_in_python)
    coupled.advance(1)
    np.testing.assert_array_less(0.0, np.abs(coupled.closure_outputs(0)[0].array).max())
    # What the closure before has left must not go on being added.
    coupled = started(drag_in_python)
    coupled.couple(CTendency(library.nothing))
    for integration in (free, coupled):
        integration.advance(5)
    np.testing.assert_array_equal(q_of(coupled), q_of(free))


def test_a_status_stops_the_run_and_is_reported(library: ctypes.CDLL) -> None:
    drags = [Drag(RATE, -1), Drag(RATE, 3)]
    integration = started(CTendency(library.drag, drags), n_member=2)
    with pytest.raises(TendencyError, match="returned status 7") as caught:
        integration.advance(10)
    expected = "two-layer quasi-geostrophic: member 1, step 3: the closure returned status 7"
    assert str(caught.value) == expected
    # The other member has gone on to the end of its chunk, and was put back with this one.
    assert 3 <= drags[0].calls <= 10
    assert drags[1].calls == 3


def test_what_is_no_function(library: ctypes.CDLL) -> None:
    message = "function: expected the address of a C function, or .* ctypes library, got function"
    with pytest.raises(TypeError, match=message):
        CTendency(drag_in_python)
    with pytest.raises(ValueError, match=r"function: expected the address .*, got null"):
        CTendency(FUNCTION())
    with pytest.raises(ValueError, match=r"function: expected the address .*, got null"):
        CTendency(0)
    source = CTendency(library.drag, [Drag(RATE, -1)])
    message = "contexts: expected one for each member, got 1 and a member 1"
    with pytest.raises(ValueError, match=message):
        started(source, n_member=2)
