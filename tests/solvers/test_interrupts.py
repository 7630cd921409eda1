"""Interrupts and failing callbacks end a run; they never let it go on from a wrong state."""

import copy
import itertools
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numba import njit
from numpy.typing import NDArray

from solvers import Lorenz63, SolverBlewUp, TwoLayerQG
from solvers.errors import TendencyError
from solvers.fft import forward, inverse, plan_transform
from solvers.integration import Integration
from solvers.saving_integration import SavingIntegration

MODEL = TwoLayerQG(nx=16, fft="scipy")
ignores_lost_errors = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(autouse=True)
def _interrupts_are_heard() -> Iterator[None]:
    """Let SIGINT interrupt also where the shell that began the tests has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def entering(name: str, action: Callable[[], Any], call: int = 1) -> Iterator[None]:
    """Do something while Python enters a function of a name, the `call`-th time it does.

    That is when handlers of signals run, and before a ``try`` in the function begins.
    """
    n_call = 0

    def profile(frame: Any, event: str, _argument: Any) -> None:
        nonlocal n_call
        if event == "call" and frame.f_code.co_name == name:
            n_call += 1
            if n_call == call:
                action()

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def fail() -> None:
    raise OSError("lost on entry")


def drag(fields: Any, _step: int) -> Any:
    return -1e-7 * fields["q"]


def assert_as_if_never_interrupted(integration: Integration, tendency: Any = None) -> None:
    """Compare with a run of as many steps, now and after some more of them."""
    n_step, model = integration.step, integration.model
    assert isinstance(model, TwoLayerQG)
    same = model.start(n_member=integration.n_member, tendency=tendency)
    for more in (n_step, 5):
        same.advance(more - (same.step if more == n_step else 0))
        if same.step > integration.step:
            integration.advance(same.step - integration.step)
        for name, (_, array) in same.restart_arrays.items():
            np.testing.assert_array_equal(integration.restart_arrays[name][1], array, err_msg=name)


@pytest.mark.parametrize("name", ["forward", "inverse"])
def test_an_interrupt_on_entry_of_a_transform_ends_advancing(name: str) -> None:
    integration = MODEL.start()
    with entering(name, interrupt, call=5), pytest.raises(KeyboardInterrupt):
        integration.advance(10**7)
    assert integration.step > 0
    assert_as_if_never_interrupted(integration)


def test_a_clock_that_stands_still_loses_no_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0.0, 1e-9)
    monkeypatch.setattr("solvers.integration.perf_counter", lambda: next(clock))
    integration = MODEL.start()
    with entering("inverse", interrupt, call=60), pytest.raises(KeyboardInterrupt):
        integration.advance(10**4)
    assert 0 < integration.step < 100


def test_an_interrupt_on_entry_of_a_closure_ends_advancing() -> None:
    integration = MODEL.start(tendency=drag)
    with entering("call", interrupt, call=3), pytest.raises(KeyboardInterrupt):
        integration.advance(10**7)
    assert integration.step >= 3
    assert_as_if_never_interrupted(integration, drag)


@pytest.mark.parametrize(("n_thread", "tendency"), [(1, None), (1, drag), (2, None), (2, drag)])
def test_a_long_advance_answers_soon_and_stops(n_thread: int, tendency: Any) -> None:
    integration = MODEL.start(n_member=2, n_thread=n_thread, tendency=tendency)
    integration.advance(20)
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    began = time.perf_counter()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        integration.advance(10**7)
    assert time.perf_counter() - began < 5.0
    assert integration.step > 20
    before = integration.restart()
    time.sleep(0.1)
    for name, variable in integration.restart().items():
        xr.testing.assert_identical(variable, before[name])
    if integration.step < 3000:
        assert_as_if_never_interrupted(integration, tendency)


def test_a_long_advance_of_a_small_system_answers_soon() -> None:
    integration = Lorenz63().start()
    integration.advance(1)
    timer = threading.Timer(0.3, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        integration.advance(10**11)
    step, z = integration.step, float(integration.fields()["z"][0])
    again = Lorenz63().start()
    again.advance(step)
    assert float(again.fields()["z"][0]) == z


@ignores_lost_errors
def test_what_is_raised_on_entry_of_a_closure_ends_advancing() -> None:
    integration = MODEL.start(tendency=drag)
    integration.advance(3)
    before = integration.restart()
    message = "member 0, step 7: the closure was interrupted before it could begin"
    with entering("call", fail, call=5), pytest.raises(TendencyError, match=message):
        integration.advance(40)
    assert integration.step == 3
    for name, variable in integration.restart().items():
        xr.testing.assert_identical(variable, before[name])
    integration.advance(40)
    assert_as_if_never_interrupted(integration, drag)


@njit
def _there_and_back(transform: Any, field: Any, spectrum: Any) -> None:
    forward(transform, field, spectrum)
    inverse(transform, spectrum, field)


@ignores_lost_errors
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_a_failing_transform_leaves_is_not_finite(dtype: str) -> None:
    transform = plan_transform((8, 16), dtype, "scipy")
    field = np.ones((8, 16), dtype)
    spectrum = np.zeros((8, 9), np.result_type(dtype, np.complex64))
    with entering("inverse", fail):
        _there_and_back(transform.addresses, field, spectrum)
    assert np.isnan(field).all()
    assert np.isfinite(spectrum).all()
    with entering("forward", fail):
        _there_and_back(transform.addresses, np.ones_like(field), spectrum)
    assert np.isnan(spectrum).all()


@ignores_lost_errors
def test_a_failing_transform_ends_advancing(monkeypatch: pytest.MonkeyPatch) -> None:
    integration = MODEL.start()

    def no_memory(*_arguments: Any, **_options: Any) -> NDArray[Any]:
        raise MemoryError

    monkeypatch.setattr("scipy.fft.rfftn", no_memory)
    with pytest.raises(SolverBlewUp):
        integration.advance(5)
    assert integration.step == 0
    assert all(np.isfinite(array).all() for _, array in integration.restart_arrays.values())


def test_no_member_is_advanced_after_an_error() -> None:
    """Also where what is raised in the main thread is no interrupt from the keyboard."""
    integration = MODEL.start(n_member=2, n_thread=2, tendency=slow_drag)
    integration.advance(1)
    before = integration.restart()

    def handler(_signal: int, _frame: Any) -> None:
        raise TimeoutError("too long")

    handler_before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(TimeoutError, match="too long"):
            integration.advance(10**7)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, handler_before)
    time.sleep(0.1)
    for name, variable in integration.restart().items():
        xr.testing.assert_identical(variable, before[name])


def slow_drag(fields: Any, _step: int) -> Any:
    time.sleep(0.01)
    return -1e-7 * fields["q"]


@pytest.mark.parametrize("chunk", [1, 2, 5, 7])
def test_what_is_saved_does_not_depend_on_where_interrupts_are_let_in(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Lorenz63().start(n_member=2)
    assert isinstance(whole, SavingIntegration)
    expected = whole.advance_and_save(6, 3)
    monkeypatch.setattr(Integration, "_chunk", lambda self, end: min(chunk, end - self.step))
    parts = Lorenz63().start(n_member=2)
    assert isinstance(parts, SavingIntegration)
    for name, saved in parts.advance_and_save(6, 3).items():
        xr.testing.assert_identical(saved, expected[name])
    assert parts.step == whole.step == 18


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_integration_is_not_copied(duplicate: Callable[[Integration], Any]) -> None:
    integration = MODEL.start()
    message = "expected to be used where it was made, .*; make another with model.start and give"
    with pytest.raises(TypeError, match=message):
        duplicate(integration)


def test_what_is_said_instead_of_a_copy_works() -> None:
    integration = MODEL.start()
    integration.advance(4)
    other = MODEL.start(seed=9)
    other.continue_from(xr.Dataset(integration.restart()))
    other.advance(3)
    integration.advance(3)
    np.testing.assert_array_equal(other.prognostic["q"], integration.prognostic["q"])
