"""What a network is shown of a sunlit column: quantities that each layer reflects and absorbs by.

The path of a beam through a column mixes all layers: clouds above decide whether a layer is met by
the direct beam or by diffuse light, and absorbers above have already taken the bands in which a
layer would absorb. Formulas that have been known for long say most of this; with them as features
a small network has only the reflections between layers left to learn.
"""

from math import sqrt

import torch
from torch import Tensor, nn

from closures.constraints.ranges import ranges_of
from closures.errors import SpecError
from closures.field import Field
from closures.radiation.features import GRAVITY

REFERENCE_TEMPERATURE, REFERENCE_PRESSURE = 273.0, 1.0e5
"""Of the absorption by water vapour [K], [Pa]."""

DIFFUSE_VAPOUR, DIFFUSE_OZONE = 1.66, 1.9
"""Ratio of a diffuse path to a vertical one [1]."""

OZONE_DENSITY = 2.14
"""At standard temperature and pressure [kg m-3]."""

BACKSCATTER = 0.077
"""Part of a cloud's optical depth that scatters back, of the overhead sun [1]."""

STEPHENS = (1.83, 3.94)
"""Optical depth of a cloud whose water path has the decadic logarithm 1, and its power [1]."""

DIFFUSE_COSINE = 0.5
"""Cosine of the zenith angle that stands for diffuse light [1]."""

_NAMES = (
    "temperature",
    "specific_humidity",
    "cloud_water",
    "cloud_fraction",
    "ozone",
    "surface_pressure",
    "land_fraction",
    "ice_fraction",
    "albedo",
    "cosine_of_zenith_angle",
)


class SunlitFeatures(nn.Module):
    r"""Features of a sunlit column of n layers, the top first.

    With the cosine :math:`\mu` of the zenith angle, cloud fractions c, the clear fraction above a
    layer :math:`C_k = \prod_{j<k} (1 - c_j)`, and the magnification of a path
    :math:`m = 35 / \sqrt{1 + 1224 \mu^2}` [1] they are

    - fractions c, and :math:`C_{k+1}`;
    - what clouds reflect, :math:`c\,(C_k r(\mu) + (1 - C_k)\,r(1/2))`, where
      :math:`r(\mu) = x / (1 + x)`, :math:`x = \beta \tau / \sqrt{\mu}`, and
      :math:`\tau = 1.83\,(\log_{10}(1 + W))^{3.94}` of the water path W [g m-2] [2];
    - the part of the sunlight that vapour of a layer takes out of the beam, the difference of
      :math:`A(y) = 2.9 y / ((1 + 141.5 y)^{0.635} + 5.925 y)` [1] between its interfaces, y being
      the path [cm] magnified by m in the direct beam and by 1.66 below clouds;
    - what ozone of a layer takes out of the beam likewise, of the path x [cm], magnified by m and
      by 1.9: :math:`0.02118 x / (1 + 0.042 x + 0.000323 x^2)
      + 1.082 x / (1 + 138.6 x)^{0.805} + 0.0658 x / (1 + (103.6 x)^3)` [1];
    - the albedo, that of the direct beam, which over open water is
      :math:`\min(0.05 / (\mu + 0.15), 0.15)` [3], :math:`\mu`, :math:`1 / m`, and the surface
      pressure.

    Parameters
    ----------
    fields
        Inputs in the order of the features: ``temperature``, ``specific_humidity``,
        ``cloud_water``, ``cloud_fraction``, ``ozone`` and ``surface_pressure``, ``land_fraction``,
        ``ice_fraction``, ``albedo``, ``cosine_of_zenith_angle``.
    thickness
        Layers' part of the surface pressure ``(n_level,)`` [1].

    Raises
    ------
    SpecError
        If a field is not there.

    References
    ----------
    .. [1] Lacis & Hansen 1974, A parameterization for the absorption of solar radiation in the
       earth's atmosphere, J. Atmos. Sci. 31, 118-133.
    .. [2] Stephens et al. 1984, A shortwave parameterization revised to improve cloud absorption,
       J. Atmos. Sci. 41, 687-690.
    .. [3] Lunkeit et al. 2011, Planet Simulator reference manual, sections 3.1 and 5.
    """

    layer_mass: Tensor
    broadening: Tensor
    above: Tensor
    until: Tensor

    def __init__(self, fields: tuple[Field, ...], thickness: Tensor) -> None:
        super().__init__()
        parts = ranges_of(fields)
        missing = [name for name in _NAMES if name not in parts]
        if missing:
            raise SpecError(
                f"sunlit features: expected {', '.join(_NAMES)}, got no {', '.join(missing)}"
            )
        n = len(thickness)
        # TorchScript knows numbers of a module, not those of a file.
        self.diffuse_vapour, self.diffuse_ozone = DIFFUSE_VAPOUR, DIFFUSE_OZONE
        self.reference_temperature = REFERENCE_TEMPERATURE
        self.ozone_path = 100.0 / OZONE_DENSITY
        self.backscatter = BACKSCATTER * STEPHENS[0]
        self.exponent = STEPHENS[1]
        self.diffuse_root = sqrt(DIFFUSE_COSINE)
        self.parts = [(parts[name].start, parts[name].stop) for name in _NAMES]
        ones = torch.ones(n, n)
        interfaces = torch.cumsum(thickness, 0)
        middle = interfaces - 0.5 * thickness
        # Per surface pressure: mass of a layer, and how much lines of vapour are broadened in it.
        self.register_buffer("layer_mass", (thickness / GRAVITY).float(), persistent=False)
        broadening = (middle / REFERENCE_PRESSURE).float()
        self.register_buffer("broadening", broadening, persistent=False)
        # What is multiplied by them from the left is summed over the layers above, and to the base.
        self.register_buffer("above", torch.triu(ones, 1), persistent=False)
        self.register_buffer("until", torch.triu(ones), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return ``(n, n_feature)`` for raw inputs ``(n, n_input)``."""
        temperature = self._part(features, 0).clamp(min=100.0)
        humidity = self._part(features, 1).clamp(min=0.0)
        water = self._part(features, 2).clamp(min=0.0)
        cover = self._part(features, 3).clamp(0.0, 1.0)
        ozone = self._part(features, 4).clamp(min=0.0)
        pressure = self._part(features, 5)
        cosine = self._part(features, 9).clamp(min=1e-3)
        mass = self.layer_mass * pressure
        magnified = 35.0 / torch.sqrt(1.0 + 1224.0 * cosine * cosine)
        clear = torch.exp(torch.log((1.0 - cover).clamp(min=1e-6)) @ self.above)
        vapour = 0.1 * mass * humidity * self.broadening * pressure
        vapour = vapour * torch.sqrt(self.reference_temperature / temperature)
        slant = clear * (magnified - self.diffuse_vapour) + self.diffuse_vapour
        dimmed = _by_layer(_vapour_absorption((vapour * slant) @ self.until))
        slant = clear * (magnified - self.diffuse_ozone) + self.diffuse_ozone
        path = self.ozone_path * mass * ozone * slant
        filtered = _by_layer(_ozone_absorption(path @ self.until))
        cloud = cover * self._reflectivity(1000.0 * mass * water, cosine, clear)
        surface = self._surface(features, cosine)
        profiles = torch.cat([cover, clear * (1.0 - cover), cloud, dimmed, filtered], dim=1)
        return torch.cat([profiles, surface, cosine, 1.0 / magnified, pressure], dim=1)

    def _part(self, features: Tensor, number: int) -> Tensor:
        first, stop = self.parts[number]
        return features[:, first:stop]

    def _reflectivity(self, path: Tensor, cosine: Tensor, clear: Tensor) -> Tensor:
        """Return what a cloud of this water path [g m-2] reflects of the light that is there."""
        log10 = torch.log(1.0 + path) / 2.302585092994046
        # A power that is no whole number; the logarithm of 0 is none.
        depth = self.backscatter * torch.exp(self.exponent * torch.log(log10.clamp(min=1e-6)))
        direct = depth / (depth + torch.sqrt(cosine))
        diffuse = depth / (depth + self.diffuse_root)
        return diffuse + clear * (direct - diffuse)

    def _surface(self, features: Tensor, cosine: Tensor) -> Tensor:
        """Return the albedo for diffuse light and that for the direct beam."""
        albedo = self._part(features, 8)
        dry = 1.0 - (1.0 - self._part(features, 6)) * (1.0 - self._part(features, 7))
        water = (0.05 / (cosine + 0.15)).clamp(max=0.15)
        return torch.cat([albedo, water + dry * (albedo - water)], dim=1)


def _by_layer(absorbed: Tensor) -> Tensor:
    """Return what each layer adds to what is absorbed down to its base."""
    return torch.cat([absorbed[:, :1], absorbed[:, 1:] - absorbed[:, :-1]], dim=1)


def _vapour_absorption(path: Tensor) -> Tensor:
    """Return the part of sunlight that a path of water vapour [cm] absorbs."""
    bent = torch.exp(0.635 * torch.log(1.0 + 141.5 * path))
    return 2.9 * path / (bent + 5.925 * path)


def _ozone_absorption(path: Tensor) -> Tensor:
    """Return the part of sunlight that a path of ozone [cm] absorbs: visible, ultraviolet."""
    visible = 0.02118 * path / (1.0 + 0.042 * path + 0.000323 * path * path)
    bent = torch.exp(0.805 * torch.log(1.0 + 138.6 * path))
    scaled = 103.6 * path
    return visible + 1.082 * path / bent + 0.0658 * path / (1.0 + scaled * scaled * scaled)
