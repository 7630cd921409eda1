"""Eddy viscosity and eddy hyperviscosity with given coefficients."""

from torch import Tensor

from closures.base import Closure
from closures.turbulence.flow import gradients, to_spectrum, waves
from closures.turbulence.specification import (
    SCALES,
    require_name,
    require_part,
    vorticity_spec,
    width_of,
)
from closures.turbulence.viscosity import (
    closure_tendency,
    limit_net_dissipation,
    scale_of,
    unit_of,
)


class EddyViscosity(Closure):
    r"""Laplacian and biharmonic eddy viscosity with coefficients of any sign.

    .. math::
        T = \nabla \cdot (\nu_2 \nabla \omega) - \nabla \cdot (\nu_4 \nabla \nabla^2 \omega),

    with :math:`\nu_2 = c_2 D^3 |\nabla\omega|, \nu_4 = c_4 D^5 |\nabla\omega|` (``"leith"``),
    :math:`\nu_2 = c_2 D^2 |S|, \nu_4 = c_4 D^4 |S|` (``"smagorinsky"``), or
    :math:`\nu_2 = c_2, \nu_4 = c_4` (``"uniform"``).

    Parameters
    ----------
    spacing
        Grid spacing along y and x [length].
    scale, c2, c4, filter_width, net_dissipation
        As of `solvers.eddy_viscosity.EddyViscosity`.
    largest_vorticity
        Largest magnitude of the vorticity that it was made for [1 / time]; the bridge's guard flags
        what is beyond. None: any.

    Raises
    ------
    SpecError
        If one of these is out of range.

    References
    ----------
    Smagorinsky (1963), Mon. Weather Rev. 91, 99. Leith (1996), Physica D 98, 481.

    Examples
    --------
    >>> import torch
    >>> closure = EddyViscosity((0.1, 0.1), scale="leith", c2=-0.007, c4=0.004)
    >>> closure(torch.zeros(1, 8, 8, dtype=torch.float64))[0].shape
    torch.Size([1, 8, 8])
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        *,
        scale: str = "leith",
        c2: float = 0.0,
        c4: float = 0.0,
        filter_width: float | None = None,
        net_dissipation: float | None = None,
        largest_vorticity: float | None = None,
    ) -> None:
        super().__init__(
            vorticity_spec(
                f"{scale}_viscosity",
                spacing,
                f"Eddy viscosity, scale {scale}, c2 = {c2:g}, c4 = {c4:g}",
                ("Smagorinsky (1963), Mon. Weather Rev. 91, 99", "Leith (1996), Physica D 98, 481"),
                largest_vorticity,
            )
        )
        require_name("scale", scale, SCALES)
        if net_dissipation is not None:
            require_part("net_dissipation", net_dissipation)
        width = width_of(filter_width, spacing)
        self.dy, self.dx, self.scale = *map(float, spacing), scale
        self.factor2 = c2 * unit_of(scale, width, 2)
        self.factor4 = c4 * unit_of(scale, width, 4)
        self.margin = -1.0 if net_dissipation is None else float(net_dissipation)

    def forward(self, vorticity: Tensor) -> tuple[Tensor]:
        """Return the tendency of the vorticity, ``(n, y, x)`` like it."""
        w = waves(vorticity, self.dy, self.dx)
        g = gradients(to_spectrum(vorticity, w.kept), w, vorticity)
        s = scale_of(self.scale, g)
        nu2, nu4 = self.factor2 * s, self.factor4 * s
        if self.margin >= 0.0:
            nu2 = limit_net_dissipation(nu2, nu4, g, self.margin)
        return (closure_tendency(nu2, nu4, g, w),)
