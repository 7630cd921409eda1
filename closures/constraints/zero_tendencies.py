"""Tendencies that are zero in the data, and then in the closure."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from closures.constraints.ranges import FieldRanges
from closures.errors import SpecError


class ZeroTendencies(nn.Module):
    """Tendencies that are zero, exactly.

    In ClimSim's files the tendencies of cloud water, cloud ice and wind are 0 in levels 0 to 11,
    above the embedded cloud model, and that of vapour in levels 4 to 11; in levels 0 to 3 vapour
    changes in fewer than 0.03 % of columns, by less than 1e-13 kg kg-1 s-1. Temperature changes
    everywhere.

    Parameters
    ----------
    ranges
        Where the outputs lie.
    levels
        Output to the first level and the one after the last in which it is 0.

    Raises
    ------
    MissingFieldError
        If an output is not there.
    SpecError
        If a range reaches beyond a profile.
    """

    zero: Tensor

    def __init__(self, ranges: FieldRanges, levels: Mapping[str, tuple[int, int]]) -> None:
        super().__init__()
        ranges.require("zero_tendencies", outputs=levels)
        zero = torch.zeros(ranges.n_output, dtype=torch.bool)
        for name, (first, end) in levels.items():
            part = ranges.outputs[name]
            if not 0 <= first < end <= part.stop - part.start:
                raise SpecError(
                    f"zero_tendencies: {name}: expected levels within 0 to "
                    f"{part.stop - part.start}, got {first} to {end}"
                )
            zero[part.start + first : part.start + end] = True
        self.register_buffer("zero", zero)

    def forward(self, _inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` with these set to 0."""
        return outputs.masked_fill(self.zero, 0.0)
