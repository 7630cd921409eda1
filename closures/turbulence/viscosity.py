"""The scales of an eddy viscosity, its tendency, and its limits; compiled by TorchScript."""

import torch
from torch import Tensor

from closures.turbulence.flow import Gradients, Waves, divergence


def scale_of(scale: str, g: Gradients) -> Tensor:
    """Return what a viscosity is proportional to: the strain, the vorticity gradient, or 1."""
    if scale == "leith":
        return torch.sqrt(g.wx * g.wx + g.wy * g.wy)
    if scale == "smagorinsky":
        return torch.sqrt(g.normal * g.normal + g.shear * g.shear)
    return torch.ones_like(g.wx)


def unit_of(scale: str, width: float, power: int) -> float:
    """Return the power of the filter width that a coefficient is a multiple of."""
    if scale == "leith":
        return width ** (power + 1)
    if scale == "smagorinsky":
        return width**power
    return 1.0


def closure_tendency(nu2: Tensor, nu4: Tensor, g: Gradients, w: Waves) -> Tensor:
    """Return ``div(nu2 grad w) - div(nu4 grad laplacian w)``, shape ``(n, y, x)``."""
    return divergence(nu2 * g.wx - nu4 * g.px, nu2 * g.wy - nu4 * g.py, w)


def limit_net_dissipation(nu2: Tensor, nu4: Tensor, g: Gradients, margin: float) -> Tensor:
    """Return nu2 with its negative values scaled down until enough enstrophy is taken out.

    The closure then takes out at least the part `margin` of what all but the negative values
    take out.
    """
    laplacian = nu2 * (g.wx * g.wx + g.wy * g.wy)
    hyper = nu4 * (g.wx * g.px + g.wy * g.py)
    gained = -torch.clamp(laplacian, max=0.0).mean((1, 2), keepdim=True)
    lost = (torch.clamp(laplacian, min=0.0) - hyper).mean((1, 2), keepdim=True)
    most = (1.0 - margin) * torch.clamp(lost, min=0.0)
    factor = torch.where(gained > most, most / torch.where(gained > 0.0, gained, 1.0), 1.0)
    return torch.where(nu2 < 0.0, factor * nu2, nu2)


def returning_viscosity(
    nu4: Tensor, g: Gradients, vorticity: Tensor, u: Tensor, v: Tensor, returned: float
) -> Tensor:
    """Return the uniform negative viscosity that gives a part of the energy back."""
    # The gradient of the streamfunction is (v, -u).
    taken = (nu4 * (v * g.px - u * g.py)).mean((1, 2), keepdim=True)
    square = (vorticity * vorticity).mean((1, 2), keepdim=True)
    safe = torch.where(square > 0.0, square, 1.0)
    return (-returned * torch.clamp(taken, min=0.0) / safe).expand_as(nu4)
