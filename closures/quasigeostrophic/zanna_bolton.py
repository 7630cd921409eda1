"""The momentum closure that Zanna and Bolton found by sparse regression."""

from collections.abc import Mapping

from torch import Tensor

from closures.base import Closure
from closures.quasigeostrophic.plane import whole_plane
from closures.quasigeostrophic.specification import layer_spec, require_finite
from closures.quasigeostrophic.stress import curl_of_stress, relative_vorticity, strains
from closures.turbulence.flow import to_grid


class ZannaBolton2020(Closure):
    r"""Stress of products of vorticity and strain.

    .. math::
        \partial_t u = \kappa [\partial_x (P - \zeta D) + \partial_y (\zeta \tilde D)], \quad
        \partial_t v = \kappa [\partial_y (P + \zeta D) + \partial_x (\zeta \tilde D)], \\
        \zeta = v_x - u_y, \quad D = u_y + v_x, \quad \tilde D = u_x - v_y,

    and the tendency of q is its curl, in which :math:`P = (\zeta^2 + D^2 + \tilde D^2) / 2` is a
    pressure and drops out. The rest of the stress does no work: it moves energy between scales
    and places, and makes or takes none.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    kappa
        :math:`\kappa` [m2], which goes with the square of the spacing: the default is that of
        pyqg, fitted to filtered two-layer flow on 15.625 km.
    largest
        Largest magnitudes of u and v that it was made for [m s-1], by name; see `layer_spec`.

    Raises
    ------
    SpecError
        If kappa is not finite, or `largest` names no input.

    References
    ----------
    Zanna and Bolton (2020), Geophys. Res. Lett. 47, e2020GL088376, equation 6.
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        kappa: float = -46761284.0,
        *,
        largest: Mapping[str, float] | None = None,
    ) -> None:
        require_finite("kappa", kappa)
        super().__init__(
            layer_spec(
                "zanna_bolton_2020",
                spacing,
                "uv",
                f"Stress of Zanna and Bolton, kappa = {kappa:g} m2",
                ("Zanna and Bolton (2020), Geophys. Res. Lett. 47, e2020GL088376",),
                largest,
            )
        )
        self.dy, self.dx = map(float, spacing)
        self.kappa = float(kappa)

    def forward(self, u: Tensor, v: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of u and v [m s-1], all ``(n, 2, y, x)``."""
        w = whole_plane(u, self.dy, self.dx)
        normal, shear = strains(u, v, w)
        factor = self.kappa * to_grid(relative_vorticity(u, v, w), u)
        return (curl_of_stress(-factor * shear, factor * normal, w),)
