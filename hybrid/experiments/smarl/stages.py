"""The stages of the experiment; what is done is not done again."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr
from torch.utils.tensorboard import SummaryWriter

from hybrid.environments import Reference, Reward, SpectrumAndMomentsReward
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.smarl.candidates import CANDIDATES, Candidate
from hybrid.experiments.smarl.climates import Target, climate
from hybrid.experiments.smarl.job import ClimateJob, Job, Training, TruthJob
from hybrid.experiments.smarl.searching import Search
from hybrid.experiments.smarl.settings import TRAINED, Runs, Settings
from hybrid.experiments.smarl.truth import PARTS, SAVED, Trajectory, Truth, evenly_spaced
from hybrid.learners.rollouts import Rollouts
from hybrid.learners.search import LOST
from solvers.barotropic import Barotropic
from solvers.eddy_viscosity import Viscosity

OnProgress = Callable[[float], None]


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
    logs
        Folder for TensorBoard, one below it for each training.
    """

    checkpoint: Checkpoint
    settings: Settings
    logs: Path

    def do(self, job: Job, on_progress: OnProgress) -> None:
        """Do a job."""
        if isinstance(job, TruthJob):
            self.truth(job, on_progress)
        elif isinstance(job, Training):
            self.trained(job, on_progress)
        else:
            self.climate(job, on_progress)

    def truth(self, job: TruthJob, on_progress: OnProgress = _nothing) -> Trajectory:
        """Return a trajectory of the truth."""
        length = self.settings.truth_time[PARTS.index(job.part)]
        regime = self.settings.regimes[job.regime]
        made = Truth(regime, job.part, length, self.settings.spin_up)

        def make() -> xr.Dataset:
            trajectory = made.trajectory(self.checkpoint.seed, on_progress)
            return xr.Dataset(
                {
                    "vorticity": (("time", "y", "x"), trajectory.states),
                    "transfer": ("ring", trajectory.transfer),
                }
            )

        data = self.checkpoint.arrays(job.name, make)
        return Trajectory(data.vorticity.to_numpy(), data.transfer.to_numpy())

    def trained(self, job: Training, on_progress: OnProgress = _nothing) -> xr.Dataset:
        """Return what a search has found, and how it does in the runs of the validation.

        Returns
        -------
        Dataset
            ``weights`` over part and invariant [1]; ``rewards`` over ``steps``; and, for spectrum
            and moments, whatever was searched with: ``validation``, the reward of long runs, and
            ``found`` and ``start``, rewards over ``episode`` of what was found and of where the
            search began, from the same states of the validation.
        """

        def make() -> xr.Dataset:
            candidate, training = CANDIDATES[job.candidate], self.settings.training
            found = Search(
                candidate,
                self._rollouts(candidate, "training", training, job.n_snapshot),
                self._reference("training", training, job.n_snapshot),
                self.settings.budget,
                int(self.checkpoint.generator(job.name).integers(2**31)),
                self.logs / job.name,
            ).run(on_progress)
            with SummaryWriter(str(self.logs / job.name)) as writer:
                for step, reward in zip(found.steps, found.rewards, strict=True):
                    writer.add_scalar("reward", reward, int(step))
            return xr.Dataset(
                {
                    "weights": (("part", "invariant"), found.weights),
                    "rewards": ("steps", found.rewards),
                    "validation": self._validation(candidate, found.weights),
                    "found": ("episode", self._episodes(candidate, found.weights)),
                    "start": ("episode", self._episodes(candidate, candidate.free.start)),
                },
                {"steps": found.steps},
            )

        return self.checkpoint.arrays(job.name, make)

    def climate(self, job: ClimateJob, on_progress: OnProgress = _nothing) -> xr.Dataset:
        """Return the climate of a closure, see `climate`."""

        def make() -> xr.Dataset:
            made = climate(
                self.model(job.candidate, job.seed, job.regime, job.n_snapshot),
                self.target(job.regime),
                **asdict(self.settings.test),
            )
            on_progress(1.0)
            return made

        return self.checkpoint.arrays(job.name, make)

    def model(
        self,
        candidate: str,
        seed: int | None,
        regime: str = TRAINED,
        n_snapshot: int | None = None,
    ) -> Barotropic:
        """Return the coarse model of a regime with a closure, as the search of a seed found it."""
        return self.settings.regimes[regime].coarse(self.viscosity(candidate, seed, n_snapshot))

    def viscosity(
        self, candidate: str, seed: int | None, n_snapshot: int | None = None
    ) -> Viscosity | None:
        """Return a closure; without a seed, one that is given."""
        if seed is None:
            return CANDIDATES[candidate].given
        found = self.trained(Training(candidate, seed, n_snapshot))
        return CANDIDATES[candidate].with_weights(found.weights.to_numpy())

    def target(self, regime: str) -> Target:
        """Return what the runs of a regime are compared with."""
        trajectory = self.truth(TruthJob(regime, "test"))
        grid = self.settings.regimes[regime].coarse().grid
        return Target(trajectory.states, trajectory.transfer, grid)

    def _validation(self, candidate: Candidate, weights: np.ndarray) -> float:
        rollouts, starts, judge = self._judging(candidate, self.settings.validation)
        return float(rollouts.run(weights[np.newaxis], starts).rewards(judge, LOST)[0])

    def _episodes(self, candidate: Candidate, weights: np.ndarray) -> np.ndarray:
        """Return rewards of single episodes, as long as those of the training."""
        runs = replace(self.settings.training, n_run=self.settings.n_episode)
        rollouts, starts, judge = self._judging(candidate, runs)
        return rollouts.each_run(weights, starts).rewards(judge, LOST)

    def _judging(self, candidate: Candidate, runs: Runs) -> tuple[Rollouts, np.ndarray, Reward]:
        """Return how runs of the validation are made, where they begin, and their reward."""
        rollouts = self._rollouts(candidate, "validation", runs)
        judge = SpectrumAndMomentsReward(self._reference("validation", runs))
        return rollouts, evenly_spaced(len(rollouts.initial), runs.n_run), judge

    def _rollouts(
        self, candidate: Candidate, part: str, runs: Runs, n_snapshot: int | None = None
    ) -> Rollouts:
        model = self.settings.regimes[TRAINED].coarse(candidate.policy)
        states = self._states(part, n_snapshot)
        return Rollouts(model=model, initial=states, save_every=SAVED, **asdict(runs))

    def _reference(self, part: str, runs: Runs, n_snapshot: int | None = None) -> Reference:
        """Return statistics of the regime of the training, with errors as of a run.

        A few states, which lie far apart, do not tell how a mean over a run varies: errors are
        then those of one state.
        """
        states = self._states(part, n_snapshot)
        n_mean = (
            min(max(1, round(runs.time / SAVED)), len(states) // 2) if n_snapshot is None else 1
        )
        return Reference.of(states, self.settings.regimes[TRAINED].coarse().grid, n_mean)

    def _states(self, part: str, n_snapshot: int | None) -> np.ndarray:
        """Return states of the regime of the training, all or a few evenly spaced ones."""
        states = self.truth(TruthJob(TRAINED, part)).states
        if n_snapshot is None:
            return states
        few: np.ndarray = states[evenly_spaced(len(states), n_snapshot)]
        return few
