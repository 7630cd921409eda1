"""What convection does with the moisture that a cloud collects: the budget as the output's shape.

A cloud takes what its layers gain of moisture. One part rains out and warms the layers in which it
condenses, the other one moistens them again. A network that says which layers and which parts
cannot make water, nor rain that is not there, nor heat without rain.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from closures.constraints.positivity import MARGIN
from closures.constraints.ranges import ranges_of
from closures.convection.air import GRAVITY
from closures.spec import ClosureSpec

LARGEST = 20.0
"""Magnitude at which a logit is cut off."""


@dataclass(frozen=True)
class Head:
    """Order of what the network gives for n layers.

    Deep and shallow convection, membership of each layer in the cloud, the part that moistens, and
    in which layers water condenses and moistens are logits; transport of moisture and of heat is in
    units of `Transport`.
    """

    n_level: int

    @property
    def size(self) -> int:
        """Number of outputs of the network."""
        return 3 + 3 * self.n_level + 2 * (self.n_level - 1)

    @property
    def starts(self) -> tuple[int, ...]:
        """Where the layers' membership, condensation, moistening, and both transports begin."""
        n = self.n_level
        return (3, 3 + n, 3 + 2 * n, 3 + 3 * n, 2 + 4 * n)


class ConvectiveBudget(nn.Module):
    r"""Condensation and fluxes from what a network gives.

    With the mass of the layers m, their accession of moisture A, and membership
    :math:`c \in \{0, 1\}`, a deep cloud collects :math:`S = \sum c_k m_k A_k`, and where
    :math:`S > 0`

    .. math:: C_k = (1 - \beta)\,S\,a_k, \quad m_k \dot q_k = -c_k m_k A_k + \beta S b_k

    with :math:`\sum a_k = \sum b_k = 1` over its layers. So :math:`\sum m_k \dot q_k =
    -\sum C_k`. What a layer gains beside its condensation is written as a flux of moisture, which
    is nothing at both ends. A shallow cloud has fluxes of moisture and of heat, and no rain.

    Where a step would leave less than no humidity in a layer, everything that convection does to
    the column is made smaller by the same factor, which leaves all budgets closed.

    Parameters
    ----------
    spec
        Contract: inputs ``moisture_accession``, ``specific_humidity``, ``surface_pressure``;
        outputs condensation and the fluxes of moisture and heat, positive downward.
    thickness
        Layers' part of the surface pressure ``(n_level,)`` [1].
    timestep
        Time over which the host applies tendencies [s].
    transport
        Spread of the fluxes of moisture and heat at the inner interfaces
        ``(2 * (n_level - 1),)`` [kg m-2 s-1], [W m-2].
    """

    layer_mass: Tensor
    transport: Tensor
    until: Tensor

    def __init__(
        self, spec: ClosureSpec, thickness: Tensor, timestep: float, transport: Tensor
    ) -> None:
        super().__init__()
        parts = ranges_of(spec.inputs)
        names = ("moisture_accession", "specific_humidity", "surface_pressure")
        self.parts = [(parts[name].start, parts[name].stop) for name in names]
        n = len(thickness)
        self.n_level = n
        self.starts = Head(n).starts
        self.largest = LARGEST
        self.rate = (1.0 - MARGIN) / timestep
        self.register_buffer("layer_mass", (thickness / GRAVITY).float(), persistent=False)
        self.register_buffer("transport", transport)
        # From layers to the fluxes below all but the last.
        until = torch.triu(torch.ones(n, n - 1))
        self.register_buffer("until", until, persistent=False)

    def deep(self, outputs: Tensor, members: Tensor, supply: Tensor) -> tuple[Tensor, Tensor]:
        """Return condensation, and the change of vapour of each layer, both [kg m-2 s-1].

        Parameters
        ----------
        outputs
            Of the network ``(n, Head.size)``.
        members
            Layers' part in the cloud ``(n, n_level)`` [1].
        supply
            Accession of moisture by layers ``(n, n_level)`` [kg m-2 s-1].
        """
        _, condensing, moistening, end, _ = self.starts
        taken = members * supply
        collected = taken.sum(dim=1, keepdim=True)
        collected = torch.where(collected > 0.0, collected, 0.0)
        moist = torch.sigmoid(outputs[:, 2:3].clamp(-self.largest, self.largest))
        rain = self._shares(outputs[:, condensing:moistening], members)
        wet = self._shares(outputs[:, moistening:end], members)
        condensation = (1.0 - moist) * collected * rain
        change = torch.where(collected > 0.0, moist * collected * wet - taken, 0.0)
        return condensation, change

    def _shares(self, logits: Tensor, members: Tensor) -> Tensor:
        weights = members * torch.exp(logits.clamp(-self.largest, self.largest))
        total = weights.sum(dim=1, keepdim=True)
        return weights / torch.where(total > 0.0, total, 1.0)

    def supply(self, features: Tensor) -> Tensor:
        """Return the accession of moisture by layers ``(n, n_level)`` [kg m-2 s-1]."""
        return self._part(features, 0) * self.layer_mass * self._part(features, 2)

    def forward(self, features: Tensor, outputs: Tensor) -> Tensor:
        """Return condensation and both fluxes ``(n, 3 * n_level + 2)`` for raw inputs."""
        inside, condensing = self.starts[0], self.starts[1]
        moving, heating = self.starts[3], self.starts[4]
        is_deep = _on(outputs[:, :1])
        is_shallow = _on(outputs[:, 1:2]) * (1.0 - is_deep)
        members = is_deep * _on(outputs[:, inside:condensing])
        condensation, change = self.deep(outputs, members, self.supply(features))
        fluxes = is_shallow * outputs[:, moving:] * self.transport
        n_inner = heating - moving
        moisture, heat = fluxes[:, :n_inner], fluxes[:, n_inner:]
        moisture = moisture - (change + condensation) @ self.until
        nothing = torch.zeros_like(moisture[:, :1])
        moisture = torch.cat([nothing, moisture, nothing], dim=1)
        heat = torch.cat([nothing, heat, nothing], dim=1)
        kept = self._kept(features, moisture[:, :-1] - moisture[:, 1:] - condensation)
        return torch.cat([condensation, moisture, heat], dim=1) * kept

    def _kept(self, features: Tensor, change: Tensor) -> Tensor:
        """Return the part of it all that leaves no layer with less than no humidity."""
        mass = self.layer_mass * self._part(features, 2)
        most = mass * self._part(features, 1).clamp(min=0.0) * self.rate
        lost = -change
        part = torch.where(lost > most, most / torch.where(lost > most, lost, 1.0), 1.0)
        least = part[:, 0]
        for k in range(1, self.n_level):
            least = torch.minimum(least, part[:, k])
        return least.unsqueeze(1)

    def _part(self, features: Tensor, number: int) -> Tensor:
        first, stop = self.parts[number]
        return features[:, first:stop]


def _on(logits: Tensor) -> Tensor:
    return torch.where(logits > 0.0, 1.0, 0.0)
