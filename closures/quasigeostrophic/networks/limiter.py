"""A bound on the energy that a closure may put into the flow."""

import torch
from torch import Tensor, nn

from closures.errors import SpecError
from closures.quasigeostrophic.plane import whole_plane
from closures.quasigeostrophic.stratification import Stratification, streamfunction
from closures.turbulence.flow import to_grid


class Unlimited(nn.Module):
    """No bound."""

    def forward(self, q: Tensor, tendency: Tensor) -> Tensor:  # noqa: ARG002 -- as `EnergyLimiter`
        """Return the tendency."""
        return tendency


class EnergyLimiter(nn.Module):
    r"""Scales a tendency T of q where it would make energy grow faster than a given rate.

    .. math::
        G = - \sum_i h_i \langle \psi_i T_i \rangle, \quad
        E = - \tfrac{1}{2} \sum_i h_i \langle \psi_i q_i \rangle, \quad
        T' = \min(1, r E / G) \, T \text{ where } G > 0,

    with shares h of the depth and means over the domain: energy grows by the closure with the rate
    r at most, ``G' <= r E``. What takes energy out is left alone.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    stratification
        That of the model.
    rate
        r [s-1]; 0 lets no energy in.

    Raises
    ------
    SpecError
        If the rate is negative.
    """

    def __init__(
        self, spacing: tuple[float, float], stratification: Stratification, rate: float
    ) -> None:
        super().__init__()
        if not rate >= 0.0:
            raise SpecError(f"largest_growth: expected no negative rate [s-1], got {rate}")
        self.dy, self.dx = map(float, spacing)
        self.f1, self.f2 = stratification.f1, stratification.f2
        self.share1, self.share2 = stratification.depth_shares
        self.rate = float(rate)

    def forward(self, q: Tensor, tendency: Tensor) -> Tensor:
        """Return the tendency [s-2], limited, of q [s-1], both ``(n, 2, y, x)``."""
        w = whole_plane(q, self.dy, self.dx)
        psi = to_grid(w.kept * streamfunction(torch.fft.rfft2(q), w, self.f1, self.f2), q)
        gain = -self._mean(psi * tendency)
        most = -0.5 * self.rate * self._mean(psi * q)
        factor = torch.where(gain > most, most / torch.where(gain > most, gain, 1.0), 1.0)
        return factor.clamp(0.0, 1.0) * tendency

    def _mean(self, field: Tensor) -> Tensor:
        """Return the mean over the volume, shape ``(n, 1, 1, 1)``."""
        mean = field.mean((2, 3), keepdim=True)
        return self.share1 * mean[:, :1] + self.share2 * mean[:, 1:]
