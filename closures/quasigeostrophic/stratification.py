"""What couples the two layers, and the streamfunction that it gives."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from closures.errors import SpecError
from closures.turbulence.flow import Waves


@dataclass(frozen=True)
class Stratification:
    """Stretching of the layers, upper first.

    ``q_1 = lap psi_1 + F_1 (psi_2 - psi_1)`` and ``q_2 = lap psi_2 + F_2 (psi_1 - psi_2)``.

    Parameters
    ----------
    f1, f2
        F_1 and F_2 [m-2]; the depths of the layers are as ``H_1 / H_2 = F_2 / F_1``.

    Raises
    ------
    SpecError
        If one is not positive.

    Examples
    --------
    >>> Stratification.of(deformation_radius=15e3, delta=0.25).depth_shares
    (0.2, 0.8)
    """

    f1: float
    f2: float

    def __post_init__(self) -> None:
        for name in ("f1", "f2"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise SpecError(f"{name}: expected a positive number [m-2], got {value}")

    @classmethod
    def of(cls, deformation_radius: float, delta: float) -> Self:
        """Return the stratification of `solvers.TwoLayerQG` with the same parameters.

        Parameters
        ----------
        deformation_radius
            First baroclinic deformation radius r_d [m]; ``F_1 + F_2 = r_d^-2``.
        delta
            Ratio of the layer depths ``H_1 / H_2`` [1].

        Raises
        ------
        SpecError
            If one is not positive.
        """
        for name, value in (("deformation_radius", deformation_radius), ("delta", delta)):
            if not 0.0 < value < math.inf:
                raise SpecError(f"{name}: expected a positive number, got {value}")
        f1 = deformation_radius**-2 / (1.0 + delta)
        return cls(f1, delta * f1)

    @property
    def depth_shares(self) -> tuple[float, float]:
        """Share of each layer in the depth, ``H_i / (H_1 + H_2)`` [1]."""
        return self.f2 / (self.f1 + self.f2), self.f1 / (self.f1 + self.f2)


def streamfunction(q: Tensor, w: Waves, f1: float, f2: float) -> Tensor:
    """Return the spectrum of psi [m2 s-1] of that of q [s-1], both of shape ``(n, 2, l, k)``.

    Its mean is 0.
    """
    k2 = w.squared
    safe = torch.where(k2 > 0.0, k2, 1.0)
    inverse = torch.where(k2 > 0.0, 1.0 / (safe * (safe + (f1 + f2))), 0.0)
    upper, lower = q[:, 0], q[:, 1]
    psi1 = -((k2 + f2) * upper + f1 * lower) * inverse
    psi2 = -(f2 * upper + (k2 + f1) * lower) * inverse
    return torch.stack([psi1, psi2], dim=1)
