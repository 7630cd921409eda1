"""The runs that coefficients are fitted to, and the fits, each made once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
import xarray as xr

from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.quasigeostrophic.calibration.coefficients import SixthOrderCoefficients
from hybrid.experiments.quasigeostrophic.calibration.fit import (
    Array,
    Box,
    Calibration,
    Fitted,
    fit,
)
from hybrid.experiments.quasigeostrophic.calibration.trials import Trials
from hybrid.experiments.quasigeostrophic.candidates import NONE
from hybrid.experiments.quasigeostrophic.job import TRIAL, TRUTH, FitJob, TrialJob
from hybrid.experiments.quasigeostrophic.runs.climate import OnProgress, climate
from hybrid.experiments.quasigeostrophic.runs.configurations import (
    SEEDS_OF_A_RUN,
    Configuration,
    Duration,
)
from hybrid.experiments.quasigeostrophic.runs.truth import PlainRun
from hybrid.experiments.quasigeostrophic.scores.similarity import thinned

# Initial states that no run begins with that is scored, of requests with seeds below a thousand.
_SEED = 2_000_000


def _nothing(_fraction: float) -> None:
    pass


@dataclass(frozen=True)
class Calibrator:
    """Finds coefficients in a run of the experiment.

    Parameters
    ----------
    checkpoint
        Where runs and fits are kept.
    calibration
        How many.
    flows
        The configurations that they are made in, by name.
    duration
        Length of runs, as of those that are scored.
    """

    checkpoint: Checkpoint
    calibration: Calibration
    flows: Mapping[str, Configuration]
    duration: Duration

    def run(self, job: TrialJob, on_progress: OnProgress = _nothing) -> xr.Dataset:
        """Return the climate of a run, on the points of the coarse grid."""
        first = self.calibration.n_truth if job.model == TRIAL else 0
        seed = _SEED + SEEDS_OF_A_RUN * self.checkpoint.seed + first + job.number
        flow = self.flows[job.configuration]

        def make() -> xr.Dataset:
            n = flow.n_coarse
            if job.model == TRIAL:
                tendency = SixthOrderCoefficients.at(self._place(job.number)).in_loop(flow.coarse)
                return climate(
                    flow.coarse,
                    flow.initial(n, seed),
                    self.duration,
                    tendency=tendency,
                    on_progress=on_progress,
                )
            nx = flow.n_truth if job.model == TRUTH else n
            return thinned(PlainRun(flow, nx, self.duration, seed).climate(on_progress), n)

        return self.checkpoint.arrays(job.name, make)

    def fit(self, job: FitJob) -> Fitted:
        """Return what the runs of all rounds up to one say."""
        n_truth = range(self.calibration.n_truth)
        places = [*chain(*map(self._places, range(job.number + 1)))]

        def trials_in(flow: str) -> Trials:
            return Trials.of(
                [(place, self.run(TrialJob(TRIAL, flow, i))) for i, place in enumerate(places)],
                [self.run(TrialJob(TRUTH, flow, i)) for i in n_truth],
                [self.run(TrialJob(NONE, flow, i)) for i in n_truth],
            )

        def make() -> dict[str, object]:
            trials = {flow: trials_in(flow) for flow in self.flows}
            random = self.checkpoint.generator(job.name)
            found = fit(self._box(job.number), trials, random, self.calibration.n_again)
            return {**vars(found)}

        return Fitted(**self.checkpoint.weights(job.name, make))

    def fits(self) -> Iterator[Fitted]:
        """Yield what the finished rounds have found."""
        for job in map(FitJob, range(self.calibration.n_round)):
            if self.checkpoint.has(job.name):
                yield self.fit(job)

    @property
    def coefficients(self) -> SixthOrderCoefficients:
        """What the last round has found."""
        return SixthOrderCoefficients.at(self.fit(FitJob(self.calibration.n_round - 1)).place)

    def _box(self, number: int) -> Box:
        if number == 0:
            return Box()
        return self._box(number - 1).narrowed_around(self.fit(FitJob(number - 1)).place)

    def _place(self, trial: int) -> Array:
        number, i = divmod(trial, self.calibration.n_trial)
        return np.asarray(self._places(number)[i])

    def _places(self, number: int) -> Array:
        """Return the places of a round, shape ``(n_trial, N_COEFFICIENT)``."""
        random = self.checkpoint.generator(f"places_{number}")
        return self._box(number).places(self.calibration.n_trial, random)
