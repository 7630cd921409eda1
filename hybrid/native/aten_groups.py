"""Operations of torch that join, sum or normalise groups of features, as steps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hybrid.native.aten_elementwise import Rule, binary, named
from hybrid.native.errors import NotExpressedError
from hybrid.native.lowering import MIXED, Lowering, Operand, Order, Tracked
from hybrid.native.steps import LayerNorm, Sum


def cat(low: Lowering, tensors: Sequence[Tracked | Tensor], dim: int = 0) -> Tracked:
    """Return tensors joined along an axis."""
    parts = [tensor for tensor in tensors if _places(tensor).numel()]
    tracked = [part for part in parts if isinstance(part, Tracked)]
    first = tracked[0]
    if len(tracked) == len(parts) and all(part.value == first.value for part in tracked):
        return first.like(torch.cat([part.places for part in tracked], dim))
    orders = [
        low.order(part) if isinstance(part, Tracked) else _order_like(low, part, first, dim)
        for part in parts
    ]
    values = [low.whole(part, order) for part, order in zip(parts, orders, strict=True)]
    joined = low.builder.concatenate(values)
    size = low.builder.sizes[joined]
    placed, offset = [], 0
    for value, order in zip(values, orders, strict=True):
        part = low.tracked(value, order)
        column, feature = part.places // part.size, part.places % part.size
        placed.append(column * size + offset + feature)
        offset += part.size
    return Tracked(joined, size, torch.cat(placed, dim))


def stack(low: Lowering, tensors: Sequence[Tracked | Tensor], dim: int = 0) -> Tracked:
    """Return tensors joined along a new axis."""
    axis = dim % (_places(tensors[0]).dim() + 1)
    return cat(
        low,
        [
            t.like(t.places.unsqueeze(axis)) if isinstance(t, Tracked) else t.unsqueeze(axis)
            for t in tensors
        ],
        axis,
    )


def _order_like(low: Lowering, constant: Tensor, tracked: Tracked, dim: int) -> Order:
    """Return whose columns the elements of a constant are, joined to a tensor along `dim`."""
    columns = tracked.places // tracked.size
    first = columns.narrow(dim, 0, 1)
    if not bool((columns == first).all()):
        raise NotExpressedError(MIXED)
    shape = tuple(constant.shape)
    return Order(shape, low.by_column(first.expand(shape).reshape(-1).numpy()))


def _places(tensor: Tracked | Tensor) -> Tensor:
    return tensor.places if isinstance(tensor, Tracked) else tensor


def sums(
    low: Lowering, x: Tracked, dims: Sequence[int] | None, *, keepdim: bool
) -> tuple[Tracked, int]:
    """Return sums along axes, all of them for None, and the number of terms."""
    axes = sorted(d % max(x.places.dim(), 1) for d in (dims or range(x.places.dim())))
    kept = [d for d in range(x.places.dim()) if d not in axes]
    shape = [x.places.shape[d] for d in kept]
    groups = x.places.permute(kept + axes).reshape(int(np.prod(shape)), -1).numpy()
    columns, features = np.divmod(groups, x.size)
    if (columns != columns[:, :1]).any():
        raise NotExpressedError(MIXED)
    order = low.by_column(columns[:, 0])
    rows = features[order]
    if (rows != rows[0]).any():
        raise NotExpressedError(MIXED)
    value, n = low.gathered(x, rows[0].reshape(-1)), groups.shape[1]
    if n > 1:
        value = low.builder.add(Sum("sum", value, n))
    if keepdim:
        shape = [1 if d in axes else size for d, size in enumerate(x.places.shape)]
    return low.tracked(value, Order(tuple(shape), order)), n


def _sum(
    low: Lowering,
    x: Tracked,
    dim: Sequence[int] | None = None,
    keepdim: bool = False,
    dtype: torch.dtype | None = None,  # noqa: ARG001 -- that of the operation
) -> Tracked:
    return sums(low, x, dim, keepdim=keepdim)[0]


def _mean(
    low: Lowering,
    x: Tracked,
    dim: Sequence[int] | None = None,
    keepdim: bool = False,
    dtype: torch.dtype | None = None,  # noqa: ARG001 -- that of the operation
) -> Any:
    total, n = sums(low, x, dim, keepdim=keepdim)
    return binary(low, "divide", total, float(n))


def _softmax(low: Lowering, x: Tracked, dim: int, _half_to_float: bool = False) -> Any:
    largest = x
    # The larger of two halves, again and again: no order changes a maximum.
    while (size := largest.places.shape[dim]) > 1:
        half = size // 2
        first, second, rest = (
            largest.like(largest.places.narrow(dim, start, n))
            for start, n in ((0, half), (half, half), (2 * half, size % 2))
        )
        largest = cat(low, [binary(low, "maximum", first, second), rest], dim)  # type: ignore[list-item]
    shifted = binary(low, "subtract", x, largest)
    powers = named("exp")(low, shifted)
    total, _ = sums(low, powers, [dim], keepdim=True)
    return binary(low, "divide", powers, total)


def _layer_norm(
    low: Lowering,
    x: Operand,
    normalized_shape: Sequence[int],
    weight: Operand | None = None,
    bias: Operand | None = None,
    eps: float = 1e-5,
) -> Tracked:
    if not isinstance(x, Tracked) or isinstance(weight, Tracked) or isinstance(bias, Tracked):
        raise NotExpressedError("forward has a layer norm whose weights are no constants")
    n = int(np.prod(normalized_shape))
    columns = (x.places // x.size).reshape(-1, n)
    if not bool((columns == columns[:, :1]).all()):
        raise NotExpressedError(MIXED)
    order = low.order(x)
    scale, shift = (
        None
        if t is None
        else low.builder.tensor(torch.as_tensor(t).detach().reshape(-1).numpy(), low.precision)
        for t in (weight, bias)
    )
    step = LayerNorm("layer_norm", low.whole(x, order), n, scale, shift, float(eps))
    return low.tracked(low.builder.add(step), order)


def _batch_norm(
    low: Lowering,
    x: Tracked,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor | None,
    variance: Tensor | None,
    training: bool,
    _momentum: float,
    eps: float,
) -> Any:
    if training or mean is None or variance is None:
        raise NotExpressedError("forward has a batch norm, which mixes columns in training")
    scale = (variance + eps).rsqrt()
    scale = scale if weight is None else scale * weight
    shift = -mean * scale
    shift = shift if bias is None else shift + bias
    shape = (-1, *(1,) * (x.places.dim() - 2))
    scaled = binary(low, "multiply", x, scale.detach().reshape(shape))
    return binary(low, "add", scaled, shift.detach().reshape(shape))


RULES: dict[str, Rule] = {
    "cat": cat,
    "stack": stack,
    "sum": _sum,
    "mean": _mean,
    "_softmax": _softmax,
    "native_layer_norm": _layer_norm,
    "native_batch_norm": _batch_norm,
}
"""Name in ATen to rule."""
