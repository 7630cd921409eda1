"""Elementwise operations of torch as steps."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from hybrid.native.errors import NotExpressedError
from hybrid.native.lowering import Lowering, Operand, Tracked
from hybrid.native.steps import (
    BINARY,
    FLOAT32_ALONE,
    Clamp,
    Elu,
    LeakyRelu,
    Power,
    Select,
    Step,
    Unary,
)

Rule = Callable[..., Tracked]
"""From a `Lowering` and what torch was called with, followed tensors replaced, to its result."""


def binary(low: Lowering, op: str, a: Operand, b: Operand) -> Operand:
    """Return an elementwise function of two operands; of two constants, by torch."""
    if not (isinstance(a, Tracked) or isinstance(b, Tracked)):
        return _of_constants(op, a, b)
    order = low.common_order([a, b])
    value = low.builder.binary(op, low.broadcast(a, order), low.broadcast(b, order))
    return low.tracked(value, order)


def unary(low: Lowering, step: Callable[[int], Step], x: Tracked) -> Tracked:
    """Return an elementwise function of one operand; `step` makes it from a value."""
    order = low.order(x)
    return low.tracked(low.builder.add(step(low.broadcast(x, order))), order)


def named(op: str) -> Rule:
    """Return the rule of an operation that has a step of its own."""

    def rule(low: Lowering, *operands: Operand) -> Any:
        if op in BINARY:
            return binary(low, op, *operands)
        (x,) = operands
        assert isinstance(x, Tracked)
        return unary(low, lambda value: Unary(op, value), x)

    return rule


def reversed_named(op: str) -> Rule:
    """Return the rule of an operation whose step takes its operands in the other order."""
    return lambda low, a, b: binary(low, op, b, a)  # type: ignore[return-value]


def _of_constants(op: str, a: Tensor | float, b: Tensor | float) -> Tensor:
    x, y = torch.as_tensor(a), torch.as_tensor(b)
    result: Tensor = _TORCH[op](x, y)
    return result


_TORCH: dict[str, Any] = {"multiply": torch.mul, "divide": torch.div}


def _add(low: Lowering, a: Operand, b: Operand, alpha: float = 1) -> Any:
    return binary(low, "add", a, b if alpha == 1 else binary(low, "multiply", b, alpha))


def _sub(low: Lowering, a: Operand, b: Operand, alpha: float = 1) -> Any:
    return binary(low, "subtract", a, b if alpha == 1 else binary(low, "multiply", b, alpha))


def _rsub(low: Lowering, a: Operand, b: Operand, alpha: float = 1) -> Any:
    return _sub(low, b, a, alpha)


def _div(low: Lowering, a: Operand, b: Operand, rounding_mode: str | None = None) -> Any:
    if rounding_mode is not None:
        raise NotExpressedError("forward rounds quotients to whole numbers")
    return binary(low, "divide", a, b)


def _addcmul(low: Lowering, x: Operand, a: Operand, b: Operand, value: float = 1) -> Any:
    return _add(low, x, binary(low, "multiply", a, b), value)


def _addcdiv(low: Lowering, x: Operand, a: Operand, b: Operand, value: float = 1) -> Any:
    return _add(low, x, binary(low, "divide", a, b), value)


def _ne(low: Lowering, a: Operand, b: Operand) -> Any:
    return binary(low, "subtract", 1.0, binary(low, "equal", a, b))


def _not(low: Lowering, a: Operand) -> Any:
    return binary(low, "subtract", 1.0, a)


def _rsqrt(low: Lowering, x: Tracked) -> Tracked:
    return named("reciprocal")(low, named("sqrt")(low, x))


def _pow(low: Lowering, x: Operand, exponent: Operand) -> Tracked:
    if not isinstance(x, Tracked) or isinstance(exponent, Tracked | Tensor):
        raise NotExpressedError("forward has a power whose exponent is no number")
    if exponent < 0:
        return named("reciprocal")(low, _pow(low, x, -exponent))
    if exponent == 0.5:
        return named("sqrt")(low, x)
    if exponent == 1:
        return x
    if exponent == 2:
        return named("square")(low, x)
    if exponent != int(exponent):
        return _real_power(low, x, exponent)
    if exponent == 0:
        raise NotExpressedError("forward has a power 0, which is the same for all columns")
    whole = int(exponent)
    return unary(low, lambda value: Power("power", value, whole), x)


def _real_power(low: Lowering, x: Tracked, exponent: float) -> Tracked:
    # exp(e log x), in float64, in which a result in float32 loses nothing.
    with low.computing_in("float64"):
        logarithm = named("log")(low, x)
        made = named("exp")(low, binary(low, "multiply", logarithm, exponent))
    return low.cast(made)


def _leaky_relu(low: Lowering, x: Tracked, negative_slope: float = 0.01) -> Tracked:
    return unary(low, lambda value: LeakyRelu("leaky_relu", value, float(negative_slope)), x)


def _elu(
    low: Lowering, x: Tracked, alpha: float = 1, scale: float = 1, input_scale: float = 1
) -> Any:
    if input_scale != 1:
        raise NotExpressedError("forward has an ELU with a scaled argument")
    result = unary(low, lambda value: Elu("elu", value, float(alpha)), x)
    return result if scale == 1 else binary(low, "multiply", result, scale)


def _gelu(low: Lowering, x: Tracked, approximate: str = "none") -> Tracked:
    op = "gelu" if approximate == "none" else "gelu_tanh"
    if op in FLOAT32_ALONE and low.precision != "float32":
        raise NotExpressedError(
            f"forward computes {op} in {low.precision}, the native engine in float32 alone"
        )
    return named(op)(low, x)


def clamp(
    low: Lowering, x: Tracked, low_: Operand | None = None, high: Operand | None = None
) -> Any:
    """Return x between two limits: numbers, tensors or None."""
    limits = [low_, high]
    numbers = [None if isinstance(m, Tracked | Tensor) else m for m in limits]
    finite = [None if m is None or not math.isfinite(m) else float(m) for m in numbers]
    result: Any = x
    if any(m is not None for m in finite):
        result = unary(low, lambda value: Clamp("clamp", value, *finite), x)
    for op, limit, done in zip(("maximum", "minimum"), limits, finite, strict=True):
        if limit is not None and done is None:
            result = binary(low, op, result, limit)
    return result


def _hardsigmoid(low: Lowering, x: Tracked) -> Any:
    return binary(low, "divide", clamp(low, _add(low, x, 3.0), 0.0, 6.0), 6.0)


def _hardswish(low: Lowering, x: Tracked) -> Any:
    return binary(low, "multiply", x, _hardsigmoid(low, x))


def _softplus(low: Lowering, x: Tracked, beta: float = 1, threshold: float = 20) -> Any:
    # log(1 + exp(y)) without overflow; beyond the threshold torch returns x, as this does to
    # rounding.
    y = x if beta == 1 else binary(low, "multiply", x, beta)
    if threshold < 16:
        raise NotExpressedError(f"forward has a softplus that is cut off at {threshold:g}")
    decay = named("exp")(low, named("negative")(low, named("absolute")(low, y)))
    tail = named("log")(low, _add(low, decay, 1.0))
    result = _add(low, named("relu")(low, y), tail)
    return result if beta == 1 else binary(low, "divide", result, beta)


def _prelu(low: Lowering, x: Operand, weight: Operand) -> Any:
    return where(low, binary(low, "less", 0.0, x), x, binary(low, "multiply", x, weight))


def where(low: Lowering, condition: Operand, a: Operand, b: Operand) -> Tracked:
    """Return elements of `a` where the condition holds, of `b` elsewhere."""
    operands = [condition, a, b]
    order = low.common_order(operands)
    build = low.builder
    if isinstance(condition, Tracked):
        values = [low.broadcast(operand, order) for operand in operands]
        return low.tracked(build.add(Select("select", *values)), order)
    chosen = low.row(condition, order) != 0
    if chosen.all() or not chosen.any():
        return low.tracked(low.broadcast(a if chosen.all() else b, order), order)
    first, second = low.broadcast(a, order), low.broadcast(b, order)
    n = build.sizes[first]
    feature = torch.arange(len(chosen)).numpy()
    index = [feature if build.sizes[v] > 1 else 0 * feature for v in (first, second)]
    picked = index[0] * chosen + (index[1] + n) * ~chosen
    return low.tracked(build.gather(build.concatenate([first, second]), picked), order)


def _masked_fill(low: Lowering, x: Operand, mask: Operand, value: Operand) -> Tracked:
    return where(low, mask, value, x)


RULES: dict[str, Rule] = {
    "add": _add,
    "sub": _sub,
    "rsub": _rsub,
    "mul": named("multiply"),
    "div": _div,
    "maximum": named("maximum"),
    "minimum": named("minimum"),
    "lt": named("less"),
    "le": named("less_equal"),
    "gt": reversed_named("less"),
    "ge": reversed_named("less_equal"),
    "eq": named("equal"),
    "ne": _ne,
    "logical_and": named("multiply"),
    "bitwise_and": named("multiply"),
    "logical_or": named("maximum"),
    "bitwise_or": named("maximum"),
    "logical_not": _not,
    "bitwise_not": _not,
    "addcmul": _addcmul,
    "addcdiv": _addcdiv,
    "relu": named("relu"),
    "sigmoid": named("sigmoid"),
    "silu": named("silu"),
    "tanh": named("tanh"),
    "exp": named("exp"),
    "log": named("log"),
    "sqrt": named("sqrt"),
    "rsqrt": _rsqrt,
    "neg": named("negative"),
    "abs": named("absolute"),
    "reciprocal": named("reciprocal"),
    "pow": _pow,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "gelu": _gelu,
    "clamp": clamp,
    "clamp_min": clamp,
    "clamp_max": lambda low, x, limit: clamp(low, x, None, limit),
    "hardtanh": lambda low, x, least=-1.0, most=1.0: clamp(low, x, least, most),
    "hardsigmoid": _hardsigmoid,
    "hardswish": _hardswish,
    "softplus": _softplus,
    "_prelu_kernel": _prelu,
    "where": where,
    "masked_fill": _masked_fill,
}
"""Name in ATen to rule."""
