"""What a network is shown of a column that may convect: what decides whether, and how high.

A convection scheme lifts air and asks at each layer whether it is saturated and lighter than what
is around it. Both are sharp questions about small differences of large numbers, which a network
does not find in temperatures and humidities. Textbook formulas of the same questions do.
"""

import torch
from torch import Tensor, nn

from closures.constraints.ranges import ranges_of
from closures.convection.air import (
    HEAT_CAPACITY,
    MELTING,
    SUBLIMATION,
    TETENS,
    VAPORIZATION,
    Layers,
    Saturation,
)
from closures.errors import SpecError
from closures.field import Field

NAMES = (
    "temperature",
    "specific_humidity",
    "moisture_accession",
    "surface_temperature",
    "surface_humidity",
    "surface_pressure",
)
"""Inputs, in the order in which they are asked for."""

FAINT = 1e-9
"""Accession of moisture [kg kg-1 s-1] below which signs begin to blur for the network."""

_EXPONENT = 0.286


class MoistFeatures(nn.Module):
    r"""Features of a column of n layers, the top first.

    - temperature and relative humidity of each layer;
    - accession of moisture A, and :math:`\mathrm{sgn}(A) \ln(1 + |A| / A_0)`, which shows its sign;
    - for air from each layer lifted by one layer, and from the ground into the lowest layer: by
      how much it is saturated there, as a part of the saturation humidity, and its buoyancy [K]
      after the excess has condensed, by one step of Newton's method;
    - moist static energy :math:`h = c_p T + g z + L q` less that of the lowest layer, and that
      of the lowest layer less the saturated one :math:`h^*` of each layer, which says how high
      its air could rise;
    - temperature and humidity of the ground, surface pressure.

    Parameters
    ----------
    fields
        Inputs in the order of the features, with those of `NAMES`.
    thickness
        Layers' part of the surface pressure ``(n_level,)`` [1].

    Raises
    ------
    SpecError
        If a field is not there.
    """

    middle: Tensor
    cooling: Tensor
    heights: Tensor

    def __init__(self, fields: tuple[Field, ...], thickness: Tensor) -> None:
        super().__init__()
        parts = ranges_of(fields)
        missing = [name for name in NAMES if name not in parts]
        if missing:
            raise SpecError(
                f"moist features: expected {', '.join(NAMES)}, got no {', '.join(missing)}"
            )
        self.parts = [(parts[name].start, parts[name].stop) for name in NAMES]
        self.saturation = Saturation()
        self.faint = FAINT
        self.capacity, self.melting = HEAT_CAPACITY, MELTING
        self.latent, self.freezing = VAPORIZATION, SUBLIMATION - VAPORIZATION
        self.slope, self.offset = TETENS[1] * (MELTING - TETENS[2]), TETENS[2]
        layers = Layers(thickness.double())
        middle = layers.middle
        # The ground is the last one from which air is lifted.
        below = torch.cat([middle[1:], torch.ones(1, dtype=middle.dtype)])
        self.register_buffer("middle", middle.float(), persistent=False)
        self.register_buffer("cooling", (middle / below).float() ** _EXPONENT, persistent=False)
        self.register_buffer("heights", layers.heights().float(), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_feature)`` for raw inputs ``(n, n_input)``."""
        temperature = self._part(features, 0).clamp(min=100.0)
        humidity = self._part(features, 1)
        accession = self._part(features, 2)
        ground, wet = self._part(features, 3).clamp(min=100.0), self._part(features, 4)
        surface_pressure = self._part(features, 5)
        pressure = self.middle * surface_pressure
        saturated = self.saturation(temperature, pressure)
        relative = humidity / saturated
        # Air at the ground is as dry as that of the lowest layer, but not wetter than the ground.
        moist = wet * relative[:, -1:].clamp(max=1.0)
        lifted = self._lifted(
            torch.cat([temperature[:, 1:], ground], dim=1),
            torch.cat([humidity[:, 1:], moist], dim=1),
            temperature,
            pressure,
        )
        dry = self.capacity * temperature + temperature @ self.heights
        energy, possible = dry + self.latent * humidity, dry + self.latent * saturated
        lowest = energy[:, -1:]
        magnitude = torch.log(1.0 + torch.abs(accession) / self.faint)
        signed = torch.where(accession > 0.0, magnitude, -magnitude)
        return torch.cat(
            [temperature, relative.clamp(-0.5, 1.5), accession, signed, lifted,
             energy[:, :-1] - lowest, lowest - possible, ground, wet, surface_pressure],
            dim=1,
        )  # fmt: skip

    def _lifted(self, below: Tensor, humidity: Tensor, around: Tensor, pressure: Tensor) -> Tensor:
        """Return relative excess and buoyancy of air from below at the layers' pressures."""
        risen = below * self.cooling
        saturated = self.saturation(risen, pressure)
        latent = self.latent + torch.where(risen < self.melting, self.freezing, 0.0)
        warming = latent / self.capacity
        distance = risen - self.offset
        steepness = self.slope * saturated / (distance * distance)
        excess = humidity - saturated
        buoyancy = risen + warming * excess.clamp(min=0.0) / (1.0 + warming * steepness) - around
        return torch.cat([(excess / saturated).clamp(-1.0, 1.0), buoyancy], dim=1)

    def _part(self, features: Tensor, number: int) -> Tensor:
        first, stop = self.parts[number]
        return features[:, first:stop]
