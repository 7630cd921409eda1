"""Eddy viscosities of potential vorticity whose coefficient the resolved flow tells."""

from collections.abc import Mapping

import torch
from torch import Tensor

from closures.base import Closure
from closures.quasigeostrophic.diffusion import gradient
from closures.quasigeostrophic.plane import whole_plane
from closures.quasigeostrophic.smagorinsky import SMAGORINSKY
from closures.quasigeostrophic.specification import layer_spec
from closures.quasigeostrophic.stress import rate_of_strain, strains
from closures.turbulence.flow import Waves, divergence, to_grid, to_spectrum
from closures.turbulence.specification import SCALES, require_name
from closures.turbulence.viscosity import unit_of

_AVERAGES = ("layer", "both")
_CLIPPINGS = ("none", "coefficient", "numerator")
_REFERENCES = (
    "Germano et al. (1991), Phys. Fluids A 3, 1760",
    "Lilly (1992), Phys. Fluids A 4, 633",
)


class DynamicEddyViscosity(Closure):
    r"""Smagorinsky or Leith diffusion of q with the coefficient of the identity of Germano.

    .. math::
        T = \nabla \cdot (c \Delta^n s \nabla q), \quad
        c = \frac{\langle L M \rangle}{\langle M^2 \rangle}, \\
        L = \widehat{J(\psi, q)} - J(\hat\psi, \hat q), \quad
        M = \widehat{\nabla \cdot (\Delta^n s \nabla q)}
        - \nabla \cdot ((2 \Delta)^n \hat s \nabla \hat q),

    with :math:`s = |S|, n = 2` (``"smagorinsky"``) or :math:`s = |\nabla q|, n = 3`
    (``"leith"``). The hat keeps the waves of more than four points, and :math:`\hat s` is made of
    the flow under it.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    scale
        ``"smagorinsky"`` or ``"leith"``.
    average
        Where the means are taken: ``"layer"``, a coefficient for each layer, or ``"both"``, one
        for both, with equal weights.
    clipping
        ``"none"`` keeps a negative coefficient, ``"coefficient"`` makes it 0, ``"numerator"``
        leaves out points where L M is negative before the mean is taken.
    largest
        Largest magnitudes of q, u and v that it was made for [s-1, m s-1], by name; see
        `layer_spec`.

    Raises
    ------
    SpecError
        If a name is unknown, or `largest` names no input.

    References
    ----------
    Germano et al. (1991), Phys. Fluids A 3, 1760. Lilly (1992), Phys. Fluids A 4, 633.
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        *,
        scale: str = "smagorinsky",
        average: str = "layer",
        clipping: str = "coefficient",
        largest: Mapping[str, float] | None = None,
    ) -> None:
        require_name("scale", scale, SCALES[1:])
        require_name("average", average, _AVERAGES)
        require_name("clipping", clipping, _CLIPPINGS)
        super().__init__(
            layer_spec(
                f"dynamic_{scale}",
                spacing,
                "quv",
                f"Dynamic eddy viscosity of q, scale {scale}, mean of {average}, clipping "
                f"{clipping}",
                (*_REFERENCES, SMAGORINSKY) if scale == "smagorinsky" else _REFERENCES,
                largest,
            )
        )
        self.dy, self.dx, self.scale = *map(float, spacing), scale
        self.unit = unit_of(scale, (self.dy * self.dx) ** 0.5, 2)
        self.test_unit = unit_of(scale, 2.0, 2)
        self.together, self.clipping = average == "both", clipping

    def forward(self, q: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of q [s-1], u and v [m s-1], all ``(n, 2, y, x)``."""
        w = whole_plane(q, self.dy, self.dx)
        return (self.coefficient(q, u, v) * self._diffusion(q, u, v, w, w.kept),)

    def coefficient(self, q: Tensor, u: Tensor, v: Tensor) -> Tensor:
        """Return c [1], shape ``(n, 2, 1, 1)`` or, with one mean of both, ``(n, 1, 1, 1)``."""
        w = whole_plane(q, self.dy, self.dx)
        hat_q, hat_u, hat_v = (
            self._filtered(q, w),
            self._filtered(u, w),
            self._filtered(v, w),
        )
        advection = self._filtered(divergence(u * q, v * q, w), w)
        known = advection - divergence(hat_u * hat_q, hat_v * hat_q, w)
        diffusion = self._filtered(self._diffusion(q, u, v, w, w.kept), w)
        model = diffusion - self.test_unit * self._diffusion(q, u, v, w, w.halved)
        numerator = known * model
        if self.clipping == "numerator":
            numerator = torch.clamp(numerator, min=0.0)
        above, below = self._mean(numerator), self._mean(model * model)
        tells = below > 0.0
        c = torch.where(tells, above / torch.where(tells, below, 1.0), 0.0)
        return torch.clamp(c, min=0.0) if self.clipping == "coefficient" else c

    def _diffusion(self, q: Tensor, u: Tensor, v: Tensor, w: Waves, part: Tensor) -> Tensor:
        """Return ``div(D^n s grad q)`` of the flow of some of the waves."""
        seen = Waves(w.k, w.l, w.squared, part, part)
        qx, qy = gradient(to_spectrum(q, part), seen, q)
        if self.scale == "leith":
            s = torch.sqrt(qx * qx + qy * qy)
        else:
            normal, shear = strains(u, v, seen)
            s = rate_of_strain(normal, shear)
        return self.unit * divergence(s * qx, s * qy, w)

    def _filtered(self, field: Tensor, w: Waves) -> Tensor:
        return to_grid(to_spectrum(field, w.halved), field)

    def _mean(self, field: Tensor) -> Tensor:
        if self.together:
            return field.mean((1, 2, 3), keepdim=True)
        return field.mean((2, 3), keepdim=True)
