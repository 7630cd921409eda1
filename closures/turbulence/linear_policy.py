"""An eddy viscosity whose coefficients are linear in invariants of the local flow."""

from collections.abc import Sequence

import torch
from torch import Tensor

from closures.base import Closure
from closures.closed_form import ENTRY, ClosedForm
from closures.errors import SpecError
from closures.turbulence.flow import gradients, to_grid, to_spectrum, waves
from closures.turbulence.invariants import INVARIANTS, local_invariants
from closures.turbulence.policy_equation import Coefficient, policy_equation
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


class LinearPolicy(Closure):
    """Bounded linear combinations of local invariants as coefficients c2 and c4.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [length].
    weights2, weights4, bounds2, bounds4, scale, filter_width, net_dissipation
        As of `solvers.eddy_viscosity.LinearPolicy`.
    largest_vorticity
        Largest magnitude of the vorticity that it was made for [1 / time]; the bridge's guard flags
        what is beyond. None: any.

    Raises
    ------
    SpecError
        If there is not one weight for each invariant, or one of the others is out of range.

    References
    ----------
    Novati et al. (2021), Nat. Mach. Intell. 3, 87, for coefficients by a policy that all points
    share.

    Examples
    --------
    >>> policy = LinearPolicy((0.1, 0.1), weights2=(0.004, 0.002, 0.0, 0.0, -0.01, 0.0))
    >>> print(policy.equation(digits=3))  # doctest: +ELLIPSIS
    w_t = ... + div(nu2 grad w)
    nu2 = c2 D^3 |grad w|, D = 0.15
    c2 = 0.004 + 0.002 (|grad w|/rms - 1) - 0.01 A, cut off at -0.02 and 0.06
    where nu2 < 0 it is multiplied by min(1, (1 - 0.1) max(L, 0)/G), ...
    """

    def __init__(  # noqa: PLR0913 -- parameters of one policy
        self,
        spacing: tuple[float, float],
        *,
        weights2: Sequence[float],
        weights4: Sequence[float] = (0.0,) * len(INVARIANTS),
        bounds2: tuple[float, float] = (-0.02, 0.06),
        bounds4: tuple[float, float] = (0.0, 0.0),
        scale: str = "leith",
        filter_width: float | None = None,
        net_dissipation: float | None = 0.1,
        largest_vorticity: float | None = None,
    ) -> None:
        super().__init__(
            vorticity_spec(
                "linear_policy",
                spacing,
                f"Eddy viscosity, scale {scale}, coefficients linear in local invariants",
                ("Novati et al. (2021), Nat. Mach. Intell. 3, 87",),
                largest_vorticity,
            )
        )
        require_name("scale", scale, SCALES)
        if net_dissipation is not None:
            require_part("net_dissipation", net_dissipation)
        for name, weights in (("weights2", weights2), ("weights4", weights4)):
            if len(weights) != len(INVARIANTS):
                raise SpecError(
                    f"{name}: expected {len(INVARIANTS)} weights, those of "
                    f"{', '.join(INVARIANTS)}, got {len(weights)}"
                )
        width = width_of(filter_width, spacing)
        self.dy, self.dx, self.scale = *map(float, spacing), scale
        self.width = width
        self.unit2, self.unit4 = unit_of(scale, width, 2), unit_of(scale, width, 4)
        self.low2, self.high2 = map(float, bounds2)
        self.low4, self.high4 = map(float, bounds4)
        self.margin = -1.0 if net_dissipation is None else float(net_dissipation)
        self.register_buffer("weights", torch.tensor([weights2, weights4], dtype=torch.float64))

    weights: Tensor

    def forward(self, vorticity: Tensor) -> tuple[Tensor]:
        """Return the tendency of the vorticity, ``(n, y, x)`` like it."""
        w = waves(vorticity, self.dy, self.dx)
        spectrum = to_spectrum(vorticity, w.kept)
        g = gradients(spectrum, w, vorticity)
        x = local_invariants(to_grid(spectrum, vorticity), g)
        c = torch.einsum("cf,nfyx->ncyx", self.weights.to(x.dtype), x)
        s = scale_of(self.scale, g)
        nu2 = self.unit2 * torch.clamp(c[:, 0], self.low2, self.high2) * s
        nu4 = self.unit4 * torch.clamp(c[:, 1], self.low4, self.high4) * s
        if self.margin >= 0.0:
            nu2 = limit_net_dissipation(nu2, nu4, g, self.margin)
        return (closure_tendency(nu2, nu4, g, w),)

    def equation(self, digits: int | None = None) -> ClosedForm:
        """Return the policy written out: coefficients, invariants, bounds and limiter.

        Parameters
        ----------
        digits
            Significant digits of numbers; None: as many as tell them apart from all others.
        """
        weights2, weights4 = self.weights.tolist()
        coefficients = [Coefficient(2, weights2, self.low2, self.high2)]
        if (self.low4, self.high4) != (0.0, 0.0):
            coefficients.append(Coefficient(4, weights4, self.low4, self.high4))
        return policy_equation(coefficients, self.scale, self.width, self.margin, digits)

    def documents(self) -> dict[str, str]:
        """Return the equation, as ``equation.json``."""
        return {ENTRY: self.equation().to_json()}
