"""Closures as native programs, without an archive around them, and programs of any steps."""

import io
import zipfile
from collections.abc import Callable

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from closures import Closure
from closures.sampling import random_inputs
from hybrid.archive import Reference
from hybrid.native.program import Program
from hybrid.native.steps import (
    BINARY,
    FLOAT32_ALONE,
    TYPES,
    UNARY,
    Binary,
    Cast,
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
from hybrid.native.writing import NativePart, express, native_part

N_COLUMN = 64
W = np.arange(12, dtype=np.float32).reshape(3, 4) - 5.0
B = np.array([1.0, -1.0, 0.5], np.float32)


class Function(nn.Module):
    """A module around a function of one tensor ``(n, 4, 3)`` or of several."""

    def __init__(self, function: Callable[..., Tensor | tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        result = self.function(*tensors)
        return result if isinstance(result, tuple) else (result,)


def reference_of(closure: Closure, seed: int = 0) -> Reference:
    """Return random columns and what the closure makes of them."""
    spec = closure.spec
    arguments = random_inputs(spec, N_COLUMN, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        results = closure.eval()(*arguments)
    return Reference(
        {field.name: t.numpy() for field, t in zip(spec.arguments, arguments, strict=True)},
        {N_COLUMN: {field.name: t.numpy() for field, t in zip(spec.results, results, strict=True)}},
    )


def part_of(closure: Closure) -> NativePart:
    """Return what the archive of a closure would get for the native engine."""
    no_storage = io.BytesIO()
    zipfile.ZipFile(no_storage, "w").close()
    return native_part(closure, closure.spec, no_storage.getvalue(), reference_of(closure))


def program_of_closure(closure: Closure) -> Program:
    """Return the program of a closure."""
    return express(closure, closure.spec, reference_of(closure))


def beginning(dtype: str = "float32") -> list[Step]:
    """Return the steps x, y and x < y of four features each."""
    return [Input("input", 0, 4, dtype), Input("input", 1, 4, dtype), Binary("less", 0, 1)]


@st.composite
def programs(draw: st.DrawFn, dtype: str = "float32") -> Program:
    """Return programs whose steps read any values that fit; of float64 with casts on the way."""
    steps, sizes, types = list(beginning(dtype)), [4, 4, 4], [dtype] * 3
    tensors = [np.asarray(tensor, dtype) for tensor in (W, B)]
    number = st.floats(-4.0, 4.0, width=32)
    for _ in range(draw(st.integers(0, 8))):
        x = draw(st.integers(0, len(steps) - 1))
        like = [i for i, size in enumerate(sizes) if size in {1, sizes[x]} and types[i] == types[x]]
        y = draw(st.sampled_from(like))
        index = draw(st.lists(st.integers(0, sizes[x] - 1), min_size=1, max_size=6))
        optional = st.one_of(st.none(), number)
        known = [op for op in UNARY if types[x] == "float32" or op not in FLOAT32_ALONE]
        casts: list[Step] = [Cast(draw(st.sampled_from(TYPES)), x)] if dtype == "float64" else []
        step = draw(
            st.sampled_from(
                [
                    Unary(draw(st.sampled_from(known)), x),
                    Binary(draw(st.sampled_from(BINARY)), x, y),
                    Select("select", y, x, x),
                    Gather("gather", x, tuple(index)),
                    Concatenate("concatenate", (x, y)),
                    Sum("sum", x, sizes[x]),
                    LeakyRelu("leaky_relu", x, draw(number)),
                    Elu("elu", x, draw(number)),
                    Clamp("clamp", x, draw(optional), draw(optional)),
                    Power("power", x, draw(st.integers(1, 5))),
                    LayerNorm("layer_norm", x, sizes[x], None, None, 1e-5),
                    Linear("linear", 0, 0, draw(st.sampled_from([1, None]))),
                    Constant("constant", 1),
                    *casts,
                ]
            )
        )
        steps.append(step)
        sizes.append(step.value_size(sizes, [W.shape, B.shape]))
        types.append(step.value_type(types, [dtype] * 2))
    results = draw(st.lists(st.integers(0, len(steps) - 1), min_size=1, max_size=3))
    return Program(tuple(steps), tuple(tensors), tuple(results))
