"""Biharmonic Leith that returns part of the energy it takes out."""

from torch import Tensor

from closures.base import Closure
from closures.errors import SpecError
from closures.turbulence.flow import gradients, to_grid, to_spectrum, velocity, waves
from closures.turbulence.specification import require_part, vorticity_spec, width_of
from closures.turbulence.viscosity import (
    closure_tendency,
    returning_viscosity,
    scale_of,
    unit_of,
)


class Backscatter(Closure):
    """Biharmonic Leith with a uniform negative viscosity that is limited by its energy.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [length].
    c4, returned, filter_width
        As of `solvers.eddy_viscosity.Backscatter`, where the equations are.
    largest_vorticity
        Largest magnitude of the vorticity that it was made for [1 / time]; the bridge's guard flags
        what is beyond. None: any.

    Raises
    ------
    SpecError
        If one of these is out of range.

    References
    ----------
    Jansen and Held (2014), Ocean Modell. 80, 36.
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        *,
        c4: float = 0.004,
        returned: float = 0.5,
        filter_width: float | None = None,
        largest_vorticity: float | None = None,
    ) -> None:
        super().__init__(
            vorticity_spec(
                "backscatter",
                spacing,
                f"Biharmonic Leith, c4 = {c4:g}, that returns {returned:g} of the energy",
                ("Jansen and Held (2014), Ocean Modell. 80, 36",),
                largest_vorticity,
            )
        )
        if not c4 >= 0.0:
            raise SpecError(f"c4: expected no negative number, got {c4}")
        require_part("returned", returned)
        self.dy, self.dx = map(float, spacing)
        self.factor4 = c4 * unit_of("leith", width_of(filter_width, spacing), 4)
        self.returned = float(returned)

    def forward(self, vorticity: Tensor) -> tuple[Tensor]:
        """Return the tendency of the vorticity, ``(n, y, x)`` like it."""
        w = waves(vorticity, self.dy, self.dx)
        spectrum = to_spectrum(vorticity, w.kept)
        g, (u, v) = gradients(spectrum, w, vorticity), velocity(spectrum, w, vorticity)
        nu4 = self.factor4 * scale_of("leith", g)
        resolved = to_grid(spectrum, vorticity)
        nu2 = returning_viscosity(nu4, g, resolved, u, v, self.returned)
        return (closure_tendency(nu2, nu4, g, w),)
