"""Misuse of a binding gets a message with what, expected, got and remedy; the host lives on."""

from collections.abc import Callable
from ctypes import c_int64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from closure_examples import N_LEVEL

import hybrid
from fortran_bridge import BridgeError
from fortran_bridge.c_library import library
from fortran_bridge.noise import noise
from hybrid.runtime import Binding

N = 6
STATUS = {"field": 4, "units": 5, "shape": 6, "kind": 7, "order": 8, "value": 9, "argument": 10}


def arrays() -> dict[str, tuple[np.ndarray[Any, Any], str, str]]:
    rng = np.random.default_rng(0)
    return {
        "state_t": (rng.uniform(220, 300, (N, N_LEVEL)), "column,level", "K"),
        "state_ps": (rng.uniform(6e4, 1e5, N), "column", "Pa"),
        "ptend_t": (np.full((N, N_LEVEL), -1.0), "column,level", "K s-1"),
        "precipitation": (np.full(N, -1.0), "column", "m s-1"),
    }


def bound(path: Path, policy: str = "error") -> tuple[Binding, dict[str, np.ndarray[Any, Any]]]:
    binding = hybrid.load(path).create(N, policy=policy)
    kept = {}
    for name, (array, dims, units) in arrays().items():
        binding.bind(name, array, dims=dims, units=units)
        kept[name] = array
    return binding, kept


ERRORS: list[tuple[str, str, Callable[[Binding], object]]] = [
    (
        "field",
        r"state_x: no such field in .*; expected an input \(state_t, state_ps\) or an output \(pt",
        lambda b: b.bind("state_x", np.zeros(N), dims="column", units="K"),
    ),
    (
        "units",
        r"state_ps: expected units that convert to or from the closure's 'Pa', got 'K' for the",
        lambda b: b.bind("state_ps", np.zeros(N), dims="column", units="K"),
    ),
    (
        "units",
        r"state_ps: expected units that UDUNITS-2 knows, got 'pascalls'",
        lambda b: b.bind("state_ps", np.zeros(N), dims="column", units="pascalls"),
    ),
    (
        "shape",
        r"state_t: expected rank 2 \(column,level\), got rank 1; a single column needs an axis of",
        lambda b: b.bind("state_t", np.zeros(N), dims="column", units="K"),
    ),
    (
        "shape",
        r"state_t: expected 5 along 'level', got 7; regrid the array or export the closure for 7",
        lambda b: b.bind("state_t", np.zeros((N, 7)), dims="column,level", units="K"),
    ),
    (
        "shape",
        r"state_t: expected 6 along 'column', got 5; for an array \(level,column\) give dims='lev",
        lambda b: b.bind("state_t", np.zeros((N_LEVEL, N)), dims="column,level", units="K"),
    ),
    (
        "shape",
        r"state_t: expected rank 2 \(column,level\), got rank 3; give an array, or a section of",
        lambda b: b.bind("state_t", np.zeros((N, N_LEVEL, 1)), dims="column,level", units="K"),
    ),
    (
        "shape",
        r"state_ps: expected 6 along 'column', got 1; give the columns the binding was created",
        lambda b: b.bind("state_ps", np.zeros(1), dims="column", units="Pa"),
    ),
    (
        "shape",
        r"'column,level', in the order of .* \(so also 'level,column'\), got 'column,lev'",
        lambda b: b.bind("state_t", np.zeros((N, N_LEVEL)), dims="column,lev", units="K"),
    ),
    (
        "shape",
        r"state_t: expected dims 'column,level', .* got 'column,column'",
        lambda b: b.bind("state_t", np.zeros((N, N_LEVEL)), dims="column,column", units="K"),
    ),
    (
        "kind",
        r"state_ps: expected an array of 4-byte or 8-byte reals, got 2-byte numbers; copy it",
        lambda b: b.bind("state_ps", np.zeros(N, np.float16), dims="column", units="Pa"),
    ),
    (
        "kind",
        r"state_ps: expected an array of 4-byte or 8-byte reals, got another type",
        lambda b: b.bind("state_ps", np.zeros(N, np.int64), dims="column", units="Pa"),
    ),
    (
        "argument",
        r"state_ps: accumulate is for outputs, this is an input",
        lambda b: b.bind("state_ps", np.zeros(N), dims="column", units="Pa", accumulate=True),
    ),
    (
        "order",
        r"expected every field to be bound before run, got none for state_t, state_ps, ptend_t",
        lambda b: b.run(0),
    ),
    ("order", r"expected a run before commit, got none since the last", lambda b: b.commit()),
    (
        "field",
        r"memory: no such state field in closure column_network; expected one of none",
        lambda b: b.state_get("memory"),
    ),
]


@pytest.mark.parametrize(("status", "message", "misuse"), ERRORS)
def test_misuse(
    column_archive: Path, status: str, message: str, misuse: Callable[[Binding], object]
) -> None:
    binding = hybrid.load(column_archive).create(N)
    with pytest.raises(BridgeError, match=message) as caught:
        misuse(binding)
    assert caught.value.status == STATUS[status]
    # A refused call leaves the binding as it was: it can still be used.
    for name, (array, dims, units) in arrays().items():
        binding.bind(name, array, dims=dims, units=units)
    binding.run(0)


def test_bound_twice(column_archive: Path) -> None:
    binding, kept = bound(column_archive)
    with pytest.raises(BridgeError, match="state_ps: bound twice; bind each field once"):
        binding.bind("state_ps", kept["state_ps"], dims="column", units="Pa")
    binding.run(0)


def test_one_field_never_bound(column_archive: Path) -> None:
    binding = hybrid.load(column_archive).create(N)
    for name, (array, dims, units) in list(arrays().items())[:-1]:
        binding.bind(name, array, dims=dims, units=units)
    with pytest.raises(BridgeError, match="got none for precipitation; bind them"):
        binding.run(0)


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_non_finite_input(column_archive: Path, value: float, word: str) -> None:
    binding, kept = bound(column_archive)
    kept["state_t"][3, 2] = value
    message = rf"state_t: expected finite values, got {word} in column 4 of 6 \(column id 4\), "
    with pytest.raises(
        BridgeError,
        match=message + "element 3 of 5; nothing was written. Mend "
        "the host's state, or create the binding with policy 'flag', 'clip', 'ze",
    ):
        binding.run(0)
    assert np.all(kept["ptend_t"] == -1.0)
    kept["state_t"][3, 2] = 250.0
    binding.run(0)
    assert np.all(np.isfinite(kept["ptend_t"]))
    assert not np.any(kept["ptend_t"] == -1.0)


def test_value_beyond_the_closure_s_precision(column_archive: Path) -> None:
    binding, kept = bound(column_archive)
    kept["state_ps"][0] = 1e300
    with pytest.raises(BridgeError, match="state_ps: expected finite values, got infinity"):
        binding.run(0)


def test_policy_host_leaves_bad_columns_alone(column_archive: Path) -> None:
    reference, expected = bound(column_archive)
    reference.run(0)
    binding, kept = bound(column_archive, policy="host")
    kept["state_t"][3, 2] = np.nan
    binding.run(0)
    good = np.arange(N) != 3
    np.testing.assert_array_equal(binding.mask(), ~good)
    np.testing.assert_array_equal(kept["ptend_t"][good], expected["ptend_t"][good])
    assert np.all(kept["ptend_t"][3] == -1.0)


def test_options_are_checked(column_archive: Path) -> None:
    closure = hybrid.load(column_archive)
    with pytest.raises(
        BridgeError, match="policy: expected 'error', 'flag', 'clip', 'zero' or 'host', got 'warn'"
    ):
        closure.create(N, policy="warn")
    with pytest.raises(BridgeError, match="expected a number of columns, got -1"):
        closure.create(-1)
    with pytest.raises(ValueError, match=r"column_id: expected shape \(6,\), got \(5,\)"):
        closure.create(N, column_id=np.arange(5))


def test_numbers_are_not_cut_to_the_integers_of_c(persistence_archive: Path) -> None:
    closure = hybrid.load(persistence_archive)
    message = "expected an integer from 0 to 18446744073709551615, got 18446744073709551619"
    with pytest.raises(ValueError, match=f"seed: {message}"):
        closure.create(N, seed=2**64 + 3)
    with pytest.raises(ValueError, match="seed: expected an integer from 0"):
        closure.create(N, seed=-1)
    with pytest.raises(ValueError, match="n_column: expected an integer from"):
        closure.create(2**64 + 1)
    with pytest.raises(ValueError, match="n_thread: expected an integer from"):
        hybrid.load(persistence_archive, n_thread=2**32 + 1)
    binding = closure.create(N, seed=2**64 - 1)
    too_far: tuple[Callable[[], object], ...] = (
        lambda: binding.run(2**63),
        lambda: binding.apply(-(2**63) - 1),
        lambda: binding.ramp("x_tendency", 0.0, 1.0, 0, 2**64),
        lambda: binding.chunk(2**64),
        lambda: noise(3, 0, 2**64, np.zeros(1, np.int64), 1),
    )
    for call in too_far:
        with pytest.raises(ValueError, match="expected an integer from -9223372036854775808 to 92"):
            call()


def test_arrays_that_cannot_be_used_in_place(column_archive: Path) -> None:
    binding = hybrid.load(column_archive).create(N)
    not_array: Any = [9e4] * N
    message = "state_ps: expected a NumPy array, .* got list; make an array with numpy.array"
    with pytest.raises(TypeError, match=message):
        binding.bind("state_ps", not_array, dims="column", units="Pa")
    fixed = np.zeros(N)
    fixed.flags.writeable = False
    message = "precipitation: expected a writeable array for an output, got a read-only one; give"
    with pytest.raises(ValueError, match=message):
        binding.bind("precipitation", fixed, dims="column", units="m s-1")
    # Neither was bound, and inputs are only read.
    for name, (array, dims, units) in arrays().items():
        array.flags.writeable = name not in {"state_t", "state_ps"}
        binding.bind(name, array, dims=dims, units=units)
    binding.run(0)


def test_dims_as_a_tuple(column_archive: Path) -> None:
    reference, expected = bound(column_archive)
    reference.run(0)
    binding = hybrid.load(column_archive).create(N)
    found = {name: entry[0] for name, entry in arrays().items()}
    for name, (_, dims, units) in arrays().items():
        binding.bind(name, found[name], dims=tuple(dims.split(",")), units=units)
    binding.run(0)
    np.testing.assert_array_equal(found["ptend_t"], expected["ptend_t"])


def raw(array: np.ndarray[Any, Any], shape: tuple[int, ...], stride: tuple[int, ...]) -> Any:
    """Return the arguments of a C call for any strides [bytes], which NumPy would not have."""
    sizes, steps = (c_int64 * len(shape))(*shape), (c_int64 * len(shape))(*stride)
    return (array.ctypes.data, array.itemsize, len(shape), sizes, steps)


@pytest.mark.parametrize("stride", [(8, 8), (8, 16), (32, 8), (-8, 40), (0, 8), (16, 24)], ids=str)
def test_outputs_whose_elements_overlap(column_archive: Path, stride: tuple[int, int]) -> None:
    binding = hybrid.load(column_archive).create(N)
    memory = np.full(200, 7.0)
    view = raw(memory[50:], (N, N_LEVEL), stride)
    names = (b"column,level", b"K s-1", 0)
    assert library().hybrid_binding_bind(binding._handle, b"ptend_t", *view, *names) == 6
    message = library().hybrid_last_error().decode()
    assert message.startswith(
        "ptend_t: expected an output whose elements lie apart, got a str"
    ) or (0 in stride and "got stride 0" in message)
    assert np.all(memory == 7.0)
    # An input may well read a number twice, as a section of a halo does.
    if 0 not in stride:
        memory[:] = 250.0
        kelvin = (b"column,level", b"K")
        assert library().hybrid_binding_put(binding._handle, b"state_t", *view, *kelvin) == 0


def test_sections_of_any_order_are_apart(column_archive: Path) -> None:
    closure = hybrid.load(column_archive)
    for stride in ((40, 8), (8, 48), (-40, 8), (8, -48), (80, -16), (16, 96)):
        memory = np.zeros(400)
        view = raw(memory[200:], (N, N_LEVEL), stride)
        names = (b"column,level", b"K s-1", 0)
        binding = closure.create(N)
        assert library().hybrid_binding_bind(binding._handle, b"ptend_t", *view, *names) == 0


def test_numbers_lie_where_such_numbers_may(column_archive: Path) -> None:
    binding = hybrid.load(column_archive).create(N)
    inputs = np.full((N, N_LEVEL), 250.0)
    address, *rest = raw(inputs, (N, N_LEVEL), (40, 8))

    def put(address: int, *view: Any) -> tuple[int, str]:
        names = (b"column,level", b"K")
        status = library().hybrid_binding_put(binding._handle, b"state_t", address, *view, *names)
        return status, library().hybrid_last_error().decode()

    status, message = put(address + 4, *rest)
    assert status == 10
    assert message.startswith("state_t: expected an address that is a multiple of 8 bytes, the")
    _, *odd = raw(inputs, (N, N_LEVEL), (44, 8))
    status, message = put(address, *odd)
    assert status == 6
    assert (
        "expected strides that are multiples of 8 bytes, the size of its numbers, got 44" in message
    )
    # Also where only the address has moved.
    assert put(address, *rest)[0] == 0
    binding.put("state_ps", np.full(N, 9e4), dims="column", units="Pa")
    binding.apply(0)
    assert put(address + 4, *rest)[0] == 10


def test_byte_order_and_evaluate(column_archive: Path) -> None:
    closure = hybrid.load(column_archive)
    with pytest.raises(ValueError, match="native byte order"):
        closure.create(N).bind("state_ps", np.zeros(N, ">f8"), dims="column", units="Pa")
    with pytest.raises(BridgeError, match="got none for state_ps"):
        closure.evaluate({"state_t": np.full((N, N_LEVEL), 250.0)})


def test_a_failed_run_leaves_nothing_to_commit(persistence_archive: Path) -> None:
    x = np.zeros(3)
    binding = hybrid.load(persistence_archive).create(3, seed=1)
    binding.bind("x", x, dims="column", units="1")
    binding.bind("x_tendency", np.zeros(3), dims="column", units="s-1")
    binding.run(0)
    x[1] = np.nan
    with pytest.raises(BridgeError, match="x: expected finite values"):
        binding.run(0)
    with pytest.raises(BridgeError, match="expected a run before commit"):
        binding.commit()
    assert np.all(binding.state_get("memory", N_LEVEL) == 0.0)


def test_state_must_fit_the_closure_s_precision(persistence_archive: Path) -> None:
    binding = hybrid.load(persistence_archive).create(1)
    with pytest.raises(BridgeError, match="memory: expected values that are finite in the clos"):
        binding.state_set("memory", np.array([0.0, 0.0, 1e300, 0.0, 0.0]))
    assert np.all(binding.state_get("memory", N_LEVEL) == 0.0)


@pytest.mark.parametrize("policy", ["error", "host"])
def test_results_that_the_host_cannot_hold(column_archive: Path, policy: str) -> None:
    binding = hybrid.load(column_archive).create(N, policy=policy)
    given = arrays()
    # A tendency of 1e-5 K s-1 has no single-precision value in these units.
    given["ptend_t"] = (np.full((N, N_LEVEL), -1.0, np.float32), "column,level", "1e-45 K s-1")
    for name, (array, dims, units) in given.items():
        binding.bind(name, array, dims=dims, units=units)
    if policy == "error":
        with pytest.raises(BridgeError, match="ptend_t: expected a value that the host's array"):
            binding.run(0)
    else:
        binding.run(0)
        assert binding.mask().all()
    assert np.all(given["ptend_t"][0] == -1.0)
    assert np.all(given["precipitation"][0] == -1.0)


def test_increments_have_no_offset(column_archive: Path) -> None:
    binding = hybrid.load(column_archive).create(N)
    profile = np.zeros((N, N_LEVEL))
    with pytest.raises(BridgeError, match=r"expected units with the zero of the closure's"):
        binding.bind("ptend_t", profile, dims="column,level", units="K s-1 @ 5", accumulate=True)
    binding.bind("ptend_t", profile, dims="column,level", units="K day-1", accumulate=True)


def test_broadcast_arrays_are_refused(column_archive: Path) -> None:
    binding = hybrid.load(column_archive).create(N)
    with pytest.raises(BridgeError, match="elements of their own along 'column', got stride 0"):
        binding.bind("state_ps", np.broadcast_to(9e4, N), dims="column", units="Pa")


def test_absurd_number_of_columns(column_archive: Path) -> None:
    with pytest.raises(BridgeError, match="expected at most 1099511627776 columns"):
        hybrid.load(column_archive).create(2**62)
