"""The native engine computes of any program what NumPy computes of it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from native_programs import programs
from numpy.typing import NDArray
from torch import Tensor

from closures import Closure, ClosureSpec, Field
from closures.field import DType
from fortran_bridge.binding import Binding
from fortran_bridge.native_closure import NativeClosure
from hybrid.archive import Reference, manifest_text, reference_bytes, sealed
from hybrid.native.evaluate import evaluate
from hybrid.native.program import Program
from hybrid.native.program_file import program_entries
from hybrid.native.steps import Input, LayerNorm, Sum
from hybrid.torchscript import compiled

N_FEATURE = 4
BATCHES = (1, 5, 33)
"""Numbers of columns: one, fewer than a vector has lanes, and more than several have."""


class _Nothing(Closure):
    """What TorchScript has in these archives; the native engine does not run it."""

    def forward(self, x0: Tensor, x1: Tensor) -> tuple[Tensor, Tensor]:
        return (x0, x1)


def _spec(sizes: tuple[int, ...], dtype: DType = "float32", *types: DType) -> ClosureSpec:
    inputs = tuple(Field(f"x{i}", "1", ("k",), (N_FEATURE,), dtype) for i in range(2))
    outputs = tuple(
        Field(f"y{i}", "1", ("k",), (size,), of)
        for i, (size, of) in enumerate(zip(sizes, types or [dtype] * len(sizes), strict=True))
    )
    return ClosureSpec("random", "1", inputs, outputs)


@pytest.fixture(scope="module")
def torchscript() -> bytes:
    return compiled(_Nothing(_spec((1, 1))))


def _archive(program: Program, torchscript: bytes) -> bytes:
    sizes = tuple(program.sizes[r] for r in program.results)
    dtype: DType = "float64" if program.types[0] == "float64" else "float32"
    types: list[Any] = [program.types[r] for r in program.results]
    spec = _spec(sizes, dtype, *types)
    manifest = manifest_text(spec, "torchscript")
    nothing = reference_bytes(Reference({}, {}))
    return sealed(torchscript, manifest, nothing, program_entries(program, {}))


def _run(closure: NativeClosure, arrays: dict[str, NDArray[Any]], n: int) -> None:
    binding = Binding(closure, n)
    for name, array in arrays.items():
        binding.bind(name, array, dims="column,k", units="1")
    binding.run(0)
    binding.free()


@given(programs())
@settings(max_examples=40, deadline=None)
def test_the_engine_computes_what_the_judge_computes(torchscript: bytes, program: Program) -> None:
    _compare(torchscript, program)


# The sum of what has mean 0: nothing but rounding is left.
CANCELLING = Program(
    (
        Input("input", argument=0, size=N_FEATURE, dtype="float64"),
        LayerNorm("layer_norm", x=0, n=N_FEATURE, weight=None, bias=None, eps=1e-5),
        Sum("sum", x=1, n=N_FEATURE),
    ),
    (),
    (2,),
)


@given(programs("float64"))
@example(CANCELLING)
@settings(max_examples=40, deadline=None)
def test_the_same_in_float64_with_casts(torchscript: bytes, program: Program) -> None:
    _compare(torchscript, program)


def _compare(torchscript: bytes, program: Program) -> None:
    generator = torch.Generator().manual_seed(0)
    shape = (2, max(BATCHES), N_FEATURE)
    x = 3.0 * torch.randn(shape, generator=generator, dtype=torch.float64).numpy()
    x = x.astype(program.types[0])
    expected = evaluate(program, [x[0], x[1]])
    # The guard stops a run whose results are not finite.
    assume(all(np.isfinite(values).all() for values in expected))
    scales = _scales(program, [x[0], x[1]])
    closure = NativeClosure.from_bytes(_archive(program, torchscript), engine="native")
    for n in BATCHES:
        found = {f"y{i}": np.empty((n, e.shape[1]), e.dtype) for i, e in enumerate(expected)}
        _run(closure, {"x0": x[0, :n].copy(), "x1": x[1, :n].copy(), **found}, n)
        for array, values, scale in zip(found.values(), expected, scales, strict=True):
            bound = 1e-12 if set(program.types) == {"float64"} else 1e-5
            np.testing.assert_allclose(array, values[:n], rtol=bound, atol=bound * scale)


def _scales(program: Program, arguments: list[NDArray[Any]]) -> list[float]:
    """Return the largest of each result and of all that it is computed from.

    What is left when large numbers cancel is their rounding, for the engine and for the judge.
    """
    every = evaluate(replace(program, results=tuple(range(len(program.steps)))), arguments)
    reached: list[float] = []
    for step, values in zip(program.steps, every, strict=True):
        finite = np.abs(values[np.isfinite(values)].astype(np.float64))
        before = [reached[i] for i in step.operands()]
        reached.append(max([float(finite.max(initial=0.0)), *before]))
    return [reached[i] for i in program.results]
