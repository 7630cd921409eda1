"""Matrices of bf16 in the native engine: against an emulation, and the same bits in any company."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from bridge.native_direct import DirectEngine
from bridge.native_networks import SIZES, Perceptron
from bridge.native_programs import Program
from bridge.test_native_engine import CHUNKS, N_COLUMN, assert_same_bits, in_chunks
from numpy.typing import NDArray

from fortran_bridge.build import Prefix
from hybrid.native import program_file
from hybrid.native.bf16 import LEAST_REDUCED, rounded_to_bf16
from hybrid.native.evaluate import evaluate
from hybrid.native.program import Program as ReadProgram

Array = NDArray[np.float32]
EPS = np.finfo(np.float32).eps


def has_bf16() -> bool:
    """Whether this processor has products of bf16."""
    info = Path("/proc/cpuinfo")
    return info.exists() and "avx512_bf16" in info.read_text()


NEEDS_BF16 = pytest.mark.skipif(not has_bf16(), reason="needs a processor with AVX512_BF16")


@pytest.fixture(scope="module")
def engines(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> dict[str, DirectEngine]:
    """The engine with the best instruction set, and confined to others."""
    folder, library = tmp_path_factory.mktemp("engines"), prefix.engine("native")
    return {isa or "best": DirectEngine(library, folder, isa) for isa in ("", "v3", "v4", "base")}


def columns(size: int, n: int = N_COLUMN) -> Array:
    """Columns of normal numbers."""
    return np.random.default_rng(size).normal(size=(n, size)).astype(np.float32)


def one_layer(n_in: int, n_out: int, *, bias: bool = True) -> tuple[Program, int]:
    """Return a program of one matrix, and its result."""
    rng = np.random.default_rng([n_in, n_out])
    weight = rng.normal(size=(n_out, n_in)).astype(np.float32)
    program = Program([n_in])
    return program, program.linear(
        0, weight, rng.normal(size=n_out).astype(np.float32) if bias else None
    )


def read(program: Program, result: int) -> ReadProgram:
    """Return the program as the evaluator takes it."""
    entries = {
        "extra/native.json": json.dumps(program.document([result])).encode(),
        "extra/native.bin": program.weights,
    }
    found = program_file.program_of(entries)
    assert found is not None
    return found


def emulated(program: Program, result: int, x: Array, *, reduced: bool = True) -> Array:
    """Return what the program gives with numbers rounded in NumPy."""
    return np.asarray(evaluate(read(program, result), [x], reduced=reduced)[0])


def test_rounding_is_that_of_torch() -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 100_000, dtype=np.uint32)
    ties = (bits & np.uint32(0xFFFF0000)) | np.uint32(0x8000)
    x = np.concatenate([bits, ties]).view(np.float32)
    x = x[np.isfinite(x) & (np.abs(x) >= np.finfo(np.float32).tiny)]
    expected = torch.from_numpy(x).to(torch.bfloat16).to(torch.float32).numpy()
    assert_bits = (rounded_to_bf16(x).view(np.uint32) != expected.view(np.uint32)).sum()
    assert assert_bits == 0
    special = np.array([np.nan, np.inf, -np.inf, 1e-42, -1e-42], np.float32)
    found = rounded_to_bf16(special)
    assert np.isnan(found[0])
    assert found[1:].tolist() == [np.inf, -np.inf, 0.0, -0.0]
    assert np.signbit(found[4])


@NEEDS_BF16
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("n_in", "n_out"), [(16, 16), (33, 8), (257, 1), (1, 300), (61, 67), (124, 768), (640, 9)]
)
def test_one_matrix_is_the_emulation_up_to_rounding_of_float32(
    engines: dict[str, DirectEngine], n_in: int, n_out: int, bias: bool
) -> None:
    """Sums of n products in another order differ by at most n eps of the sum of magnitudes."""
    program, result = one_layer(n_in, n_out, bias=bias)
    x = columns(n_in, 70)
    expected = emulated(program, result, x)
    weight = np.frombuffer(program.weights, "<f4", n_in * n_out).reshape(n_out, n_in)
    magnitude = np.abs(x) @ np.abs(weight).T + np.abs(expected)
    for n in (1, 3, 8, 16, 31, 48, 70):
        found = engines["best"].evaluate(program, [result], [x[:n]], precision="bf16")[0]
        assert (np.abs(found - expected[:n]) <= (n_in + 2) * EPS * magnitude[:n]).all()
    # The bound tells bf16 from float32.
    plain = emulated(program, result, x, reduced=False)
    assert (np.abs(plain - expected) > (n_in + 2) * EPS * magnitude).mean() > 0.2


@NEEDS_BF16
@pytest.mark.parametrize("name", SIZES)
def test_networks_are_the_emulation_but_for_numbers_that_round_to_the_other_side(
    engines: dict[str, DirectEngine], name: str
) -> None:
    """A sum that float32 rounds otherwise may be the next number of bf16: rarely, and by little."""
    program, result = Perceptron(SIZES[name]).program()
    x = columns(SIZES[name][0])
    found = engines["best"].evaluate(program, [result], [x], precision="bf16")[0]
    expected = emulated(program, result, x)
    plain = emulated(program, result, x, reduced=False)
    if not any(a * b >= LEAST_REDUCED for a, b in pairwise(SIZES[name])):
        np.testing.assert_allclose(found, plain, atol=1e-5)
        return
    of_bf16 = np.sqrt(np.mean((expected - plain) ** 2))
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.3 * of_bf16
    assert 1e-4 < of_bf16 / plain.std() < 0.03


@NEEDS_BF16
@pytest.mark.parametrize("n_thread", [1, 2])
@pytest.mark.parametrize("name", ["A", "B"])
def test_chunks_and_threads_do_not_change_a_bit(
    engines: dict[str, DirectEngine], name: str, n_thread: int
) -> None:
    program, result = Perceptron(SIZES[name]).program()
    x = columns(SIZES[name][0])
    engine = engines["best"]
    whole = engine.evaluate(program, [result], [x], precision="bf16")[0]
    assert_different(whole, engine.evaluate(program, [result], [x])[0])
    for what, chunks in CHUNKS.items():
        found = [
            engine.evaluate(program, [result], [part], n_thread, "bf16")[0]
            for part in in_chunks(x, chunks)
        ]
        assert_same_bits(np.concatenate(found), whole, what)


def assert_different(a: Array, b: Array) -> None:
    """Most numbers differ: it was not float32 that was compared."""
    assert (a != b).mean() > 0.9


@NEEDS_BF16
def test_what_one_column_holds_does_not_reach_others(engines: dict[str, DirectEngine]) -> None:
    program, result = one_layer(33, 40)
    x = columns(33)
    engine = engines["best"]
    whole = engine.evaluate(program, [result], [x], precision="bf16")[0]
    others = [i for i in range(N_COLUMN) if i % 50 != 7]
    for value in (np.nan, np.inf, 1e-42, 3.4e38):
        disturbed = x.copy()
        disturbed[7::50, 32] = value
        found = engine.evaluate(program, [result], [disturbed], precision="bf16")[0]
        assert_same_bits(found[others], whole[others], str(value))
        if value == np.inf or np.isnan(value):
            assert not np.isfinite(found[7::50]).any()


@NEEDS_BF16
def test_gated_matrices_are_reduced_too(engines: dict[str, DirectEngine]) -> None:
    """What is computed for some columns alone has the bits that it has for all of them."""
    from bridge.test_native_gates import regimes  # noqa: PLC0415 -- brings fixtures of its own

    program, results = regimes()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, program.inputs[0])).astype(np.float32)
    engine = engines["best"]
    whole = engine.evaluate(program, results, [x], precision="bf16")
    for column in (0, 7, 49):
        alone = engine.evaluate(program, results, [x[column : column + 1]], precision="bf16")
        for found, expected in zip(alone, whole, strict=True):
            assert_same_bits(found, expected[column : column + 1], str(column))
    plain = engine.evaluate(program, results, [x])
    assert any((a != b).any() for a, b in zip(whole, plain, strict=True))


@pytest.mark.parametrize("isa", ["v3", "base"])
def test_another_instruction_set_computes_in_float32_and_says_so(
    engines: dict[str, DirectEngine], isa: str
) -> None:
    if isa == "v3" and "avx2" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("needs a processor with AVX2")
    program, result = one_layer(61, 67)
    x = columns(61)
    engine = engines[isa]
    assert engine.precision(program, [result]) == (
        f"float32, not bf16: HYBRID_ISA asks for '{isa}'"
    )
    found = engine.evaluate(program, [result], [x], precision="bf16")[0]
    assert_same_bits(found, engine.evaluate(program, [result], [x])[0], isa)


@NEEDS_BF16
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("A", "bf16 in 3 of 3 matrices"),
        ("B", "bf16 in 6 of 6 matrices"),
        ("odd", "float32, not bf16: it has no matrix of 256 weights or more"),
    ],
)
def test_the_engine_says_what_it_reduces(
    engines: dict[str, DirectEngine], name: str, text: str
) -> None:
    program, result = Perceptron(SIZES[name]).program()
    assert engines["best"].precision(program, [result]) == text


def test_without_the_processor_it_says_so(engines: dict[str, DirectEngine]) -> None:
    if has_bf16():
        pytest.skip("this processor has AVX512_BF16")
    program, result = one_layer(16, 16)
    assert engines["best"].precision(program, [result]).endswith("no AVX512_BF16")
