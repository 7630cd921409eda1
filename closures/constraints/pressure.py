"""Pressure of hybrid levels, from a column's surface pressure."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from closures.constraints.packing import precise
from closures.constraints.ranges import FieldRanges
from closures.errors import SpecError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class HybridLevels:
    """Coefficients of p = a p0 + b ps, model top first.

    Parameters
    ----------
    hyai, hybi
        Coefficients at layer interfaces ``(n_level + 1,)`` [1].
    hyam, hybm
        Coefficients at layer midpoints ``(n_level,)`` [1].
    p0
        Reference pressure [Pa].

    Raises
    ------
    SpecError
        If shapes do not belong together.
    """

    hyai: Array
    hybi: Array
    hyam: Array
    hybm: Array
    p0: float = 1e5

    def __post_init__(self) -> None:
        n = self.hyam.shape[0]
        found = (self.hyai.shape, self.hybi.shape, self.hyam.shape, self.hybm.shape)
        if found != ((n + 1,), (n + 1,), (n,), (n,)):
            raise SpecError(
                "levels: expected hyai and hybi one longer than hyam and hybm, got shapes "
                f"{', '.join(str(shape) for shape in found)}"
            )

    @property
    def n_level(self) -> int:
        """Number of levels."""
        return int(self.hyam.size)


class Pressure(nn.Module):
    """Pressure and mass of the layers of packed columns.

    Parameters
    ----------
    layer
        Name of the layer that asks, for messages.
    ranges
        Where ``state_ps`` [Pa] lies.
    levels
        Hybrid coefficients.
    n_level
        Number of levels of the columns.

    Raises
    ------
    MissingFieldError
        If there is no input ``state_ps``.
    SpecError
        If there are no coefficients, or for another number of levels.
    """

    interface_a: Tensor
    interface_b: Tensor
    midpoint_a: Tensor
    midpoint_b: Tensor

    def __init__(
        self, layer: str, ranges: FieldRanges, levels: HybridLevels | None, n_level: int
    ) -> None:
        super().__init__()
        ranges.require(layer, inputs=("state_ps",))
        if levels is None:
            raise SpecError(
                f"{layer}: expected the hybrid coefficients of the levels, got none; pass levels, "
                "which ClimSim's grid file holds: --grid of 'hybrid train climsim'"
            )
        if levels.n_level != n_level:
            raise SpecError(
                f"{layer}: expected hybrid coefficients of {n_level} levels, got {levels.n_level}"
            )
        self.surface = ranges.inputs["state_ps"].start
        for name, values in (
            ("interface_a", levels.hyai * levels.p0),
            ("interface_b", levels.hybi),
            ("midpoint_a", levels.hyam * levels.p0),
            ("midpoint_b", levels.hybm),
        ):
            self.register_buffer(name, torch.from_numpy(np.asarray(values, dtype=np.float64)))

    def thickness(self, inputs: Tensor) -> Tensor:
        """Return the pressure thickness of each layer ``(n, n_level)`` [Pa], float64."""
        surface = precise(inputs, self.surface, self.surface + 1)
        return torch.diff(self.interface_a + self.interface_b * surface, dim=1)

    def midpoint(self, inputs: Tensor) -> Tensor:
        """Return the pressure at midpoints ``(n, n_level)`` [Pa], float64."""
        surface = precise(inputs, self.surface, self.surface + 1)
        return self.midpoint_a + self.midpoint_b * surface
