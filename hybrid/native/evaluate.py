"""What a native program computes, in NumPy: the judge of engines and of the programs themselves.

Every step rounds to the type of its value. Sums of `linear` and `sum` are NumPy's, whose order an
engine need not have; results agree to rounding.
"""

from collections.abc import Callable, Sequence
from functools import reduce, singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, expit

from hybrid.native.bf16 import LEAST_REDUCED, rounded_to_bf16
from hybrid.native.program import Program
from hybrid.native.steps import (
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

Array = NDArray[Any]

HALF, ONE = np.float32(0.5), np.float32(1.0)


def evaluate(
    program: Program, arguments: Sequence[NDArray[Any]], *, reduced: bool = False
) -> tuple[Array, ...]:
    """Run a program.

    Parameters
    ----------
    program
        The program.
    arguments
        Inputs, state and noise in order, each ``(n, ...)``.
    reduced
        Whether large matrices of float32 and what they are multiplied by are rounded to bf16; sums
        and all else stay as they are.

    Returns
    -------
    tuple of ndarray
        Outputs and new state, each ``(n, size)`` of its type.
    """
    given = [np.asarray(a).reshape(len(a), -1) for a in arguments]
    program.check_fits([a.shape[1] for a in given], [program.sizes[r] for r in program.results])
    # A program that reads no argument has one column.
    n = len(given[0]) if given else 1
    values: list[Array] = []
    with np.errstate(all="ignore"):
        for step, dtype in zip(program.steps, program.types, strict=True):
            if isinstance(step, Input):
                values.append(given[step.argument].astype(dtype, copy=False))
                continue
            read = [values[i] for i in step.operands()]
            read += [program.tensors[i] for i in step.tensors()]
            if reduced and _is_reduced(step, dtype, read):
                read[:2] = map(rounded_to_bf16, read[:2])
            values.append(np.asarray(_value(step, *read), dtype))
    return tuple(np.broadcast_to(values[r], (n, program.sizes[r])) for r in program.results)


def _is_reduced(step: Step, dtype: str, read: Sequence[Array]) -> bool:
    return isinstance(step, Linear) and dtype == "float32" and read[1].size >= LEAST_REDUCED


@singledispatch
def _value(step: Step, *read: Array) -> Any:
    """Return the value of a step, given the values and tensors that it reads."""
    raise NotImplementedError(f"{step.op} of {len(read)}")


@_value.register
def _(_step: Constant, tensor: Array) -> Any:
    return tensor.reshape(1, -1)


@_value.register
def _(_step: Linear, x: Array, weight: Array, bias: Array | float = 0.0) -> Any:
    return x @ weight.T + bias


@_value.register
def _(step: Unary, x: Array) -> Any:
    return _UNARY[step.op](x)


@_value.register
def _(_step: Cast, x: Array) -> Any:
    return x


@_value.register
def _(step: LeakyRelu, x: Array) -> Any:
    return np.where(x < 0, x * x.dtype.type(step.slope), x)


@_value.register
def _(step: Elu, x: Array) -> Any:
    return np.where(x > 0, x, x.dtype.type(step.alpha) * np.expm1(x))


@_value.register
def _(step: Clamp, x: Array) -> Any:
    low = -np.inf if step.low is None else step.low
    high = np.inf if step.high is None else step.high
    return np.minimum(np.maximum(x, x.dtype.type(low)), x.dtype.type(high))


@_value.register
def _(step: Power, x: Array) -> Any:
    return reduce(np.multiply, [x] * step.exponent)


@_value.register
def _(step: Binary, a: Array, b: Array) -> Any:
    return _BINARY[step.op](a, b)


@_value.register
def _(_step: Select, condition: Array, a: Array, b: Array) -> Any:
    return np.where(condition != 0, a, b)


@_value.register
def _(step: Gather, x: Array) -> Any:
    return x[:, list(step.index)]


@_value.register
def _(_step: Concatenate, *parts: Array) -> Any:
    n = max(len(part) for part in parts)
    return np.concatenate([np.broadcast_to(part, (n, part.shape[1])) for part in parts], axis=1)


@_value.register
def _(step: LayerNorm, x: Array, *tensors: Array) -> Any:
    groups = x.reshape(len(x), -1, step.n)
    centred = groups - groups.mean(axis=2, keepdims=True)
    variance = np.square(centred).mean(axis=2, keepdims=True)
    result = centred / np.sqrt(variance + x.dtype.type(step.eps))
    if step.weight is not None:
        result = result * tensors[0]
    if step.bias is not None:
        result = result + tensors[-1]
    return result.reshape(x.shape)


@_value.register
def _(step: Sum, x: Array) -> Any:
    return x.reshape(len(x), -1, step.n).sum(axis=2)


def _gelu(x: Array) -> Any:
    return HALF * x * (ONE + erf(x * np.float32(2**-0.5)))


def _gelu_tanh(x: Array) -> Any:
    number = x.dtype.type
    inner = number((2 / np.pi) ** 0.5) * (x + number(0.044715) * x * x * x)
    return HALF * x * (ONE + np.tanh(inner))


_UNARY: dict[str, Callable[[Array], Any]] = {
    "relu": lambda x: np.maximum(x, np.float32(0.0)),
    "sigmoid": expit,
    "silu": lambda x: x * expit(x),
    "tanh": np.tanh,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "negative": np.negative,
    "absolute": np.abs,
    "reciprocal": np.reciprocal,
    "square": np.square,
}

_BINARY: dict[str, Callable[[Array, Array], Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "less": np.less,
    "less_equal": np.less_equal,
    "equal": np.equal,
}
