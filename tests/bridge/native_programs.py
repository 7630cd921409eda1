"""Native programs written by hand, and archives that hold them, made without torch."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from bridge.archives import MANIFEST, read_entries, write_entries
from bridge.stub_archives import field as manifest_field
from bridge.stub_archives import manifest, with_hashes, zipped
from numpy.typing import ArrayLike, NDArray

from fortran_bridge.binding import Binding
from fortran_bridge.native_closure import NativeClosure

PROGRAM = "extra/native.json"
WEIGHTS = "extra/native.bin"


@dataclass
class Program:
    """A program under construction; its methods return numbers of values.

    Parameters
    ----------
    inputs
        Elements of each argument.
    dtype
        Type of arguments and constants.
    """

    inputs: Sequence[int]
    dtype: str = "float32"
    steps: list[dict[str, Any]] = field(default_factory=list)
    tensors: list[dict[str, Any]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    weights: bytes = b""

    def __post_init__(self) -> None:
        for number, size in enumerate(self.inputs):
            self.add("input", size, argument=number, size=size)

    def add(self, op: str, n_element: int, /, **keys: Any) -> int:
        """Add a step whose value has `n_element` elements."""
        self.steps.append({"op": op, **keys})
        self.sizes.append(n_element)
        operand = keys.get("x", keys.get("a", keys.get("xs", [None])[0]))
        read = self.dtype if operand is None else self.types[operand]
        self.types.append(op if op in {"float32", "float64"} else read)
        return len(self.steps) - 1

    def tensor(self, values: ArrayLike, *, transposed: bool = False) -> int:
        """Keep an array, or a matrix by its columns; return its number."""
        array = np.asarray(values, dtype=f"<f{np.dtype(self.dtype).itemsize}")
        first = len(self.weights) // array.itemsize
        self.tensors.append({"entry": WEIGHTS, "first": first, "shape": list(array.shape)})
        if transposed:
            self.tensors[-1]["transposed"] = True
        self.weights += (array.T if transposed else array).tobytes()
        return len(self.tensors) - 1

    def constant(self, values: ArrayLike) -> int:
        """Add a constant."""
        return self.add("constant", np.asarray(values).size, tensor=self.tensor(values))

    def linear(self, x: int, weight: ArrayLike, bias: ArrayLike | None = None) -> int:
        """Add W x + b."""
        numbers = self.tensor(weight), None if bias is None else self.tensor(bias)
        n_out = np.asarray(weight).shape[0]
        return self.add("linear", n_out, x=x, weight=numbers[0], bias=numbers[1])

    def unary(self, op: str, x: int, **keys: Any) -> int:
        """Add an operation on each element."""
        return self.add(op, self.sizes[x], x=x, **keys)

    def binary(self, op: str, a: int, b: int) -> int:
        """Add an operation on each pair of elements."""
        return self.add(op, max(self.sizes[a], self.sizes[b]), a=a, b=b)

    def gather(self, x: int, index: Iterable[int]) -> int:
        """Add a choice of elements."""
        chosen = list(index)
        return self.add("gather", len(chosen), x=x, index=chosen)

    def concatenate(self, *xs: int) -> int:
        """Put values one behind the other."""
        return self.add("concatenate", sum(self.sizes[x] for x in xs), xs=list(xs))

    def document(self, results: Sequence[int]) -> dict[str, Any]:
        """Return the content of ``native.json``."""
        tensors, steps = self.tensors, self.steps
        is_third = "float64" in self.types
        is_second = any("transposed" in tensor for tensor in tensors)
        if is_second or is_third:
            tensors = [{"transposed": False, **tensor} for tensor in tensors]
        if is_third:
            tensors = [{"dtype": self.dtype, **tensor} for tensor in tensors]
            dtype = {"dtype": self.dtype}
            steps = [{**step, **(dtype if step["op"] == "input" else {})} for step in steps]
        return {
            "format": {"major": 3 if is_third else 2 if is_second else 1, "minor": 0},
            "tensors": tensors,
            "steps": steps,
            "results": list(results),
        }

    def archive(self, *results: int) -> bytes:
        """Return an archive with fields ``x0``, ``x1``, ... and ``y0``, ``y1``, ..."""
        return archive(self.document(results), self.weights, *self.fields(results))

    def fields(self, results: Sequence[int]) -> tuple[list[Any], list[Any]]:
        """Return inputs and outputs of a manifest."""
        inputs = [profile(f"x{i}", size, self.dtype) for i, size in enumerate(self.inputs)]
        outputs = [
            profile(f"y{i}", self.sizes[value], self.types[value])
            for i, value in enumerate(results)
        ]
        return inputs, outputs


def profile(name: str, size: int, dtype: str = "float32") -> dict[str, Any]:
    """Return a field of `size` elements; all of them have one axis, called level."""
    return manifest_field(name, (size,), **({} if dtype == "float32" else {"dtype": dtype}))


def archive(
    document: Mapping[str, Any] | bytes,
    weights: bytes,
    inputs: Iterable[Mapping[str, Any]],
    outputs: Iterable[Mapping[str, Any]],
    **more: Any,
) -> bytes:
    """Return a sealed archive; `more` adds keys to its specification."""
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    text = json.dumps(manifest(inputs, outputs, **more)).encode()
    entries = [("data.pkl", b"stub"), (MANIFEST, text), (PROGRAM, content), (WEIGHTS, weights)]
    return zipped(with_hashes(entries))


def evaluate(
    closure: NativeClosure,
    arguments: Sequence[NDArray[np.float32]],
    sizes: Sequence[int],
    policy: str = "flag",
) -> list[NDArray[np.float32]]:
    """Return outputs of these sizes for arguments of shape ``(n, size)``, as one batch."""
    n = len(arguments[0])
    binding = Binding(closure, n, policy=policy)
    results = [np.full((n, size), np.float32(7e7)) for size in sizes]
    for letter, arrays in (("x", arguments), ("y", results)):
        for i, array in enumerate(arrays):
            binding.bind(f"{letter}{i}", array, dims="column,level", units="K")
    binding.run(1)
    return results


def with_program(source: Path, target: Path, program: Program, *results: int) -> Path:
    """Copy an archive and give it a program."""
    entries = read_entries(source)
    entries[PROGRAM] = json.dumps(program.document(results)).encode()
    entries[WEIGHTS] = program.weights
    return write_entries(target, entries, seal=True)
