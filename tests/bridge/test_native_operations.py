"""Every operation of a native program against torch, for one column, few and many."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from bridge.native_direct import DirectEngine, EngineError
from bridge.native_programs import Program
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fortran_bridge.build import Prefix

COLUMNS = (1, 2, 8, 9, 17, 48, 49, 100)
SIZE = 13

UNARY: dict[str, tuple[dict[str, object], Callable[[Tensor], Tensor]]] = {
    "relu": ({}, torch.relu),
    "leaky_relu": ({"slope": 0.15}, lambda x: functional.leaky_relu(x, 0.15)),
    "elu": ({"alpha": 0.7}, lambda x: functional.elu(x, 0.7)),
    "sigmoid": ({}, torch.sigmoid),
    "silu": ({}, functional.silu),
    "tanh": ({}, torch.tanh),
    "gelu": ({}, functional.gelu),
    "gelu_tanh": ({}, lambda x: functional.gelu(x, approximate="tanh")),
    "exp": ({}, torch.exp),
    "log": ({}, torch.log),
    "sqrt": ({}, torch.sqrt),
    "negative": ({}, torch.neg),
    "absolute": ({}, torch.abs),
    "reciprocal": ({}, torch.reciprocal),
    "square": ({}, torch.square),
    "clamp": ({"low": -0.5, "high": 0.25}, lambda x: x.clamp(-0.5, 0.25)),
    "power": ({"exponent": 5}, lambda x: x**5),
}
BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "divide": torch.div,
    "minimum": torch.minimum,
    "maximum": torch.maximum,
    "less": lambda a, b: (a < b).float(),
    "less_equal": lambda a, b: (a <= b).float(),
    "equal": lambda a, b: (a == b).float(),
}


@pytest.fixture(scope="module")
def engine(prefix: Prefix, tmp_path_factory: pytest.TempPathFactory) -> DirectEngine:
    """The engine with the best instruction set."""
    library = prefix.library.with_name("libhybrid_native.so")
    return DirectEngine(library, tmp_path_factory.mktemp("engine"))


def columns(n: int, size: int = SIZE, seed: int = 0) -> NDArray[np.float32]:
    """Normal numbers, shape ``(n, size)``."""
    return np.random.default_rng(seed).normal(size=(n, size)).astype(np.float32)


def assert_close(found: NDArray[np.float32], expected: Tensor) -> None:
    """Compare within 64 eps of the largest number that is finite, NaN with NaN."""
    values = expected.numpy()
    largest = np.abs(values[np.isfinite(values)]).max(initial=1.0)
    np.testing.assert_allclose(found, values, rtol=2e-6, atol=64 * 2.0**-23 * largest)


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize("op", UNARY)
def test_functions_of_one_value(op: str, n: int, engine: DirectEngine) -> None:
    keys, function = UNARY[op]
    program = Program([SIZE])
    x = columns(n)
    found = engine.evaluate(program, [program.unary(op, 0, **keys)], [x])[0]
    assert_close(found, function(torch.from_numpy(x)))


# Far out, torch makes NaN of gelu(inf) and infinity of gelu(3e38).
@pytest.mark.parametrize("op", [op for op in UNARY if not op.startswith("gelu")])
def test_what_is_not_finite_is_as_in_torch(op: str, engine: DirectEngine) -> None:
    keys, function = UNARY[op]
    x = np.array([[np.nan, np.inf, -np.inf, 0.0, 1e-42, -1e-42, 3e38, -3e38]], np.float32)
    program = Program([8])
    found = engine.evaluate(program, [program.unary(op, 0, **keys)], [x])[0]
    assert_close(found, function(torch.from_numpy(x)))


@pytest.mark.parametrize("op", ["gelu", "gelu_tanh"])
def test_gelu_far_out(op: str, engine: DirectEngine) -> None:
    x = np.array([[np.nan, np.inf, 3e38, -3e38, 0.0]], np.float32)
    program = Program([5])
    found = engine.evaluate(program, [program.unary(op, 0)], [x])[0]
    np.testing.assert_array_equal(found, np.array([[np.nan, np.inf, 3e38, 0.0, 0.0]], np.float32))


@pytest.mark.parametrize(("low", "high"), [(None, 0.5), (-0.5, None), (None, None)])
def test_a_clamp_may_lack_a_bound(
    low: float | None, high: float | None, engine: DirectEngine
) -> None:
    program = Program([SIZE])
    x = columns(3)
    found = engine.evaluate(program, [program.unary("clamp", 0, low=low, high=high)], [x])[0]
    np.testing.assert_array_equal(found, np.clip(x, low, high) if low or high else x)


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("sizes", [(SIZE, SIZE), (1, SIZE), (SIZE, 1), (1, 1)])
def test_functions_of_two_values(
    op: str, sizes: tuple[int, int], n: int, engine: DirectEngine
) -> None:
    x, y = columns(n, sizes[0]), columns(n, sizes[1], seed=1)
    x[0, 0] = np.nan
    x[-1, -1] = y[-1, -1]
    program = Program(sizes)
    found = engine.evaluate(program, [program.binary(op, 0, 1)], [x, y])[0]
    expected = BINARY[op](torch.from_numpy(x), torch.from_numpy(y))
    assert_close(found, expected)


@pytest.mark.parametrize("n", [1, 5, 33])
@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("order", ["value first", "constant first"])
@pytest.mark.parametrize("sizes", [(SIZE, SIZE), (SIZE, 1), (1, SIZE)])
def test_functions_with_a_constant(
    op: str, order: str, sizes: tuple[int, int], n: int, engine: DirectEngine
) -> None:
    x, constant = columns(n, sizes[0]), columns(1, sizes[1], seed=1)[0]
    program = Program([sizes[0]])
    number = program.constant(constant)
    pair = (0, number) if order == "value first" else (number, 0)
    found = engine.evaluate(program, [program.binary(op, *pair)], [x])[0]
    a, b = torch.from_numpy(x), torch.from_numpy(constant)
    assert_close(found, BINARY[op](a, b) if order == "value first" else BINARY[op](b, a))


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize("sizes", [(SIZE, SIZE, SIZE), (1, SIZE, 1), (SIZE, 1, SIZE), (1, 1, 1)])
def test_choices_between_values(n: int, sizes: tuple[int, int, int], engine: DirectEngine) -> None:
    x, y, z = (columns(n, size, seed=seed) for seed, size in enumerate(sizes))
    x[:, 0] = np.resize(np.array([0.0, -0.0, np.nan, 1.0], np.float32), n)
    program = Program(sizes)
    chosen = program.add("select", max(sizes), condition=0, a=1, b=2)
    values = [chosen, program.unary("negative", chosen)]
    values.append(program.add("select", sizes[0], condition=0, a=program.constant([4.0]), b=0))
    found = engine.evaluate(program, values, [x, y, z])
    expected = np.broadcast_to(np.where(x != 0.0, y, z), (n, max(sizes)))
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1], -expected)
    np.testing.assert_array_equal(found[2], np.where(x != 0.0, np.float32(4.0), x))


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize(("n_in", "n_out"), [(1, 1), (1, 5), (13, 1), (7, 8), (16, 17), (33, 130)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_linear(n: int, n_in: int, n_out: int, has_bias: bool, engine: DirectEngine) -> None:
    x, weight = columns(n, n_in), columns(n_out, n_in, seed=1)
    bias = columns(1, n_out, seed=2)[0] if has_bias else None
    program = Program([n_in])
    found = engine.evaluate(program, [program.linear(0, weight, bias)], [x])[0]
    tensors = [None if array is None else torch.from_numpy(array) for array in (weight, bias)]
    assert tensors[0] is not None
    assert_close(found, functional.linear(torch.from_numpy(x), tensors[0], tensors[1]))


@pytest.mark.parametrize(("n_in", "n_out"), [(1, 5), (13, 1), (33, 130)])
def test_weights_by_rows_and_by_columns_have_the_same_bits(
    n_in: int, n_out: int, engine: DirectEngine
) -> None:
    x, weight, bias = columns(9, n_in), columns(n_out, n_in, seed=1), columns(1, n_out, seed=2)[0]
    program = Program([n_in])
    keys = {"x": 0, "bias": program.tensor(bias)}
    by_rows, by_columns = (
        program.add("linear", n_out, weight=program.tensor(weight, transposed=on), **keys)
        for on in (False, True)
    )
    flat = program.add("constant", weight.size, tensor=program.tensor(weight, transposed=True))
    found = engine.evaluate(program, [by_rows, by_columns, flat], [x])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[2], np.tile(weight.reshape(-1), (9, 1)))
    assert_close(found[0], torch.from_numpy(x @ weight.T + bias))


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize(("groups", "size"), [(1, 13), (3, 8), (2, 1), (4, 33)])
@pytest.mark.parametrize(("has_weight", "has_bias"), [(True, True), (True, False), (False, False)])
def test_layer_norm(
    n: int, groups: int, size: int, has_weight: bool, has_bias: bool, engine: DirectEngine
) -> None:
    x = columns(n, groups * size)
    weight, bias = (
        columns(1, size, seed=seed)[0] if has else None
        for seed, has in ((1, has_weight), (2, has_bias))
    )
    program = Program([groups * size])
    numbers = [None if array is None else program.tensor(array) for array in (weight, bias)]
    value = program.add(
        *("layer_norm", groups * size), x=0, n=size, weight=numbers[0], bias=numbers[1], eps=1e-5
    )
    found = engine.evaluate(program, [value], [x])[0]
    expected = functional.layer_norm(
        torch.from_numpy(x).reshape(n, groups, size),
        [size],
        None if weight is None else torch.from_numpy(weight),
        None if bias is None else torch.from_numpy(bias),
    )
    assert_close(found, expected.reshape(n, -1))


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize("size", [1, 4, 12])
def test_sums_go_in_order(n: int, size: int, engine: DirectEngine) -> None:
    x = columns(n, 12)
    program = Program([12])
    found = engine.evaluate(program, [program.add("sum", 12 // size, x=0, n=size)], [x])[0]
    expected = x.reshape(n, -1, size)[:, :, 0].copy()
    for i in range(1, size):
        expected += x.reshape(n, -1, size)[:, :, i]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("n", COLUMNS)
def test_choices_and_joins_move_bits(n: int, engine: DirectEngine) -> None:
    x, y = columns(n), columns(n, 3, seed=1)
    program = Program([SIZE, 3])
    constant = program.constant([5.0, 6.0])
    part = program.gather(0, range(3, 9))
    inner = program.gather(part, range(1, 4))
    turned = program.gather(0, range(SIZE - 1, -1, -1))
    repeated = program.gather(1, [2, 2, 0])
    joined = program.concatenate(inner, 1, constant, turned, repeated)
    behind = program.unary("negative", program.concatenate(joined, part))
    results = [joined, behind, part, 0, constant, joined, program.gather(constant, [1])]
    found = engine.evaluate(program, results, [x, y])
    fives = np.tile(np.array([5.0, 6.0], np.float32), (n, 1))
    expected = np.concatenate([x[:, 4:7], y, fives, x[:, ::-1], y[:, [2, 2, 0]]], axis=1)
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1], -np.concatenate([expected, x[:, 3:9]], axis=1))
    for number, values in ((2, x[:, 3:9]), (3, x), (4, fives), (5, expected), (6, fives[:, 1:])):
        np.testing.assert_array_equal(found[number], values)


@pytest.mark.parametrize("n", COLUMNS)
def test_residual_connections_and_shared_values(n: int, engine: DirectEngine) -> None:
    """Values with several users, in an order that lets rows be used again."""
    x = columns(n)
    program = Program([SIZE])
    weights = [columns(SIZE, SIZE, seed=seed) / 4.0 for seed in range(1, 5)]
    t = torch.from_numpy(x)
    value = 0
    for weight in weights:
        inner = program.unary("tanh", program.linear(value, weight))
        t_inner = torch.tanh(t @ torch.from_numpy(weight).T)
        value = program.binary("add", program.binary("multiply", inner, inner), value)
        t = t_inner * t_inner + t
    first = program.binary("subtract", value, 0)
    unused = program.unary("exp", first)
    assert unused == len(program.steps) - 1
    found = engine.evaluate(program, [first, value, 0], [x])
    assert_close(found[0], t - torch.from_numpy(x))
    assert_close(found[1], t)
    np.testing.assert_array_equal(found[2], x)


def test_constants_alone_make_a_result(engine: DirectEngine) -> None:
    program = Program([2])
    a, b = program.constant([1.0, 2.0, 3.0]), program.constant([4.0])
    values = (
        program.binary("divide", b, a),
        program.unary("square", a),
        program.linear(a, [[1.0, 0.0, 2.0]], [0.5]),
        program.binary("add", b, 0),
    )
    for n in (1, 3, 40):
        found = engine.evaluate(program, values, [columns(n, 2)])
        np.testing.assert_array_equal(
            found[0], np.tile(4.0 / np.array([1.0, 2.0, 3.0], np.float32), (n, 1))
        )
        np.testing.assert_array_equal(
            found[1], np.tile(np.array([1.0, 4.0, 9.0], np.float32), (n, 1))
        )
        np.testing.assert_array_equal(found[2], np.full((n, 1), 7.5))
        np.testing.assert_array_equal(found[3], columns(n, 2) + 4.0)


def test_no_columns_are_no_work(engine: DirectEngine) -> None:
    program = Program([SIZE])
    assert engine.evaluate(program, [0], [columns(0)])[0].shape == (0, SIZE)


def test_an_instruction_set_that_is_not_there_is_refused(prefix: Prefix, tmp_path: Path) -> None:
    library = prefix.library.with_name("libhybrid_native.so")
    engine = DirectEngine(library, tmp_path, "v9")
    assert engine.version.endswith("for no instruction set")
    with pytest.raises(EngineError, match=r"HYBRID_ISA: expected an instruction set .*'base', got"):
        engine.evaluate(Program([1]), [0], [columns(1, 1)])
