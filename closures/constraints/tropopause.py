"""No water tendencies above the tropopause."""

import torch
from torch import Tensor, nn

from closures.constraints.constants import GAS_DRY, GRAVITY, HEAT_CAPACITY
from closures.constraints.packing import precise, replaced
from closures.constraints.pressure import HybridLevels, Pressure
from closures.constraints.ranges import FieldRanges


class Tropopause(nn.Module):
    """Water tendencies are zero from the tropopause upward.

    The tropopause is the lowest level k at or above `highest_pressure` whose potential
    temperature exceeds that of the level below by more than `stability`:
    ``theta_k - theta_(k+1) > stability * (z_k - z_(k+1))``, with ``z`` from the hypsometric
    equation. A column without such a level is left alone.

    Networks coupled without it have filled the stratosphere with water and cloud. It is no
    identity of ClimSim's files: there the levels it clears hold 0.01 % of all vapour tendency
    and 0.09 % of that of ice (mass-weighted magnitudes); the tropopause lies between 64 and
    399 hPa, its median at 239 hPa.

    Parameters
    ----------
    ranges
        Where ``state_t``, ``state_ps`` and the water tendencies lie.
    levels
        Hybrid coefficients.
    highest_pressure
        The tropopause is not sought below this pressure [Pa].
    stability
        Least increase of potential temperature with height [K m-1].

    Raises
    ------
    MissingFieldError
        If temperature, surface pressure or any water tendency is missing.

    References
    ----------
    Hu et al. 2025, Stable machine-learning parameterization of subgrid processes in a
    comprehensive atmospheric model, J. Adv. Model. Earth Syst.: no cloud above the tropopause.
    """

    def __init__(
        self,
        ranges: FieldRanges,
        levels: HybridLevels | None,
        highest_pressure: float = 4e4,
        stability: float = 0.01,
    ) -> None:
        super().__init__()
        species = ("ptend_q0001", "ptend_q0002", "ptend_q0003", "ptend_qn")
        present = [name for name in species if name in ranges.outputs]
        ranges.require("tropopause", ("state_t",), present or species[:1])
        n_level = ranges.profile_size("tropopause", present)
        self.pressure = Pressure("tropopause", ranges, levels, n_level)
        temperature = ranges.inputs["state_t"]
        self.t_start, self.t_stop = temperature.start, temperature.stop
        self.starts: list[int] = [ranges.outputs[name].start for name in present]
        self.highest_pressure = highest_pressure
        self.stability = stability
        self.kappa = GAS_DRY / HEAT_CAPACITY
        self.scale = GAS_DRY / GRAVITY

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` without water tendencies up there."""
        above = self.above(inputs)
        for start in self.starts:
            tendency = outputs[:, start : start + above.shape[1]]
            outputs = replaced(outputs, start, tendency.masked_fill(above, 0.0))
        return outputs

    def above(self, inputs: Tensor) -> Tensor:
        """Return which levels are at or above the tropopause, ``(n, n_level)`` bool."""
        pressure = self.pressure.midpoint(inputs)
        temperature = precise(inputs, self.t_start, self.t_stop)
        theta = temperature * (1e5 / pressure) ** self.kappa
        between = 0.5 * (temperature[:, 1:] + temperature[:, :-1])
        depth = self.scale * between * torch.log(pressure[:, 1:] / pressure[:, :-1])
        stable = (theta[:, :-1] - theta[:, 1:]) > self.stability * depth
        found = (stable & (pressure[:, :-1] <= self.highest_pressure)).to(inputs.dtype)
        # A level is at or above the lowest stable one if any stable one is at it or below.
        n = found.shape[1]
        below = torch.ones([n, n], dtype=inputs.dtype, device=inputs.device).tril()
        from_below = torch.matmul(found, below) > 0.0
        # The lowest level has none below it to compare with.
        return torch.cat([from_below, torch.zeros_like(from_below[:, :1])], dim=1)
