"""Water that is never negative after a step."""

import torch
from torch import Tensor, nn

from closures.constraints.packing import replaced
from closures.constraints.pressure import HybridLevels
from closures.constraints.ranges import FieldRanges
from closures.constraints.vapour import InputProfile, vapour

MARGIN = 2.0**-18
"""Part of the water that stays in a level that would dry out [1].

Host and closure round humidity, tendency and their product to float32 or keep them in float64;
each rounding is worth 2**-24. With less water left, the host's own ``q + dt * tendency`` could
be negative, also after a moisture budget has scaled what is left to a twentieth."""

MARGIN_OF_RELATIVE_HUMIDITY = 2.0**-15
"""The same, where vapour follows from a relative humidity and a temperature in float32."""

LEAST_TENDENCY = 1e-30
"""Water that is lost more slowly [kg kg-1 s-1] stays: float32 holds fewer digits of it."""


class WaterPositivity(nn.Module):
    """No level loses more water than it has: ``q + dt * tendency >= 0``.

    The tendency is raised where a step would take more. It holds for the host's own float32 or
    float64 arithmetic, see `MARGIN`.

    In ClimSim's float64 files no water is ever negative, before or after a step; rounded to
    float32 the same tendencies make 16 % of the values of cloud water and 20 % of ice negative
    (by 1e-7 of themselves), because a step evaporates whole clouds.

    Parameters
    ----------
    ranges
        Where the fields lie. Each water tendency needs its state as an input: ``state_q0002``,
        ``state_q0003``, ``state_qn``, and vapour as `vapour` reads it.
    levels
        Hybrid coefficients; needed only where relative humidity stands for humidity.
    timestep
        The host's time step [s].

    Raises
    ------
    MissingFieldError
        If the state of a tendency is missing, or there is no water tendency.
    """

    def __init__(self, ranges: FieldRanges, levels: HybridLevels | None, timestep: float) -> None:
        super().__init__()
        species = [n for n in ("q0001", "q0002", "q0003", "qn") if f"ptend_{n}" in ranges.outputs]
        if not species:
            ranges.require("positivity", outputs=("ptend_q0001",))
        others = [n for n in species if n != "q0001"]
        ranges.require("positivity", inputs=[f"state_{n}" for n in others])
        limits: list[nn.Module] = []
        if "q0001" in species:
            read = vapour("positivity", ranges, levels)
            derived = "state_q0001" not in ranges.inputs
            margin = MARGIN_OF_RELATIVE_HUMIDITY if derived else MARGIN
            start = ranges.outputs["ptend_q0001"].start
            limits.append(_Positivity(read, start, timestep, margin))
        for name in others:
            part = ranges.inputs[f"state_{name}"]
            start = ranges.outputs[f"ptend_{name}"].start
            limits.append(_Positivity(InputProfile(part), start, timestep, MARGIN))
        self.limits = nn.ModuleList(limits)

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` with water tendencies [kg kg-1 s-1] limited."""
        for limit in self.limits:
            outputs = limit(inputs, outputs)
        return outputs


class _Positivity(nn.Module):
    def __init__(self, read: nn.Module, start: int, timestep: float, margin: float) -> None:
        super().__init__()
        self.read = read
        self.start = start
        self.rate = (1.0 - margin) / timestep
        self.least = LEAST_TENDENCY

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        lost = self.read(inputs).clamp_min(0.0) * self.rate
        lowest = -torch.where(lost > self.least, lost, 0.0).to(outputs.dtype)
        tendency = outputs[:, self.start : self.start + lowest.shape[1]]
        return replaced(outputs, self.start, torch.maximum(tendency, lowest))
