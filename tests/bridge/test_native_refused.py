"""Programs that are damaged, or that disagree with their specification, are refused by name."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bridge import stub_archives
from bridge.native_programs import Program, archive, evaluate, profile

from fortran_bridge.errors import BridgeError
from fortran_bridge.native_closure import NativeClosure

Document = dict[str, Any]


def network(dtype: str = "float32") -> tuple[Program, int]:
    """Return a program with every kind of step that can disagree with its tensors."""
    program = Program([3], dtype)
    x = program.linear(0, np.ones((4, 3)), np.ones(4))
    tensor = program.tensor(np.ones(4))
    x = program.add("layer_norm", 4, x=x, n=4, weight=tensor, bias=None, eps=1e-5)
    x = program.unary("clamp", x, low=-1.0, high=1.0)
    x = program.gather(x, [3, 0, 1, 1])
    x = program.add("sum", 2, x=x, n=2)
    return program, program.concatenate(x, 0)


LINEAR, NORM, CLAMP, GATHER, SUM, JOIN = range(1, 7)


def set_step(number: int, **keys: Any) -> Callable[[Document], None]:
    """Return an edit of one step."""
    return lambda document: document["steps"][number].update(keys)


def set_tensor(number: int, **keys: Any) -> Callable[[Document], None]:
    """Return an edit of one tensor."""
    return lambda document: document["tensors"][number].update(keys)


REFUSED: dict[str, tuple[Callable[[Document], Any], str]] = {
    "major": (
        lambda document: document.update(format={"major": 4, "minor": 0}),
        r"expected native program format 1.x to 3.x, got .*4.*; install a hybrid-closures that",
    ),
    "major that is no number": (
        lambda document: document.update(format={"major": "1", "minor": 0}),
        r"expected native program format 1.x to 3.x, got .*1.*; install",
    ),
    "transposed in the first format": (
        set_tensor(0, transposed=False),
        r"tensor 0: expected no key 'transposed' in format 1.x",
    ),
    "a vector transposed": (
        lambda document: (
            document.update(format={"major": 2, "minor": 0}),
            [tensor.update(transposed=True) for tensor in document["tensors"]],
        ),
        r"tensor 1: expected transposed to be false, or true of a matrix, got true",
    ),
    "transposed that is no truth": (
        lambda document: (
            document.update(format={"major": 2, "minor": 0}),
            [tensor.update(transposed=1) for tensor in document["tensors"]],
        ),
        r"tensor 0: expected transposed to be false, or true of a matrix, got 1",
    ),
    "transposed that is missing": (
        lambda document: document.update(format={"major": 2, "minor": 0}),
        r"expected a native program, got text that does not read as one \(.*'transposed'",
    ),
    "a type before there were several": (
        set_tensor(0, dtype="float32"),
        r"tensor 0: expected no key 'dtype' before format 3",
    ),
    "a type of an argument before there were several": (
        set_step(0, dtype="float32"),
        r"step 0 \(input\): expected no key 'dtype' before format 3",
    ),
    "a cast before there were several": (
        set_step(CLAMP, op="float64"),
        r"step 3 \(float64\): expected an operation that this engine knows",
    ),
    "unknown op": (
        set_step(CLAMP, op="conv1d"),
        r"step 3 \(conv1d\): expected an operation that this engine knows; export .* again",
    ),
    "later operand": (
        set_step(LINEAR, x=1),
        r"step 1 \(linear\): operand: expected a whole number from 0 to 0, got 1",
    ),
    "negative operand": (
        set_step(LINEAR, x=-1),
        r"step 1 \(linear\): operand: expected a whole number from 0 to 0, got -1",
    ),
    "operand that is no number": (
        set_step(LINEAR, x=True),
        r"step 1 \(linear\): operand: expected a whole number from 0 to 0, got true",
    ),
    "argument": (
        set_step(0, argument=1),
        r"step 0 \(input\): argument: expected a whole number from 0 to 0, got 1",
    ),
    "size of an argument": (
        set_step(0, size=5),
        r"step 0 \(input\): expected the 3 numbers of argument 0 in the specification, got 5",
    ),
    "shape of a weight": (
        set_tensor(0, shape=[3, 4]),
        r"step 1 \(linear\): expected a weight of shape \[outputs, 3\], got \[3,4\]",
    ),
    "bias of another size": (
        set_tensor(1, shape=[3]),
        r"step 1 \(linear\): expected bias of 4 numbers, got 3",
    ),
    "weight of a group": (
        set_tensor(2, shape=[2]),
        r"step 2 \(layer_norm\): expected weight of 4 numbers, got 2",
    ),
    "tensor beyond the entry": (
        set_tensor(0, first=9),
        r"tensor 0: expected 12 numbers from number 9 on in entry 'extra/native.bin', got 11",
    ),
    "tensor far beyond the entry": (
        set_tensor(0, first=2**62),
        r"tensor 0: first: expected a whole number from 0 to 20, got 4611686018427387904",
    ),
    "tensor that overflows": (
        set_tensor(0, shape=[2**28, 2**28]),
        r"tensor 0: expected at most 268435456 numbers",
    ),
    "entry that is not there": (
        set_tensor(0, entry="data/9"),
        r"tensor 0: expected entry 'data/9', got none in the archive",
    ),
    "tensor that is not there": (
        set_step(LINEAR, weight=3),
        r"step 1 \(linear\): tensor: expected a whole number from 0 to 2, got 3",
    ),
    "index": (
        set_step(GATHER, index=[0, 4]),
        r"step 4 \(gather\): index: expected a whole number from 0 to 3, got 4",
    ),
    "no index": (
        set_step(GATHER, index=[]),
        r"step 4 \(gather\): expected a value of 1 to 16777216 numbers, got 0",
    ),
    "groups that do not divide": (
        set_step(SUM, n=3),
        r"step 5 \(sum\): expected groups that divide the 4 numbers .*, got groups of 3",
    ),
    "nothing to join": (
        set_step(JOIN, xs=[]),
        r"step 6 \(concatenate\): expected a value of 1 to 16777216 numbers, got 0",
    ),
    "a value too large": (
        lambda document: document["steps"].extend(
            {"op": "concatenate", "xs": [number] * 256} for number in (0, 7, 8)
        ),
        r"step 9 \(concatenate\): expected a value of 1 to 16777216 numbers, got 50331648",
    ),
    "values too many": (
        lambda document: document["steps"].extend(
            {"op": "concatenate", "xs": [number] * 40} for number in (0, 7, 8, *[9] * 1000)
        ),
        r"step \d+ \(concatenate\): expected values of at most 67108864 numbers together",
    ),
    "a bound that is no number": (
        set_step(CLAMP, low="0"),
        r'step 3 \(clamp\): low: expected a number, got "0"',
    ),
    "a missing key": (
        lambda document: document["steps"][CLAMP].pop("low"),
        r"expected a native program, got text that does not read as one \(.*'low'",
    ),
    "too few results": (
        lambda document: document.update(results=[]),
        r"expected the 1 results \(outputs, new state\) of the specification, got \[\]",
    ),
    "result of another size": (
        lambda document: document.update(results=[SUM]),
        r"result 0: expected the 5 numbers of the specification, got 2",
    ),
    "result that is not there": (
        lambda document: document.update(results=[7]),
        r"result 0: expected a whole number from 0 to 6, got 7",
    ),
    "sizes that do not fit": (
        lambda document: document["steps"].append({"op": "add", "a": 0, "b": LINEAR}),
        r"step 7 \(add\): expected operands of one size, or of size 1, got 3 and 4",
    ),
    "exponent": (
        lambda document: document["steps"].append({"op": "power", "x": 0, "exponent": 65537}),
        r"step 7 \(power\): exponent: expected a whole number from 1 to 65536, got 65537",
    ),
}


def load(document: Document | bytes, program: Program, **more: Any) -> NativeClosure:
    """Load an archive for the native engine; `more` replaces its inputs and outputs."""
    fields = {"inputs": [profile("x0", 3)], "outputs": [profile("y0", 5)], **more}
    return NativeClosure.from_bytes(archive(document, program.weights, **fields), engine="native")


def test_the_program_is_right_before_it_is_damaged() -> None:
    program, result = network()
    closure = load(program.document([result]), program)
    found = evaluate(closure, [np.ones((2, 3), np.float32)], [5])[0]
    np.testing.assert_allclose(found[:, 2:], 1.0)


@pytest.mark.parametrize("case", REFUSED)
def test_programs_that_do_not_fit_are_refused(case: str) -> None:
    edit, message = REFUSED[case]
    program, result = network()
    document = program.document([result])
    edit(document)
    with pytest.raises(BridgeError, match=rf"native.json: {message}"):
        load(document, program)


@pytest.mark.parametrize("text", [b"", b"[", b"null", b"{}", b"\x00", b'{"format": 1}'])
def test_text_that_is_no_program_is_refused(text: bytes) -> None:
    with pytest.raises(BridgeError, match=r"expected a native program, got text .*export"):
        load(text, Program([3]))


def test_depth_and_length_have_bounds() -> None:
    with pytest.raises(BridgeError, match="expected at most 16 levels"):
        load(b"[" * 100, Program([3]))
    with pytest.raises(BridgeError, match=r"native.json: expected at most 4 MiB, got more"):
        load(b" " * (2**22 + 1), Program([3]))
    many = {**Program([3]).document([0]), "steps": [{"op": "input"}] * 65537}
    with pytest.raises(BridgeError, match="steps: expected a list of at most 65536, got array of"):
        load(many, Program([3]))


def test_another_type_than_that_of_the_field_is_refused() -> None:
    for dtype, other in (("float32", "float64"), ("float64", "float32")):
        program = Program([3], dtype)
        inputs, outputs = ([profile(f"{c}0", 3, d) for d in (dtype, other)] for c in "xy")
        message = (
            rf"step 0 \(input\): expected argument 0 in the {other} of the spec.*, got {dtype}"
        )
        with pytest.raises(BridgeError, match=message):
            load(program.document([0]), program, inputs=inputs[1:], outputs=outputs[:1])
        message = rf"result 0: expected the {other} of the specification, got {dtype}"
        with pytest.raises(BridgeError, match=message):
            load(program.document([0]), program, inputs=inputs[:1], outputs=outputs[1:])


IN_DOUBLE: dict[str, tuple[Callable[[Document], Any], str]] = {
    "a type that nobody knows": (
        set_tensor(0, dtype="float16"),
        r'tensor 0: expected dtype "float32" or "float64", got "float16"',
    ),
    "a type that is no text": (
        set_tensor(0, dtype=8),
        r'tensor 0: expected dtype "float32" or "float64", got 8',
    ),
    "a tensor without a type": (
        lambda document: document["tensors"][0].pop("dtype"),
        r"expected a native program, got text that does not read as one \(.*'dtype'",
    ),
    "an argument without a type": (
        lambda document: document["steps"][0].pop("dtype"),
        r"expected a native program, got text that does not read as one \(.*'dtype'",
    ),
    "a weight of another type": (
        set_tensor(0, dtype="float32"),
        r"step 1 \(linear\): expected operands of one type, got float32 and float64",
    ),
    "a bias of another type": (
        set_tensor(1, dtype="float32"),
        r"step 1 \(linear\): expected operands of one type, got float32 and float64",
    ),
    "values of two types that are joined": (
        set_step(CLAMP, op="float32"),
        r"step 6 \(concatenate\): expected operands of one type, got float32 and float64",
    ),
    "a tensor beyond the entry": (
        set_tensor(0, first=9),
        r"tensor 0: expected 12 numbers from number 9 on in entry 'extra/native.bin', got 11",
    ),
    "what there is of float32 alone": (
        set_step(CLAMP, op="gelu"),
        r"step 3 \(gelu\): expected an operand in float32, got float64",
    ),
}


@pytest.mark.parametrize("case", IN_DOUBLE)
def test_programs_in_float64_that_do_not_fit_are_refused(case: str) -> None:
    edit, message = IN_DOUBLE[case]
    program, result = network("float64")
    document = program.document([result])
    fields = {"inputs": [profile("x0", 3, "float64")], "outputs": [profile("y0", 5, "float64")]}
    load(document, program, **fields)
    edit(document)
    with pytest.raises(BridgeError, match=rf"native.json: {message}"):
        load(document, program, **fields)


def test_open_sizes_are_refused() -> None:
    program = Program([3])
    field = {"name": "x0", "units": "K", "dims": ["y", "x"], "shape": [None, None]}
    grid = {"spacing": [1.0, 1.0], "boundary": ["periodic", "periodic"], "halo_width": 0}
    fields = {"inputs": [field], "outputs": [{**field, "name": "y0"}]}
    with pytest.raises(BridgeError, match="x0: expected a fixed shape, got an open size"):
        load(program.document([0]), program, locality="grid", grid=grid, **fields)


def test_a_reason_that_the_manifest_gives_is_shown() -> None:
    reason = "forward uses aten.conv1d, which the native engine does not know"
    told = {**stub_archives.manifest(), "native": {"expressed": False, "reason": reason}}
    with pytest.raises(BridgeError, match=rf"got none \({reason}\); load it with engine 'torch"):
        NativeClosure.from_bytes(stub_archives.archive(told), engine="native")


def test_a_deflated_program_is_read_too() -> None:
    program, result = network()
    whole = archive(
        program.document([result]), program.weights, [profile("x0", 3)], [profile("y0", 5)]
    )
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        entries = [(name.split("/", 1)[1], file.read(name)) for name in file.namelist()[:-1]]
    deflated = stub_archives.zipped(stub_archives.with_hashes(entries), zipfile.ZIP_DEFLATED)
    x = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    first, second = (
        evaluate(NativeClosure.from_bytes(content, engine="native"), [x], [5])[0]
        for content in (whole, deflated)
    )
    np.testing.assert_array_equal(first, second)
