"""Invariants of the local flow, which no turning, mirroring or steady wind changes."""

import torch
from torch import Tensor

from closures.turbulence.flow import Gradients

INVARIANTS = (
    "one",
    "vorticity_gradient",
    "strain_dominance",
    "strain",
    "alignment",
    "vorticity",
)
"""Names of the invariants, in their order."""


def local_invariants(vorticity: Tensor, g: Gradients) -> Tensor:
    r"""Return the invariants at every point [1], shape ``(n, invariant, y, x)``.

    In their order: 1; :math:`|\nabla\omega|` over its root mean square, minus 1;
    :math:`(|S|^2 - \omega^2) / (|S|^2 + \omega^2)`; :math:`|S|` over its root mean square, minus
    1; :math:`-2 \nabla\omega \cdot S \nabla\omega / (|\nabla\omega|^2 |S|)`, which is 1 where
    strain compresses the vorticity gradient's direction most; :math:`|\omega|` over its root
    mean square, minus 1. Where a denominator is 0, so is the fraction.

    Parameters
    ----------
    vorticity
        Vorticity, shape ``(n, y, x)``.
    g
        Its gradients.
    """
    g2 = g.wx * g.wx + g.wy * g.wy
    s2 = g.normal * g.normal + g.shear * g.shear
    w2 = vorticity * vorticity
    stretching = g.normal * (g.wx * g.wx - g.wy * g.wy) + 2.0 * g.shear * g.wx * g.wy
    return torch.stack(
        [
            torch.ones_like(w2),
            _relative(g2),
            _ratio(s2 - w2, s2 + w2),
            _relative(s2),
            -_ratio(stretching, g2 * torch.sqrt(s2)),
            _relative(w2),
        ],
        dim=1,
    )


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    positive = denominator > 0.0
    return torch.where(positive, numerator / torch.where(positive, denominator, 1.0), 0.0)


def _relative(squared: Tensor) -> Tensor:
    mean = squared.mean((1, 2), keepdim=True)
    return torch.sqrt(_ratio(squared, mean.expand_as(squared))) - 1.0
