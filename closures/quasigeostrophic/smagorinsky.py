"""Smagorinsky's eddy viscosity of momentum."""

from collections.abc import Mapping

from torch import Tensor

from closures.base import Closure
from closures.quasigeostrophic.plane import whole_plane
from closures.quasigeostrophic.specification import layer_spec, require_finite
from closures.quasigeostrophic.stress import curl_of_stress, rate_of_strain, strains

SMAGORINSKY = "Smagorinsky (1963), Mon. Weather Rev. 91, 99"


class Smagorinsky(Closure):
    r"""Viscous stress of momentum whose viscosity is proportional to the rate of strain.

    .. math::
        \partial_t u = 2 \partial_x (\nu S_{xx}) + 2 \partial_y (\nu S_{xy}), \quad
        \partial_t v = 2 \partial_x (\nu S_{xy}) + 2 \partial_y (\nu S_{yy}), \\
        \nu = (C_S \Delta)^2 \sqrt{2 (S_{xx}^2 + S_{yy}^2 + 2 S_{xy}^2)}, \quad
        \Delta^2 = \delta x \, \delta y,

    and the tendency of q is its curl. Takes energy out of each layer, at every point.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    constant
        C_S [1]: 0.1 is pyqg's default, 0.15 was in the benchmark of Ross et al. (2023).
    largest
        Largest magnitudes of u and v that it was made for [m s-1], by name; see `layer_spec`.

    Raises
    ------
    SpecError
        If the constant is not finite, or `largest` names no input.

    References
    ----------
    Smagorinsky (1963), Mon. Weather Rev. 91, 99. Ross et al. (2023), J. Adv. Model. Earth Syst.
    15, e2022MS003258.

    Examples
    --------
    >>> import torch
    >>> rest = torch.zeros(1, 2, 8, 8, dtype=torch.float64)
    >>> Smagorinsky((15625.0, 15625.0))(rest, rest)[0].shape
    torch.Size([1, 2, 8, 8])
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        constant: float = 0.1,
        *,
        largest: Mapping[str, float] | None = None,
    ) -> None:
        require_finite("constant", constant)
        super().__init__(
            layer_spec(
                "smagorinsky",
                spacing,
                "uv",
                f"Smagorinsky viscosity of momentum, constant {constant:g}",
                (SMAGORINSKY,),
                largest,
            )
        )
        self.dy, self.dx = map(float, spacing)
        self.area = float(constant) ** 2 * self.dy * self.dx

    def forward(self, u: Tensor, v: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of u and v [m s-1], all ``(n, 2, y, x)``."""
        w = whole_plane(u, self.dy, self.dx)
        normal, shear = strains(u, v, w)
        nu = self.area * rate_of_strain(normal, shear)
        return (curl_of_stress(nu * normal, nu * shear, w),)
