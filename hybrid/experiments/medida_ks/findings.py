"""Everything that the jobs of the experiment found, and the numbers that follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybrid.experiments.medida_ks.cases import CASES, percent_error
from hybrid.experiments.medida_ks.online import Summary, sampling_floor
from hybrid.experiments.medida_ks.settings import N_TIME, Settings

Array = NDArray[Any]
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Findings:
    """Records of all jobs.

    Parameters
    ----------
    settings
        Sizes.
    exact
        Noise-free discoveries by form of the library and case.
    noisy
        Noisy ones, one a seed, by way of observation and case.
    online
        Runs by case.
    truth
        File of the truth that they were compared with.
    every
        Time between the states of a forecast [1].
    """

    settings: Settings
    exact: Mapping[str, Record]
    noisy: Sequence[Record]
    online: Mapping[str, Record]
    truth: Path
    every: float

    @property
    def ill_posed(self) -> list[str]:
        """Cases whose uncorrected model is ill-posed, which no correction is compared with."""
        return [case for case in self.settings.cases if not CASES[case].well_posed]

    def before(self, case: str) -> float:
        """Return the error of the uncorrected coefficients [%]."""
        return percent_error(CASES[case])

    def median_error(self, case: str, way: str) -> float:
        """Return the median over seeds of the error of corrected coefficients [%]."""
        return float(np.median([seed[way][case]["percent"] for seed in self.noisy]))

    def detection(self, case: str, way: str) -> float:
        """Return the share of seeds in which exactly the right terms were found [1]."""
        return float(np.mean([seed[way][case]["right"] for seed in self.noisy]))

    def strength(self, case: str, way: str) -> float:
        """Return the median of the smallest coefficient in its standard errors [1]."""
        return float(np.median([seed[way][case]["strength"] for seed in self.noisy]))

    def deviations(self, way: str) -> Array:
        """Return errors of coefficients in standard errors, of all cases with the right terms."""
        cases = [seed[way][case] for seed in self.noisy for case in self.settings.cases]
        return np.array([z for case in cases for z in case["deviations"]])

    def growth(self, case: str, model: str) -> Array | None:
        """Return the median forecast error by time, None if most forecasts were lost."""
        curves = [curve for curve in self.online[case]["growth"][model] if curve is not None]
        if 2 * len(curves) <= len(self.online[case]["growth"][model]):
            return None
        return np.asarray(np.median(np.array(curves), axis=0))

    def error_ratio(self, case: str, model: str) -> float | None:
        """Return the error after a Lyapunov time relative to that of the uncorrected model.

        Parameters
        ----------
        case
            Name of the case.
        model
            ``"corrected"`` or ``"corrected_n1"``.

        Returns
        -------
        float
            Median over seeds; None where the uncorrected model is ill-posed or lost, infinity
            where the corrected one is lost [1].
        """
        uncorrected = self.growth(case, "uncorrected")
        if case in self.ill_posed or uncorrected is None:
            return None
        corrected = self.growth(case, model)
        return np.inf if corrected is None else float(corrected[N_TIME] / uncorrected[N_TIME])

    def climate(self, case: str, model: str) -> Record | None:
        """Return the climate of a run, None if it was lost or not run."""
        found: Record | None = self.online[case]["climate"].get(model)
        return found

    @cached_property
    def reference(self) -> Summary:
        """Climates of the truth."""
        with np.load(self.truth) as arrays:
            return Summary(arrays["values"], arrays["spectra"])

    @cached_property
    def floor(self) -> float:
        """Distance between climates that chance alone makes: mean and three deviations [1]."""
        distances = sampling_floor(self.reference, self.settings.n_member)
        return float(np.mean(distances) + 3.0 * np.std(distances, ddof=1))
