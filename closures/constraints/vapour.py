"""The water vapour of a column before the step, from whichever input carries it."""

from torch import Tensor, nn

from closures.constraints.packing import precise
from closures.constraints.pressure import HybridLevels, Pressure
from closures.constraints.ranges import FieldRanges
from closures.constraints.saturation import Saturation


class InputProfile(nn.Module):
    """A profile that is an input itself.

    Parameters
    ----------
    part
        Its features.
    """

    def __init__(self, part: slice) -> None:
        super().__init__()
        self.start, self.stop = part.start, part.stop

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the profile ``(n, n_level)``, float64."""
        return precise(inputs, self.start, self.stop)


class RelativeHumidity(nn.Module):
    """Vapour from relative humidity ``state_rh`` [1], ``state_t`` [K] and ``state_ps`` [Pa]."""

    def __init__(self, layer: str, ranges: FieldRanges, levels: HybridLevels | None) -> None:
        super().__init__()
        part, temperature = ranges.inputs["state_rh"], ranges.inputs["state_t"]
        self.start, self.stop = part.start, part.stop
        self.t_start, self.t_stop = temperature.start, temperature.stop
        self.pressure = Pressure(layer, ranges, levels, part.stop - part.start)
        self.saturation = Saturation()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return specific humidity ``(n, n_level)`` [kg kg-1], float64."""
        relative = precise(inputs, self.start, self.stop)
        temperature = precise(inputs, self.t_start, self.t_stop)
        saturated: Tensor = self.saturation(temperature, self.pressure.midpoint(inputs))
        return relative * saturated


def vapour(layer: str, ranges: FieldRanges, levels: HybridLevels | None) -> nn.Module:
    """Return the module that reads specific humidity [kg kg-1] from packed inputs.

    Parameters
    ----------
    layer
        Name of the layer that asks, for messages.
    ranges
        Where the fields lie.
    levels
        Hybrid coefficients; needed only where relative humidity stands for humidity.

    Raises
    ------
    MissingFieldError
        If the inputs have neither ``state_q0001`` nor ``state_rh``, ``state_t`` and ``state_ps``.
    SpecError
        If the coefficients are needed and missing.
    """
    if "state_q0001" in ranges.inputs:
        return InputProfile(ranges.inputs["state_q0001"])
    ranges.require(
        layer,
        inputs=("state_rh", "state_t", "state_ps"),
        remedy="give it these or state_q0001, or leave the layer out",
    )
    return RelativeHumidity(layer, ranges, levels)
