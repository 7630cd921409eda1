"""Column budgets of water and of energy, closed to rounding."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from closures.constraints.constants import (
    FUSION,
    GRAVITY,
    HEAT_CAPACITY,
    VAPORIZATION,
    WATER_DENSITY,
)
from closures.constraints.packing import precise, replaced
from closures.constraints.pressure import HybridLevels, Pressure
from closures.constraints.ranges import FieldRanges
from closures.constraints.vapour import InputProfile, vapour
from closures.errors import SpecError


class _Budget(nn.Module):
    """A tendency is corrected, from a level downward, so that its column integral is known."""

    def __init__(self, read: nn.Module, closing: nn.Module, timestep: float, first: int) -> None:
        super().__init__()
        self.read = read
        self.closing = closing
        self.timestep = timestep
        self.first = first

    def forward(self, inputs: Tensor, tendency: Tensor, mass: Tensor, total: Tensor) -> Tensor:
        """Return the tendency ``(n, n_level)`` with ``sum(mass * tendency) = total``."""
        k = self.first
        before = self.read(inputs)[:, k:]
        after = before + self.timestep * tendency[:, k:]
        above = (mass[:, :k] * tendency[:, :k]).sum(dim=1, keepdim=True)
        weight = mass[:, k:]
        held = (weight * before).sum(dim=1, keepdim=True) + self.timestep * (total - above)
        closed = self.closing(before, after, weight, held)
        return torch.cat([tendency[:, :k], (closed - before) / self.timestep], dim=1)


class ColumnMoisture(nn.Module):
    """A column loses the water that falls out of it.

    ``sum_k (dq_v + dq_c + dq_i)_k dp_k / g + 1000 PRECC = 0`` [kg m-2 s-1]; evaporation from the
    ground is not part of ClimSim's tendencies. The tendency of vapour is corrected from level
    `first` downward by one of the methods of `closures.constraints.closing`. Sums are evaluated in
    float64; rounding the tendencies to float32 leaves at most 6e-8 of the turnover
    ``sum |dq| dp / g + 1000 PRECC``. "multiplicative" and "softmax" leave no level with negative
    vapour, unless more falls out and turns into cloud than there is; the other methods may.

    ClimSim's files close in the mean (0.009 mm/day over 25,728 columns, where 2.55 mm/day rain)
    but not column by column: the residual has an rms of 3.3 mm/day, 16 % of the turnover. So
    closing costs accuracy against those targets, and is off unless asked for.

    Parameters
    ----------
    ranges
        Where surface pressure, vapour, the water tendencies and ``cam_out_precc`` lie. Cloud is
        either ``ptend_q0002`` and ``ptend_q0003``, or ``ptend_qn``.
    levels
        Hybrid coefficients.
    closing
        How to correct; see `closures.constraints.closing.closing`.
    timestep
        The host's time step [s].
    first
        First level to correct.

    Raises
    ------
    MissingFieldError
        If the closure has not all of them, as with V1, which knows no cloud.
    SpecError
        If `first` is no level.

    References
    ----------
    Beucler et al. 2021, Phys. Rev. Lett. 126, 098302; Harder et al. 2023, J. Mach. Learn. Res.
    24, 365; Heuer et al. 2025, arXiv:2510.08107, who share the correction among water species.
    """

    def __init__(
        self,
        ranges: FieldRanges,
        levels: HybridLevels | None,
        closing: nn.Module,
        timestep: float,
        first: int = 12,
    ) -> None:
        super().__init__()
        joint = "ptend_qn" in ranges.outputs
        cloud = ("ptend_qn",) if joint else ("ptend_q0002", "ptend_q0003")
        water = ("ptend_q0001", *cloud)
        ranges.require("moisture", outputs=(*water, "cam_out_precc"))
        self.n_level = _levels_from("moisture", ranges, water, first)
        read = vapour("moisture", ranges, levels)
        self.pressure = Pressure("moisture", ranges, levels, self.n_level)
        self.budget = _Budget(read, closing, timestep, first)
        self.dq = ranges.outputs["ptend_q0001"].start
        self.cloud: list[int] = [ranges.outputs[name].start for name in cloud]
        self.precipitation = ranges.outputs["cam_out_precc"].start
        self.gravity, self.density = GRAVITY, WATER_DENSITY

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` with ptend_q0001 [kg kg-1 s-1] corrected."""
        n = self.n_level
        mass = self.pressure.thickness(inputs) / self.gravity
        total = -self.density * precise(outputs, self.precipitation, self.precipitation + 1)
        for start in self.cloud:
            total = total - (mass * precise(outputs, start, start + n)).sum(dim=1, keepdim=True)
        tendency = precise(outputs, self.dq, self.dq + n)
        return replaced(outputs, self.dq, self.budget(inputs, tendency, mass, total))


class ColumnEnergy(nn.Module):
    """A column warms by what condenses, freezes and heats it from outside.

    ``sum_k (cp dT + Lv dq_v - Lf dq_i)_k dp_k / g = H + Lf 1000 PRECSC`` [W m-2]: the column's
    frozen moist enthalpy changes by the heating H from outside and by the snow that leaves. The
    tendency of temperature is corrected from level `first` downward; rounding it to float32 leaves
    at most 6e-8 of the sum of all terms' magnitudes.

    H is the sum of `heating`, signed fields of the closure: net radiation at the model top less
    that at the ground. ClimSim's files do not have it. What the equation leaves for H there is
    -93 W m-2 in the mean over 25,728 columns, which is the radiative cooling of the atmosphere
    (sensible heat is not in the tendencies), with a standard deviation of 123 W m-2. Where
    radiation was taken out of the tendencies (Heuer et al.), `heating` is empty and H is 0.

    Parameters
    ----------
    ranges
        Where temperature, surface pressure, the tendencies of temperature, vapour and ice, snow
        ``cam_out_precsc`` and the heating lie.
    levels
        Hybrid coefficients.
    closing
        How to correct; see `closures.constraints.closing.closing`.
    timestep
        The host's time step [s].
    heating
        Inputs or outputs [W m-2] to their sign and factor in H [1].
    first
        First level to correct.

    Raises
    ------
    MissingFieldError
        If the closure has not all of them; a set with joint cloud water has no ice.
    SpecError
        If `first` is no level.

    References
    ----------
    Beucler et al. 2021, Phys. Rev. Lett. 126, 098302; Heuer et al. 2025, arXiv:2510.08107.
    """

    output_heating: Tensor
    output_factor: Tensor
    input_heating: Tensor
    input_factor: Tensor

    def __init__(
        self,
        ranges: FieldRanges,
        levels: HybridLevels | None,
        closing: nn.Module,
        timestep: float,
        heating: Mapping[str, float],
        first: int = 12,
    ) -> None:
        super().__init__()
        profiles = ("ptend_t", "ptend_q0001", "ptend_q0003")
        ranges.require(
            "energy",
            ("state_t", *(name for name in heating if name not in ranges.outputs)),
            (*profiles, "cam_out_precsc"),
            "give the closure the column's heating from outside and separate cloud ice, or leave "
            "the layer out",
        )
        self.n_level = _levels_from("energy", ranges, profiles, first)
        self.pressure = Pressure("energy", ranges, levels, self.n_level)
        self.budget = _Budget(InputProfile(ranges.inputs["state_t"]), closing, timestep, first)
        self.dt, self.dq, self.dice = (ranges.outputs[name].start for name in profiles)
        self.snow = ranges.outputs["cam_out_precsc"].start
        for group, parts in (("output", ranges.outputs), ("input", ranges.inputs)):
            names = [n for n in heating if (n in ranges.outputs) == (group == "output")]
            index = torch.tensor([parts[name].start for name in names], dtype=torch.int64)
            factor = torch.tensor([heating[name] for name in names], dtype=torch.float64)
            self.register_buffer(f"{group}_heating", index)
            self.register_buffer(f"{group}_factor", factor)
        self.gravity, self.capacity = GRAVITY, HEAT_CAPACITY
        self.vaporization, self.fusion = VAPORIZATION, FUSION
        self.density = WATER_DENSITY

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs ``(n, n_output)`` with ptend_t [K s-1] corrected."""
        n = self.n_level
        mass = self.pressure.thickness(inputs) / self.gravity
        latent = self.vaporization * precise(outputs, self.dq, self.dq + n)
        latent = latent - self.fusion * precise(outputs, self.dice, self.dice + n)
        total = self.fusion * self.density * precise(outputs, self.snow, self.snow + 1)
        total = total - (mass * latent).sum(dim=1, keepdim=True)
        for columns, index, factor in (
            (outputs, self.output_heating, self.output_factor),
            (inputs, self.input_heating, self.input_factor),
        ):
            fluxes = columns.index_select(1, index).to(torch.float64)
            total = total + (factor * fluxes).sum(dim=1, keepdim=True)
        tendency = precise(outputs, self.dt, self.dt + n)
        closed = self.budget(inputs, tendency, mass, total / self.capacity)
        return replaced(outputs, self.dt, closed)


def _levels_from(layer: str, ranges: FieldRanges, names: tuple[str, ...], first: int) -> int:
    n_level = ranges.profile_size(layer, names)
    if not 0 <= first < n_level:
        raise SpecError(f"{layer}: expected a first level of 0 to {n_level - 1}, got {first}")
    return n_level
