"""Two-dimensional flow on a doubly periodic grid: gradients, filters and divergences.

All functions are compiled by TorchScript. Fields have shape ``(..., y, x)``, spectra
``(..., l, k)``; only the waves that are kept take part, by default those of Orszag's two-thirds
rule.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Waves(NamedTuple):
    """Wavenumbers of a grid.

    Parameters
    ----------
    k, l
        Wavenumbers along x and y, shapes ``(1, k)`` and ``(l, 1)`` [rad / length].
    squared
        ``k**2 + l**2``, shape ``(l, k)``.
    kept, halved
        1 for the waves that are kept, and for those that a test filter at half their cutoff keeps,
        else 0.
    """

    k: Tensor
    l: Tensor  # noqa: E741 -- the name of the literature
    squared: Tensor
    kept: Tensor
    halved: Tensor


class Gradients(NamedTuple):
    """What an eddy viscosity is made of, shape ``(..., y, x)``.

    Parameters
    ----------
    wx, wy
        Gradient of the vorticity.
    px, py
        Gradient of its Laplacian.
    normal, shear
        Strains ``u_x - v_y`` and ``u_y + v_x``.
    """

    wx: Tensor
    wy: Tensor
    px: Tensor
    py: Tensor
    normal: Tensor
    shear: Tensor


def waves(field: Tensor, dy: float, dx: float, points: int = 3) -> Waves:
    """Return the wavenumbers of the grid of a field with given spacings.

    Parameters
    ----------
    field
        Any field on the grid.
    dy, dx
        Grid spacing [length].
    points
        Waves of more than so many points are kept: 3 for the two-thirds rule, 2 for all but the
        shortest, which has no derivative on the grid.
    """
    n_y, n_x = field.shape[-2], field.shape[-1]
    x = torch.fft.rfftfreq(n_x, dtype=field.dtype, device=field.device)[None, :]
    y = torch.fft.fftfreq(n_y, dtype=field.dtype, device=field.device)[:, None]
    k, l = 2.0 * math.pi / dx * x, 2.0 * math.pi / dy * y  # noqa: E741
    # Compared as whole numbers of waves, so that rounding decides nothing.
    m_x, m_y = torch.round(n_x * x.abs()), torch.round(n_y * y.abs())
    kept = (points * m_x < n_x) & (points * m_y < n_y)
    halved = (2 * points * m_x < n_x) & (2 * points * m_y < n_y)
    return Waves(k, l, k * k + l * l, kept.to(field.dtype), halved.to(field.dtype))


def to_spectrum(field: Tensor, kept: Tensor) -> Tensor:
    """Return the spectrum of a field, filtered."""
    spectrum: Tensor = torch.fft.rfft2(field) * kept
    return spectrum


def to_grid(spectrum: Tensor, like: Tensor) -> Tensor:
    """Return the field of a spectrum, on the grid of another field."""
    field: Tensor = torch.fft.irfft2(spectrum, s=[like.shape[-2], like.shape[-1]])
    return field


def velocity(spectrum: Tensor, w: Waves, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return u and v of the spectrum of the vorticity."""
    psi = -spectrum / torch.where(w.squared > 0.0, w.squared, 1.0)
    psi = torch.where(w.squared > 0.0, psi, torch.zeros_like(psi))
    return to_grid(-1j * w.l * psi, like), to_grid(1j * w.k * psi, like)


def gradients(spectrum: Tensor, w: Waves, like: Tensor) -> Gradients:
    """Return the gradients of the spectrum of the vorticity."""
    laplacian = -w.squared * spectrum
    psi = -spectrum / torch.where(w.squared > 0.0, w.squared, 1.0)
    return Gradients(
        to_grid(1j * w.k * spectrum, like),
        to_grid(1j * w.l * spectrum, like),
        to_grid(1j * w.k * laplacian, like),
        to_grid(1j * w.l * laplacian, like),
        to_grid(2.0 * w.k * w.l * psi, like),
        to_grid((w.l * w.l - w.k * w.k) * psi, like),
    )


def divergence(x: Tensor, y: Tensor, w: Waves) -> Tensor:
    """Return the waves that are kept of the divergence of a vector field."""
    spectrum = 1j * w.k * torch.fft.rfft2(x) + 1j * w.l * torch.fft.rfft2(y)
    return to_grid(w.kept * spectrum, x)
