"""Strain of the flow and the vorticity that a stress makes; compiled by TorchScript.

A horizontal stress without trace, ``T_yy = -T_xx``, accelerates by ``du/dt = T_xx,x + T_xy,y`` and
``dv/dt = T_xy,x - T_xx,y``. An isotropic part would be a pressure, which makes no vorticity.
"""

import torch
from torch import Tensor

from closures.turbulence.flow import Waves, to_grid


def strains(u: Tensor, v: Tensor, w: Waves) -> tuple[Tensor, Tensor]:
    """Return ``u_x - v_y`` and ``u_y + v_x`` [s-1] of a velocity on the grid [m s-1]."""
    us, vs = torch.fft.rfft2(u) * w.kept, torch.fft.rfft2(v) * w.kept
    normal, shear = 1j * (w.k * us - w.l * vs), 1j * (w.l * us + w.k * vs)
    return to_grid(normal, u), to_grid(shear, u)


def strains_of(psi: Tensor, w: Waves, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same of the spectrum of a streamfunction, on the grid of a field."""
    return (
        to_grid(2.0 * w.k * w.l * psi, like),
        to_grid((w.l * w.l - w.k * w.k) * psi, like),
    )


def rate_of_strain(normal: Tensor, shear: Tensor) -> Tensor:
    """Return ``|S|``, ``sqrt(2 (S_xx^2 + S_yy^2 + 2 S_xy^2))`` of a flow without divergence."""
    return torch.sqrt(normal * normal + shear * shear)


def relative_vorticity(u: Tensor, v: Tensor, w: Waves) -> Tensor:
    """Return the spectrum of ``v_x - u_y``."""
    spectrum: Tensor = 1j * w.kept * (w.k * torch.fft.rfft2(v) - w.l * torch.fft.rfft2(u))
    return spectrum


def curl_of_stress(xx: Tensor, xy: Tensor, w: Waves) -> Tensor:
    """Return ``(T_xy)_xx - (T_xy)_yy - 2 (T_xx)_xy`` on the grid [s-2], of T [m2 s-2]."""
    difference = w.l * w.l - w.k * w.k
    spectrum = difference * torch.fft.rfft2(xy) + 2.0 * w.k * w.l * torch.fft.rfft2(xx)
    return to_grid(w.kept * spectrum, xx)
