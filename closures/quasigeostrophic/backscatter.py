"""Biharmonic dissipation whose energy returns at large scales."""

from collections.abc import Mapping

import torch
from torch import Tensor

from closures.base import Closure
from closures.quasigeostrophic.plane import whole_plane
from closures.quasigeostrophic.smagorinsky import SMAGORINSKY
from closures.quasigeostrophic.specification import layer_spec, require_finite
from closures.quasigeostrophic.stratification import Stratification, streamfunction
from closures.quasigeostrophic.stress import rate_of_strain, strains_of
from closures.turbulence.flow import to_grid


class JansenHeldBackscatter(Closure):
    r"""Biharmonic Smagorinsky viscosity with an anti-viscosity that returns part of its energy.

    .. math::
        T = D - C_B \nabla^4\psi
        \frac{\sum_i H_i \langle \psi_i D_i \rangle}
        {\sum_i H_i \langle \psi_i \nabla^4\psi_i \rangle}, \quad
        D = -\nabla^2 (\nu \Delta^2 \nabla^4\psi), \quad \nu = (C_S \Delta)^2 |S|,

    with :math:`\Delta^2 = \delta x \, \delta y` and means over the domain. Of the energy that D
    takes out of both layers together it returns the part :math:`C_B`, wherever it was taken.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    stratification
        That of the model.
    smagorinsky
        C_S [1]. The default is pyqg's; the benchmark of Ross et al. (2023) ran with
        ``0.007**0.5``.
    returned
        C_B [1]. The default is pyqg's; the benchmark of Ross et al. (2023) ran with 1.2, more than
        the dissipation, because the model's filter dissipates too.
    largest
        Largest magnitude of q that it was made for [s-1], by name; see `layer_spec`.

    Raises
    ------
    SpecError
        If a constant is not finite, or `largest` names no input.

    References
    ----------
    Jansen and Held (2014), Ocean Modell. 80, 36. Jansen et al. (2015), Ocean Modell. 94, 15. In
    the form of pyqg's ``BackscatterBiharmonic``, see Ross et al. (2023), J. Adv. Model. Earth
    Syst. 15, e2022MS003258.
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        stratification: Stratification,
        *,
        smagorinsky: float = 0.08,
        returned: float = 0.99,
        largest: Mapping[str, float] | None = None,
    ) -> None:
        require_finite("smagorinsky", smagorinsky)
        require_finite("returned", returned)
        super().__init__(
            layer_spec(
                "jansen_held_backscatter",
                spacing,
                "q",
                f"Biharmonic Smagorinsky viscosity, constant {smagorinsky:g}, that returns "
                f"{returned:g} of the energy",
                (
                    "Jansen and Held (2014), Ocean Modell. 80, 36",
                    "Jansen et al. (2015), Ocean Modell. 94, 15",
                    SMAGORINSKY,
                ),
                largest,
            )
        )
        self.dy, self.dx = map(float, spacing)
        self.factor = smagorinsky**2 * (self.dy * self.dx) ** 2
        self.returned = float(returned)
        self.f1, self.f2 = stratification.f1, stratification.f2
        self.share1, self.share2 = stratification.depth_shares

    def forward(self, q: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of q [s-1], both ``(n, 2, y, x)``."""
        w = whole_plane(q, self.dy, self.dx)
        spectrum = w.kept * streamfunction(torch.fft.rfft2(q), w, self.f1, self.f2)
        psi, curvature = to_grid(spectrum, q), to_grid(w.squared**2 * spectrum, q)
        normal, shear = strains_of(spectrum, w, q)
        viscosity = self.factor * rate_of_strain(normal, shear)
        taken = to_grid(w.kept * w.squared * torch.fft.rfft2(viscosity * curvature), q)
        lost, unit = self._mean(psi * taken), self._mean(psi * curvature)
        # Both vanish in a flow at rest.
        ratio = torch.where(unit > 0.0, lost / torch.where(unit > 0.0, unit, 1.0), 0.0)
        return (taken - self.returned * ratio * curvature,)

    def _mean(self, field: Tensor) -> Tensor:
        """Return the mean over the volume, shape ``(n, 1, 1, 1)``."""
        mean = field.mean((2, 3), keepdim=True)
        return self.share1 * mean[:, :1] + self.share2 * mean[:, 1:]
