"""Matrix products of torch as steps: one of the two matrices must be constant."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from hybrid.native.aten_elementwise import Rule, binary
from hybrid.native.aten_groups import stack
from hybrid.native.errors import NotExpressedError
from hybrid.native.lowering import MIXED, Lowering, Operand, Tracked
from hybrid.native.steps import Linear

MOST_GROUPS = 64
"""Groups of features of a column that one layer may be applied to: each is a step."""

BOTH = "forward multiplies matrices neither of which is constant"


def product(
    low: Lowering, a: Tracked | Tensor, b: Tracked | Tensor, bias: Tensor | None = None
) -> Tracked:
    """Return ``a @ b`` of two matrices, with a bias ``(n_out,)`` added."""
    if isinstance(a, Tracked) and not isinstance(b, Tracked):
        return rows_product(low, a, b.detach(), bias)
    if isinstance(b, Tracked) and not isinstance(a, Tracked) and bias is None:
        turned = rows_product(low, b.like(b.places.t()), a.detach().t(), None)
        return turned.like(turned.places.t())
    raise NotExpressedError(BOTH)


def rows_product(low: Lowering, x: Tracked, weight: Tensor, bias: Tensor | None) -> Tracked:
    """Return ``x @ weight + bias`` of rows of features, each of one column."""
    columns, features = np.divmod(x.places.numpy(), x.size)
    if (columns != columns[:, :1]).any():
        raise NotExpressedError(MIXED)
    order = low.by_column(columns[:, 0])
    groups = features[order]
    if (groups != groups[0]).any():
        raise NotExpressedError(MIXED)
    n_group, n_out = order.shape[1], weight.shape[1]
    if n_group > MOST_GROUPS:
        raise NotExpressedError(
            f"forward applies one layer to {n_group} groups of features, more than {MOST_GROUPS}"
        )
    build = low.builder
    matrix = build.tensor(weight.t().contiguous().numpy(), low.precision)
    vector = None if bias is None else build.tensor(bias.contiguous().numpy(), low.precision)
    value = build.concatenate(
        [build.add(Linear("linear", low.gathered(x, group), matrix, vector)) for group in groups[0]]
    )
    places = np.empty((order.size, n_out), np.int64)
    places[order.reshape(-1)] = np.arange(order.size * n_out).reshape(-1, n_out)
    return Tracked(value, n_group * n_out, torch.from_numpy(places))


def _mm(low: Lowering, a: Tracked | Tensor, b: Tracked | Tensor) -> Tracked:
    return product(low, a, b)


def _addmm(
    low: Lowering,
    bias: Operand,
    a: Tracked | Tensor,
    b: Tracked | Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Any:
    if (beta, alpha) != (1, 1):
        raise NotExpressedError("forward scales a matrix product and what is added to it")
    is_layer = isinstance(a, Tracked) and isinstance(b, Tensor)
    # One row for all is the bias of a layer.
    if is_layer and isinstance(bias, Tensor) and (bias.dim() < 2 or bias.shape[0] == 1):
        return product(low, a, b, bias.detach().reshape(-1).expand(b.shape[1]))  # type: ignore[union-attr]
    return binary(low, "add", product(low, a, b), bias)


def _mv(low: Lowering, a: Tracked | Tensor, b: Tracked | Tensor) -> Tracked:
    column = b.like(b.places.unsqueeze(1)) if isinstance(b, Tracked) else b.unsqueeze(1)
    result = product(low, a, column)
    return result.like(result.places.squeeze(1))


def _bmm(
    low: Lowering, a: Tracked | Tensor, b: Tracked | Tensor, bias: Tensor | None = None
) -> Tracked:
    constant = a if isinstance(a, Tensor) else b
    if isinstance(constant, Tracked):
        raise NotExpressedError(BOTH)
    count = constant.shape[0]
    if isinstance(a, Tracked) and bias is None and bool((constant == constant[:1]).all()):
        rows = a.places.reshape(-1, a.places.shape[2])
        result = product(low, a.like(rows), constant[0])
        return result.like(result.places.reshape(count, -1, constant.shape[2]))
    each = [
        product(low, _member(a, k), _member(b, k), None if bias is None else bias[k])
        for k in range(count)
    ]
    return stack(low, each)


def _baddbmm(
    low: Lowering,
    bias: Operand,
    a: Tracked | Tensor,
    b: Tracked | Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Any:
    if (beta, alpha) != (1, 1):
        raise NotExpressedError("forward scales a matrix product and what is added to it")
    if isinstance(bias, Tensor) and isinstance(a, Tracked) and bias.dim() == 3:
        # One bias a member, the same for all rows, is the bias of a layer.
        rows = bias.detach().expand(a.places.shape[0], -1, -1)
        if rows.shape[1] == 1:
            return _bmm(low, a, b, rows[:, 0])
    return binary(low, "add", _bmm(low, a, b), bias)


def _member(x: Tracked | Tensor, k: int) -> Tracked | Tensor:
    return x.like(x.places[k]) if isinstance(x, Tracked) else x[k]


RULES: dict[str, Rule] = {
    "mm": _mm,
    "addmm": _addmm,
    "mv": _mv,
    "bmm": _bmm,
    "baddbmm": _baddbmm,
}
"""Name in ATen to rule."""
