"""Convolutions along the levels of a column, as steps.

One layer is applied to what each level sees of its neighbours: its weights are those of
TorchScript, read in place. Where every channel has a kernel of its own, products are elementwise.
"""

from functools import reduce
from typing import Any

import torch
from torch import Tensor

from hybrid.native.aten_elementwise import Rule, binary
from hybrid.native.aten_groups import cat
from hybrid.native.aten_linear import rows_product
from hybrid.native.errors import NotExpressedError
from hybrid.native.lowering import Lowering, Tracked


def _convolution(
    low: Lowering,
    x: Tracked | Tensor,
    weight: Tracked | Tensor,
    bias: Tensor | None,
    *geometry: Any,
) -> Any:
    stride, padding, dilation, transposed, _, groups = geometry
    if not isinstance(x, Tracked) or isinstance(weight, Tracked):
        raise NotExpressedError("forward has a convolution whose kernel is no constant")
    n_channel = x.places.shape[1]
    if x.places.dim() != 3 or transposed or dilation[0] != 1:
        raise NotExpressedError("forward has a convolution that is not a plain one along one axis")
    windows = _padded(low, x, padding[0])
    n_kernel = weight.shape[2]
    seen = windows.like(windows.places.unfold(2, n_kernel, stride[0]))
    kernel = weight.detach()
    if groups == 1:
        return _of_all_channels(low, seen, kernel, bias)
    if groups == n_channel == weight.shape[0]:
        return _of_each_channel(low, seen, kernel, bias)
    raise NotExpressedError(f"forward has a convolution of {groups} groups of channels")


def _padded(low: Lowering, x: Tracked, width: int) -> Tracked:
    if width == 0:
        return x
    zeros = torch.zeros(*x.places.shape[:2], width)
    return cat(low, [zeros, x, zeros], dim=2)


def _of_all_channels(low: Lowering, seen: Tracked, kernel: Tensor, bias: Tensor | None) -> Tracked:
    """Return ``(n, n_after, n_level)`` of ``(n, n_channel, n_level, n_kernel)``."""
    n, _, n_level, _ = seen.places.shape
    rows = seen.like(seen.places.transpose(1, 2).reshape(n * n_level, -1))
    made = rows_product(low, rows, kernel.flatten(1).t(), None if bias is None else bias.detach())
    return made.like(made.places.reshape(n, n_level, -1).transpose(1, 2))


def _of_each_channel(low: Lowering, seen: Tracked, kernel: Tensor, bias: Tensor | None) -> Any:
    terms: list[Any] = [] if bias is None else [bias.detach().unsqueeze(1)]
    for i in range(kernel.shape[2]):
        level = seen.like(seen.places[:, :, :, i])
        terms.append(binary(low, "multiply", level, kernel[:, :, i]))
    return reduce(lambda a, b: binary(low, "add", b, a), terms)


RULES: dict[str, Rule] = {"convolution": _convolution}
"""Name in ATen to rule."""
