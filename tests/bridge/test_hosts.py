"""The Fortran interface from Python, through f90wrap, beside the C interface."""

import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bridge.test_memory_plateau import resident_mb
from closure_examples import ColumnNetwork, Persistence
from guarded_closure import Guarded
from numpy.typing import NDArray
from torch import Tensor

import hybrid
from closures import Closure, ClosureSpec, Field
from fortran_bridge import BridgeError
from fortran_bridge.binding import Binding, HostGrid
from fortran_bridge.hosts import FortranBinding, FortranClosure
from fortran_bridge.native_closure import NativeClosure

pytestmark = pytest.mark.fortran

Array = NDArray[Any]
N_COLUMN, N_LEVEL = 6, 5


def profiles(dtype: type = np.float64) -> Array:
    """Temperature [K], shape (column, level), C order."""
    return (250.0 + 5.0 * np.random.default_rng(1).normal(size=(N_COLUMN, N_LEVEL))).astype(dtype)


def pressure() -> Array:
    """Surface pressure [hPa]."""
    return np.linspace(900.0, 1000.0, N_COLUMN)


def through_c(path: Path, t: Array, ps: Array, policy: str = "error") -> tuple[Array, Array]:
    """Tendency [K/day] and precipitation [mm/day] through the C interface."""
    columns = Binding(NativeClosure(path), len(ps), policy=policy)
    columns.put("state_t", t, dims="column,level", units="K")
    columns.put("state_ps", ps, dims="column", units="hPa")
    columns.apply(1)
    dtdt, rain = np.zeros((len(ps), N_LEVEL)), np.zeros(len(ps), np.float32)
    columns.get("ptend_t", dtdt, dims="column,level", units="K/day")
    columns.get("precipitation", rain, dims="column", units="mm/day")
    return dtdt, rain


def fortran_columns(path: Path, **more: Any) -> FortranBinding:
    return FortranBinding(FortranClosure(path), N_COLUMN, **more)


def put_all(columns: FortranBinding, t: Array, ps: Array, dims: str = "column,level") -> None:
    columns.put("state_t", t, dims=dims, units="K")
    columns.put("state_ps", ps, dims="column", units="hPa")


def strided(t: Array) -> Array:
    whole = np.zeros((2 * t.shape[0], t.shape[1]))
    whole[::2] = t
    return whole[::2]


@pytest.mark.parametrize(
    ("change", "dims"),
    [
        pytest.param(np.asfortranarray, "column,level", id="fortran order"),
        pytest.param(np.ascontiguousarray, "column,level", id="C order"),
        pytest.param(lambda t: np.asfortranarray(t.T), "level,column", id="levels first"),
        pytest.param(lambda t: t.T, "level,column", id="a transposed view"),
        pytest.param(strided, "column,level", id="every second row"),
        pytest.param(lambda t: t[::-1, ::-1].copy()[::-1, ::-1], "column,level", id="backwards"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_put_in_any_order_of_memory_is_what_c_reads(
    change: Callable[[Array], Array], dims: str, dtype: type, column_archive: Path
) -> None:
    t, ps = profiles(dtype), pressure()
    expected = through_c(column_archive, t, ps)
    columns = fortran_columns(column_archive)
    put_all(columns, change(t), ps, dims)
    columns.apply(1)
    dtdt = np.zeros((N_LEVEL, N_COLUMN), order="F")
    rain = np.zeros(N_COLUMN, np.float32)
    columns.get("ptend_t", dtdt, dims="level,column", units="K/day")
    columns.get("precipitation", rain, dims="column", units="mm/day")
    assert np.array_equal(dtdt.T, expected[0])
    assert np.array_equal(rain, expected[1])


def test_it_computes_what_the_python_closure_computes(column_archive: Path) -> None:
    t, ps = profiles(np.float32), pressure().astype(np.float32)
    network = ColumnNetwork()
    with torch.no_grad():
        expected, _ = network(torch.from_numpy(t), torch.from_numpy(100.0 * ps))
    columns = fortran_columns(column_archive)
    put_all(columns, t, ps)
    columns.apply(1)
    dtdt = np.zeros((N_COLUMN, N_LEVEL), np.float32, order="F")
    columns.get("ptend_t", dtdt, dims="column,level", units="K/s")
    # Some ten roundings of sums of terms of order 1e-5.
    np.testing.assert_allclose(dtdt, expected.numpy(), rtol=0.0, atol=20 * 1e-5 * 2.0**-24)


def test_accumulate_adds(column_archive: Path) -> None:
    expected, _ = through_c(column_archive, profiles(), pressure())
    columns = fortran_columns(column_archive)
    put_all(columns, profiles(), pressure())
    columns.apply(1)
    dtdt = np.ones((N_COLUMN, N_LEVEL), order="F")
    columns.get("ptend_t", dtdt, dims="column,level", units="K/day", accumulate=True)
    assert np.array_equal(dtdt, 1.0 + expected)


def test_bound_arrays_are_used_where_they_lie(column_archive: Path) -> None:
    columns = fortran_columns(column_archive)
    t, dtdt = np.asfortranarray(profiles()), np.zeros((N_COLUMN, N_LEVEL), order="F")
    ps, rain = pressure(), np.zeros(N_COLUMN, np.float32)
    columns.bind("state_t", t, dims="column,level", units="K")
    columns.bind("state_ps", ps, dims="column", units="hPa")
    columns.bind("ptend_t", dtdt, dims="column,level", units="K/day")
    columns.bind("precipitation", rain, dims="column", units="mm/day")
    for step, warming in enumerate((0.0, 7.5)):
        t += warming
        columns.run(step)
        columns.commit()
        expected = through_c(column_archive, t, ps)
        assert np.array_equal(dtdt, expected[0])
        assert np.array_equal(rain, expected[1])


def test_a_binding_keeps_the_arrays_it_reads(column_archive: Path) -> None:
    columns = fortran_columns(column_archive)
    dtdt, rain = np.zeros((N_COLUMN, N_LEVEL), order="F"), np.zeros(N_COLUMN)
    columns.bind("state_t", np.asfortranarray(profiles()), dims="column,level", units="K")
    columns.bind("state_ps", pressure(), dims="column", units="hPa")
    columns.bind("ptend_t", dtdt, dims="column,level", units="K/day")
    columns.bind("precipitation", rain, dims="column", units="mm/day")
    gc.collect()
    # Takes the memory of what was freed, if anything was.
    others = [np.full((N_COLUMN, N_LEVEL), np.nan) for _ in range(100)]
    columns.run(1)
    assert len(others) == 100
    assert np.array_equal(dtdt, through_c(column_archive, profiles(), pressure())[0])


@pytest.mark.parametrize("verb", ["bind", "get"])
@pytest.mark.parametrize(
    "change", [np.ascontiguousarray, strided], ids=["C order", "every second row"]
)
def test_memory_that_fortran_cannot_write_to_is_refused(
    verb: str, change: Callable[[Array], Array], column_archive: Path
) -> None:
    columns = fortran_columns(column_archive)
    put_all(columns, profiles(), pressure())
    columns.apply(1)
    array = change(np.zeros((N_COLUMN, N_LEVEL)))
    with pytest.raises(ValueError, match="ptend_t: expected an array in Fortran order, whose mem"):
        getattr(columns, verb)("ptend_t", array, dims="column,level", units="K/s")
    assert not array.any()


@pytest.mark.parametrize("verb", ["bind", "get"])
def test_a_read_only_output_is_refused(verb: str, column_archive: Path) -> None:
    columns = fortran_columns(column_archive)
    put_all(columns, profiles(), pressure())
    columns.apply(1)
    rain = np.zeros(N_COLUMN)
    rain.flags.writeable = False
    with pytest.raises(ValueError, match="precipitation: expected a writeable array"):
        getattr(columns, verb)("precipitation", rain, dims="column", units="mm/day")


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.arange(6), TypeError, "expected a NumPy array of float32 or float64, got int64"),
        ([1.0] * 6, TypeError, "expected a NumPy array of float32 or float64, got list"),
        (np.ones(6, ">f8"), TypeError, "expected a NumPy array of float32 or float64, got >f8"),
        (np.array(1.0), ValueError, "expected 1 to 5 axes, got 0"),
        (np.ones((1,) * 6), ValueError, "expected 1 to 5 axes, got 6"),
    ],
)
def test_arrays_that_are_none_for_fortran(
    array: Any, error: type[Exception], message: str, column_archive: Path
) -> None:
    with pytest.raises(error, match=f"state_ps: {message}"):
        fortran_columns(column_archive).put("state_ps", array, dims="column", units="Pa")


@pytest.mark.parametrize(
    ("name", "dims", "units", "status", "message"),
    [
        ("state_x", "column", "Pa", 4, "state_x: no such input of closure column_network"),
        ("state_ps", "column", "kg", 5, "state_ps: expected units that convert to or from"),
        ("state_t", "column", "K", 6, "state_t: expected"),
    ],
)
def test_errors_raise_with_the_text_of_errmsg(
    name: str, dims: str, units: str, status: int, message: str, column_archive: Path
) -> None:
    columns = fortran_columns(column_archive)
    with pytest.raises(BridgeError, match=message) as caught:
        columns.put(name, pressure(), dims=dims, units=units)
    assert caught.value.status == status
    assert str(caught.value) == str(caught.value).strip()
    # Nothing was skipped on the way out: the binding goes on.
    put_all(columns, profiles(), pressure())
    columns.apply(1)


def test_a_missing_archive_raises() -> None:
    with pytest.raises(BridgeError, match=r"nowhere\.pt: expected a readable archive") as caught:
        FortranClosure("nowhere.pt")
    assert caught.value.status == 1


@pytest.mark.parametrize("rank", range(1, 6))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_kind_and_rank_has_its_procedures(rank: int, dtype: type, tmp_path: Path) -> None:
    shape = (2, 3, 2, 2)[: rank - 1]
    axes = ("a", "b", "c", "d")[: rank - 1]
    archive = tmp_path / "doubling.pt"
    hybrid.export(Doubling(axes, shape), archive)
    x: Array = np.random.default_rng(0).normal(size=(4, *shape)).astype(dtype, order="F")
    y, bound = np.zeros_like(x), np.zeros_like(x)
    dims = ("column", *axes)
    columns = FortranBinding(FortranClosure(archive), 4)
    columns.put("x", x, dims=dims, units="1").apply(1)
    columns.get("y", y, dims=dims, units="1")
    columns = FortranBinding(FortranClosure(archive), 4)
    columns.bind("x", x, dims=dims, units="1").bind("y", bound, dims=dims, units="1").run(1)
    for result in (y, bound):
        assert np.array_equal(result, 2.0 * x.astype(np.float32))


class Doubling(Closure):
    """y = 2 x for a field of some axes, with a long description that is not ASCII."""

    def __init__(self, axes: tuple[str, ...], shape: tuple[int, ...], words: int = 1) -> None:
        super().__init__(
            ClosureSpec(
                name="doubling",
                version="1.0",
                inputs=(Field("x", "1", axes, shape),),
                outputs=(Field("y", "1", axes, shape),),
                description="größer " * words,
            )
        )

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (2.0 * x,)


def test_a_closure_says_what_it_is(column_archive: Path, persistence_archive: Path) -> None:
    native, closure = NativeClosure(column_archive), FortranClosure(column_archive)
    assert closure.description == native.description
    assert closure.fields("inputs") == ("state_t", "state_ps")
    assert closure.fields("outputs") == ("ptend_t", "precipitation")
    assert closure.fields("neither") == ()
    assert (closure.units("state_ps"), closure.units("nothing")) == ("Pa", "")
    assert (closure.size("state_t"), closure.size("nothing")) == (N_LEVEL, -1)
    assert FortranClosure(persistence_archive).fields("state") == ("memory",)


@pytest.mark.parametrize("words", [1, 2000])
def test_text_of_any_length_arrives_whole(words: int, tmp_path: Path) -> None:
    archive = tmp_path / "doubling.pt"
    hybrid.export(Doubling((), (), words), archive)
    manifest = FortranClosure(archive).manifest
    assert manifest == NativeClosure(archive).manifest
    assert json.loads(manifest)["spec"]["description"] == "größer " * words


def test_chunks_are_the_whole(column_archive: Path) -> None:
    t, ps = profiles(), pressure()
    expected, _ = through_c(column_archive, t, ps)
    columns = FortranBinding(FortranClosure(column_archive), 4)
    for first, last in ((0, 4), (4, 6)):
        columns.chunk(last - first, np.arange(first + 1, last + 1))
        put_all(columns, t[first:last], ps[first:last])
        columns.apply(1)
        dtdt = np.zeros((last - first, N_LEVEL), order="F")
        columns.get("ptend_t", dtdt, dims="column,level", units="K/day")
        assert np.array_equal(dtdt, expected[first:last])
    with pytest.raises(BridgeError, match="column_id: expected 4 numbers, one for each column, g"):
        columns.chunk(4, np.arange(3))


def test_noise_and_state_are_those_of_the_c_interface(persistence_archive: Path) -> None:
    ids, x = np.array([7, 3, 11]), np.array([0.1, 0.2, 0.3])
    native = Binding(NativeClosure(persistence_archive), 3, column_id=ids, seed=5)
    columns = FortranBinding(FortranClosure(persistence_archive), 3, column_id=ids, seed=5)
    start = np.arange(3.0 * N_LEVEL).reshape(3, N_LEVEL)
    results = []
    for binding in (native, columns):
        binding.state_set("memory", start)
        for step in range(1, 4):
            binding.put("x", x, dims="column", units="1")
            binding.apply(step)
            binding.commit()
        result = np.zeros(3)
        binding.get("x_tendency", result, dims="column", units="s-1")
        results.append((result, binding.state_get("memory", N_LEVEL)))
    assert np.array_equal(results[0][0], results[1][0])
    assert np.array_equal(results[0][1], results[1][1])
    assert not np.array_equal(results[1][1], start)
    with pytest.raises(BridgeError, match=r"memory: expected \(element, column\) with 3 columns"):
        columns.state_set("memory", start.T)


def test_the_guard_says_what_it_says_through_c(column_archive: Path) -> None:
    t, ps = profiles(), pressure()
    t[2, 1] = 400.0
    native = Binding(NativeClosure(column_archive), N_COLUMN, policy="host")
    columns = fortran_columns(column_archive, policy="host")
    for binding in (native, columns):
        binding.put("state_t", t, dims="column,level", units="K")
        binding.put("state_ps", ps, dims="column", units="hPa")
        binding.apply(1)
    dtdt = np.full((N_COLUMN, N_LEVEL), -1.0, order="F")
    columns.get("ptend_t", dtdt, dims="column,level", units="K/s")
    assert columns.mask().tolist() == [False, False, True, False, False, False]
    assert (dtdt[2] == -1.0).all()
    assert columns.reasons().tolist() == native.reasons().tolist()
    assert columns.counts("state_t")["above"] == 1
    assert columns.counts() == native.counts()
    assert columns.summary == native.summary


def test_shares_and_differences_are_those_of_the_c_interface(column_archive: Path) -> None:
    native = Binding(NativeClosure(column_archive), N_COLUMN)
    columns = fortran_columns(column_archive)
    results = []
    for binding in (native, columns):
        binding.shadow("precipitation")
        binding.ramp("ptend_t", 0.2, 0.8, 0, 10)
        binding.partial("ptend_t", element=[0.0, 0.5, 1.0, 1.0, 1.0], column=[1.0] * 5 + [0.5])
        binding.put("state_t", profiles(), dims="column,level", units="K")
        binding.put("state_ps", pressure(), dims="column", units="hPa")
        binding.apply(5)
        dtdt = np.full((N_COLUMN, N_LEVEL), -1.0, order="F")
        rain = np.full(N_COLUMN, 3.0)
        binding.get("ptend_t", dtdt, dims="column,level", units="K/day")
        binding.get("precipitation", rain, dims="column", units="mm/day")
        results.append((dtdt, rain))
        assert (dtdt[:, 0] == -1.0).all()
        assert (rain == 3.0).all()
        assert binding.timers.n_run == 1
        assert binding.timers.engine > 0.0
    assert np.array_equal(results[0][0], results[1][0])
    for name, size in (("ptend_t", N_LEVEL), ("precipitation", 1)):
        expected, found = native.differences(name, size), columns.differences(name, size)
        for field in ("count", "mean", "rms", "largest"):
            assert np.array_equal(getattr(found, field), getattr(expected, field)), field
        assert found.rms.all()


@pytest.mark.parametrize("factors", [{}, {"element": [0.5] * 5}, {"column": [0.5] * 6}])
def test_factors_may_be_left_out(factors: dict[str, list[float]], column_archive: Path) -> None:
    expected, _ = through_c(column_archive, profiles(), pressure())
    columns = fortran_columns(column_archive)
    columns.ramp("ptend_t", 1.0, 1.0, 0, 0).partial("ptend_t", **factors)
    put_all(columns, profiles(), pressure())
    columns.apply(1)
    dtdt = np.zeros((N_COLUMN, N_LEVEL), order="F")
    columns.get("ptend_t", dtdt, dims="column,level", units="K/day")
    assert np.array_equal(dtdt, (0.5 if factors else 1.0) * expected)


def test_a_threshold_of_confidence_flags(tmp_path: Path) -> None:
    archive = tmp_path / "guarded.pt"
    hybrid.export(Guarded(), archive)
    counted = []
    for closure, kind in (
        (NativeClosure(archive), Binding),
        (FortranClosure(archive), FortranBinding),
    ):
        columns: Any = kind(closure, 2, policy="flag")  # type: ignore[arg-type]
        columns.set_threshold(0.7)
        for field in json.loads(closure.manifest)["spec"]["inputs"]:
            dims = ("column", *field["dims"])
            columns.put(
                field["name"], np.full((2, *field["shape"]), 0.5), dims=dims, units=field["units"]
            )
        columns.apply(1)
        counted.append(columns.counts())
    assert counted[0] == counted[1]
    assert counted[1]["not_confident"] == 2


def test_a_grid_of_the_hosts_size(periodic_archive: Path) -> None:
    grid = HostGrid(("y", "x"), (4, 6), (2.0, 1.0), ("periodic", "periodic"))
    q = np.random.default_rng(0).uniform(size=(2, 4, 6))
    results = []
    for columns in (
        Binding(NativeClosure(periodic_archive), 2, grid=grid),
        FortranBinding(FortranClosure(periodic_archive), 2, grid=grid),
    ):
        columns.put("q", q, dims="member,y,x", units="s-1")
        columns.apply(1)
        result = np.zeros((2, 4, 6), order="F")
        columns.get("q_tendency", result, dims="member,y,x", units="s-2")
        results.append(result)
    assert np.array_equal(results[0], results[1])
    assert results[0].any()


def test_a_hundred_cycles_leave_no_memory_behind(tmp_path: Path) -> None:
    archive = tmp_path / "persistence.pt"
    hybrid.export(Persistence(), archive)

    def cycle() -> None:
        # The state alone takes 160 kB.
        columns = FortranBinding(FortranClosure(archive), 4000)
        columns.put("x", np.full(4000, 0.5), dims="column", units="1")
        columns.apply(1)
        with pytest.raises(BridgeError, match="no such output"):
            columns.get("y", np.zeros(4000), dims="column", units="1")

    for _ in range(10):
        cycle()
    before = resident_mb()
    for _ in range(100):
        cycle()
    # One object in ten would leave 1.6 MB.
    assert resident_mb() - before < 1.0


def test_the_process_holds_each_library_once(column_archive: Path) -> None:
    program = f"""
import torch
from fortran_bridge.binding import Binding
from fortran_bridge.hosts import FortranBinding, FortranClosure
from fortran_bridge.native_closure import NativeClosure
Binding(NativeClosure({str(column_archive)!r}), 2)
FortranBinding(FortranClosure({str(column_archive)!r}), 2)
print(open("/proc/self/maps").read())
"""
    maps = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    files = {Path(line.split()[-1]).resolve() for line in maps.splitlines() if ".so" in line}
    for name in ("libhybrid.so", "libtorch_cpu.so", "libc10.so", "libgomp", "_hybrid_hosts."):
        assert len([file for file in files if file.name.startswith(name)]) == 1, name
