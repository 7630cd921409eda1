"""Two-layer runs, bit for bit: however they are cut, shared among threads, or continued."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from two_layer_flow import relative_difference, start, turbulence, vigorous

from solvers import SolverBlewUp, TwoLayerQG
from solvers.fft import backends_for
from solvers.tendency_source import PythonTendency

SMALL = TwoLayerQG(nx=16, ny=24, dt=3600.0)
SQUARE = TwoLayerQG(nx=64)


def damping(fields: Mapping[str, NDArray[Any]], step: int) -> NDArray[Any]:
    """Damp by a rate that depends on the step, to see that steps are counted on."""
    return np.asarray(-1e-8 * (1 + step) * fields["q"] * np.abs(fields["u"] + fields["v"]))


CLOSURES: dict[str, PythonTendency | None] = {"alone": None, "with a closure": damping}
closures = pytest.mark.parametrize("closure", CLOSURES.values(), ids=list(CLOSURES))
precisions = pytest.mark.parametrize("dtype", ["float64", "float32"])


def ensemble(n_member: int) -> NDArray[np.float64]:
    return np.stack([vigorous(SMALL, seed) for seed in range(n_member)])


@closures
@precisions
@pytest.mark.parametrize("cut", [(3, 7), (1,) * 10, (1, 1, 8), (2, 8), (9, 1)])
def test_a_run_in_pieces_is_the_run(
    cut: tuple[int, ...], dtype: str, closure: PythonTendency | None
) -> None:
    model = replace(SMALL, dtype=dtype)
    whole, pieces = (start(model, ensemble(2), tendency=closure) for _ in range(2))
    whole.advance(10)
    for n_step in cut:
        pieces.advance(n_step)
    assert pieces.step == 10
    np.testing.assert_array_equal(pieces.q_spectrum, whole.q_spectrum)
    np.testing.assert_array_equal(pieces.history, whole.history)


@closures
@precisions
@pytest.mark.parametrize("first", [1, 2, 3, 11])
def test_a_run_that_is_continued_is_the_run(
    first: int, dtype: str, closure: PythonTendency | None
) -> None:
    # With one or two steps done, the next is not yet of third order.
    model, q = replace(SMALL, dtype=dtype), ensemble(2)
    whole = model.run(steps=16, save_every=1, initial=q, tendency=closure)
    begun = model.run(steps=first, save_every=1, initial=q, tendency=closure)
    rest = model.run(steps=16 - first, save_every=1, initial=begun, tendency=closure)
    assert rest.time.values[0] == (first + 1) * model.dt
    both = xr.concat([begun[["q", "u", "v", "psi"]], rest[["q", "u", "v", "psi"]]], dim="time")
    for name in both.data_vars:
        np.testing.assert_array_equal(both[name], whole[name])
    for name in ("restart_q", "restart_q_tendency", "restart_step"):
        np.testing.assert_array_equal(rest[name], whole[name])


@closures
@pytest.mark.parametrize("n_thread", [1, 2, 8])
def test_members_know_nothing_of_each_other(n_thread: int, closure: PythonTendency | None) -> None:
    together = start(SMALL, ensemble(3), n_thread=n_thread, tendency=closure)
    together.advance(20)
    for member, q in enumerate(ensemble(3)):
        alone = start(SMALL, q, tendency=closure)
        alone.advance(20)
        np.testing.assert_array_equal(together.q_spectrum[member], alone.q_spectrum[0])


def test_one_state_for_all_members_is_copied() -> None:
    integration = start(SMALL, vigorous(SMALL), n_member=3)
    integration.q_spectrum[0] = 0.0
    integration.advance(5)
    assert not integration.q_spectrum[0].any()
    assert integration.q_spectrum[1].any()
    np.testing.assert_array_equal(integration.q_spectrum[1], integration.q_spectrum[2])


@pytest.mark.parametrize("fft", backends_for(SQUARE.grid.shape, "float32"))
def test_float32_is_that_much_less_accurate(fft: str) -> None:
    single = start(replace(SQUARE, dtype="float32", fft=fft), turbulence(SQUARE))
    double = start(SQUARE, turbulence(SQUARE))
    for array in (single.q_spectrum, single.history):
        assert array.dtype == np.complex64
    assert {field.dtype for field in single.fields().values()} == {np.dtype(np.float32)}
    given = single.q_spectrum[0].copy()
    np.testing.assert_array_equal(given, double.q_spectrum[0].astype(np.complex64))
    single.advance(100)
    double.advance(100)
    difference = relative_difference(single.q_spectrum[0], double.q_spectrum[0])
    # A few bits in a hundred steps: rounding adds up at random. It is there, too: nothing in
    # between has been computed with float64.
    eps = float(np.finfo(np.float32).eps)
    assert 0.1 * eps < difference < 30.0 * eps


def test_the_fastest_library_computes_what_it_computes_by_name() -> None:
    auto = start(SMALL, vigorous(SMALL))
    named = start(replace(SMALL, fft=auto.transform.backend), vigorous(SMALL))
    assert auto.transform.backend in backends_for(SMALL.grid.shape)
    auto.advance(50)
    named.advance(50)
    np.testing.assert_array_equal(auto.q_spectrum, named.q_spectrum)


@pytest.mark.parametrize("n", [4, 6, 10, 14, 30])
def test_tiny_and_awkward_grids_run(n: int) -> None:
    # Without powers of two, and with rows that are no multiple of a SIMD register.
    model = TwoLayerQG(nx=n, ny=n + 2)
    results = []
    for fft in backends_for(model.grid.shape):
        integration = start(replace(model, fft=fft), vigorous(model))
        integration.advance(50)
        results.append(integration.q_spectrum[0])
    for other in results[1:]:
        assert relative_difference(other, results[0]) < 1e-12


def one_huge_value(at: tuple[int, ...], value: float) -> PythonTendency:
    """Return a closure that gives a value that overflows in one place, in the sixth step."""

    def closure(fields: Mapping[str, NDArray[Any]], step: int) -> NDArray[Any]:
        tendency = np.zeros(fields["q"].shape)
        if step == 5:
            tendency[at] = value
        return tendency

    return closure


@pytest.mark.parametrize("cut", [(5, 1), (20,)])
@pytest.mark.parametrize("fft", backends_for((16, 16)))
@pytest.mark.parametrize("value", [1e306, -1e306])
@pytest.mark.parametrize("at", [(0, 0, 0), (0, 4, 0), (1, 0, 4), (1, 4, 4), (0, 8, 8), (1, 3, 5)])
def test_no_infinite_value_goes_unseen(
    at: tuple[int, ...], value: float, fft: str, cut: tuple[int, ...]
) -> None:
    # Where the transform of one point is real, imaginary or neither: its spectrum times dt is
    # then infinite in the real parts, the imaginary parts or both.
    model = TwoLayerQG(nx=16, fft=fft)
    integration = start(model, vigorous(model), tendency=one_huge_value(at, value))
    without = start(model, vigorous(model))
    without.advance(5)
    for n_step in cut[:-1]:
        integration.advance(n_step)
    with pytest.raises(SolverBlewUp, match="q of member 0 is not finite after step 6 ") as caught:
        integration.advance(cut[-1])
    assert caught.value.step == 6
    assert caught.value.courant_number == without.courant_number()
    np.testing.assert_array_equal(integration.q_spectrum, without.q_spectrum)


def blow_up(cut: int) -> SolverBlewUp:
    """Advance a weak and a violent member in pieces, until that ends."""
    integration = start(SMALL, np.stack([vigorous(SMALL), 20.0 * vigorous(SMALL)]))

    def advance() -> None:
        for _ in range(0, 1000, cut):
            integration.advance(cut)

    with pytest.raises(SolverBlewUp) as caught:
        advance()
    assert integration.step == caught.value.step - 1
    assert np.isfinite(integration.q_spectrum).all()
    return caught.value


@pytest.mark.parametrize("cut", [1, 7, 100])
@pytest.mark.filterwarnings("ignore::solvers.errors.StabilityWarning")
def test_a_blow_up_is_the_same_however_the_run_is_cut(cut: int) -> None:
    found, whole = blow_up(cut), blow_up(1000)
    assert str(found) == str(whole)
    assert (found.member, found.step) == (1, whole.step)
    assert found.step > 3


def failing(fields: Mapping[str, NDArray[Any]], step: int) -> NDArray[Any]:
    raise ZeroDivisionError(f"in step {step}")


def writing(fields: Mapping[str, NDArray[Any]], step: int) -> NDArray[Any]:
    fields["q"][...] = 0.0
    return np.asarray(fields["q"])


@pytest.mark.parametrize(
    ("closure", "error", "message"),
    [
        (failing, ZeroDivisionError, "^in step 0\n.*member 0, step 0: "),
        (writing, ValueError, "read-only"),
    ],
)
def test_what_a_closure_raises_comes_through(
    closure: Callable[..., Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        SMALL.run(steps=3, tendency=closure)
