"""Limits that cloud microphysics sets: the phase of cloud water, and saturation."""

import torch
from torch import Tensor, nn

from closures.constraints.packing import precise, replaced
from closures.constraints.pressure import HybridLevels, Pressure
from closures.constraints.ranges import FieldRanges
from closures.constraints.saturation import Saturation, liquid_fraction
from closures.constraints.vapour import vapour


class CloudPhase(nn.Module):
    """Cloud water after the step is liquid or ice by temperature after the step.

    ``q_c = f(T) q_n`` and ``q_i = (1 - f(T)) q_n`` with `liquid_fraction`; the tendency of their
    sum is kept. In ClimSim's files, where ``q_n > 1e-7``, the liquid part differs from f by
    0.002 in the mean, 0.006 weighted with ``q_n``, and at most 0.20: those columns are means
    over a cloud-resolving model, and f is not linear at its ends. Latent heat is not corrected.

    A set that carries ``state_qn`` needs no such layer: the host splits it.

    Parameters
    ----------
    ranges
        Where temperature, cloud water, cloud ice and their tendencies lie.
    timestep
        The host's time step [s].

    Raises
    ------
    MissingFieldError
        If the closure has not all of them.

    References
    ----------
    Hu et al. 2025, Stable machine-learning parameterization of subgrid processes in a
    comprehensive atmospheric model, J. Adv. Model. Earth Syst.: liquid fraction by temperature.
    """

    def __init__(self, ranges: FieldRanges, timestep: float) -> None:
        super().__init__()
        inputs = ("state_t", "state_q0002", "state_q0003")
        outputs = ("ptend_t", "ptend_q0002", "ptend_q0003")
        ranges.require("cloud_phase", inputs, outputs)
        self.n_level = ranges.profile_size("cloud_phase", outputs)
        self.t, self.liquid, self.ice = (ranges.inputs[name].start for name in inputs)
        self.dt, self.dliquid, self.dice = (ranges.outputs[name].start for name in outputs)
        self.timestep = timestep

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` with cloud tendencies [kg kg-1 s-1] shared out."""
        n = self.n_level
        liquid = precise(inputs, self.liquid, self.liquid + n)
        ice = precise(inputs, self.ice, self.ice + n)
        heating = precise(outputs, self.dt, self.dt + n)
        both = precise(outputs, self.dliquid, self.dliquid + n) + precise(
            outputs, self.dice, self.dice + n
        )
        temperature = precise(inputs, self.t, self.t + n) + self.timestep * heating
        fraction = liquid_fraction(temperature)
        cloud = liquid + ice + self.timestep * both
        changed = replaced(outputs, self.dliquid, (fraction * cloud - liquid) / self.timestep)
        return replaced(changed, self.dice, ((1.0 - fraction) * cloud - ice) / self.timestep)


class SaturationLimit(nn.Module):
    """A step does not moisten a level beyond a relative humidity.

    ``q + dt * dq <= max(q, largest * q_s(T + dt * dT))``: a level that was moister before may
    stay so. Vapour that does not fit is dropped, so a column's moisture closes only if it is
    closed afterwards. In ClimSim's files a step moistens a level beyond 1.2 in 2e-5 of the
    levels, all between 60 and 180 hPa; below 300 hPa not beyond 1.03.

    Parameters
    ----------
    ranges
        Where temperature, vapour, surface pressure and the tendencies lie.
    levels
        Hybrid coefficients.
    timestep
        The host's time step [s].
    largest
        Relative humidity [1].

    Raises
    ------
    MissingFieldError
        If the closure has not all of them.
    """

    def __init__(
        self,
        ranges: FieldRanges,
        levels: HybridLevels | None,
        timestep: float,
        largest: float = 1.2,
    ) -> None:
        super().__init__()
        outputs = ("ptend_t", "ptend_q0001")
        ranges.require("saturation", ("state_t",), outputs)
        self.n_level = ranges.profile_size("saturation", outputs)
        self.vapour = vapour("saturation", ranges, levels)
        self.pressure = Pressure("saturation", ranges, levels, self.n_level)
        self.saturation = Saturation()
        self.t = ranges.inputs["state_t"].start
        self.dt, self.dq = (ranges.outputs[name].start for name in outputs)
        self.timestep = timestep
        self.largest = largest

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` with ptend_q0001 [kg kg-1 s-1] limited."""
        n = self.n_level
        heating = precise(outputs, self.dt, self.dt + n)
        temperature = precise(inputs, self.t, self.t + n) + self.timestep * heating
        most = self.largest * self.saturation(temperature, self.pressure.midpoint(inputs))
        room = ((most - self.vapour(inputs)) / self.timestep).clamp_min(0.0)
        tendency = outputs[:, self.dq : self.dq + n]
        return replaced(outputs, self.dq, torch.minimum(tendency, room.to(outputs.dtype)))
