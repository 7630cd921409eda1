"""Inputs that keep their range when the climate changes."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from closures.constraints.packing import precise
from closures.constraints.pressure import HybridLevels, Pressure
from closures.constraints.ranges import FieldRanges
from closures.constraints.saturation import Saturation

LARGEST_HUMIDITY = 1.5
"""Relative humidity at which it is cut off: aloft, traces of vapour exceed it by far."""


class InvariantColumns(nn.Module):
    """Relative humidity, temperature against the lowest level, roots of cloud water, scalars.

    Temperature and specific humidity of a warmer climate lie outside those of the present one;
    what is made of them here hardly does [1]. Roots keep the trace of a cloud that reaches a level
    where there was none within the range of those below.

    Parameters
    ----------
    ranges
        Where ``state_t`` [K], ``state_q0001`` [kg kg-1] and ``state_ps`` [Pa] lie among the inputs.
    levels
        Hybrid coefficients.
    clouds
        Profiles of cloud water [kg kg-1].
    scalars
        Inputs that are taken as they are.

    References
    ----------
    .. [1] Beucler et al. 2024, Climate-invariant machine learning, Science Advances 10,
       doi:10.1126/sciadv.adj7250.
    """

    cloud_starts: Tensor
    scalar_places: Tensor

    def __init__(
        self,
        ranges: FieldRanges,
        levels: HybridLevels,
        clouds: Sequence[str] = (),
        scalars: Sequence[str] = (),
    ) -> None:
        super().__init__()
        name = "invariant columns"
        ranges.require(name, inputs=("state_t", "state_q0001", *clouds, *scalars))
        temperature, vapour = ranges.inputs["state_t"], ranges.inputs["state_q0001"]
        self.t_start, self.t_stop = temperature.start, temperature.stop
        self.q_start, self.q_stop = vapour.start, vapour.stop
        self.n_level = temperature.stop - temperature.start
        self.pressure = Pressure(name, ranges, levels, self.n_level)
        self.saturation = Saturation()
        # TorchScript sees attributes of a module, not constants of a Python module.
        self.largest_humidity = LARGEST_HUMIDITY
        # Buffers, as TorchScript knows no type of an empty list in a module.
        for group, names in (("cloud_starts", clouds), ("scalar_places", scalars)):
            starts = [ranges.inputs[each].start for each in names]
            self.register_buffer(group, torch.tensor(starts, dtype=torch.long))
        self.n_feature = (2 + len(clouds)) * self.n_level + len(scalars)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return features ``(n, n_feature)`` of raw inputs ``(n, n_input)``."""
        temperature = precise(inputs, self.t_start, self.t_stop)
        vapour = precise(inputs, self.q_start, self.q_stop)
        saturated = self.saturation(temperature, self.pressure.midpoint(inputs))
        humidity = (vapour / saturated).clamp(0.0, self.largest_humidity)
        parts = [humidity, temperature - temperature[:, -1:]]
        offsets = torch.arange(self.n_level, device=inputs.device)
        places = (self.cloud_starts.unsqueeze(1) + offsets).flatten()
        parts.append(inputs.index_select(1, places).double().clamp_min(0.0).sqrt())
        parts.append(inputs.index_select(1, self.scalar_places).double())
        return torch.cat(parts, dim=1).to(inputs.dtype)
