"""Candidate terms on the grid of a model, for states of potential vorticity or streamfunction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from closures.model_error import PeriodicGrid, SystemLibrary
from hybrid.experiments.medida_qg.cases import candidate_terms
from solvers.product_grid import without_nyquist
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[Any]


@dataclass(frozen=True)
class Flow:
    """Streamfunction and potential vorticity of each other on the grid of a model.

    Parameters
    ----------
    model
        Whose grid it is.
    """

    model: RelaxedJetQG

    def psi(self, q: Array) -> Array:
        """Return the streamfunction of potential vorticity, shape ``(..., 2, ny, nx)`` [1]."""
        return self._to_grid(self.model.invert(np.fft.rfft2(q)))

    def q(self, psi: Array) -> Array:
        """Return the potential vorticity of a streamfunction, shape ``(..., 2, ny, nx)`` [1]."""
        spectrum = np.fft.rfft2(psi)
        shear = spectrum[..., 0, :, :] - spectrum[..., 1, :, :]
        q = -self.model.grid.wavenumber_squared * spectrum
        q[..., 0, :, :] -= shear
        q[..., 1, :, :] += shear
        return self._to_grid(q)

    def jet(self) -> Array:
        """Return the streamfunction of the jet that the shear is relaxed to, ``(ny, nx)`` [1]."""
        return self._to_grid(self.model.jet_spectrum)

    def resolved(self, psi: Array) -> Array:
        """Return a streamfunction without its mean and Nyquist waves, which models do not keep."""
        spectrum = without_nyquist(np.fft.rfft2(psi))
        spectrum[..., 0, 0] = 0.0
        return self._to_grid(spectrum)

    def _to_grid(self, spectrum: Array) -> Array:
        return np.asarray(np.fft.irfft2(spectrum, s=self.model.grid.shape))


def library(model: RelaxedJetQG, scale: Array | None = None) -> SystemLibrary:
    """Return the candidate terms, as tendencies of potential vorticity.

    Parameters
    ----------
    model
        Of any case: its grid and the jet of nature.
    scale
        Of states that are streamfunctions over this, shape ``(2, 1, 1)``; None for states of
        potential vorticity.
    """
    flow = Flow(model)
    jet = flow.jet()

    def fields(states: Array) -> Mapping[str, Array]:
        q = states if scale is None else flow.q(scale * states)
        psi = flow.psi(states) if scale is None else scale * states
        named = {"psi1": psi[:, 0], "psi2": psi[:, 1], "q1": q[:, 0], "q2": q[:, 1]}
        return {**named, "psi_r": jet}

    grid = PeriodicGrid("yx", model.grid.shape, (model.length_y, model.length_x))
    return SystemLibrary(candidate_terms(), grid, fields, dealias=True)
