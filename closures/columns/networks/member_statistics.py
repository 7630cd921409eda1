"""Mean and spread over the members of an ensemble."""

import torch
from torch import Tensor


def member_statistics(members: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and sum of squared deviations from it, over the first axis.

    One member after the other: the bits of a column then depend on no other column, as those of
    `torch.sum` over the first axis may, and `torch.var` takes ten times as long.
    """
    total = members[0]
    for k in range(1, members.shape[0]):
        total = total + members[k]
    mean = total / members.shape[0]
    scatter = torch.zeros_like(mean)
    for k in range(members.shape[0]):
        scatter = scatter + (members[k] - mean).square()
    return mean, scatter
