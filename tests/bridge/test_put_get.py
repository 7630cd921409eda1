"""Arrays that are handed over each time: put, apply and get, in chunks, in any units."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from closure_examples import N_LEVEL
from stochastic_closure import Shaken

import hybrid
from fortran_bridge import BridgeError
from fortran_bridge.native_closure import NativeClosure
from hybrid.runtime import Binding, CompiledClosure

Array = np.ndarray[Any, Any]

N = 40
RNG = np.random.default_rng(5)
T = RNG.uniform(220, 300, (N, N_LEVEL))
PS = RNG.uniform(6e4, 1e5, N)
IDS = np.arange(100, 100 + N)


@pytest.fixture(scope="module", params=["torchscript", "native"])
def closure(column_archive: Path, request: pytest.FixtureRequest) -> CompiledClosure:
    return hybrid.load(column_archive, request.param)


def put(binding: Binding, part: slice = slice(None)) -> None:
    binding.put("state_t", T[part], dims="column,level", units="K")
    binding.put("state_ps", PS[part], dims="column", units="Pa")


def get(binding: Binding, *, accumulate: bool = False, start: float = 0.0) -> tuple[Array, Array]:
    tendency, rain = np.full((binding.n_column, N_LEVEL), start), np.full(binding.n_column, start)
    binding.get("ptend_t", tendency, dims="column,level", units="K s-1", accumulate=accumulate)
    binding.get("precipitation", rain, dims="column", units="m s-1", accumulate=accumulate)
    return tendency, rain


def bound(closure: CompiledClosure) -> tuple[Array, Array]:
    binding = closure.create(N)
    tendency, rain = np.zeros_like(T), np.zeros(N)
    binding.bind("state_t", T, dims="column,level", units="K")
    binding.bind("state_ps", PS, dims="column", units="Pa")
    binding.bind("ptend_t", tendency, dims="column,level", units="K s-1")
    binding.bind("precipitation", rain, dims="column", units="m s-1")
    binding.run(0)
    return tendency, rain


def same(found: tuple[Array, Array], expected: tuple[Array, Array]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def refused(status: int, message: str, call: Callable[[], object]) -> None:
    with pytest.raises(BridgeError, match=message) as caught:
        call()
    assert caught.value.status == status


def test_the_same_as_bound(closure: CompiledClosure) -> None:
    binding = closure.create(N)
    put(binding)
    binding.apply(0)
    same(get(binding), bound(closure))
    same(get(binding), bound(closure))


def test_nothing_is_kept_of_an_array(closure: CompiledClosure) -> None:
    binding = closure.create(N)
    moving_t, moving_ps = T.copy(), PS.copy()
    binding.put("state_t", moving_t, dims="column,level", units="K")
    binding.put("state_ps", moving_ps, dims="column", units="Pa")
    moving_t[:], moving_ps[:] = np.nan, np.nan
    binding.apply(0)
    same(get(binding), bound(closure))


def test_layout_may_change_from_call_to_call(closure: CompiledClosure) -> None:
    binding = closure.create(N)
    expected = bound(closure)
    for array, dims in (
        (T, "column,level"),
        (np.ascontiguousarray(T.T), "level,column"),
        (np.asfortranarray(T), "column,level"),
        (T[:, ::-1].copy()[:, ::-1], "column,level"),
        (T, "column,level"),
    ):
        binding.put("state_t", array, dims=dims, units="K")
        binding.put("state_ps", PS, dims="column", units="Pa")
        binding.apply(0)
        same(get(binding), expected)


def test_accumulate(closure: CompiledClosure) -> None:
    binding = closure.create(N)
    put(binding)
    binding.apply(0)
    alone = get(binding)
    same(get(binding, accumulate=True, start=2.0), (2.0 + alone[0], 2.0 + alone[1]))


def test_orders_that_are_refused(closure: CompiledClosure) -> None:
    binding = closure.create(N)
    refused(8, "expected apply before get, got none since the last put", lambda: get(binding))
    refused(
        8,
        "every input to be put since the last apply, got none for state_t, state_ps; put",
        lambda: binding.apply(0),
    )
    binding.put("state_t", T, dims="column,level", units="K")
    refused(8, "got none for state_ps; put", lambda: binding.apply(0))
    refused(
        8,
        "state_t: expected apply after the inputs were put, got it put twice",
        lambda: binding.put("state_t", T, dims="column,level", units="K"),
    )
    refused(
        8,
        "state_t: expected apply after the inputs were put, got bind",
        lambda: binding.bind("state_t", T, dims="column,level", units="K"),
    )
    refused(
        4,
        "ptend_t: no such input of closure column_network; expected one of state_t, state_",
        lambda: binding.put("ptend_t", T, dims="column,level", units="K s-1"),
    )
    binding.put("state_ps", PS, dims="column", units="Pa")
    refused(8, "expected apply before get", lambda: get(binding))
    binding.apply(0)
    refused(
        4,
        "state_t: no such output of closure column_network; expected one of ptend_t, prec",
        lambda: binding.get("state_t", T.copy(), dims="column,level", units="K"),
    )
    same(get(binding), bound(closure))
    refused(8, "expected every input to be put since the last apply", lambda: binding.apply(1))
    # That failed apply has left no results of the one before either.
    put(binding)
    refused(8, "expected apply before get", lambda: get(binding))
    binding.apply(1)
    same(get(binding), bound(closure))


def test_put_and_get_of_bound_fields(closure: CompiledClosure) -> None:
    binding = closure.create(N)
    rain = np.zeros(N)
    binding.bind("state_ps", PS, dims="column", units="Pa")
    binding.bind("precipitation", rain, dims="column", units="m s-1")
    refused(
        8,
        "state_ps: bound already; its array is read by apply",
        lambda: binding.put("state_ps", PS, dims="column", units="Pa"),
    )
    binding.put("state_t", T, dims="column,level", units="K")
    binding.apply(0)
    refused(
        8,
        "precipitation: bound already; its array is written by run",
        lambda: binding.get("precipitation", rain, dims="column", units="m s-1"),
    )
    tendency = np.zeros_like(T)
    binding.get("ptend_t", tendency, dims="column,level", units="K s-1")
    np.testing.assert_array_equal(tendency, bound(closure)[0])


def test_a_refused_put_begins_anew(closure: CompiledClosure) -> None:
    binding = closure.create(N)
    bad = T.copy()
    bad[0, 0], bad[3, 1] = 400.0, np.nan
    binding.put("state_ps", PS, dims="column", units="Pa")
    refused(
        9,
        r"state_t: expected finite values, got NaN in column 4 of 40",
        lambda: binding.put("state_t", bad, dims="column,level", units="K"),
    )
    assert not binding.mask().any()
    refused(8, "got none for state_t, state_ps; put", lambda: binding.apply(0))
    put(binding)
    binding.apply(0)
    assert not binding.mask().any()
    assert binding.counts()["above"] == binding.counts("state_t")["above"] == 0
    same(get(binding), bound(closure))


def test_a_put_that_does_not_fit_leaves_the_others(closure: CompiledClosure) -> None:
    binding = closure.create(N)
    binding.put("state_ps", PS, dims="column", units="Pa")
    refused(
        6,
        "state_t: expected 40 along 'column', got 39",
        lambda: binding.put("state_t", T[1:], dims="column,level", units="K"),
    )
    refused(
        5,
        "state_t: expected units that convert",
        lambda: binding.put("state_t", T, dims="column,level", units="Pa"),
    )
    binding.put("state_t", T, dims="column,level", units="K")
    binding.apply(0)
    same(get(binding), bound(closure))


def test_marks_of_put_values_last_until_the_next_put(closure: CompiledClosure) -> None:
    binding = closure.create(N, policy="host")
    hot = T.copy()
    hot[5] = 400.0
    binding.put("state_t", hot, dims="column,level", units="K")
    binding.put("state_ps", PS, dims="column", units="Pa")
    binding.apply(0)
    tendency, _ = get(binding, start=-1.0)
    assert list(np.flatnonzero(binding.mask())) == [5]
    assert np.all(tendency[5] == -1.0)
    put(binding)
    assert not binding.mask().any()
    binding.apply(1)
    assert not binding.mask().any()
    assert binding.counts() == {
        "evaluated": 2 * N,
        "not_finite": 0,
        "below": 0,
        "above": 1,
        "overflow": 0,
        "not_confident": 0,
    }


@pytest.mark.parametrize("reproducible", [True, False])
@pytest.mark.parametrize("sizes", [(7, 7, 7, 7, 7, 5), (40,), (1, 39), (39, 1), (16, 24)])
def test_chunks_are_parts_of_the_whole(
    closure: CompiledClosure, sizes: tuple[int, ...], *, reproducible: bool
) -> None:
    whole = closure.create(N, reproducible=reproducible)
    put(whole)
    whole.apply(0)
    expected = get(whole)
    binding = closure.create(N, reproducible=reproducible)
    first = 0
    for size in sizes:
        part = slice(first, first + size)
        binding.chunk(size, IDS[part])
        assert binding.n_column == size
        put(binding, part)
        binding.apply(0)
        found = get(binding)
        for one, other in zip(found, expected, strict=True):
            if reproducible:
                np.testing.assert_array_equal(one, other[part])
            else:  # rounding of products of other sizes
                np.testing.assert_allclose(one, other[part], rtol=1e-4, atol=1e-9)
        first += size
    assert first == N
    assert binding.counts()["evaluated"] == N


def test_chunks_of_other_columns_have_their_noise(tmp_path: Path) -> None:
    path = tmp_path / "shaken.pt"
    hybrid.export(Shaken(), path)
    closure = hybrid.load(path)
    x = RNG.uniform(-1, 1, N)

    def evaluate(binding: Binding, part: slice) -> Array:
        binding.put("x", x[part], dims="column", units="1")
        binding.apply(3)
        y = np.zeros(binding.n_column)
        binding.get("y", y, dims="column", units="1")
        return y

    expected = evaluate(closure.create(N, column_id=IDS, seed=2), slice(None))
    binding = closure.create(8, column_id=IDS[:8], seed=2)
    parts = [evaluate(binding, slice(0, 8))]
    for first in range(8, N, 8):
        part = slice(first, first + 8)
        binding.chunk(8, IDS[part])
        parts.append(evaluate(binding, part))
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    assert np.unique(expected - x.astype(np.float32)).size == N


def test_chunks_that_are_refused(closure: CompiledClosure, persistence_archive: Path) -> None:
    binding = closure.create(N)
    refused(
        6,
        "expected at most 40 columns, as the binding was created for, got 41",
        lambda: binding.chunk(41),
    )
    refused(10, "expected a number of columns, got -1", lambda: binding.chunk(-1))
    assert binding.n_column == N
    put(binding)
    binding.apply(0)
    same(get(binding), bound(closure))
    binding.chunk(3)
    refused(8, "expected apply before get", lambda: get(binding))
    binding.bind("state_ps", PS[:3], dims="column", units="Pa")
    refused(
        8,
        "expected chunk before bind, which keeps the arrays of certain columns",
        lambda: binding.chunk(2),
    )
    stateful = hybrid.load(persistence_archive).create(3)
    refused(
        8,
        "expected a closure without state, which belongs to its columns, got one with mem",
        lambda: stateful.chunk(2),
    )


def test_load_from_memory(column_archive: Path) -> None:
    content = column_archive.read_bytes()
    native = NativeClosure.from_bytes(content, "rank 3")
    from_file = NativeClosure(column_archive)
    assert native.manifest == from_file.manifest
    assert native.outputs == {"ptend_t", "precipitation"}
    binding = Binding(native, N)
    put(binding)
    binding.apply(0)
    same(get(binding), bound(hybrid.load(column_archive)))
    with pytest.raises(BridgeError, match="rank 3: expected a closure archive"):
        NativeClosure.from_bytes(content[: len(content) // 2], "rank 3")
    with pytest.raises(BridgeError, match="rank 4: expected a closure archive"):
        NativeClosure.from_bytes(b"", "rank 4")


@pytest.mark.parametrize(
    ("engine", "blocks"),
    [("torchscript", "blocks that round alike: "), ("native", "blocks of any size")],
)
def test_describe(column_archive: Path, engine: str, blocks: str) -> None:
    lines = hybrid.load(column_archive, engine).description.splitlines()
    assert lines[0].startswith(f"column_network 1.0: column closure, engine {engine} ")
    assert f"on cpu, {blocks}" in lines[0]
    assert lines[1:] == [
        "  input state_t [K] (column, level = 5), float32, from 200, to 310",
        "  input state_ps [Pa] (column), float32, from 50000, to 105000",
        "  output ptend_t [K s-1] (column, level = 5), float32",
        "  output precipitation [m s-1] (column), float32",
    ]
