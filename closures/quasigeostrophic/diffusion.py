"""Diffusion down the gradient of a vorticity; compiled by TorchScript."""

import torch
from torch import Tensor

from closures.turbulence.flow import Waves, divergence, to_grid


def gradient(spectrum: Tensor, w: Waves, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return the derivatives along x and y, on the grid of a field."""
    return to_grid(1j * w.k * spectrum, like), to_grid(1j * w.l * spectrum, like)


def leith_tendency(spectrum: Tensor, w: Waves, like: Tensor, a2: float, a4: float) -> Tensor:
    """Return ``div(|grad z| grad(a2 z - a4 lap z))`` on the grid, of the spectrum of z."""
    zx, zy = gradient(spectrum, w, like)
    magnitude = torch.sqrt(zx * zx + zy * zy)
    px, py = gradient((a2 + a4 * w.squared) * spectrum, w, like)
    return divergence(magnitude * px, magnitude * py, w)
