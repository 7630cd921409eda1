"""The stages of the experiment; what is done is not done again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import assert_never

import xarray as xr

import hybrid
from closures import Closure
from closures.quasigeostrophic.networks import StochasticNetwork
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.quasigeostrophic.calibration.calibrator import Calibrator
from hybrid.experiments.quasigeostrophic.calibration.coefficients import Coefficients
from hybrid.experiments.quasigeostrophic.candidates import CANDIDATES
from hybrid.experiments.quasigeostrophic.job import (
    TRUTH,
    DataJob,
    FitJob,
    HostedJob,
    Job,
    PairsJob,
    RegressionJob,
    RunJob,
    TrainingJob,
    TrialJob,
)
from hybrid.experiments.quasigeostrophic.learning.exchange import target_exchange
from hybrid.experiments.quasigeostrophic.learning.learner import Learner, Trained
from hybrid.experiments.quasigeostrophic.learning.offline import Offline, predicted
from hybrid.experiments.quasigeostrophic.learning.pairs import PairsRun
from hybrid.experiments.quasigeostrophic.runs.climate import climate
from hybrid.experiments.quasigeostrophic.runs.configurations import SEEDS_OF_A_RUN
from hybrid.experiments.quasigeostrophic.runs.hosted import hosted_climate
from hybrid.experiments.quasigeostrophic.runs.truth import PlainRun
from hybrid.experiments.quasigeostrophic.settings import CHOSEN_IN, OPERATOR, Settings
from solvers.integration import Integration
from solvers.tendency_source import TendencySource

OnProgress = Callable[[float], None]

# Far from the seeds of runs that are scored, of requests with seeds below a thousand.
_PAIRS_SEED = 1_000_000


def _nothing(_fraction: float) -> None:
    pass


@dataclass(frozen=True)
class Stages:
    """What a run of the experiment does, piece by piece.

    Parameters
    ----------
    checkpoint
        Where results of stages are kept.
    settings
        Sizes.
    archives
        Folder of the compiled closures.
    """

    checkpoint: Checkpoint
    settings: Settings
    archives: Path

    def do(self, job: Job, on_progress: OnProgress) -> None:
        """Do a job."""
        if isinstance(job, RunJob):
            self.climate(job, on_progress)
        elif isinstance(job, HostedJob):
            self.hosted(job, on_progress)
        elif isinstance(job, PairsJob):
            self.pairs(job, on_progress)
        elif isinstance(job, TrialJob):
            self.calibrator.run(job, on_progress)
        elif isinstance(job, FitJob):
            self.calibrator.fit(job)
        elif isinstance(job, TrainingJob):
            self.learner.train(job.plan, on_progress)
        elif isinstance(job, RegressionJob):
            self.learner.symbolic(job, self.learner.flow.coarse, on_progress)
        elif isinstance(job, DataJob):
            self.learner.data(job.kind, job.number, on_progress)
        else:
            assert_never(job)

    def is_done(self, job: Job) -> bool:
        """Return whether a job is finished."""
        return self.checkpoint.has(job.name)

    def climates(self, model: str, configuration: str) -> list[xr.Dataset]:
        """Return the finished runs of a model, or of the truth, from the first seeds on."""
        jobs = (RunJob(model, configuration, seed) for seed in self.settings.seeds(model))
        return [self.climate(job) for job in takewhile(self.is_done, jobs)]

    def climate(self, job: RunJob, on_progress: OnProgress = _nothing) -> xr.Dataset:
        """Return the climate of a model, see `climate`."""
        configuration = self.settings.configurations[job.configuration]
        seed = self._seed(job)

        def make() -> xr.Dataset:
            nx = self.n_point(job.model, job.configuration)
            if job.model == TRUTH or not CANDIDATES[job.model].has_closure:
                return PlainRun(configuration, nx, self.settings.duration, seed).climate(
                    on_progress
                )
            return climate(
                configuration.model(nx),
                configuration.initial(nx, seed),
                self.settings.duration,
                tendency=self.in_loop(job.model, job.configuration, seed),
                on_progress=on_progress,
            )

        return self.checkpoint.arrays(job.name, make)

    def hosted_climates(self, model: str, configuration: str) -> list[xr.Dataset]:
        """Return the finished runs of a model in Fortran, from the first seeds on."""
        jobs = (HostedJob(model, configuration, seed) for seed in self.settings.seeds(model))
        return [self.hosted(job) for job in takewhile(self.is_done, jobs)]

    def hosted(self, job: HostedJob, on_progress: OnProgress = _nothing) -> xr.Dataset:
        """Return the climate of a model in Fortran, see `hosted_climate`."""
        flow, seed = self.settings.configurations[job.configuration], self._seed(job)

        def make() -> xr.Dataset:
            return hosted_climate(
                flow.coarse,
                flow.initial(flow.n_coarse, seed),
                self.settings.duration,
                self.archive(job.model, job.configuration),
                on_progress,
            )

        return self.checkpoint.arrays(job.name, make)

    def _seed(self, job: RunJob | HostedJob) -> int:
        return SEEDS_OF_A_RUN * self.checkpoint.seed + job.seed

    def pairs(self, job: PairsJob, on_progress: OnProgress = _nothing) -> xr.Dataset:
        """Return the states that closures are scored with offline, see `PairsRun`."""
        configuration = self.settings.configurations[job.configuration]
        seed = _PAIRS_SEED + self.checkpoint.seed
        run = PairsRun(configuration, seed, self.settings.pairs_years)
        return self.checkpoint.arrays(job.name, lambda: run.pairs(on_progress))

    def coefficients(self, model: str) -> Coefficients:
        """Return the coefficients of a `LeithE`: given, or those that were fitted."""
        return CANDIDATES[model].coefficients or self.calibrator.coefficients

    @property
    def calibrator(self) -> Calibrator:
        """What finds coefficients, in the configurations that it knows."""
        settings = self.settings
        return Calibrator(
            self.checkpoint, settings.calibration, settings.fitted_in, settings.duration
        )

    @property
    def learner(self) -> Learner:
        """What trains the networks, in the one configuration that they know."""
        flow = self.settings.configurations[CHOSEN_IN]
        folder = self.archives.with_name("training")
        return Learner(self.checkpoint, self.settings.learning, flow, folder)

    def trained(self) -> dict[str, Trained]:
        """Return what the finished trainings took, by name of the network."""
        done = (plan for plan in self.settings.plans if self.is_done(TrainingJob(plan)))
        return {plan.name: self.learner.train(plan) for plan in done}

    def offline(self, model: str, configuration: str, target: xr.DataArray) -> Offline | None:
        """Return what a closure makes of given states, beside `target`; of none, nothing."""
        closure = self.closure(model, configuration)
        if closure is None:
            return None
        if isinstance(closure, StochasticNetwork):
            # Noise is no prediction of a state.
            closure = closure.network
        pairs = self._scored(configuration)
        return Offline.of(predicted(closure, pairs), pairs, target)

    def target(self, configuration: str) -> xr.DataArray:
        """Return what the subgrid tendency does to the energy of the same states."""
        return target_exchange(self._scored(configuration))

    def late_target(self, configuration: str) -> xr.DataArray:
        """Return the same of the second half of these states."""
        pairs = self._scored(configuration)
        return target_exchange(pairs.isel(time=slice(pairs.sizes["time"] // 2, None)))

    def _scored(self, configuration: str) -> xr.Dataset:
        return self.pairs(PairsJob(configuration)).sel(operator=OPERATOR)

    def n_point(self, model: str, configuration: str) -> int:
        """Return the number of grid points along a side of a model."""
        flow = self.settings.configurations[configuration]
        if model == TRUTH:
            return flow.n_truth
        return CANDIDATES[model].nx or flow.n_coarse

    def closure(self, model: str, configuration: str) -> Closure | None:
        """Return the closure of a model for a configuration, None if it has none."""
        flow = self.settings.configurations[configuration]
        if model == TRUTH:
            return None
        if CANDIDATES[model].is_leith_e:
            return self.coefficients(model).closure(flow.coarse)
        regression = CANDIDATES[model].regression
        if regression is not None:
            return self.learner.symbolic(regression, flow.coarse)
        plan = CANDIDATES[model].plan
        if plan is not None:
            return self.learner.closure(plan, flow.coarse)
        make = CANDIDATES[model].closure
        return None if make is None else make(flow.coarse)

    def in_loop(self, model: str, configuration: str, seed: int = 0) -> TendencySource:
        """Return what the time loop of a model with a closure calls, with the seed of noise."""
        if CANDIDATES[model].is_leith_e:
            flow = self.settings.configurations[configuration]
            return self.coefficients(model).in_loop(flow.coarse)
        return hybrid.couple(self.archive(model, configuration), seed=seed)

    def archive(self, model: str, configuration: str) -> Path:
        """Return where the compiled closure of a model is."""
        return self.archives / f"{model}_{configuration}.pt"

    def export(self, models: Iterable[str]) -> tuple[Path, ...]:
        """Compile the closures of some models for every configuration."""
        self.archives.mkdir(parents=True, exist_ok=True)
        paths = []
        for model in models:
            for configuration in self.settings.configurations:
                closure = self.closure(model, configuration)
                if closure is not None:
                    paths.append(self.archive(model, configuration))
                    hybrid.export(closure, paths[-1])
        return tuple(paths)

    def started(self, model: str, configuration: str) -> Integration:
        """Return a run of a model that is to be timed, from a state that the truth begins with."""
        flow, nx = self.settings.configurations[configuration], self.n_point(model, configuration)
        has_closure = CANDIDATES[model].has_closure
        compiled = self.in_loop(model, configuration) if has_closure else None
        state = flow.initial(nx, self.checkpoint.seed)
        return flow.model(nx).start(state, tendency=compiled)
