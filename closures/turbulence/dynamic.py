"""An eddy viscosity whose coefficient the resolved flow tells."""

import torch
from torch import Tensor

from closures.base import Closure
from closures.turbulence.flow import Waves, gradients, to_grid, to_spectrum, velocity, waves
from closures.turbulence.specification import (
    SCALES,
    require_name,
    vorticity_spec,
    width_of,
)
from closures.turbulence.viscosity import closure_tendency, scale_of, unit_of

_AVERAGES = ("global", "local")
_CLIPPINGS = ("none", "coefficient", "numerator")
# Width of the Gaussian of local means, in filter widths.
_LOCAL_MEAN = 4.0


class DynamicEddyViscosity(Closure):
    """Smagorinsky or Leith viscosity with the coefficient of the identity of Germano.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [length].
    scale, average, clipping, filter_width
        As of `solvers.eddy_viscosity.DynamicEddyViscosity`, where the equations are.
    largest_vorticity
        Largest magnitude of the vorticity that it was made for [1 / time]; the bridge's guard flags
        what is beyond. None: any.

    Raises
    ------
    SpecError
        If one of these is out of range.

    References
    ----------
    Germano et al. (1991), Phys. Fluids A 3, 1760. Lilly (1992), Phys. Fluids A 4, 633.
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        *,
        scale: str = "leith",
        average: str = "global",
        clipping: str = "coefficient",
        filter_width: float | None = None,
        largest_vorticity: float | None = None,
    ) -> None:
        super().__init__(
            vorticity_spec(
                f"dynamic_{scale}",
                spacing,
                f"Dynamic eddy viscosity, scale {scale}, {average} mean, clipping {clipping}",
                (
                    "Germano et al. (1991), Phys. Fluids A 3, 1760",
                    "Lilly (1992), Phys. Fluids A 4, 633",
                ),
                largest_vorticity,
            )
        )
        require_name("scale", scale, SCALES[1:])
        require_name("average", average, _AVERAGES)
        require_name("clipping", clipping, _CLIPPINGS)
        self.dy, self.dx, self.scale = *map(float, spacing), scale
        self.width = width_of(filter_width, spacing)
        self.unit = unit_of(scale, self.width, 2)
        self.test_unit = unit_of(scale, 2.0, 2)
        self.mean_width = _LOCAL_MEAN * self.width
        self.local, self.clipping = average == "local", clipping

    def forward(self, vorticity: Tensor) -> tuple[Tensor]:
        """Return the tendency of the vorticity, ``(n, y, x)`` like it."""
        w = waves(vorticity, self.dy, self.dx)
        spectrum = to_spectrum(vorticity, w.kept)
        g = gradients(spectrum, w, vorticity)
        nu2 = self.coefficient(vorticity) * self.unit * scale_of(self.scale, g)
        return (closure_tendency(nu2, torch.zeros_like(nu2), g, w),)

    def coefficient(self, vorticity: Tensor) -> Tensor:
        """Return c [1], shape ``(n, 1, 1)`` or, with local means, ``(n, y, x)``."""
        w = waves(vorticity, self.dy, self.dx)
        lx, ly, mx, my = self._identity(vorticity, w)
        numerator, denominator = lx * mx + ly * my, mx * mx + my * my
        if self.clipping == "numerator":
            numerator = torch.clamp(numerator, min=0.0)
        if self.local:
            gaussian = torch.exp(-w.squared * self.mean_width**2 / 24.0) * w.kept
            numerator = to_grid(to_spectrum(numerator, gaussian), vorticity)
            denominator = to_grid(to_spectrum(denominator, gaussian), vorticity)
        else:
            numerator = numerator.mean((1, 2), keepdim=True)
            denominator = denominator.mean((1, 2), keepdim=True)
        tells = denominator > 0.0
        c = torch.where(tells, numerator / torch.where(tells, denominator, 1.0), 0.0)
        return torch.clamp(c, min=0.0) if self.clipping == "coefficient" else c

    def _identity(self, vorticity: Tensor, w: Waves) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return both components of L and of M."""
        spectrum = to_spectrum(vorticity, w.kept)
        g, (u, v) = gradients(spectrum, w, vorticity), velocity(spectrum, w, vorticity)
        omega, s = to_grid(spectrum, vorticity), scale_of(self.scale, g)
        hat = spectrum * w.halved
        h, (hat_u, hat_v) = gradients(hat, w, vorticity), velocity(hat, w, vorticity)
        hat_omega, hat_s = to_grid(hat, vorticity), self.test_unit * scale_of(self.scale, h)
        return (
            self._filtered(u * omega, w) - hat_u * hat_omega,
            self._filtered(v * omega, w) - hat_v * hat_omega,
            self.unit * (self._filtered(s * g.wx, w) - hat_s * h.wx),
            self.unit * (self._filtered(s * g.wy, w) - hat_s * h.wy),
        )

    def _filtered(self, field: Tensor, w: Waves) -> Tensor:
        return to_grid(to_spectrum(field, w.halved), field)
