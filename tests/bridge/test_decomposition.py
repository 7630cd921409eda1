"""The same columns cut in other ways, on other threads and ranks: the same bits, from Fortran."""

import math
from pathlib import Path

import numpy as np
import pytest
from bridge.host_programs import FORTRAN_FLAGS, compile_program, needs_mpi, run_program
from closure_examples import ColumnConvolution, ColumnNetwork, Persistence
from numpy.typing import NDArray

import hybrid
from closures import Closure, Field
from fortran_bridge.build import Prefix

pytestmark = pytest.mark.fortran

N_COLUMN, N_STEP = 384, 4
CLOSURES: dict[str, Closure] = {
    "network": ColumnNetwork(n_level=60, seed=3),
    "convolution": ColumnConvolution(n_level=60, seed=4),
    "stochastic": Persistence(),
}
WAYS = (
    *("single_columns", "sevens", "two_threads", "three_threads", "three_threads_sevens"),
    "put_sevens",
)


@pytest.fixture(scope="module")
def host(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host with OpenMP."""
    folder = tmp_path_factory.mktemp("openmp_host")
    flags = (*FORTRAN_FLAGS, "-fopenmp")
    return compile_program(prefix, folder, "columns_host", "decomposition", flags=flags)


@pytest.fixture(scope="module")
def mpi_host(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host with MPI."""
    folder = tmp_path_factory.mktemp("mpi_host")
    return compile_program(prefix, folder, "columns_host", "decomposition_mpi", compiler="mpif90")


@pytest.fixture(scope="module", params=CLOSURES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with an archive and the inputs of all columns and steps."""
    closure = CLOSURES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    hybrid.export(closure, folder / "closure.pt")
    inputs(closure).tofile(folder / "inputs")
    return folder


def n_element(field: Field) -> int:
    """Elements of a field in one column."""
    return math.prod(size for size in field.shape if size is not None)


def inputs(closure: Closure) -> NDArray[np.float64]:
    """Values inside the envelope, shape ``(step, column, element)``."""
    rng = np.random.default_rng(0)
    fields = []
    for field in closure.spec.inputs:
        assert isinstance(field.valid_min, float)
        assert isinstance(field.valid_max, float)
        shape = (N_STEP, N_COLUMN, n_element(field))
        fields.append(rng.uniform(field.valid_min, field.valid_max, shape))
    return np.concatenate(fields, axis=-1)


def run_in_python(case: Path, engine: str = "torchscript") -> NDArray[np.float64]:
    """All columns at once through the Python face, shape ``(step, column, element)``."""
    closure = hybrid.load(case / "closure.pt", engine)
    binding = closure.create(N_COLUMN, column_id=np.arange(1, N_COLUMN + 1), seed=11)
    arrays = {}
    for field in (*closure.spec.inputs, *closure.spec.outputs):
        arrays[field.name] = np.zeros((N_COLUMN, n_element(field)))
        array = arrays[field.name] if field.dims else arrays[field.name][:, 0]
        dims = ",".join(("column", *field.dims))
        binding.bind(field.name, array, dims=dims, units=field.units)
    inputs = [arrays[field.name] for field in closure.spec.inputs]
    outputs = [arrays[field.name] for field in closure.spec.outputs]
    edges = np.cumsum([array.shape[1] for array in inputs])[:-1]
    results = []
    for step, values in enumerate(np.fromfile(case / "inputs").reshape(N_STEP, N_COLUMN, -1), 1):
        for array, part in zip(inputs, np.split(values, edges, axis=1), strict=True):
            array[:] = part
        binding.run(step)
        binding.commit()
        results.append(np.concatenate(outputs, axis=1))
    return np.array(results)


def differing_columns(found: Path, expected: bytes) -> list[int]:
    """Numbers of the columns that are not the same bit for bit."""
    a, b = (
        np.frombuffer(raw, np.int64).reshape(N_STEP, N_COLUMN, -1)
        for raw in (found.read_bytes(), expected)
    )
    return [int(i) for i in np.flatnonzero((a != b).any(axis=(0, 2)))]


def test_pieces_and_threads_do_not_change_a_bit(case: Path, host: Path) -> None:
    result = run_program(
        host,
        *(case / "closure.pt", case / "inputs", N_COLUMN, N_STEP, 1, "torchscript"),
        OMP_NUM_THREADS="4",
    )
    assert result.returncode == 0, result.stderr
    # The engine starts no thread of its own, though OpenMP would allow four.
    assert result.stdout.splitlines() == ["threads 1"]
    one_piece = (host.parent / "one_piece").read_bytes()
    assert one_piece == run_in_python(case).tobytes()
    for way in WAYS:
        path = host.parent / way
        if way == "put_sevens" and case.name.startswith("stochastic"):
            continue
        assert differing_columns(path, one_piece) == [], way


def test_threads_inside_the_engine_do_not_change_a_bit(case: Path, host: Path) -> None:
    arguments = (case / "closure.pt", case / "inputs", N_COLUMN, N_STEP, 2, "torchscript")
    # The program itself looks after the settings of OpenMP, which two threads must not change.
    result = run_program(host, *arguments, OMP_NUM_THREADS="3")
    assert result.returncode == 0, result.stderr
    expected = run_in_python(case).tobytes()
    for way in ("one_piece", "sevens", "two_threads"):
        assert differing_columns(host.parent / way, expected) == [], way


@needs_mpi
@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_do_not_change_a_bit(case: Path, mpi_host: Path, ranks: int) -> None:
    output = mpi_host.parent / "results"
    output.unlink(missing_ok=True)
    arguments = (case / "closure.pt", case / "inputs", N_COLUMN, N_STEP, output)
    for engine in ("torchscript", "auto"):
        result = run_program(mpi_host, *arguments, engine, ranks=ranks)
        assert result.returncode == 0, result.stderr
        assert differing_columns(output, run_in_python(case, engine).tobytes()) == [], engine


@needs_mpi
def test_ranks_of_a_node_share_out_its_devices(prefix: Prefix, tmp_path: Path) -> None:
    program = compile_program(prefix, tmp_path, "devices", compiler="mpif90")
    result = run_program(program, ranks=3)
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.splitlines()) == ["cuda:0 cpu", "cuda:0 cpu", "cuda:1 cpu"]
