"""Messages to the host, devices, timers, and what they must not depend on."""

import ctypes
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from closure_examples import N_LEVEL

import hybrid
from fortran_bridge import BridgeError
from fortran_bridge.c_library import LogFunction, check, library
from hybrid.runtime import Binding

N = 5
INFO, WARNING = 1, 2
RANKS = {
    "OMPI_COMM_WORLD_LOCAL_RANK": "Open MPI",
    "MPI_LOCALRANKID": "Intel MPI and MPICH",
    "MV2_COMM_WORLD_LOCAL_RANK": "MVAPICH",
    "PMI_LOCAL_RANK": "MPICH",
    "PALS_LOCAL_RANKID": "PALS",
    "SLURM_LOCALID": "Slurm",
}


@pytest.fixture
def messages() -> Iterator[list[tuple[int, str]]]:
    """What the library says while a test runs."""
    heard: list[tuple[int, str]] = []
    function = LogFunction(lambda level, text, _: heard.append((level, text.decode())))
    library().hybrid_log_to(function, None)
    yield heard
    library().hybrid_log_to(LogFunction(), None)


def bound(
    path: Path, policy: str
) -> tuple[Binding, np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    binding = hybrid.load(path).create(N, policy=policy)
    t = np.full((N, N_LEVEL), 250.0)
    binding.bind("state_t", t, dims="column,level", units="K")
    binding.bind("state_ps", np.full(N, 9e4), dims="column", units="Pa")
    binding.bind("ptend_t", np.zeros((N, N_LEVEL)), dims="column,level", units="K s-1")
    binding.bind("precipitation", np.zeros(N), dims="column", units="m s-1")
    return binding, t


def test_load_and_the_first_flagged_column_are_told(
    column_archive: Path, messages: list[tuple[int, str]]
) -> None:
    binding, t = bound(column_archive, "host")
    assert [level for level, _ in messages] == [INFO]
    assert messages[0][1] == hybrid.load(column_archive).description.splitlines()[0]
    del messages[:]
    binding.run(0)
    assert messages == []
    t[2] = 500.0
    binding.run(7)
    assert messages == [
        (
            WARNING,
            (
                "first flagged columns, at step 7: column_network 1.0: 1 of 10 column evaluations "
                "flagged (10 %), policy host: state_t 1 above"
            ),
        )
    ]
    binding.run(8)
    assert len(messages) == 1


def test_each_binding_speaks_once(column_archive: Path, messages: list[tuple[int, str]]) -> None:
    for _ in range(2):
        binding, t = bound(column_archive, "flag")
        t[0] = 100.0
        binding.run(0)
        binding.run(1)
    assert [level for level, _ in messages] == [INFO, WARNING, INFO, WARNING]


def test_what_is_loaded_without_inputs_is_told_in_one_line(
    periodic_archive: Path, messages: list[tuple[int, str]]
) -> None:
    description = hybrid.load(periodic_archive).description
    assert messages == [(INFO, description.splitlines()[0])]
    assert "neighbour_mean 1.0: grid closure, engine torchscript" in messages[0][1]


def test_nothing_is_told_after_reset(column_archive: Path, messages: list[tuple[int, str]]) -> None:
    library().hybrid_log_to(LogFunction(), None)
    binding, t = bound(column_archive, "flag")
    t[0] = 100.0
    binding.run(0)
    assert messages == []


def local_device(count: int) -> str:
    name = ctypes.create_string_buffer(16)
    check(library().hybrid_local_device(b"cuda", count, name, len(name)))
    return name.value.decode()


@pytest.fixture
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in RANKS:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_without_a_launcher_the_rank_is_zero(no_launcher: pytest.MonkeyPatch) -> None:
    del no_launcher
    assert local_device(4) == "cuda:0"
    assert local_device(0) == "cpu"


@pytest.mark.parametrize("name", RANKS)
def test_ranks_share_the_devices_of_a_node(no_launcher: pytest.MonkeyPatch, name: str) -> None:
    for rank, expected in ((0, "cuda:0"), (3, "cuda:3"), (6, "cuda:2")):
        no_launcher.setenv(name, str(rank))
        assert local_device(4) == expected
        assert local_device(0) == "cpu"


@pytest.mark.parametrize("text", ["x", "1x", "-1", "99999999999"])
def test_ranks_that_are_none(no_launcher: pytest.MonkeyPatch, text: str) -> None:
    no_launcher.setenv("SLURM_LOCALID", text)
    message = f"SLURM_LOCALID: expected the rank on the node, a number from 0 up, got '{text}'"
    with pytest.raises(BridgeError, match=message):
        local_device(2)


def test_timers_grow_and_add_up(column_archive: Path) -> None:
    binding, _ = bound(column_archive, "error")
    start = binding.timers
    assert start == type(start)(0, 0.0, 0.0, 0.0)
    for n_run in range(1, 4):
        before, begin = binding.timers, perf_counter()
        binding.run(n_run)
        elapsed, now = perf_counter() - begin, binding.timers
        phases = [
            (now.packing - before.packing),
            (now.engine - before.engine),
            (now.unpacking - before.unpacking),
        ]
        assert now.n_run == n_run
        assert all(phase > 0.0 for phase in phases)
        assert sum(phases) <= elapsed


def test_blocks_are_all_told(column_archive: Path) -> None:
    closure = hybrid.load(column_archive, "torchscript")
    # Each number of columns may add one.
    for n_column in range(17, 37):
        closure.create(n_column)
    count = library().hybrid_closure_blocks(closure._native.handle, None, 0)
    assert len(closure.blocks) == count
    assert list(closure.blocks) == sorted(set(closure.blocks))
