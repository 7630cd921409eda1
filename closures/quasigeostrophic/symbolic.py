"""The symbolic closure of Ross et al. (2023): seven terms of derivatives and advection."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from closures.base import Closure
from closures.quasigeostrophic.plane import whole_plane
from closures.quasigeostrophic.specification import finite_array, layer_spec
from closures.turbulence.flow import Waves, divergence, to_grid, to_spectrum

N_TERM = 7
"""Terms of the closure, each with a weight in each layer."""

_ROSS = "Ross et al. (2023), J. Adv. Model. Earth Syst. 15, e2022MS003258"
_PUBLISHED = (
    (
        *(1.4077349573135765e07, 1.9300721349777748e15, 2.3311494532833229e22),
        *(1.1828024430000000e09, 1.1410567621344224e17),
        *(-6.7029178551956909e10, 8.9901990193476257e10),
    ),
    (
        *(5.196460289865505e06, 7.031351150824246e14, 1.130130768679029e11),
        *(8.654265196250000e08, 7.496556547888773e16),
        *(-8.300923156070618e11, 9.790139405295905e11),
    ),
)


class HybridSymbolic(Closure):
    r"""Linear in seven terms that symbolic regression found, with weights for each layer.

    .. math::
        T = (w_1 \nabla^2 + w_2 \nabla^4 + w_3 \nabla^6) A q + (w_4 \nabla^4 + w_5 \nabla^6) q
        + A^2 \nabla^2 (w_6 \partial_x v + w_7 \partial_y u), \quad
        A f = \nabla \cdot ((\mathbf{u} + \mathbf{U}) f).

    Advection is by the whole velocity, with the mean flow, as it was published. So this closure
    is not the same for an observer who moves along, and unless :math:`w_7 = -w_6` it knows the
    directions of the axes.

    Parameters
    ----------
    spacing
        Grid spacing along y and x [m].
    weights
        w_1 to w_7 of the upper and of the lower layer, shape ``(2, 7)``
        [m2, m4, m6, m4 s-1, m6 s-1, m2 s, m2 s].
    mean_flow
        U of the upper and of the lower layer, along x [m s-1].
    largest
        Largest magnitudes of q, u and v that it was made for [s-1, m s-1], by name; see
        `layer_spec`.
    provenance
        Where the weights come from.

    Raises
    ------
    SpecError
        If weights or mean flow have other shapes or are not finite, or `largest` names no input.

    References
    ----------
    Ross et al. (2023), J. Adv. Model. Earth Syst. 15, e2022MS003258.
    """

    def __init__(
        self,
        spacing: tuple[float, float],
        weights: ArrayLike,
        *,
        mean_flow: Sequence[float],
        largest: Mapping[str, float] | None = None,
        provenance: Mapping[str, str] | None = None,
    ) -> None:
        values = finite_array("weights", weights, (2, N_TERM))
        flow = finite_array("mean_flow", mean_flow, (2,))
        super().__init__(
            layer_spec(
                "hybrid_symbolic",
                spacing,
                "quv",
                "Symbolic closure of seven terms in q, u, v and their derivatives",
                (_ROSS,),
                largest,
                provenance,
            )
        )
        self.dy, self.dx = map(float, spacing)
        self.register_buffer("weights", torch.from_numpy(values[:, :, np.newaxis, np.newaxis]))
        self.register_buffer("mean_flow", torch.from_numpy(flow[:, np.newaxis, np.newaxis]))

    weights: Tensor
    mean_flow: Tensor

    @classmethod
    def published(
        cls,
        spacing: tuple[float, float],
        *,
        mean_flow: Sequence[float],
        largest: Mapping[str, float] | None = None,
    ) -> Self:
        """Return the closure with the published weights.

        They were fitted to two-layer flow of the eddy configuration on 64 x 64 points of 15.625
        km, and printed in ``online_metrics.ipynb`` of the authors' benchmark repository.

        Parameters
        ----------
        spacing, mean_flow, largest
            As of the class; weights are used as they are on any spacing.
        """
        provenance = {"weights": "pyqg_parameterization_benchmarks, online_metrics.ipynb"}
        return cls(spacing, _PUBLISHED, mean_flow=mean_flow, largest=largest, provenance=provenance)

    def forward(self, q: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor]:
        """Return the tendency of q [s-2] of q [s-1], u and v [m s-1], all ``(n, 2, y, x)``."""
        return (self.weighted(q, u, v, self.weights),)

    def weighted(self, q: Tensor, u: Tensor, v: Tensor, weights: Tensor) -> Tensor:
        """Return the tendency with other weights, shape ``(2, 7, 1, 1)``."""
        w = whole_plane(q, self.dy, self.dx)
        whole = u + self.mean_flow
        k2 = w.squared
        advected = torch.fft.rfft2(self._advection(q, whole, v, w))
        of_advected = -k2 * (weights[:, 0] - k2 * (weights[:, 1] - k2 * weights[:, 2]))
        of_q = k2**2 * (weights[:, 3] - k2 * weights[:, 4])
        turn = weights[:, 5] * w.k * torch.fft.rfft2(v) + weights[:, 6] * w.l * torch.fft.rfft2(u)
        spin = to_grid(-1j * w.kept * k2 * turn, q)
        twice = self._advection(self._advection(spin, whole, v, w), whole, v, w)
        linear = of_advected * advected + of_q * to_spectrum(q, w.kept)
        return to_grid(linear, q) + twice

    def terms(self, q: Tensor, u: Tensor, v: Tensor) -> Tensor:
        """Return the terms that the weights multiply, shape ``(n, 7, 2, y, x)``."""
        units = torch.eye(N_TERM, dtype=q.dtype, device=q.device)
        each = [
            self.weighted(q, u, v, unit.repeat(2, 1)[:, :, None, None]) for unit in units.unbind()
        ]
        return torch.stack(each, dim=1)

    def _advection(self, field: Tensor, u: Tensor, v: Tensor, w: Waves) -> Tensor:
        return divergence(u * field, v * field, w)
