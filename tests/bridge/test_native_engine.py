"""The native engine gives TorchScript's results, and each column the same bits in any company."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from bridge.host_programs import FORTRAN_FLAGS, compile_program, run_program
from bridge.native_direct import DirectEngine
from bridge.native_networks import SIZES, Perceptron, write
from bridge.test_native_activations import is_possible
from numpy.typing import NDArray

from fortran_bridge.binding import Binding
from fortran_bridge.build import Prefix
from fortran_bridge.errors import BridgeError
from fortran_bridge.native_closure import NativeClosure
from hybrid.archive import read_reference

N_COLUMN = 192
CHUNKS: dict[str, Sequence[int]] = {
    "one by one": [1] * N_COLUMN,
    "7, 13, 3": [*[7, 13, 3] * 8, 8],
    "16": [16] * 12,
    "48": [48] * 4,
    "96": [96] * 2,
    "64, 33": [64, 33, 95],
}


@pytest.fixture(scope="module", params=SIZES)
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archive of a network."""
    return write(request.param, tmp_path_factory.mktemp(request.param))


def inputs(archive: Path) -> NDArray[np.float32]:
    """Columns inside the envelope, shape ``(N_COLUMN, size)``."""
    size = SIZES[archive.stem][0]
    return np.random.default_rng(0).uniform(-3.0, 3.0, (N_COLUMN, size)).astype(np.float32)


def in_chunks(x: NDArray[np.float32], chunks: Sequence[int]) -> Iterator[NDArray[np.float32]]:
    """Cut columns into chunks."""
    assert sum(chunks) == len(x)
    yield from np.split(x, np.cumsum(chunks)[:-1])


def assert_same_bits(found: NDArray[np.float32], expected: NDArray[np.float32], what: str) -> None:
    """No bit differs."""
    assert np.isfinite(expected).all()
    differing = int((found.view(np.int32) != expected.view(np.int32)).sum())
    assert differing == 0, f"{what}: {differing} of {expected.size} numbers differ"


def run(closure: NativeClosure, x: NDArray[np.float32], n_out: int) -> NDArray[np.float32]:
    """Evaluate columns as one batch."""
    y = np.full((len(x), n_out), np.float32(7e7))
    binding = Binding(closure, len(x))
    binding.bind("x0", x, dims="column,level", units="K")
    binding.bind("y0", y, dims="column,level", units="K s-1").run(1)
    return y


def test_results_are_those_of_torchscript(archive: Path) -> None:
    """Within 64 eps of the largest output; sums in another order differ by about 3."""
    reference = read_reference(archive)
    expected = reference.largest["y0"]
    closure = NativeClosure(archive, engine="native")
    found = run(closure, reference.arguments["x0"], expected.shape[1])
    largest = np.abs(expected).max()
    assert np.abs(found - expected).max() <= 64.0 * np.finfo(np.float32).eps * largest
    torchscript = NativeClosure(archive, engine="torchscript")
    by_torch = run(torchscript, reference.arguments["x0"], expected.shape[1])
    assert np.abs(found - by_torch).max() <= 64.0 * np.finfo(np.float32).eps * largest


@pytest.mark.parametrize("n_thread", [1, 2])
def test_chunks_and_threads_do_not_change_a_bit(archive: Path, n_thread: int) -> None:
    x, n_out = inputs(archive), SIZES[archive.stem][-1]
    whole = run(NativeClosure(archive, engine="native"), x, n_out)
    closure = NativeClosure(archive, engine="native", n_thread=n_thread)
    assert_same_bits(run(closure, x, n_out), whole, "whole")
    for what, chunks in CHUNKS.items():
        found = np.concatenate([run(closure, part, n_out) for part in in_chunks(x, chunks)])
        assert_same_bits(found, whole, what)


@pytest.mark.skipif(not is_possible("v4"), reason="needs a processor with AVX-512")
def test_both_instruction_sets_give_the_same_bits(
    archive: Path, prefix: Prefix, tmp_path: Path
) -> None:
    library = prefix.library.with_name("libhybrid_native.so")
    v3, v4, base = (DirectEngine(library, tmp_path, isa) for isa in ("v3", "v4", "base"))
    assert [engine.version.split()[-1] for engine in (v3, v4, base)] == [
        *("x86-64-v3", "x86-64-v4", "x86-64")
    ]
    x = inputs(archive)
    program, result = Perceptron(SIZES[archive.stem]).program()
    whole = v4.evaluate(program, [result], [x])[0]
    for n_thread in (1, 2):
        for what, chunks in CHUNKS.items():
            found = [
                v3.evaluate(program, [result], [part], n_thread)[0] for part in in_chunks(x, chunks)
            ]
            assert_same_bits(np.concatenate(found), whole, f"v3, {what}")
    # Without fused multiply-adds the bits are others, but those of any company too.
    plain = base.evaluate(program, [result], [x])[0]
    np.testing.assert_allclose(plain, whole, atol=1e-5 * np.abs(whole).max())
    alone = [base.evaluate(program, [result], [part])[0] for part in in_chunks(x, [1, 7, 184])]
    assert_same_bits(np.concatenate(alone), plain, "base")


def test_the_hosts_layout_does_not_change_a_bit(archive: Path) -> None:
    x, n_out = inputs(archive), SIZES[archive.stem][-1]
    closure = NativeClosure(archive, engine="native")
    whole = run(closure, x, n_out)
    for dtype in (np.float32, np.float64):
        # Sections of larger arrays, turned over, that begin at any number.
        room = np.zeros((2 * x.shape[1] + 1, N_COLUMN + 3), dtype)
        strided = room[1::2, 2:-1]
        strided[:] = x.T
        out = np.zeros((N_COLUMN, 3 * n_out + 1), dtype)[:, 1::3]
        binding = Binding(closure, N_COLUMN)
        binding.bind("x0", strided, dims="level,column", units="K")
        binding.bind("y0", out, dims="column,level", units="K s-1").run(1)
        assert_same_bits(np.ascontiguousarray(out, np.float32), whole, str(dtype))


def test_no_columns_are_no_work(archive: Path) -> None:
    closure = NativeClosure(archive, engine="native")
    assert run(closure, inputs(archive)[:0], SIZES[archive.stem][-1]).size == 0


def test_what_one_column_holds_does_not_reach_others(archive: Path) -> None:
    x, n_out = inputs(archive), SIZES[archive.stem][-1]
    closure = NativeClosure(archive, engine="native")
    whole = run(closure, x, n_out)
    others = [i for i in range(N_COLUMN) if i % 50 != 7]
    for value in (np.nan, np.inf, 1e-42):
        disturbed = x.copy()
        disturbed[7::50, 0] = value
        found = evaluate_flagged(closure, disturbed, n_out)
        assert_same_bits(found[others], whole[others], str(value))


def evaluate_flagged(
    closure: NativeClosure, x: NDArray[np.float32], n_out: int
) -> NDArray[np.float32]:
    """Evaluate columns of which some may be refused."""
    y = np.zeros((len(x), n_out), np.float32)
    binding = Binding(closure, len(x), policy="flag")
    binding.bind("x0", x, dims="column,level", units="K")
    binding.bind("y0", y, dims="column,level", units="K s-1").run(1)
    return y


def test_the_description_names_engine_and_instruction_set(archive: Path) -> None:
    first = NativeClosure(archive, engine="native").description.splitlines()[0]
    assert ": column closure, engine native " in first
    assert " for x86-64" in first or " for aarch64" in first
    assert first.endswith(" on cpu, blocks of any size")


def test_an_archive_without_a_program_is_refused(periodic_archive: Path) -> None:
    with pytest.raises(
        BridgeError, match=r"expected a native program in the archive .*, got none.*'torchscript'"
    ):
        NativeClosure(periodic_archive, engine="native")


@pytest.mark.parametrize("device", ["cuda:0", "gpu"])
def test_other_devices_are_refused(archive: Path, device: str) -> None:
    with pytest.raises(BridgeError, match=f"device: expected 'cpu', .*, got '{device}'"):
        NativeClosure(archive, engine="native", device=device)


@pytest.fixture(scope="module")
def host(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host with OpenMP that cuts its columns in several ways."""
    folder = tmp_path_factory.mktemp("openmp_host")
    flags = (*FORTRAN_FLAGS, "-fopenmp")
    return compile_program(prefix, folder, "columns_host", "decomposition", flags=flags)


@pytest.mark.fortran
@pytest.mark.parametrize("n_thread", [1, 2])
def test_pieces_of_a_fortran_host_have_the_same_bits(
    archive: Path, host: Path, n_thread: int
) -> None:
    """A host with traps and threads of its own, on each instruction set, against Python."""
    x, n_out = inputs(archive), SIZES[archive.stem][-1]
    x.astype(np.float64).tofile(host.parent / "inputs")
    whole = run(NativeClosure(archive, engine="native"), x, n_out)
    isas = [isa for isa in ("v4", "v3") if is_possible(isa)] or [""]
    for isa in isas:
        arguments = (archive, host.parent / "inputs", N_COLUMN, 1, n_thread, "native")
        result = run_program(host, *arguments, OMP_NUM_THREADS="3", HYBRID_ISA=isa)
        assert result.returncode == 0, result.stderr
        for way in ("one_piece", "single_columns", "sevens", "two_threads", "put_sevens"):
            found = np.fromfile(host.parent / way).reshape(N_COLUMN, n_out)
            assert_same_bits(found.astype(np.float32), whole, f"{isa} {way}")
