"""Programs in float64: what torch computes in it, the way to bytes and back, types that mix."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from native_programs import Function, programs
from test_native_tracing import ELEMENTWISE, MOVED, N_COLUMN, N_OTHER, SUMMED
from test_native_tracing import columns as single_columns
from torch import Tensor

from hybrid.native.builder import Builder
from hybrid.native.errors import ProgramError
from hybrid.native.evaluate import evaluate
from hybrid.native.program import Program
from hybrid.native.program_file import BINARY, TEXT, program_entries, program_of
from hybrid.native.steps import Cast, Constant, Input, Linear, Unary
from hybrid.native.tracing import trace

EPS = 2.0**-52


def columns(n: int, seed: int = 0) -> Tensor:
    """Return numbers that float32 does not hold."""
    x = single_columns(n, seed).double()
    return x * (1.0 + 1e-9 * torch.sin(x))


def compared(function: Callable[..., Any], eps: float = EPS) -> Program:
    """Trace with some columns and compare with torch for others, within 64 eps."""
    program = trace(Function(function), [columns(N_COLUMN)])
    x = columns(N_OTHER, 10)
    found = evaluate(program, [x.numpy()])
    with torch.no_grad():
        expected = Function(function)(x)
    for array, tensor in zip(found, expected, strict=True):
        assert array.dtype.name == str(tensor.dtype).removeprefix("torch.")
        wanted = tensor.reshape(N_OTHER, -1).numpy()
        largest = np.abs(wanted[np.isfinite(wanted)]).max(initial=1.0)
        np.testing.assert_allclose(array, wanted, rtol=0, atol=64 * eps * float(largest))
    return program


IN_DOUBLE = {**ELEMENTWISE, **MOVED, **SUMMED}


@pytest.mark.parametrize(
    "name", sorted({*IN_DOUBLE} - {"gelu", "prelu", "layer norm, weights", "batch norm"})
)
def test_the_program_computes_what_torch_computes(name: str) -> None:
    def function(x: Tensor) -> Tensor:
        return IN_DOUBLE[name](x).double()

    assert set(compared(function).types) <= {"float64"} | (
        {"float32"} if name == "comparisons" else set()
    )


def test_products_with_matrices() -> None:
    weight = torch.linspace(-1.0, 1.0, 18, dtype=torch.float64).reshape(6, 3) / 3.0
    program = compared(lambda x: torch.nn.functional.linear(x, weight, weight[:, 0]))
    assert [t.dtype for t in program.tensors] == [np.float64, np.float64]


@pytest.mark.parametrize(
    ("function", "types"),
    [
        (lambda x: x.float().exp().double() + x, {"float32", "float64"}),
        (lambda x: (x.float().exp(), x.sum((1, 2))), {"float32", "float64"}),
        (lambda x: x.float() * torch.full((3,), 0.1, dtype=torch.float64), {"float32", "float64"}),
        (lambda x: x.float() * torch.tensor(0.1, dtype=torch.float64), {"float32", "float64"}),
        (lambda x: torch.where(x.float() > 1.0, x, -x), {"float32", "float64"}),
        (lambda x: torch.where((x > 1.0) & (x.float() < 9.0), x, -x), {"float32", "float64"}),
        (lambda x: x.float().masked_fill(x > 1.0, 0.25), {"float32", "float64"}),
        (lambda x: (x > 1.0).float() + (x > 1.0).double(), {"float32", "float64"}),
        (lambda x: torch.cat([x, x.float()], dim=1), {"float32", "float64"}),
        (lambda x: x.float().sum((1, 2), dtype=torch.float64), {"float32", "float64"}),
        (lambda x: x.float().mean(1, dtype=torch.float64), {"float32", "float64"}),
        (lambda x: x.float().double() - x, {"float32", "float64"}),
        (lambda x: torch.cat([x > 1.0, x[:, :1] < 0.0], dim=1).double(), {"float64"}),
    ],
)
def test_types_mix_as_in_torch(function: Callable[[Tensor], Any], types: set[str]) -> None:
    eps = 2.0**-23 if "exp" in function.__code__.co_names else EPS
    assert set(compared(function, eps).types) == types


def test_what_was_float32_before_is_not_cast_twice() -> None:
    builder = Builder()
    x = builder.add(Input("input", 0, 4))
    wide = builder.cast(x, "float64")
    assert builder.cast(wide, "float32") == x
    assert builder.cast(wide, "float64") == wide
    squared = builder.add(Unary("square", wide))
    # Of float64 something is lost.
    assert builder.cast(builder.cast(squared, "float32"), "float64") != squared
    constant = builder.cast(builder.constant(np.array([0.1, 0.2]), "float64"), "float32")
    assert isinstance(builder.steps[constant], Constant)
    assert builder.types[constant] == "float32"


def test_sums_of_nothing_are_constants() -> None:
    program = compared(lambda x: x + x[:, :0].sum(1, keepdim=True) + torch.cat([x, x[:, 4:]], 1))
    assert [step.op for step in program.steps] == ["input", "constant", "add", "add"]


def double_program() -> Program:
    weight = np.linspace(-1.0, 1.0, 12).reshape(3, 4)
    steps = (
        Input("input", 0, 4, "float64"),
        Linear("linear", 0, 0, 1),
        Cast("float32", 1),
        Unary("tanh", 2),
        Constant("constant", 2),
    )
    return Program(
        steps, (weight, np.array([0.1, 0.2, 0.3]), np.array([1.0, 2.0], np.float32)), (1, 3, 4)
    )


def test_the_third_format() -> None:
    made = double_program()
    held = {"data/3": made.tensors[0].T.tobytes(), "data/4": made.tensors[2].tobytes() * 3}
    entries = program_entries(made, held)
    document = json.loads(entries[TEXT])
    assert document["format"] == {"major": 3, "minor": 0}
    assert document["steps"][0]["dtype"] == "float64"
    assert document["tensors"] == [
        {"entry": "data/3", "first": 0, "transposed": True, "dtype": "float64", "shape": [3, 4]},
        {"entry": BINARY, "first": 0, "transposed": False, "dtype": "float64", "shape": [3]},
        {"entry": "data/4", "first": 0, "transposed": False, "dtype": "float32", "shape": [2]},
    ]
    read = program_of({**held, **entries})
    assert read is not None
    assert (read.steps, read.results, read.types) == (made.steps, made.results, made.types)
    for found, expected in zip(read.tensors, made.tensors, strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_numbers_of_both_types_begin_at_multiples_of_their_size() -> None:
    steps = (Input("input", 0, 1), *(Constant("constant", i) for i in range(3)))
    types = ("float32", "float64", "float32")
    tensors = tuple(np.full(1, i + 1.0, dtype) for i, dtype in enumerate(types))
    entries = program_entries(Program(steps, tensors, (1, 2, 3)), {})
    assert [t["first"] for t in json.loads(entries[TEXT])["tensors"]] == [0, 1, 4]
    read = program_of(entries)
    assert read is not None
    assert [float(tensor[0]) for tensor in read.tensors] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["tensors"][0].pop("dtype"), "tensor 0: expected keys entry, .*dtype, got"),
        (lambda d: d["tensors"][0].update(dtype="int8"), "expected a dtype of float32 or float64"),
        (
            lambda d: d["tensors"][0].update(dtype="float32"),
            "linear: expected operands of one type",
        ),
        (lambda d: d["steps"][0].update(dtype="half"), "input: expected a dtype of float32 or fl"),
        (lambda d: d["steps"][0].update(dtype=4), "input: expected a dtype of .*, got 4"),
        (lambda d: d["steps"][0].pop("dtype"), "expected keys op, argument, size, dtype, got"),
        (lambda d: d["steps"][3].update(op="gelu", x=1), "gelu: expected an operand in float32"),
        (lambda d: d["tensors"][1].update(first=1), "within the 3 of extra/native.bin"),
        (lambda d: d["format"].update(major=2), "tensor 0: expected keys|step 0 .*expected keys"),
    ],
)
def test_damaged_programs_are_refused(change: Callable[[Any], Any], message: str) -> None:
    made = double_program()
    held = {"data/3": made.tensors[0].tobytes(), "data/4": made.tensors[2].tobytes()}
    entries = program_entries(made, held)
    document = json.loads(entries[TEXT])
    change(document)
    with pytest.raises(ProgramError, match=message):
        program_of({**held, **entries, TEXT: json.dumps(document).encode()})


def test_casts_are_of_the_third_format() -> None:
    entries = program_entries(Program((Input("input", 0, 1), Unary("exp", 0)), (), (1,)), {})
    text = entries[TEXT].replace(b'"exp"', b'"float64"')
    with pytest.raises(
        ProgramError, match=r"step 1: expected an op of .* in format 1, got 'float6"
    ):
        program_of({TEXT: text})


def test_types_of_fields_are_checked() -> None:
    made = double_program()
    made.check_types(["float64"], ["float64", "float32", "float32"])
    with pytest.raises(ProgramError, match="input 0: expected float32, got float64"):
        made.check_types(["float32"], ["float64", "float32", "float32"])
    with pytest.raises(ProgramError, match=r"results: expected types \['float32', .*, got"):
        made.check_types(["float64"], ["float32"] * 3)


@given(programs("float64"))
@settings(max_examples=40, deadline=None)
def test_programs_survive_the_way_to_bytes_and_back(made: Program) -> None:
    x = columns(2)[:, :2, 0].numpy().repeat(2, axis=1)
    read = program_of(program_entries(made, {}))
    assert read is not None
    for a, b in zip(evaluate(read, [x, -x]), evaluate(made, [x, -x]), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
