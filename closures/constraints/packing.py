"""Reading and replacing parts of packed columns; TorchScript compiles these functions."""

import torch
from torch import Tensor


def replaced(columns: Tensor, start: int, values: Tensor) -> Tensor:
    """Return packed columns with other values from feature `start` on.

    Parameters
    ----------
    columns
        Packed ``(n, n_feature)``.
    start
        First feature to replace.
    values
        New values ``(n, n_replaced)``, cast to the dtype of `columns`.
    """
    stop = start + values.shape[1]
    return torch.cat([columns[:, :start], values.to(columns.dtype), columns[:, stop:]], dim=1)


def precise(columns: Tensor, start: int, stop: int) -> Tensor:
    """Return the features from `start` to before `stop` in float64.

    A sum over a column or a difference of nearly equal numbers, rounded to float32 at each
    operation, would miss an identity by more than the final rounding of its result.
    """
    return columns[:, start:stop].to(torch.float64)
