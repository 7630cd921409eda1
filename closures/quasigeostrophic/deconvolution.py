"""A part of the small-scale filter of two-layer models undone."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from closures.base import Closure
from closures.errors import SpecError
from closures.quasigeostrophic.specification import layer_spec
from closures.turbulence.flow import to_grid

FILTER_CUTOFF, STEEPNESS = 0.65, 23.6
"""Of the filter of pyqg: where it begins, as a part of pi over the grid spacing, and how steep it
is."""

STOLZ = "Stolz and Adams (1999), Phys. Fluids 11, 1699-1701"


class Deconvolution(Closure):
    r"""Undo a part of the filter that ends each step of two-layer flow.

    .. math::
        \hat T = \frac{1}{\Delta t} \left(\frac{g}{f} - 1\right) \hat q
        \quad\text{where } f > f_0, \text{ else } 0,

    with the filter f of `solvers.TwoLayerQG` and of pyqg and one of the same form, g, that begins
    at shorter waves: a field that does not change otherwise is g q at the end of a step, in place
    of f q. What the filter takes out of the step's own tendency stays out. On waves of which f
    leaves less than :math:`f_0`, nothing is done.

    It is for models with this filter and this time step alone, and acts against their filter: a
    model whose filter begins at shorter waves needs none. `solvers.Deconvolution` is the same,
    compiled into the time loop.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    dt
        Time step of the model [s].
    cutoff
        Where g begins, as a part of pi over the grid spacing [1], from the filter's 0.65 to 1.
    least
        :math:`f_0` [1], between 0 and 1.
    largest
        Largest magnitude of q that it was made for [s-1], by name; see `layer_spec`.

    Raises
    ------
    SpecError
        If one of these is out of range, or `largest` names no input.

    References
    ----------
    Stolz and Adams (1999), Phys. Fluids 11, 1699-1701, for deconvolution as a closure.
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        *,
        dt: float,
        cutoff: float,
        least: float = 1e-3,
        largest: Mapping[str, float] | None = None,
    ) -> None:
        if not 0.0 < dt < math.inf:
            raise SpecError(f"dt: expected a positive number, got {dt}")
        if not FILTER_CUTOFF <= cutoff <= 1.0:
            raise SpecError(
                f"cutoff: expected a number from {FILTER_CUTOFF:g}, where the model's filter "
                f"begins, to 1, got {cutoff}"
            )
        if not 0.0 < least < 1.0:
            raise SpecError(f"least: expected a number between 0 and 1, got {least}")
        super().__init__(
            layer_spec(
                "deconvolution",
                spacing,
                "q",
                f"Filter from {FILTER_CUTOFF:g} pi undone to {cutoff:g} pi, at steps of {dt:g} s",
                (STOLZ,),
                largest,
            )
        )
        self.per_step, self.cutoff, self.least = 1.0 / float(dt), float(cutoff), float(least)
        # TorchScript knows numbers of a module, not those of a file.
        self.filter_cutoff, self.steepness = FILTER_CUTOFF, STEEPNESS

    def forward(self, q: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of q [s-1], both ``(n, 2, y, x)``."""
        n_y, n_x = q.shape[-2], q.shape[-1]
        x = torch.fft.rfftfreq(n_x, dtype=q.dtype, device=q.device)
        y = torch.fft.fftfreq(n_y, dtype=q.dtype, device=q.device)
        # In parts of pi over the grid spacing.
        w = 2.0 * torch.sqrt(x * x + (y * y)[:, None])
        f, g = self._response(w, self.filter_cutoff), self._response(w, self.cutoff)
        gain = torch.where(f > self.least, g / f.clamp(min=self.least) - 1.0, 0.0)
        return (to_grid(self.per_step * gain * torch.fft.rfft2(q), q),)

    def _response(self, w: Tensor, cutoff: float) -> Tensor:
        excess = 3.141592653589793 * (w - cutoff).clamp(min=0.0)
        return torch.exp(-self.steepness * (excess * excess) * (excess * excess))
