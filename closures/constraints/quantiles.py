"""Limits learned from training columns."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from closures.constraints.ranges import FieldRanges
from closures.constraints.sunlight import ALBEDO_OF
from closures.errors import SpecError

Array = NDArray[np.floating]


@dataclass(frozen=True)
class TrainingLimits:
    """What outputs of training columns kept to.

    Parameters
    ----------
    low, high
        Quantiles of each packed output ``(n_output,)``, in its units.
    night
        Downwelling sunlight to its largest value at night [W m-2]; empty if not known.
    """

    low: Array
    high: Array
    night: dict[str, float]

    @classmethod
    def fit(cls, inputs: Array, outputs: Array, ranges: FieldRanges, tail: float = 1e-4) -> Self:
        """Find the limits of training columns.

        Parameters
        ----------
        inputs, outputs
            Packed columns ``(n, n_input)`` and ``(n, n_output)`` in physical units.
        ranges
            Where the fields lie.
        tail
            Part of the columns beyond the limit on either side [1]; 0 for least and largest.

        Raises
        ------
        ValueError
            If there are no columns, or `tail` is not within 0 and 0.5.
        """
        if len(outputs) == 0 or not 0.0 <= tail < 0.5:
            raise ValueError(
                "limits: expected columns and a tail of 0 to 0.5, got "
                f"{len(outputs)} columns and tail {tail}"
            )
        low, high = np.quantile(outputs, [tail, 1.0 - tail], axis=0)
        night: dict[str, float] = {}
        fluxes = [name for name in ALBEDO_OF if name in ranges.outputs]
        if "pbuf_solin" in ranges.inputs:
            dark = inputs[:, ranges.inputs["pbuf_solin"].start] <= 0.0
            for name in fluxes:
                values = outputs[dark, ranges.outputs[name].start]
                night[name] = float(values.max(initial=0.0))
        return cls(low, high, night)


class QuantileLimits(nn.Module):
    """Every output stays between two quantiles of the training columns.

    Parameters
    ----------
    ranges
        Where the outputs lie.
    limits
        The quantiles.

    Raises
    ------
    SpecError
        If the limits are those of other outputs.
    """

    low: Tensor
    high: Tensor

    def __init__(self, ranges: FieldRanges, limits: TrainingLimits) -> None:
        super().__init__()
        if limits.low.shape != (ranges.n_output,) or limits.high.shape != (ranges.n_output,):
            raise SpecError(
                f"quantiles: expected limits of {ranges.n_output} outputs, got "
                f"{limits.low.size} and {limits.high.size}; fit them to columns of this closure"
            )
        self.register_buffer("low", torch.from_numpy(limits.low).float())
        self.register_buffer("high", torch.from_numpy(limits.high).float())

    def forward(self, _inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` within their limits."""
        return torch.minimum(torch.maximum(outputs, self.low), self.high)
