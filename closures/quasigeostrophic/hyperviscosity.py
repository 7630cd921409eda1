"""Uniform viscosity of any order."""

from collections.abc import Mapping

import torch
from torch import Tensor

from closures.base import Closure
from closures.errors import SpecError
from closures.quasigeostrophic.plane import whole_plane
from closures.quasigeostrophic.specification import layer_spec, require_finite
from closures.turbulence.flow import to_grid


class Hyperviscosity(Closure):
    r"""Uniform hyperviscosity of potential vorticity, :math:`T = -\nu (-\nabla^2)^n q`.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    coefficient
        :math:`\nu` [m^(2n) s-1], of any sign; a positive one damps. A step of dt bears
        ``dt nu K^(2n)`` below 6/11 with third-order Adams-Bashforth, K being the largest
        wavenumber that the model's filter leaves.
    order
        n [1]: 1 is a viscosity, 2 biharmonic.
    largest
        Largest magnitude of q that it was made for [s-1], by name; see `layer_spec`.

    Raises
    ------
    SpecError
        If the coefficient is not finite, the order no positive whole number, or `largest` names no
        input.
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        coefficient: float,
        order: int = 2,
        *,
        largest: Mapping[str, float] | None = None,
    ) -> None:
        require_finite("coefficient", coefficient)
        if type(order) is not int or order < 1:
            raise SpecError(f"order: expected a whole number of at least 1, got {order!r}")
        super().__init__(
            layer_spec(
                "hyperviscosity",
                spacing,
                "q",
                f"Hyperviscosity {coefficient:g} m^{2 * order} s-1 of order {order}",
                (),
                largest,
            )
        )
        self.dy, self.dx = map(float, spacing)
        self.coefficient, self.order = float(coefficient), order

    def forward(self, q: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of q [s-1], both ``(n, 2, y, x)``."""
        w = whole_plane(q, self.dy, self.dx)
        rate = self.coefficient * w.kept * w.squared**self.order
        return (to_grid(-rate * torch.fft.rfft2(q), q),)
