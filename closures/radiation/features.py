"""What a network is shown of a column: quantities that longwave fluxes depend on smoothly.

Radiation sees absorbers by their amounts, over several orders of magnitude and saturating. A
network that is given the specific humidity and the cloud water themselves has to find this out.
"""

import torch
from torch import Tensor, nn

from closures.constraints.ranges import ranges_of
from closures.field import Field

GRAVITY = 9.80665
"""Acceleration of gravity [m s-2]."""

DIFFUSIVITY = 1.66
"""Ratio of a diffuse path to a vertical one [1]."""

CLOUD_ABSORPTION = 100.0
"""Mass absorption coefficient of cloud water in the longwave [m2 kg-1] [2]."""


class ColumnFeatures(nn.Module):
    r"""Features of a column of layers.

    Humidity q becomes :math:`q^{1/4}`, carbon dioxide its logarithm. Cloud water w in a layer that
    covers the fraction c becomes an emissivity :math:`c (1 - e^{-d k W})`, where
    :math:`W = w p_s \Delta\sigma / g` is its path.
    All other fields stay as they are.

    Parameters
    ----------
    fields
        Inputs in the order of the features, with ``specific_humidity``, ``cloud_water``,
        ``cloud_fraction``, ``surface_pressure`` and ``carbon_dioxide``, the latter positive.
    thickness
        Layers' part of the surface pressure ``(n_level,)`` [1].

    References
    ----------
    .. [1] Elsasser 1942, Heat transfer by infrared radiation in the atmosphere, Harvard
       Meteorological Studies 6.
    .. [2] Lunkeit et al. 2011, Planet Simulator reference manual, section 3.2: 0.1 m2 g-1.
    """

    layer_mass: Tensor
    others: Tensor

    def __init__(self, fields: tuple[Field, ...], thickness: Tensor) -> None:
        super().__init__()
        parts = ranges_of(fields)
        own = ("specific_humidity", "cloud_water", "cloud_fraction")
        self.humidity, self.water, self.cover = (_bounds(parts[name]) for name in own)
        self.pressure = parts["surface_pressure"].start
        self.opacity = DIFFUSIVITY * CLOUD_ABSORPTION
        self.carbon_dioxide = parts["carbon_dioxide"].start
        others = [i for name, part in parts.items() if name not in (*own, "carbon_dioxide")
                  for i in range(part.start, part.stop)]  # fmt: skip
        self.register_buffer("others", torch.tensor(others), persistent=False)
        self.register_buffer("layer_mass", (thickness / GRAVITY).float())

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_feature)`` for raw inputs ``(n, n_input)``."""
        humidity = features[:, self.humidity[0] : self.humidity[1]].clamp(min=0.0)
        cover = features[:, self.cover[0] : self.cover[1]]
        water = features[:, self.water[0] : self.water[1]].clamp(min=0.0)
        path = water * self.layer_mass * features[:, self.pressure : self.pressure + 1]
        cloud = cover * (1.0 - torch.exp(-self.opacity * path))
        absorber = torch.log(features[:, self.carbon_dioxide : self.carbon_dioxide + 1])
        known = features.index_select(1, self.others)
        return torch.cat([torch.sqrt(torch.sqrt(humidity)), cloud, absorber, known], dim=1)


def _bounds(part: slice) -> tuple[int, int]:
    return part.start, part.stop
