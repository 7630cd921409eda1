"""Coefficients of `LeithE` with deconvolution: what they are, and where they are looked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from closures import Closure, quasigeostrophic
from hybrid.experiments.quasigeostrophic.runs.climate import ENVELOPE
from solvers.deconvolution import Deconvolution
from solvers.leith_e import LeithE
from solvers.quasigeostrophic import TwoLayerQG
from solvers.spectral import FILTER_CUTOFF

Array = NDArray[np.float64]

Scale = Literal["laplacian", "strain"]
"""What the diffusivity goes with, see `LeithE`."""

LARGEST_FACTOR: Mapping[Scale, float] = MappingProxyType({"laplacian": 0.1, "strain": 1.0})
"""Largest coefficients of anti-diffusion of the upper layer [1], far above what runs have."""

# Middle and half width of where coefficients are looked for, of diffusion by a factor: the constant
# of Smagorinsky's viscosity and the energy returned of Jansen and Held's closure as Ross et al.
# (2023) ran it, and a part of the filter undone.
_C4, _RETURNED, _CUTOFF = 0.007, 1.2, 0.72
_FACTOR, _MORE_RETURNED, _HIGHER_CUTOFF = 2.0, 0.12, 0.05
N_COEFFICIENT = 3
"""Dimensions of the space in which they are looked for."""


@dataclass(frozen=True)
class Coefficients:
    """Of `LeithE` in momentum form with an energy budget, and of `Deconvolution` beside it.

    Diffusion has one coefficient, and the anti-diffusion of the lower layer is to that of the upper
    one as speeds are where both have the same energy, which is sqrt(H1 / H2).

    Parameters
    ----------
    c4
        Biharmonic coefficient of both layers [1].
    returned
        Part of the energy that is put back [1].
    cutoff
        Where the filter begins that deconvolution leaves, as a part of pi over the grid spacing
        [1]; that of the model: no deconvolution.
    scale
        What the diffusivity goes with.
    """

    c4: float
    returned: float
    cutoff: float = FILTER_CUTOFF
    scale: Scale = "laplacian"

    @classmethod
    def at(cls, place: Sequence[float] | Array) -> "Coefficients":
        """Return the coefficients at a place, shape ``(N_COEFFICIENT,)``, from -1 to 1 at first.

        Those that go with the strain.
        """
        c4, returned, cutoff = (float(x) for x in place)
        return cls(
            _C4 * _FACTOR**c4,
            _RETURNED + _MORE_RETURNED * returned,
            float(np.clip(_CUTOFF + _HIGHER_CUTOFF * cutoff, FILTER_CUTOFF, 1.0)),
            "strain",
        )

    def arguments(self, model: TwoLayerQG) -> dict[str, Any]:
        """Return the arguments by keyword of `LeithE`, in `solvers` and in `closures` alike."""
        return {
            "c2": (-1.0, -sqrt(model.delta)),
            "c4": (self.c4, self.c4),
            "returned": self.returned,
            "largest_factor": LARGEST_FACTOR[self.scale],
            "delta": model.delta,
            "fields": (self.scale, "vorticity"),
        }

    def closure(self, model: TwoLayerQG) -> Closure:
        """Return the closure that archives are made of."""
        spacing = model.grid.dy, model.grid.dx
        leith = quasigeostrophic.LeithE(spacing, **self.arguments(model), largest=ENVELOPE)
        if not self.deconvolves:
            return leith
        return leith + quasigeostrophic.Deconvolution(
            spacing, dt=model.dt, cutoff=self.cutoff, largest={"q": ENVELOPE["q"]}
        )

    def in_loop(self, model: TwoLayerQG) -> LeithE | Deconvolution:
        """Return the closure that a time loop calls."""
        leith = LeithE(**self.arguments(model))
        if not self.deconvolves:
            return leith
        return Deconvolution(dt=model.dt, cutoff=self.cutoff, closure=leith)

    @property
    def deconvolves(self) -> bool:
        """Whether a part of the filter is undone."""
        return self.cutoff > FILTER_CUTOFF


CHOSEN = Coefficients(c4=0.0027, returned=1.26)
"""Without deconvolution: chosen among some twenty on eddy, with truths that no score is made with.

Fixed, so that closure and scores do not wait for a fit; what a fit finds is beside them.
"""

CHOSEN_DECONVOLVED = Coefficients(c4=0.0018, returned=1.22, cutoff=0.725)
"""With it: chosen among some fifty, likewise."""

CALIBRATED = Coefficients(c4=0.00935, returned=1.104, cutoff=0.8166, scale="strain")
"""What preset ``full`` has fitted to runs on eddy, see `calibration.fit`."""
