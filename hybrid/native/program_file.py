"""Native programs as the entries ``native.json`` and ``native.bin`` of an archive.

A tensor names the entry of TorchScript that holds the same numbers, as a part of it or transposed
too: the weights of an ensemble's members are parts of one entry. Only what no entry holds, such as
a weight in another order, goes to ``native.bin``.
"""

import json
import math
import types
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from hybrid.native.errors import ProgramError
from hybrid.native.program import Array, Program
from hybrid.native.steps import STEPS, TYPES, Step
from hybrid.native.stored_blocks import blocks_of, digest

TEXT = "extra/native.json"
BINARY = "extra/native.bin"
FIRST_FORMAT, TRANSPOSED_FORMAT, LAST_FORMAT = 1, 2, 3
"""Formats that are read: the second has transposed tensors too, the third values in float64. A
program is written as the first that has what it needs."""
LARGEST_TEXT = 2**22
"""Bytes of ``native.json``."""
LARGEST_TENSOR = 2**40
"""Elements of a tensor: beyond any file, so that products of sizes stay numbers of 64 bits."""


def program_entries(program: Program, entries: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the entries that an archive gets for a program.

    Parameters
    ----------
    program
        The program.
    entries
        What the archive holds already: name to bytes; those below ``data/`` are storages.

    Raises
    ------
    ProgramError
        If the text would be larger than a reader takes.
    """
    storages = {name: content for name, content in entries.items() if name.startswith("data/")}
    known = blocks_of(storages, {tensor.nbytes for tensor in program.tensors})
    tensors: list[dict[str, Any]] = []
    rest = bytearray()
    for tensor in program.tensors:
        kept = _kept(tensor, known)
        if kept is None:
            rest += bytes(-len(rest) % tensor.itemsize)
            kept = {"entry": BINARY, "first": len(rest) // tensor.itemsize, "transposed": False}
            rest += _content(tensor)
        tensors.append({**kept, "dtype": tensor.dtype.name, "shape": list(tensor.shape)})
    major = _needed_format(program, any(tensor["transposed"] for tensor in tensors))
    text = json.dumps(
        {
            "format": {"major": major, "minor": 0},
            "tensors": [_keys_of(major, tensor) for tensor in tensors],
            "steps": [_keys_of(major, asdict(step)) for step in program.steps],
            "results": list(program.results),
        },
        allow_nan=False,
        separators=(",", ":"),
    ).encode()
    if len(text) > LARGEST_TEXT:
        raise ProgramError(f"its program has {len(text)} bytes, more than {LARGEST_TEXT}")
    return {TEXT: text, **({BINARY: bytes(rest)} if rest else {})}


def program_of(entries: Mapping[str, bytes]) -> Program | None:
    """Read the program from the entries of an archive; None if there is none.

    Raises
    ------
    ProgramError
        If it does not read as one.
    """
    text = entries.get(TEXT)
    if text is None:
        return None
    if len(text) > LARGEST_TEXT:
        raise ProgramError(
            f"native.json: expected at most {LARGEST_TEXT} bytes, got {len(text)}; export again"
        )
    try:
        data = json.loads(text.decode())
        major = _checked_format(data["format"]["major"], data["format"]["minor"])
        return Program(
            steps=tuple(_step(i, step, major) for i, step in enumerate(data["steps"])),
            tensors=tuple(_tensor(i, t, entries, major) for i, t in enumerate(data["tensors"])),
            results=_value("results", data["results"], tuple[int, ...]),
        )
    except ProgramError:
        raise
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as error:
        raise ProgramError(
            f"native.json: expected a native program, but it does not read as one ({error!r}); "
            "export the closure again"
        ) from error


def _needed_format(program: Program, has_transposed: bool) -> int:
    if "float64" in program.types:
        return LAST_FORMAT
    return TRANSPOSED_FORMAT if has_transposed else FIRST_FORMAT


def _keys_of(major: int, made: dict[str, Any]) -> dict[str, Any]:
    """Return what of a tensor or a step there is in a format."""
    later = {"transposed"} if major < TRANSPOSED_FORMAT else set()
    later |= {"dtype"} if major < LAST_FORMAT else set()
    return {key: value for key, value in made.items() if key not in later}


def _little_endian(tensor: Array) -> str:
    return f"<f{tensor.itemsize}"


def _content(tensor: Array) -> bytes:
    return tensor.astype(_little_endian(tensor), copy=False).tobytes()


def _kept(tensor: Array, known: Mapping[bytes, tuple[str, int]]) -> dict[str, Any] | None:
    """Return where an entry holds a tensor, or its transpose; None if none does."""
    for is_transposed in (False, True)[: tensor.ndim]:
        place = known.get(digest(_content(tensor.T if is_transposed else tensor)))
        if place is not None:
            entry, first = place[0], place[1] // tensor.itemsize
            return {"entry": entry, "first": first, "transposed": is_transposed}
    return None


def _checked_format(major: Any, minor: Any) -> int:
    if type(major) is not int or not FIRST_FORMAT <= major <= LAST_FORMAT:
        raise ProgramError(
            f"native.json: expected format {FIRST_FORMAT}.x to {LAST_FORMAT}.x, got "
            f"{major}.{minor}; install a hybrid-closures that reads it, or export the closure again"
        )
    return major


def _tensor(number: int, data: Any, entries: Mapping[str, bytes], major: int) -> Array:
    what = f"tensor {number}"
    keys = list(_keys_of(major, dict.fromkeys(("entry", "first", "shape", "transposed", "dtype"))))
    if not isinstance(data, dict) or set(data) != set(keys):
        raise ProgramError(f"{what}: expected keys {', '.join(keys)}, got {data!r:.80}")
    shape: tuple[int, ...] = _value(f"{what}: shape", data["shape"], tuple[int, ...])
    first: int = _value(f"{what}: first", data["first"], int)
    content = entries.get(data["entry"])
    if content is None:
        raise ProgramError(f"{what}: expected an entry of the archive, got {data['entry']!r:.80}")
    dtype = data.get("dtype", TYPES[0])
    if dtype not in TYPES:
        raise ProgramError(f"{what}: expected a dtype of {' or '.join(TYPES)}, got {dtype!r:.80}")
    item = np.dtype(dtype).itemsize
    count = math.prod(shape) if shape and min(shape) >= 1 else 0
    stop = (first + count) * item
    if not 1 <= count <= LARGEST_TENSOR or first < 0 or stop > len(content):
        raise ProgramError(
            f"{what}: expected at least one element within the {len(content) // item} of "
            f"{data['entry']}, got shape {list(shape)} from {first}"
        )
    values = np.frombuffer(content[first * item : stop], dtype=f"<f{item}")
    is_transposed = data.get("transposed", False)
    if is_transposed is True and len(shape) == 2:
        return values.reshape(shape[::-1]).T
    if is_transposed is not False:
        raise ProgramError(
            f"{what}: expected transposed to be false, or true of a matrix, got "
            f"{is_transposed!r:.80} of shape {list(shape)}"
        )
    return values.reshape(shape)


def _step(number: int, data: Any, major: int) -> Step:
    what = f"step {number}"
    op = data.get("op") if isinstance(data, dict) else None
    if not isinstance(op, str) or op not in STEPS or (op in TYPES and major < LAST_FORMAT):
        raise ProgramError(
            f"{what}: expected an op of {', '.join(STEPS)} in format {major}, got {op!r:.80}; "
            "install a hybrid-closures that knows it, or export the closure again"
        )
    kind = STEPS[op]
    names = list(_keys_of(major, dict.fromkeys(field.name for field in fields(kind))))
    if set(data) != set(names):
        raise ProgramError(
            f"{what} ({op}): expected keys {', '.join(names)}, got {', '.join(map(str, data))}"
        )
    hints = get_type_hints(kind)
    return kind(
        **{name: _value(f"{what} ({op}): {name}", data[name], hints[name]) for name in data}
    )


def _value(what: str, value: Any, hint: Any) -> Any:
    """Return a value of JSON as the annotation `hint` wants it."""
    if get_origin(hint) in {Union, types.UnionType}:
        if value is None:
            return None
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ProgramError(f"{what}: expected a list of whole numbers, got {value!r:.80}")
        return tuple(_value(what, item, int) for item in value)
    # JSON's true is a number in Python.
    is_number = type(value) is int or (hint is float and type(value) is float)
    if hint is not str and not (is_number and math.isfinite(value)):
        kind = "a whole number" if hint is int else "a finite number"
        raise ProgramError(f"{what}: expected {kind}, got {value!r:.80}")
    return value if hint is str else hint(value)
