"""Archives as closures of a solver compute what Python functions do, without Python."""

import ctypes
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from coupling_examples import (
    MODEL,
    N_POINT,
    RATE,
    Archives,
    advanced,
    drag,
    mixing,
    upstream,
)

import hybrid
from fortran_bridge.noise import noise
from hybrid.coupling import couple
from solvers import TwoLayerQG
from solvers.integration import Integration
from solvers.tendency_source import FUNCTION, GridField, closure_sizes

AT = (0, 0, 1, 1)
"""Where one look tells states apart."""


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    return Archives(tmp_path_factory.mktemp("archives"))


@pytest.mark.parametrize("reproducible", [True, False])
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("points", drag),
        ("columns", drag),
        ("layers", drag),
        ("maps", drag),
        ("mixing", mixing),
        ("upstream", upstream),
        ("upstream, any size", upstream),
    ],
)
def test_an_archive_does_what_a_python_function_does(
    archives: Archives, name: str, function: Any, reproducible: bool
) -> None:
    # The same operations in the same order and precision: not a bit may differ.
    found = advanced(couple(archives[name], reproducible=reproducible))
    np.testing.assert_array_equal(found, advanced(function))
    assert np.abs(found - advanced(None)).max() > 1e-3 * np.abs(found).max()


def test_units_are_converted(archives: Archives) -> None:
    found, expected = advanced(couple(archives["hours"])), advanced(drag)
    # Two conversions round, in each of 20 steps.
    atol = 20 * 2 * np.finfo("float64").eps * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=atol)


def test_precisions_may_differ(archives: Archives) -> None:
    expected = advanced(drag)
    found = advanced(couple(archives["single"]))
    # The closure rounds three times: its input, its rate and its product.
    atol = 3 * np.finfo("float32").eps * np.abs(expected - advanced(None)).max()
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=atol)
    assert not np.array_equal(found, expected)


def test_a_solver_in_single_precision(archives: Archives) -> None:
    model = TwoLayerQG(nx=32, dtype="float32")
    found = advanced(couple(archives["single"]), model=model)
    expected = advanced(lambda fields, _: np.float32(-RATE) * fields["q"], model=model)
    assert found.dtype == np.complex64
    np.testing.assert_array_equal(found, expected)


def test_names_may_differ(archives: Archives) -> None:
    loaded = hybrid.load(archives["vorticity"])
    found = advanced(hybrid.couple(loaded, names={"vorticity": "q"}))
    np.testing.assert_array_equal(found, advanced(drag))


@pytest.mark.parametrize("name", ["mixing", "weather"])
def test_members_threads_and_chunks_do_not_change_a_bit(archives: Archives, name: str) -> None:
    source = couple(archives[name], seed=3)
    initial = MODEL.start(seed=1).fields()["q"].to_numpy()[0]
    one, two, alone = (
        MODEL.start(initial, n_member=n_member, tendency=source, n_thread=n_thread)
        for n_member, n_thread in ((3, 1), (3, 2), (1, 1))
    )
    one.advance(20)
    two.advance(3)
    two.advance(17)
    alone.advance(20)
    q = one.prognostic["q"]
    np.testing.assert_array_equal(q, two.prognostic["q"])
    np.testing.assert_array_equal(q[:1], alone.prognostic["q"])
    # Members begin alike, and have random numbers of their own.
    assert np.array_equal(q[0], q[1]) == (name == "mixing")


def test_random_numbers_are_those_of_seed_point_and_step(archives: Archives) -> None:
    integration = MODEL.start(n_member=2, tendency=couple(archives["white noise"], seed=7))
    integration.advance(5)
    for member in range(2):
        expected = noise(7, 0, 4, 1 + member * N_POINT + np.arange(N_POINT), 1)
        found = integration.closure_outputs(member)[0].array
        np.testing.assert_array_equal(found, 1e-12 * expected.reshape(found.shape))


def test_a_source_serves_several_runs(archives: Archives) -> None:
    source = couple(archives["weather"], seed=3)
    first, second = (MODEL.start(seed=1, tendency=source) for _ in range(2))
    for _ in range(5):
        first.advance(1)
        second.advance(1)
    np.testing.assert_array_equal(first.prognostic["q"], second.prognostic["q"])


def test_layers_may_come_last(archives: Archives) -> None:
    dims = ("y", "x", "layer")
    q = np.random.default_rng(0).normal(0.0, 1e-5, (4, 3, 2))
    tendency = np.zeros_like(q)
    bound = couple(archives["mixing"]).bind(
        0, [GridField("q", "s-1", dims, q)], [GridField("q_tendency", "s-2", dims, tendency)]
    )
    sizes = closure_sizes("float64", n_field=1, shape=(2, 4, 3))
    pointer = sizes.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
    assert FUNCTION(bound.function)(bound.context, 0, 0, None, None, pointer) == 0
    expected = -RATE * (q - 0.5 * (q[..., :1] + q[..., 1:]))
    np.testing.assert_array_equal(tendency, expected)


@contextmanager
def interpreter_to_itself() -> Iterator[None]:
    """Let no other thread run Python, as long as this one does not wait."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60.0)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def begun(integration: Integration, n_step: int) -> Thread:
    """Advance in another thread, whose first step is done."""
    q = integration.prognostic["q"]
    first, run = q[AT], Thread(target=integration.advance, args=(n_step,))
    run.start()
    while q[AT] == first:
        time.sleep(1e-4)
    return run


def test_no_python_runs_between_steps(archives: Archives, monkeypatch: pytest.MonkeyPatch) -> None:
    n_step = 3000
    # Else Python looks for interrupts now and then.
    monkeypatch.setattr(Integration, "_chunk", lambda self, end: end - self.step)
    expected = advanced(drag, n_step)[AT]
    integration = MODEL.start(seed=1, tendency=couple(archives["maps"]))
    q, run = integration.prognostic["q"], begun(integration, n_step)
    with interpreter_to_itself():
        end = time.perf_counter() + 60.0
        while q[AT] != expected and time.perf_counter() < end:
            pass
        alone = q[AT] == expected
    run.join()
    assert alone


def test_a_python_function_waits_for_the_interpreter() -> None:
    steps: list[int] = []

    def remember(fields: Any, step: int) -> Any:
        steps.append(step)
        return drag(fields, step)

    run = begun(MODEL.start(seed=1, tendency=remember), 3000)
    with interpreter_to_itself():
        before, end = len(steps), time.perf_counter() + 0.1
        while time.perf_counter() < end:
            pass
        after = len(steps)
    run.join()
    # It may have asked for its turn before the turns became long, and between two chunks of steps;
    # by itself it makes all its steps in this time.
    assert after - before < 100


def test_an_archive_needs_no_path(archives: Archives, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pt"
    copy.write_bytes(archives["points"].read_bytes())
    source = couple(str(copy))
    copy.unlink()
    np.testing.assert_array_equal(advanced(source), advanced(drag))
