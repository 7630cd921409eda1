"""Emulators of radiation in flux form.

A closure that gives the fluxes at the interfaces cannot break the energy budget of a column: the
host takes the heating of each layer from their differences, so what heats the column is exactly
what goes in at the top and does not come out at the ground.
"""

import torch
from torch import Tensor, nn

from closures.base import Closure
from closures.columns.core import MeanCore
from closures.columns.emulator import generated
from closures.errors import SpecError
from closures.normalization import Normalization
from closures.spec import ClosureSpec

PAIR = ("upward", "downward")
"""The outputs, in order."""


class Signs(nn.Module):
    """Fluxes with the signs of their directions: upward ones not positive, downward not negative.

    Parameters
    ----------
    spec
        Contract; the first output is the upward flux, positive downward like the second.
    """

    lowest: Tensor
    highest: Tensor

    def __init__(self, spec: ClosureSpec) -> None:
        super().__init__()
        up, down = (field.size for field in spec.outputs)
        unlimited = torch.full((up + down,), torch.inf)
        self.register_buffer("lowest", torch.cat([-unlimited[:up], torch.zeros(down)]))
        self.register_buffer("highest", torch.cat([torch.zeros(up), unlimited[up:]]))

    def forward(self, features: Tensor, outputs: Tensor) -> Tensor:  # noqa: ARG002 -- as physics
        """Return the fluxes ``(n, n_output)``."""
        return torch.maximum(torch.minimum(outputs, self.highest), self.lowest)


class FluxEmulator(Closure):
    """Upward and downward fluxes of a column from its state.

    Parameters
    ----------
    spec
        Contract: profiles and scalars of a column, two outputs at the interfaces [W m-2], the
        upward flux, which is not positive, and the downward one.
    network
        Maps normalised features to normalised fluxes, upward then downward, or to what `physics`
        makes them of.
    features
        Raw inputs to features.
    inputs
        Normalisation of the features.
    outputs
        Normalisation of what the network gives.
    physics
        `Signs`, or `closures.radiation.EnergyPartition` for sunlight.
    input_limit
        Largest magnitude of a normalised feature; None for no limit.

    Raises
    ------
    SpecError
        If there are not two outputs of one shape.
    """

    def __init__(
        self,
        spec: ClosureSpec,
        network: nn.Module,
        features: nn.Module,
        inputs: Normalization,
        outputs: Normalization,
        physics: nn.Module,
        input_limit: float | None = None,
    ) -> None:
        if len({field.shape for field in spec.outputs}) != 1 or len(spec.outputs) != len(PAIR):
            found = ", ".join(f"{field.name} {field.shape}" for field in spec.outputs)
            raise SpecError(
                f"{spec.name}: expected the {PAIR[0]} and the {PAIR[1]} flux at the same "
                f"interfaces, got {found}"
            )
        super().__init__(spec)
        self.core = MeanCore(network, inputs, outputs, [physics], input_limit, features)
        self.graph_module = generated(spec, spec.outputs, self.core, "mean")

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Evaluate; one tensor a field, profiles ``(n, size)`` and scalars ``(n,)``."""
        result: tuple[Tensor, ...] = self.graph_module(*tensors)
        return result

    def scriptable(self) -> nn.Module:
        """Return the module whose arguments are spelled out, one a field."""
        return self.graph_module
