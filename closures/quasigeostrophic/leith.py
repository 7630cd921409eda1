"""Leith's eddy viscosities, of relative and of potential vorticity."""

from collections.abc import Mapping

import torch
from torch import Tensor

from closures.base import Closure
from closures.quasigeostrophic.diffusion import leith_tendency
from closures.quasigeostrophic.plane import whole_plane
from closures.quasigeostrophic.specification import layer_spec, require_finite
from closures.quasigeostrophic.stress import relative_vorticity
from closures.turbulence.viscosity import unit_of

_LEITH = "Leith (1996), Physica D 98, 481"
BACHMAN = "Bachman et al. (2017), J. Geophys. Res. Oceans 122, 1529"


class Leith(Closure):
    r"""Leith and biharmonic Leith viscosity of relative vorticity.

    .. math::
        T = \nabla \cdot (c_2 \Delta^3 |\nabla\zeta| \nabla\zeta)
        - \nabla \cdot (c_4 \Delta^5 |\nabla\zeta| \nabla\nabla^2\zeta), \quad
        \zeta = v_x - u_y, \quad \Delta^2 = \delta x \, \delta y.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    c2, c4
        Coefficients of any sign [1]; with the constant C_L of the literature, ``c2 = C_L**3``.
        Positive ones take enstrophy out; a negative c2 with a positive c4 returns energy at
        large scales.
    largest
        Largest magnitudes of u and v that it was made for [m s-1], by name; see `layer_spec`.

    Raises
    ------
    SpecError
        If a coefficient is not finite, or `largest` names no input.

    References
    ----------
    Leith (1996), Physica D 98, 481.
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        *,
        c2: float = 0.0,
        c4: float = 0.0,
        largest: Mapping[str, float] | None = None,
    ) -> None:
        description = _described("relative", c2, c4)
        super().__init__(layer_spec("leith", spacing, "uv", description, (_LEITH,), largest))
        self.dy, self.dx = map(float, spacing)
        self.a2, self.a4 = _factors(spacing, c2, c4)

    def forward(self, u: Tensor, v: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of u and v [m s-1], all ``(n, 2, y, x)``."""
        w = whole_plane(u, self.dy, self.dx)
        zeta = relative_vorticity(u, v, w)
        return (leith_tendency(zeta, w, u, self.a2, self.a4),)


class QGLeith(Closure):
    r"""The same of potential vorticity: it also diffuses the thickness of the layers.

    .. math::
        T = \nabla \cdot (c_2 \Delta^3 |\nabla q| \nabla q)
        - \nabla \cdot (c_4 \Delta^5 |\nabla q| \nabla\nabla^2 q).

    Parameters
    ----------
    spacing, c2, c4
        As of `Leith`.
    largest
        Largest magnitude of q that it was made for [s-1], by name; see `layer_spec`.

    Raises
    ------
    SpecError
        If a coefficient is not finite, or `largest` names no input.

    References
    ----------
    Bachman et al. (2017), J. Geophys. Res. Oceans 122, 1529; without their limits on stretching.
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        *,
        c2: float = 0.0,
        c4: float = 0.0,
        largest: Mapping[str, float] | None = None,
    ) -> None:
        description = _described("potential", c2, c4)
        references = (_LEITH, BACHMAN)
        super().__init__(layer_spec("qg_leith", spacing, "q", description, references, largest))
        self.dy, self.dx = map(float, spacing)
        self.a2, self.a4 = _factors(spacing, c2, c4)

    def forward(self, q: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of q [s-1], both ``(n, 2, y, x)``."""
        w = whole_plane(q, self.dy, self.dx)
        spectrum = torch.fft.rfft2(q) * w.kept
        return (leith_tendency(spectrum, w, q, self.a2, self.a4),)


def _described(which: str, c2: float, c4: float) -> str:
    return f"Leith viscosity of {which} vorticity, c2 = {c2:g}, c4 = {c4:g}"


def _factors(spacing: tuple[float, float], c2: float, c4: float) -> tuple[float, float]:
    require_finite("c2", c2)
    require_finite("c4", c4)
    width = (spacing[0] * spacing[1]) ** 0.5
    return c2 * unit_of("leith", width, 2), c4 * unit_of("leith", width, 4)
