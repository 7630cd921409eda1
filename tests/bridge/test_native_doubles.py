"""Native programs in float64: every operation against torch, errors of functions, bits, casts."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from bridge.native_direct import DirectEngine, EngineError
from bridge.native_programs import Program
from bridge.test_native_activations import ISAS
from bridge.test_native_operations import BINARY, COLUMNS, SIZE, UNARY
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fortran_bridge.build import Prefix

Array = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)
IN_DOUBLE = [op for op in UNARY if op != "gelu"]

REFERENCES: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    # Function of numbers of many digits, its bound in ulp, and the least x that it is for.
    "exp": (mpmath.exp, 1.0, -np.inf),
    "log": (mpmath.log, 1.5, 0.0),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), 2.5, -np.inf),
    "tanh": (mpmath.tanh, 2.5, -np.inf),
    "elu": (lambda x: x if x > 0 else mpmath.expm1(x), 1.5, -np.inf),
    # Further out, a factor is subnormal, or the error of the exponent shows.
    "silu": (lambda x: x / (1 + mpmath.exp(-x)), 3.0, -700.0),
    "gelu_tanh": (
        lambda x: (
            x / (1 + mpmath.exp(-mpmath.sqrt(8 / mpmath.pi) * (x + x**3 * mpmath.mpf("0.044715"))))
        ),
        *(12.0, -3.0),
    ),
    "sqrt": (mpmath.sqrt, 0.5, 0.0),
    "reciprocal": (lambda x: 1 / x, 0.5, -np.inf),
}


@pytest.fixture(scope="module")
def engines(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> dict[str, DirectEngine]:
    """The engine by instruction set; the best one first."""
    folder = tmp_path_factory.mktemp("engines")
    library = prefix.engine("native")
    return {isa: DirectEngine(library, folder, isa) for isa in ISAS}


@pytest.fixture(scope="module")
def engine(engines: dict[str, DirectEngine]) -> DirectEngine:
    """The engine with the best instruction set."""
    return next(iter(engines.values()))


def columns(n: int, size: int = SIZE, seed: int = 0) -> Array:
    """Normal numbers, shape ``(n, size)``."""
    return np.random.default_rng(seed).normal(size=(n, size))


def program_of(*inputs: int) -> Program:
    """Return the beginning of a program in float64."""
    return Program(inputs, dtype="float64")


def assert_close(found: NDArray[Any], expected: Tensor) -> None:
    """Compare within 64 eps of float64 of the largest number that is finite, NaN with NaN."""
    assert found.dtype == np.float64
    values = expected.double().numpy()
    largest = np.abs(values[np.isfinite(values)]).max(initial=1.0)
    np.testing.assert_allclose(found, values, rtol=16 * EPS, atol=64 * EPS * largest)


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize("op", IN_DOUBLE)
def test_functions_of_one_value(op: str, n: int, engine: DirectEngine) -> None:
    keys, function = UNARY[op]
    program = program_of(SIZE)
    x = columns(n)
    found = engine.evaluate(program, [program.unary(op, 0, **keys)], [x])[0]
    assert_close(found, function(torch.from_numpy(x)))


@pytest.mark.parametrize("op", [op for op in IN_DOUBLE if op != "gelu_tanh"])
def test_what_is_not_finite_is_as_in_torch(op: str, engine: DirectEngine) -> None:
    keys, function = UNARY[op]
    x = np.array([[np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -1e-310, 1e308, -1e308]])
    program = program_of(x.size)
    found = engine.evaluate(program, [program.unary(op, 0, **keys)], [x])[0]
    expected = function(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, expected, rtol=16 * EPS)


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("sizes", [(SIZE, SIZE), (1, SIZE), (SIZE, 1)])
def test_functions_of_two_values(
    op: str, sizes: tuple[int, int], n: int, engine: DirectEngine
) -> None:
    x, y = columns(n, sizes[0]), columns(n, sizes[1], seed=1)
    x[0, 0] = np.nan
    x[-1, -1] = y[-1, -1]
    program = program_of(*sizes)
    constant = program.constant(y[0])
    values = [program.binary(op, 0, 1), program.binary(op, 0, constant)]
    values.append(program.binary(op, constant, 0))
    found = engine.evaluate(program, values, [x, y])
    a, b = torch.from_numpy(x), torch.from_numpy(y)
    for values_found, pair in zip(found, [(a, b), (a, b[0]), (b[0], a)], strict=True):
        assert_close(values_found, BINARY[op](*pair))


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize(("n_in", "n_out"), [(1, 1), (1, 5), (13, 1), (7, 8), (16, 17), (33, 130)])
def test_linear(n: int, n_in: int, n_out: int, engine: DirectEngine) -> None:
    x, weight, bias = columns(n, n_in), columns(n_out, n_in, seed=1), columns(1, n_out, seed=2)[0]
    program = program_of(n_in)
    both = [program.linear(0, weight, bias), program.linear(0, weight)]
    found = engine.evaluate(program, both, [x])
    for values, added in zip(found, (bias, 0.0 * bias), strict=True):
        tensors = (torch.from_numpy(array) for array in (x, weight, added))
        assert_close(values, functional.linear(*tensors))


@pytest.mark.parametrize("n", COLUMNS)
def test_groups_choices_and_joins(n: int, engine: DirectEngine) -> None:
    x, y = columns(n, 12), columns(n, 3, seed=1)
    weight, bias = columns(2, 4, seed=2)
    program = program_of(12, 3)
    tensors = {"weight": program.tensor(weight), "bias": program.tensor(bias)}
    constant = program.constant([5.0, 6.0])
    part = program.gather(0, range(3, 9))
    turned = program.gather(0, range(11, -1, -1))
    joined = program.concatenate(program.gather(part, range(1, 4)), 1, constant, turned)
    chosen = program.add(
        *("select", 12), condition=program.binary("less", 0, turned), a=turned, b=0
    )
    values = [
        program.add("layer_norm", 12, x=0, n=4, eps=1e-5, **tensors),
        program.add("sum", 3, x=0, n=4),
        program.unary("negative", joined),
        *(joined, chosen, part, constant, 0),
    ]
    found = engine.evaluate(program, values, [x, y])
    grouped = torch.from_numpy(x).reshape(n, 3, 4)
    normal = functional.layer_norm(grouped, [4], torch.from_numpy(weight), torch.from_numpy(bias))
    assert_close(found[0], normal.reshape(n, -1))
    in_order = x.reshape(n, 3, 4)
    np.testing.assert_array_equal(
        found[1], in_order[..., 0] + in_order[..., 1] + in_order[..., 2] + in_order[..., 3]
    )
    fives = np.tile([5.0, 6.0], (n, 1))
    expected = np.concatenate([x[:, 4:7], y, fives, x[:, ::-1]], axis=1)
    back = x[:, ::-1]
    moved = [-expected, expected, np.where(x < back, back, x), x[:, 3:9], fives, x]
    for number, wanted in enumerate(moved, 2):
        np.testing.assert_array_equal(found[number], wanted)


@pytest.mark.parametrize("n", COLUMNS)
def test_casts_round_once(n: int, engine: DirectEngine) -> None:
    x = columns(n) * 10.0 ** np.arange(-43, 44, 7)[:SIZE]
    program = program_of(SIZE)
    single = program.unary("float32", 0)
    part = program.unary("negative", program.gather(single, range(2, 9)))
    back = program.unary("square", program.unary("float64", part))
    same = program.unary("negative", program.unary("float64", 0))
    found = engine.evaluate(program, [single, back, program.unary("exp", single), same], [x])
    with np.errstate(over="ignore"):
        rounded = x.astype(np.float32)
    np.testing.assert_array_equal(found[0], rounded)
    np.testing.assert_array_equal(found[1], np.square(rounded[:, 2:9].astype(np.float64)))
    np.testing.assert_array_equal(found[3], -x)
    types = ["float32", "float64", "float32", "float64"]
    assert [values.dtype.name for values in found] == types


def samples(least: float) -> Array:
    """Numbers of every size, more of them where functions bend."""
    rng = np.random.default_rng(0)
    any_bits = rng.integers(0, 2**64, 2000, dtype=np.uint64).view(np.float64)
    parts = (
        *(any_bits, rng.uniform(-745.0, 710.0, 1500), rng.uniform(-20.0, 20.0, 1500)),
        *(rng.normal(size=1500), rng.uniform(0.4, 2.5, 1500), 1.0 + 1e-9 * rng.normal(size=500)),
    )
    x = np.concatenate(parts)
    return x[np.isfinite(x) & (x > least)]


def of_each(engine: DirectEngine, op: str, x: Array) -> Array:
    """Return op(x) of numbers in one column each."""
    program = program_of(1)
    value = program.unary(op, 0, **UNARY[op][0] | ({"alpha": 1.0} if op == "elu" else {}))
    found: Array = engine.evaluate(program, [value], [x[:, None]])[0][:, 0]
    return found


@pytest.mark.parametrize("op", REFERENCES)
def test_errors_are_below_their_bounds(op: str, engines: dict[str, DirectEngine]) -> None:
    function, bound, least = REFERENCES[op]
    x = samples(least)
    with mpmath.workprec(200):
        exact = [function(mpmath.mpf(value)) for value in x]
        rounded = np.array([float(value) for value in exact])
        finite = np.isfinite(rounded)
        for isa, engine in engines.items():
            found = of_each(engine, op, x)
            np.testing.assert_array_equal(found[~finite], rounded[~finite], err_msg=isa)
            unit = np.spacing(np.abs(rounded))
            error = np.array(
                [
                    float(abs(mpmath.mpf(a) - b) / mpmath.mpf(c)) if ok else 0.0
                    for a, b, c, ok in zip(found, exact, unit, finite, strict=True)
                ]
            )
            worst = int(np.argmax(error))
            assert error[worst] <= bound, f"{isa}: {op}({x[worst]!r}): {error[worst]} ulp"


def mixed() -> tuple[Program, list[int]]:
    """Return a program that goes from float64 to float32 and back, and its results."""
    program = program_of(SIZE, 1)
    x = program.linear(0, columns(40, SIZE, seed=1), columns(1, 40, seed=2)[0])
    x = program.unary("tanh", x)
    x = program.add("layer_norm", 40, x=x, n=40, weight=None, bias=None, eps=1e-6)
    single = program.unary("silu", program.unary("float32", x))
    double = program.unary("float64", single)
    y = program.binary("multiply", program.unary("exp", x), 1)
    y = program.binary("divide", y, program.add("sum", 1, x=double, n=40))
    where = program.binary("less", double, program.gather(x, range(39, -1, -1)))
    chosen = program.add("select", 40, condition=where, a=y, b=double)
    return program, [program.linear(chosen, columns(9, 40, seed=3)), single]


def test_bits_do_not_depend_on_company_threads_and_instruction_set(
    engines: dict[str, DirectEngine],
) -> None:
    program, results = mixed()
    x = [columns(100), columns(100, 1, seed=5)]
    whole = {isa: engine.evaluate(program, results, x) for isa, engine in engines.items()}
    for isa, engine in engines.items():
        assert whole[isa][0].dtype == np.float64
        assert np.isfinite(whole[isa][0]).all()
        for n_thread in (1, 2):
            for size in (1, 3, 16, 33, 48, 64):
                parts = [
                    engine.evaluate(program, results, [a[i : i + size] for a in x], n_thread)
                    for i in range(0, 100, size)
                ]
                for k in range(2):
                    found = np.concatenate([part[k] for part in parts])
                    np.testing.assert_array_equal(found, whole[isa][k], err_msg=f"{isa}, {size}")
    with_fused = [whole[isa] for isa in ("v3", "v4") if isa in whole]
    for one, other in combinations(with_fused, 2):
        for k in range(2):
            np.testing.assert_array_equal(one[k], other[k])


@pytest.mark.skipif(not {"v3", "v4"} <= set(ISAS), reason="needs a processor with AVX-512")
@pytest.mark.parametrize("op", IN_DOUBLE)
def test_bits_of_functions_are_those_of_the_other_instruction_set(
    op: str, engines: dict[str, DirectEngine]
) -> None:
    x = samples(-np.inf)
    v3, v4 = (of_each(engines[isa], op, x) for isa in ("v3", "v4"))
    np.testing.assert_array_equal(v3, v4)


def test_gelu_is_of_float32_alone(engine: DirectEngine) -> None:
    program = program_of(3)
    with pytest.raises(EngineError, match=r"step 1 \(gelu\): expected an operand in float32, got"):
        engine.evaluate(program, [program.unary("gelu", 0)], [columns(2, 3)])


def test_no_columns_are_no_work(engine: DirectEngine) -> None:
    assert engine.evaluate(program_of(SIZE), [0], [columns(0)])[0].shape == (0, SIZE)
