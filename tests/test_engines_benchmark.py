"""Engines side by side: every way computes the same, and what is not there is said."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import engine_nets, engines, engines_server, ftorch_peer
from benchmarks.engine_nets import LOOPS, ONNX, SGEMM, PeerMissingError, dense_layers, peers
from benchmarks.engines import BF16, BRIDGE, BY_HAND, NATIVE, TORCHSCRIPT
from benchmarks.ftorch_peer import FTORCH, FTorchMissingError, ftorch_net
from benchmarks.interleaved import QUICK, Session
from benchmarks.networks import large_network, small_network
from benchmarks.overhead_native import DAY, KELVIN, bare_call
from benchmarks.overhead_server import Archives, temperatures

pytestmark = pytest.mark.fortran

NETWORKS = MappingProxyType({"A": small_network, "B": large_network})


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    return Archives(tmp_path_factory.mktemp("engines"))


def features(net: str, n_column: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    n_input = NETWORKS[net]().scaling.input_mean.size
    values = np.random.default_rng(0).uniform(-2.5, 2.5, (n_column, n_input))
    return values.astype(np.float32)


@pytest.mark.parametrize("name", [SGEMM, LOOPS, ONNX])
@pytest.mark.parametrize(("net", "n_column"), [("A", 1), ("A", 17), ("B", 3)])
def test_a_peer_computes_the_network(name: str, net: str, n_column: int, tmp_path: Path) -> None:
    network = NETWORKS[net]().network
    try:
        make = peers(network, tmp_path)[name]()
    except PeerMissingError as missing:
        pytest.skip(str(missing))
    x = features(net, n_column)
    with torch.no_grad():
        expected = network(torch.from_numpy(x)).numpy()
    found = np.zeros_like(expected)
    assert make(x, found)(1) > 0.0
    # Sums of up to 768 products, in another order.
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("reused", [False, True])
def test_the_torchscript_call_computes_the_network(archives: Archives, reused: bool) -> None:
    x = features("A", 5)
    with torch.no_grad():
        expected = small_network().network(torch.from_numpy(x)).numpy()
    found = np.zeros_like(expected)
    call = bare_call(archives.bare("A"), [x], [found], reused=reused)
    call(2)
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("net", ["A", "B"])
def test_by_hand_computes_the_closure(archives: Archives, net: str) -> None:
    closure, _ = archives.closure(net)
    ways = engines_server.Ways(archives, net, 3)
    step = ways.by_hand()
    step(1)
    _, temperature, tendency, *_ = step._kept
    kelvin = temperatures(closure, 3)
    assert isinstance(temperature, np.ndarray)
    np.testing.assert_array_equal(temperature, kelvin - KELVIN)
    with torch.no_grad():
        (expected,) = closure(torch.from_numpy(kelvin.astype(np.float32)))
    # A feature is the difference of two temperatures: rounded to float32 before, and after.
    assert np.abs(tendency - DAY * expected.numpy()).max() < 1e-4


FTORCH_STUB = """
module ftorch
  use, intrinsic :: iso_fortran_env, only: real32
  implicit none
  integer, parameter :: torch_kcpu = 0
  type torch_model
    character(len=:), allocatable :: file
  end type torch_model
  type torch_tensor
    real(real32), pointer :: values(:, :) => null()
    integer :: layout(2)
  end type torch_tensor
contains
  subroutine torch_model_load(model, file, device)
    type(torch_model), intent(out) :: model
    character(len=*), intent(in) :: file
    integer, intent(in) :: device
    model%file = file
  end subroutine
  subroutine torch_tensor_from_array(tensor, array, layout, device)
    type(torch_tensor), intent(out) :: tensor
    real(real32), intent(in), target :: array(:, :)
    integer, intent(in) :: layout(2), device
    tensor%values => array
    tensor%layout = layout
  end subroutine
  subroutine torch_model_forward(model, inputs, outputs)
    type(torch_model), intent(in) :: model
    type(torch_tensor), intent(in) :: inputs(:), outputs(:)
    outputs(1)%values = 2*inputs(1)%values + len(model%file) + 10*outputs(1)%layout(1)
  end subroutine
end module
"""
FTORCH_PACKAGE = """
if(NOT TARGET FTorch::ftorch)
  add_library(ftorch STATIC ${CMAKE_CURRENT_LIST_DIR}/ftorch.f90)
  set_target_properties(ftorch PROPERTIES POSITION_INDEPENDENT_CODE ON
                        Fortran_MODULE_DIRECTORY ${CMAKE_BINARY_DIR})
  target_include_directories(ftorch PUBLIC ${CMAKE_BINARY_DIR})
  add_library(FTorch::ftorch ALIAS ftorch)
endif()
"""


@pytest.fixture
def fresh_ftorch() -> Iterator[None]:
    ftorch_peer._library.cache_clear()
    yield
    ftorch_peer._library.cache_clear()


@pytest.mark.usefixtures("fresh_ftorch")
def test_an_installed_ftorch_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Something else with FTorch's interface: twice the input, and what it was given.
    (tmp_path / "ftorch.f90").write_text(FTORCH_STUB)
    (tmp_path / "FTorchConfig.cmake").write_text(FTORCH_PACKAGE)
    monkeypatch.setenv("FTorch_DIR", str(tmp_path))
    x = features("A", 5)
    found = np.zeros_like(x)
    ftorch_net(Path("net.pt"))(x, found)(1)
    np.testing.assert_array_equal(found, 2 * x + len("net.pt") + 10 * 2)


@pytest.mark.usefixtures("fresh_ftorch")
def test_without_ftorch_it_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTorch_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FTorchMissingError, match=r"^FTorch is not there: CMake does not find it$"):
        ftorch_net(Path("net.pt"))


def test_what_no_dense_layer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected Linear and LeakyReLU\(0.15\), got Tanh"):
        dense_layers(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))


def test_without_onnx_runtime_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine_nets, "find_spec", lambda _: None)
    with pytest.raises(PeerMissingError, match=r"pip install 'hybrid-closures\[peers\]'"):
        peers(small_network().network, tmp_path)[ONNX]()


def test_all_ways_of_the_smallest_case() -> None:
    notes: list[str] = []
    costs = list(engines.measure((1,), Session(note=notes.append, rounds=3), ("A",)))
    by_way: Mapping[str, engines.EngineCost] = {cost.way: cost for cost in costs if not cost.isa}
    assert next(iter(by_way)) == BY_HAND
    assert {f"{BRIDGE}torchscript", TORCHSCRIPT, f"{BY_HAND}, {SGEMM}"} <= set(by_way)
    assert by_way[BY_HAND].speed_up == by_way[BY_HAND].low == by_way[BY_HAND].high == 1.0
    for cost in costs:
        assert cost.low <= cost.speed_up <= cost.high
        assert 1e-8 < cost.seconds < 1e-2
        # Ours are held against a baseline, what others do is not.
        assert len(cost.comparisons) == cost.way.startswith(BRIDGE)
    (comparison,) = by_way[f"{BRIDGE}torchscript"].comparisons
    assert (comparison.what, comparison.beside) == (
        "net A, 1 columns, bridge, torchscript",
        BY_HAND,
    )
    assert comparison.ratio == pytest.approx(1.0 / by_way[f"{BRIDGE}torchscript"].speed_up)
    # Whatever way is not there has a note.
    assert (f"{BY_HAND}, {FTORCH}" in by_way) != any(note.startswith(FTORCH) for note in notes)
    assert (f"{BRIDGE}{NATIVE}" in by_way) != any("engine native" in note for note in notes)
    is_reduced = f"{BRIDGE}{NATIVE}, {BF16}" in by_way
    assert is_reduced != any(note.startswith(BF16) for note in notes)
    assert (f"{BY_HAND}, {ONNX}" in by_way) != any(note.startswith(ONNX) for note in notes)


class Answering:
    """Stands for the process that measures, and has the native engine."""

    variables: list[Mapping[str, str]]
    requests: list[dict[str, Any]]

    def __init__(self, _: object, variables: Mapping[str, str]) -> None:
        Answering.variables.append(variables)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, **request: Any) -> dict[str, Any]:
        Answering.requests.append(request)
        ratios = {"seconds": 1e-6, "speed_up": 4.0, "low": 3.0, "high": 5.0}
        names = [BY_HAND, f"{BRIDGE}{NATIVE}"]
        return {"ways": [{"way": name, **ratios} for name in names], "missing": []}


def test_the_native_engine_is_also_confined_to_a_lower_instruction_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Answering.variables, Answering.requests = [], []
    monkeypatch.setattr(engines, "Child", Answering)
    costs = list(engines.measure((1, 16), QUICK))
    assert [v.get("HYBRID_ISA") for v in Answering.variables] == [None, "v3"]
    assert [request["only"] for request in Answering.requests] == [None] * 4 + ["native"] * 4
    assert [cost.isa for cost in costs] == [""] * 8 + ["v3"] * 8
    whats = [c.what for cost in costs for c in cost.comparisons]
    assert len(set(whats)) == len(whats) == 8
    assert costs[-1].row()["way"] == "bridge, native, HYBRID_ISA=v3"
    (comparison,) = costs[-1].comparisons
    assert (comparison.low, comparison.ratio, comparison.high) == (0.2, 0.25, 1.0 / 3.0)
