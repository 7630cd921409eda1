"""Precipitation and its snow."""

import torch
from torch import Tensor, nn

from closures.constraints.packing import replaced
from closures.constraints.ranges import FieldRanges


class Precipitation(nn.Module):
    """``0 <= PRECSC <= PRECC``: snow is part of precipitation.

    PRECC is total precipitation and PRECSC its snow; it holds in every column of ClimSim's
    files, where 26 % have no precipitation at all. Limits commute with rounding, so it holds
    exactly in float32.

    Parameters
    ----------
    ranges
        Where ``cam_out_precsc`` and ``cam_out_precc`` lie.

    Raises
    ------
    MissingFieldError
        If the closure has not both.
    """

    def __init__(self, ranges: FieldRanges) -> None:
        super().__init__()
        ranges.require("precipitation", outputs=("cam_out_precsc", "cam_out_precc"))
        self.snow = ranges.outputs["cam_out_precsc"].start
        self.total = ranges.outputs["cam_out_precc"].start

    def forward(self, _inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` with both rates [m s-1] limited."""
        total = outputs[:, self.total : self.total + 1].clamp_min(0.0)
        snow = outputs[:, self.snow : self.snow + 1].clamp_min(0.0)
        limited = replaced(outputs, self.total, total)
        return replaced(limited, self.snow, torch.minimum(snow, total))
