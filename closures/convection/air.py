"""Moist air: constants, with the values of PlaSim, saturation, and heights of layers."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

GRAVITY = 9.80665
"""[m s-2]"""

GAS_CONSTANT, VAPOUR_GAS_CONSTANT = 287.0, 461.51
"""Of dry air and of vapour [J kg-1 K-1]."""

HEAT_CAPACITY = GAS_CONSTANT / 0.286
"""Of dry air at constant pressure [J kg-1 K-1]."""

VAPORIZATION, SUBLIMATION = 2.5008e6, 2.8345e6
"""Latent heats [J kg-1]."""

MELTING = 273.16
"""[K]"""

TETENS = (610.78, 17.2693882, 35.86)
"""Saturation pressure at melting [Pa], and two constants of its formula [1], [K]."""


@dataclass(frozen=True)
class Layers:
    """Layers of a column as parts of the surface pressure.

    Parameters
    ----------
    thickness
        Of each layer ``(n_level,)`` [1], the top first; their sum is 1.
    """

    thickness: Tensor

    @property
    def middle(self) -> Tensor:
        """Pressure in the middle of each layer, as a part of that at the surface [1]."""
        return torch.cumsum(self.thickness, 0) - 0.5 * self.thickness

    @property
    def mass(self) -> Tensor:
        """Mass of each layer for a surface pressure of 1 [s2 m-1]."""
        return self.thickness / GRAVITY

    def heights(self) -> Tensor:
        r"""Return the matrix Z, so that ``temperature @ Z`` is g times the height [J kg-1].

        Of the middle of the layers, by :math:`d(gz) = -R T\, d \ln p`, each half of a layer with
        its own temperature.
        """
        n = len(self.thickness)
        below = torch.cumsum(self.thickness, 0)
        above = below - self.thickness
        lower = GAS_CONSTANT * torch.log(below / self.middle)
        # Half of the topmost layer has no upper end; nothing is above it.
        whole = lower + GAS_CONSTANT * torch.log(self.middle / above.clamp(min=1e-6))
        matrix = torch.diag(lower)
        for k in range(n):
            matrix[k + 1 :, k] = whole[k + 1 :]
        return matrix


class Saturation(nn.Module):
    r"""Specific humidity of saturated air.

    :math:`q = \epsilon e / (p - (1 - \epsilon) e)` with the pressure of vapour over water
    :math:`e = a\,e^{b (T - T_0) / (T - c)}` [1], at most p.

    References
    ----------
    .. [1] Murray 1967, On the computation of saturation vapor pressure, J. Appl. Meteorol. 6,
       203-204.
    """

    def __init__(self) -> None:
        super().__init__()
        # TorchScript knows numbers of a module, not those of a file.
        self.pressure, self.b, self.c = TETENS
        self.melting = MELTING
        self.ratio = GAS_CONSTANT / VAPOUR_GAS_CONSTANT

    def forward(self, temperature: Tensor, pressure: Tensor) -> Tensor:
        """Return it [kg kg-1] for temperatures [K] above 100 K and pressures [Pa]."""
        exponent = self.b * (temperature - self.melting) / (temperature - self.c)
        part = (self.pressure * torch.exp(exponent) / pressure).clamp(max=1.0)
        return self.ratio * part / (1.0 - (1.0 - self.ratio) * part)
