"""Native programs: what they are made of, as entries of an archive and back, and damaged ones."""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native_programs import B, W, beginning, programs

from hybrid.native.builder import Builder
from hybrid.native.errors import ProgramError
from hybrid.native.evaluate import evaluate
from hybrid.native.program import LARGEST_VALUE, MOST_STEPS, Program, value_sizes
from hybrid.native.program_file import BINARY as BYTES
from hybrid.native.program_file import LARGEST_TEXT, TEXT, program_entries, program_of
from hybrid.native.steps import (
    BINARY,
    STEPS,
    TYPES,
    UNARY,
    Binary,
    Clamp,
    Concatenate,
    Constant,
    Elu,
    Gather,
    Input,
    LayerNorm,
    LeakyRelu,
    Linear,
    Power,
    Select,
    Step,
    Sum,
    Unary,
)

X = np.array([[-2.0, 0.5, 3.0, -0.25], [1.0, 1.0, -4.0, 8.0]], np.float32)
Y = 0.5 * X[:, ::-1]
MEAN, VARIANCE = X.mean(1, keepdims=True), X.var(1, keepdims=True)

EXAMPLES: list[tuple[Step, Any]] = [
    (Constant("constant", 1), np.broadcast_to(B, (2, 3))),
    (Linear("linear", 0, 0, 1), X @ W.T + B),
    (Linear("linear", 0, 0, None), X @ W.T),
    (LeakyRelu("leaky_relu", 0, 0.1), np.where(X < 0, 0.1 * X, X)),
    (Elu("elu", 0, 2.0), np.where(X > 0, X, 2.0 * (np.exp(X) - 1.0))),
    (Clamp("clamp", 0, -1.0, 2.0), np.clip(X, -1.0, 2.0)),
    (Clamp("clamp", 0, None, None), X),
    (Power("power", 0, 3), X * X * X),
    (Select("select", 2, 0, 1), np.where(X < Y, X, Y)),
    (Gather("gather", 0, (3, 0, 3)), X[:, [3, 0, 3]]),
    (Concatenate("concatenate", (1, 0)), np.concatenate([Y, X], 1)),
    (Sum("sum", 0, 2), X.reshape(2, 2, 2).sum(2)),
    (LayerNorm("layer_norm", 0, 4, None, None, 0.5), (X - MEAN) / np.sqrt(VARIANCE + 0.5)),
    (Unary("negative", 0), -X),
    (Unary("gelu_tanh", 0), [[-0.0454, 0.3457, 2.9964, -0.1003], [0.8412, 0.8412, -0.0001, 8.0]]),
    (Binary("subtract", 0, 1), X - Y),
]
"""Steps after x, y = x reversed / 2, and x < y, with what they give."""


def program(*steps: Step, results: tuple[int, ...] | None = None) -> Program:
    found = (*beginning(), *steps)
    return Program(found, (W, B), (len(found) - 1,) if results is None else results)


@pytest.mark.parametrize(("step", "expected"), EXAMPLES, ids=lambda v: getattr(v, "op", ""))
def test_steps(step: Step, expected: Any) -> None:
    (found,) = evaluate(program(step), [X, Y])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=5e-5)


def test_every_step_is_known_by_its_name() -> None:
    shown = {step.op for step, _ in EXAMPLES} | {"input"} | {*UNARY, *BINARY, *TYPES}
    assert shown == set(STEPS)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Linear("linear", 2, 1, None), r"step 3: linear: expected a weight of shape \(any, 4\)"),
        (Linear("linear", 0, 0, 0), r"bias of linear: expected shape \(3,\), got \(3, 4\)"),
        (Linear("linear", 3, 0, 1), r"step 3 \(linear\): values: expected numbers below 3, got 3"),
        (Linear("linear", 0, 2, 1), r"step 3 \(linear\): tensors: expected numbers below 2, got 2"),
        (Unary("relu", -1), "values: expected numbers below 3, got -1"),
        (Gather("gather", 0, (4,)), "gather: expected indices from 0 to 3, got others or none"),
        (Gather("gather", 0, ()), "gather: expected indices from 0 to 3, got others or none"),
        (Gather("gather", 0, (0, -1)), "gather: expected indices from 0 to 3"),
        (Concatenate("concatenate", ()), "concatenate: expected values, got none"),
        (Sum("sum", 0, 3), "sum: expected 4 features in groups, got groups of 3"),
        (Sum("sum", 0, 0), "sum: expected 4 features in groups, got groups of 0"),
        (LayerNorm("layer_norm", 0, 4, 1, None, 0.1), r"layer_norm: expected shape \(4,\), got"),
        (Power("power", 0, 0), "power: expected an exponent from 1 to 65536, got 0"),
        (Power("power", 0, 65537), "power: expected an exponent from 1 to 65536, got 65537"),
        (Input("input", 0, 0), "input: expected a size of at least 1, got 0"),
        (Input("input", 0, LARGEST_VALUE + 1), f"expected 1 to {LARGEST_VALUE} features"),
    ],
)
def test_what_does_not_fit_is_refused(step: Step, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        program(step)


def test_sizes_of_operands_must_be_equal_or_one() -> None:
    some = Gather("gather", 0, (0, 1))
    with pytest.raises(ProgramError, match="step 4: add: expected equal sizes, or 1, got 4, 2"):
        program(some, Binary("add", 0, 3))
    with pytest.raises(
        ProgramError, match="step 4: select: expected equal sizes, or 1, got 4, 4, "
    ):
        program(some, Select("select", 2, 0, 3))
    one = Gather("gather", 0, (1,))
    (found,) = evaluate(program(one, Binary("add", 0, 3)), [X, Y])
    np.testing.assert_array_equal(found, X + X[:, 1:2])


def test_results_and_arguments_are_checked() -> None:
    with pytest.raises(ProgramError, match="results: expected values from 0 to 2, got 3"):
        program(results=(3,))
    with pytest.raises(ProgramError, match="steps: expected at most 65536, got 65537"):
        Program((Input("input", 0, 1),) * (MOST_STEPS + 1), (), (0,))
    many = (Input("input", 0, LARGEST_VALUE),) * 5
    with pytest.raises(ProgramError, match="features of all values: expected at most 67108864"):
        Program(many, (), (0,))
    often = (Linear("linear", 0, 0, None),) * 65
    with pytest.raises(ProgramError, match="weights of linear steps: expected at most 268435456"):
        value_sizes((Input("input", 0, 2**12), *often), [(2**10, 2**12)])
    made = program(Sum("sum", 0, 4))
    made.check_fits([4, 4], [1])
    for arguments in ([4], [4, 5]):
        with pytest.raises(ProgramError, match="input 1: expected one of arguments of sizes"):
            made.check_fits(arguments, [1])
    with pytest.raises(ProgramError, match=r"results: expected sizes \[4\], got \[1\]"):
        made.check_fits([4, 4], [4])


def test_a_result_may_be_an_input_or_a_constant_and_occur_twice() -> None:
    made = program(Constant("constant", 1), results=(0, 3, 0))
    found = evaluate(made, [X, Y])
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[1], np.broadcast_to(B, (2, 3)))


def assert_equal(found: Program | None, expected: Program) -> None:
    assert found is not None
    assert found.steps == expected.steps
    assert found.results == expected.results
    for a, b in zip(found.tensors, expected.tensors, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b)


def test_weights_are_named_not_stored_twice() -> None:
    made = program(Linear("linear", 0, 0, 1), results=(3,))
    weights = {"data/3": W.tobytes(), "data.pkl": B.tobytes(), "data/4": W.T.copy().tobytes()}
    entries = program_entries(made, weights)
    assert entries[BYTES] == B.tobytes()
    assert json.loads(entries[TEXT])["tensors"] == [
        {"entry": "data/3", "first": 0, "shape": [3, 4]},
        {"entry": BYTES, "first": 0, "shape": [3]},
    ]
    assert_equal(program_of({**weights, **entries}), made)
    assert BYTES not in program_entries(made, {**weights, "data/5": B.tobytes()})
    assert program_of(weights) is None


def test_parts_of_entries_and_transposed_weights_are_named_too() -> None:
    made = program(Linear("linear", 0, 0, 1), results=(3,))
    members = np.stack([np.zeros((4, 3), np.float32), W.T, W.T + 1.0])
    weights = {"data/3": members.tobytes(), "data/4": np.tile(B, 5).tobytes()}
    entries = program_entries(made, weights)
    assert BYTES not in entries
    document = json.loads(entries[TEXT])
    assert document["format"] == {"major": 2, "minor": 0}
    assert document["tensors"] == [
        {"entry": "data/3", "first": 12, "transposed": True, "shape": [3, 4]},
        {"entry": "data/4", "first": 0, "transposed": False, "shape": [3]},
    ]
    assert_equal(program_of({**weights, **entries}), made)


def test_a_program_without_transposed_weights_is_one_of_the_first_format() -> None:
    made = program(Linear("linear", 0, 0, 1), results=(3,))
    for weights in ({}, {"data/3": W.tobytes()}):
        document = json.loads(program_entries(made, weights)[TEXT])
        assert document["format"] == {"major": 1, "minor": 0}
        assert not any("transposed" in tensor for tensor in document["tensors"])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1, r"tensor 1: expected transposed to be false, or true of a matrix, got 1 of shape"),
        (True, r"expected transposed to be false, or true of a matrix, got True of shape \[3\]"),
        (None, r"expected transposed to be false, or true of a matrix, got None"),
    ],
)
def test_only_matrices_are_transposed(value: object, message: str) -> None:
    entries = {"data/3": W.T.tobytes()}
    found = program_entries(program(Linear("linear", 0, 0, 1)), entries)
    document = json.loads(found[TEXT])
    document["tensors"][1]["transposed"] = value
    with pytest.raises(ProgramError, match=message):
        program_of({**entries, **found, TEXT: json.dumps(document).encode()})


def test_a_program_that_no_reader_takes_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybrid.native.program_file.LARGEST_TEXT", 500)
    assert program_entries(program(), {})
    with pytest.raises(ProgramError, match=r"its program has [0-9]+ bytes, more than 500"):
        program_entries(program(Gather("gather", 0, (3,) * 100)), {})


@given(programs())
@settings(max_examples=40, deadline=None)
def test_programs_survive_the_way_to_bytes_and_back(made: Program) -> None:
    read = program_of(program_entries(made, {}))
    assert_equal(read, made)
    assert read is not None
    for a, b in zip(evaluate(read, [X, Y]), evaluate(made, [X, Y]), strict=True):
        np.testing.assert_array_equal(a, b)


@given(programs())
@settings(max_examples=40, deadline=None)
def test_columns_do_not_feel_each_other(made: Program) -> None:
    together = evaluate(made, [X, Y])
    alone = evaluate(made, [X[1:], Y[1:]])
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a[1:], b, rtol=1e-4, atol=1e-4)


def damaged(change: Callable[[dict[str, Any]], Any]) -> dict[str, bytes]:
    entries = program_entries(program(Linear("linear", 0, 0, 1), Clamp("clamp", 3, -1.0, None)), {})
    data = json.loads(entries[TEXT])
    change(data)
    return {**entries, TEXT: json.dumps(data).encode()}


DAMAGES: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda d: d["format"].update(major=4), r"expected format 1.x to 3.x, got 4.0; install a hyb"),
    (lambda d: d["format"].update(major=2), "keys entry, first, shape, transposed, got"),
    (lambda d: d["format"].update(major="1"), r"expected format 1.x to 3.x, got 1.0; install"),
    (lambda d: d["tensors"][0].update(transposed=True), "expected keys entry, first, shape, got"),
    (lambda d: d.pop("format"), "expected a native program, but it does not read as one"),
    (lambda d: d.pop("steps"), "does not read as one .*steps"),
    (lambda d: d.update(steps=3), "does not read as one"),
    (lambda d: d.update(steps=[]), "results: expected values from 0 to -1"),
    (lambda d: d.update(results=7), "results: expected a list of whole numbers, got 7"),
    (lambda d: d.update(results=[True]), "results: expected a whole number, got True"),
    (lambda d: d.update(results=[0.5]), "results: expected a whole number, got 0.5"),
    (lambda d: d.update(results=[99]), "results: expected values from 0 to 4, got 99"),
    (lambda d: d["steps"].append(7), "step 5: expected an op of input, .*, got None"),
    (
        lambda d: d["steps"][3].update(op="conv"),
        "step 3: expected an op of .*, got 'conv'; install",
    ),
    (lambda d: d["steps"][3].update(op=["linear"]), "step 3: expected an op of"),
    (
        lambda d: d["steps"][3].pop("bias"),
        r"step 3 \(linear\): expected keys op, x, weight, bias, ",
    ),
    (lambda d: d["steps"][3].update(scale=1), "got op, x, weight, bias, scale"),
    (
        lambda d: d["steps"][3].update(x=None),
        r"step 3 \(linear\): x: expected a whole number, got N",
    ),
    (lambda d: d["steps"][3].update(x=4), r"step 3 \(linear\): values: expected numbers below 3"),
    (
        lambda d: d["steps"][4].update(low="0"),
        r"step 4 \(clamp\): low: expected a finite number, g",
    ),
    (lambda d: d["steps"][4].update(low=float("nan")), "low: expected a finite number, got nan"),
    (lambda d: d["steps"][4].update(low=10**400), "does not read as one .*Overflow"),
    (lambda d: d.update(tensors={}), "tensors: expected numbers below 0, got 0"),
    (
        lambda d: d["tensors"][0].update(entry="data/9"),
        "tensor 0: expected an entry of the archive",
    ),
    (lambda d: d["tensors"][0].update(entry=["data/9"]), "does not read as one .*unhashable"),
    (lambda d: d["tensors"][0].pop("first"), "tensor 0: expected keys entry, first, shape, got"),
    (
        lambda d: d["tensors"][0].update(shape=[3, 6]),
        r"within the 15 of extra/native.bin, got shap",
    ),
    (lambda d: d["tensors"][0].update(first=-1), "from -1"),
    (lambda d: d["tensors"][1].update(first=13), r"got shape \[3\] from 13"),
    (lambda d: d["tensors"][0].update(shape=[]), r"at least one element .*, got shape \[\]"),
    (lambda d: d["tensors"][0].update(shape=[-3, -4]), "at least one element"),
    (lambda d: d["tensors"][0].update(shape=[2**31] * 4), "at least one element within"),
    (lambda d: d["tensors"][0].update(shape=[4, 3]), r"expected a weight of shape \(any, 4\), got"),
]


@pytest.mark.parametrize(("change", "message"), DAMAGES)
def test_damaged_programs_are_refused(
    change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    with pytest.raises(ProgramError, match=message):
        program_of(damaged(change))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[]", b"null", b"[" * 100_000])
def test_what_is_no_program_is_refused(text: bytes) -> None:
    with pytest.raises(ProgramError, match="does not read as one"):
        program_of({TEXT: text})
    with pytest.raises(ProgramError, match="expected at most 4194304 bytes"):
        program_of({TEXT: b" " * (LARGEST_TEXT + 1)})


@given(st.binary(max_size=200), st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_other_bytes_never_do_worse_than_a_message(noise: bytes, at: int) -> None:
    entries = damaged(lambda _: None)
    text = entries[TEXT][:at] + noise + entries[TEXT][at + len(noise) :]
    try:
        program_of({**entries, TEXT: text})
    except ProgramError as error:
        assert str(error)  # noqa: PT017 -- some noise leaves a program


def test_the_builder_writes_nothing_twice_or_for_nothing() -> None:
    builder = Builder()
    x = builder.add(Input("input", 0, 4))
    assert builder.gather(x, np.arange(4)) == x
    back = builder.gather(builder.gather(x, np.array([3, 2, 1, 0])), np.array([3, 2, 1, 0]))
    assert back == x
    one = builder.constant(np.ones(4))
    assert builder.sizes[one] == 1
    assert builder.binary("multiply", x, one) == builder.binary("multiply", one, x) == x
    assert builder.binary("divide", x, one) == x
    assert builder.binary("divide", one, x) != x
    other = builder.add(Unary("exp", x))
    assert builder.add(Unary("exp", x)) == other
    joined = builder.concatenate([x, other])
    assert builder.gather(joined, np.arange(4, 8)) == other
    row = builder.constant(np.array([1.0, 2.0, 2.0, -0.0]))
    assert isinstance(builder.steps[builder.gather(row, np.array([1, 2]))], Constant)
    made = builder.program([builder.binary("add", other, row), x])
    assert [step.op for step in made.steps] == ["input", "exp", "constant", "add"]
    assert len(made.tensors) == 1
    assert made.results == (3, 0)


def test_a_part_of_what_was_joined_is_computed_alone() -> None:
    builder = Builder()
    x = builder.add(Input("input", 0, 4))
    scale = builder.constant(np.arange(8.0))
    joined = builder.concatenate([builder.add(Unary("exp", x)), builder.add(Unary("tanh", x))])
    scaled = builder.binary("multiply", builder.add(Unary("silu", joined)), scale)
    part = builder.gather(scaled, np.array([5, 7]))
    across = builder.gather(scaled, np.array([3, 4]))
    made = builder.program([part])
    assert [step.op for step in made.steps] == [
        *("input", "tanh", "gather", "silu", "constant", "multiply")
    ]
    np.testing.assert_array_equal(made.tensors[0], [5.0, 7.0])
    whole = builder.program([scaled, across])
    assert [step.op for step in whole.steps][-2:] == ["multiply", "gather"]
    found, expected = evaluate(made, [X])[0], evaluate(whole, [X])
    np.testing.assert_array_equal(found, expected[0][:, [5, 7]])
    np.testing.assert_array_equal(expected[1], expected[0][:, [3, 4]])


def test_zeros_of_either_sign_and_nan_stay_apart() -> None:
    builder = Builder()
    row = builder.constant(np.array([0.0, -0.0]))
    assert builder.sizes[row] == 2
    nan = builder.constant(np.array([np.nan, np.nan]))
    assert builder.sizes[nan] == 1
    assert builder.constant(np.zeros(1)) != builder.constant(-np.zeros(1))


def test_settings_of_steps_are_numbers_or_lists_of_them() -> None:
    # What `program_file` can read; another kind would need words there.
    kinds = {str(field.type) for kind in set(STEPS.values()) for field in fields(kind)}
    known = {"str", "int", "float", "int | None", "float | None", "tuple[int, ...]"}
    named = {name.removeprefix("<class '").removesuffix("'>") for name in kinds}
    assert named == known
