"""Everything that the experiment found, for its tables and figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.experiments.medida_qg.cases import CASES
from hybrid.experiments.medida_qg.flow import Flow
from hybrid.experiments.medida_qg.online import N_TIME, sampling_floor
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
    online
        Of `online_job.run`, by case.
    beside
        Of `online_job.beside`.
    lyapunov
        Of `online_job.lyapunov`.
    """

    nature: RelaxedJetQG
    q: Array
    psi: Mapping[str, Array]
    found: Mapping[str, xr.Dataset]
    observations: Observations
    online: Mapping[str, xr.Dataset]
    beside: xr.Dataset
    lyapunov: xr.Dataset

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

    def error(self, case: str, model: str, against: str = "growth") -> Array | None:
        """Return the forecast error of a model by time, None if it was lost.

        Parameters
        ----------
        case, model
            Case, or `NO_ERROR`, and one of `online_job.MODELS`.
        against
            ``"growth"``: nature in the steps of the models; ``"fine"``: in fine ones.
        """
        curve = self.online[case][against].sel(model=model).to_numpy()
        return curve if np.isfinite(curve).all() else None

    def error_ratio(self, case: str, model: str, against: str = "growth") -> float | None:
        """Return the error after a Lyapunov time relative to that of the uncorrected model [1].

        None where the uncorrected model is lost, infinity where the corrected one is.
        """
        before, after = self.error(case, "uncorrected", against), self.error(case, model, against)
        if before is None:
            return None
        return np.inf if after is None else float(after[N_TIME] / before[N_TIME])

    def distance(self, case: str, model: str) -> float | None:
        """Return the distance of the climate of a run, None if it was lost or not run [1]."""
        found = float(self.online[case].distance.sel(model=model))
        return found if np.isfinite(found) else None

    @property
    def lost(self) -> list[str]:
        """Cases whose uncorrected model does not stay finite within a forecast."""
        return [case for case in CASES if self.error(case, "uncorrected") is None]

    @cached_property
    def floor(self) -> float:
        """Distance between climates that chance alone makes: mean and three deviations [1]."""
        distances = sampling_floor(self.beside["values"].to_numpy(), self.beside.sizes["member"])
        return float(np.mean(distances) + 3.0 * np.std(distances, ddof=1))
