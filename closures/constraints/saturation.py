"""Saturation humidity and the phase of cloud water, inside TorchScript."""

import torch
from torch import Tensor, nn

from closures.climsim.humidity import COLDEST_ICE, ICE, LIQUID


def liquid_fraction(temperature: Tensor) -> Tensor:
    """Return the liquid part of cloud water [1]: a ramp from 253.16 to 273.16 K.

    Examples
    --------
    >>> liquid_fraction(torch.tensor([250.0, 263.16, 280.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return ((temperature - 253.16) / 20.0).clamp(0.0, 1.0)


class Saturation(nn.Module):
    """Specific humidity at saturation, ``287 e_s(T) / (461 p)`` [kg kg-1].

    ``e_s`` mixes the polynomials over liquid and over ice by `liquid_fraction`.

    References
    ----------
    Flatau, Walko & Cotton 1992, Polynomial fits to saturation vapor pressure, J. Appl.
    Meteorol. 31, table 4.
    """

    def __init__(self) -> None:
        super().__init__()
        # TorchScript sees attributes of a module, not constants of a Python module.
        self.liquid: list[float] = list(LIQUID)
        self.ice: list[float] = list(ICE)
        self.coldest: list[float] = list(COLDEST_ICE)

    def forward(self, temperature: Tensor, pressure: Tensor) -> Tensor:
        """Evaluate for temperature [K] and pressure [Pa] of one shape."""
        celsius = temperature - 273.16
        liquid = self._polynomial(self.liquid, celsius.clamp_min(-80.0))
        ice = torch.where(
            temperature > 185.0,
            self._polynomial(self.ice, celsius.clamp_min(-100.0)),
            self._polynomial(self.coldest, celsius.clamp_min(-100.0)),
        )
        ice = torch.where(temperature > 273.15, liquid, ice)
        fraction = liquid_fraction(temperature)
        vapour_pressure = 100.0 * (fraction * liquid + (1.0 - fraction) * ice)
        return 287.0 * vapour_pressure / (461.0 * pressure)

    def _polynomial(self, coefficients: list[float], x: Tensor) -> Tensor:
        total = torch.zeros_like(x)
        for coefficient in coefficients:
            total = total * x + coefficient
        return total
