"""Outputs that are never negative."""

from collections.abc import Collection

import torch
from torch import Tensor, nn

from closures.errors import SpecError
from closures.spec import ClosureSpec


class Nonnegative(nn.Module):
    """Cut some outputs off at zero: fluxes, precipitation.

    Parameters
    ----------
    spec
        Contract whose outputs these are.
    names
        Outputs that must not be negative.

    Raises
    ------
    SpecError
        If a name is no output.
    """

    lowest: Tensor

    def __init__(self, spec: ClosureSpec, names: Collection[str]) -> None:
        super().__init__()
        known = [field.name for field in spec.outputs]
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise SpecError(
                f"{spec.name}: expected outputs ({', '.join(known)}) to be kept from going "
                f"negative, got {', '.join(unknown)}"
            )
        lowest = [
            torch.full((field.size,), 0.0 if field.name in names else -torch.inf)
            for field in spec.outputs
        ]
        self.register_buffer("lowest", torch.cat(lowest))

    def forward(self, _inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)``; the inputs do not matter."""
        return torch.maximum(outputs, self.lowest)
