"""Everything that the experiment found, for its tables and figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.medida_qg.flow import Flow
from hybrid.experiments.medida_qg.scores import Score, scores, spectrum_along_channel, state_errors
from hybrid.experiments.medida_qg.sensors import Observations
from solvers.relaxed_jet import RelaxedJetQG

Array = NDArray[np.float64]

HALF = 0.5
"""Of the true variance of a wave: beyond it, more of the wave is error than is truth."""


@dataclass(frozen=True)
class Findings:
    """What was found.

    Parameters
    ----------
    nature
        The true equations.
    q
        Its samples, see `Truth.states` [1].
    psi
        States from sensors by interpolator, ``(n_sample, 2, ny, nx)`` [1].
    found
        Of `job.discoveries`, by interpolator and from every point.
    observations
        What the sensors measured.
    """

    nature: RelaxedJetQG
    q: Array
    psi: Mapping[str, Array]
    found: Mapping[str, xr.Dataset]
    observations: Observations

    @cached_property
    def scores(self) -> Mapping[str, Mapping[str, Score]]:
        """Scores by interpolator, or from every point, and case."""
        return {name: scores(self.nature, found) for name, found in self.found.items()}

    @cached_property
    def errors(self) -> Mapping[str, tuple[float, float]]:
        """Errors of the states of each interpolator, see `state_errors`."""
        return {name: state_errors(self.nature, psi, self.q[1]) for name, psi in self.psi.items()}

    @cached_property
    def true_psi(self) -> Array:
        """Streamfunction of the states that were interpolated [1]."""
        return Flow(self.nature).psi(self.q[1])

    def best(self) -> str:
        """Return the interpolator with the most good cases, of these the least error of q."""
        names = [name for name in self.psi if name != "exact"]
        return min(names, key=lambda name: (-self.n_good(name), self.errors[name][1]))

    def n_good(self, name: str) -> int:
        """Return in how many cases terms are right and coefficients within 10 %."""
        return sum(score.good for score in self.scores[name].values())

    def error_spectrum(self, name: str) -> Array:
        """Return the variance of the error of each wave along x over that of nature's, by layer."""
        error = spectrum_along_channel(self.psi[name] - self.true_psi)
        return np.asarray(error / spectrum_along_channel(self.true_psi))

    def resolved_waves(self, name: str) -> int:
        """Return how many waves along x of the upper layer are more truth than error."""
        beyond = self.error_spectrum(name)[0] > HALF
        return int(np.argmax(beyond)) if beyond.any() else len(beyond)
