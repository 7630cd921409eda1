"""Pieces of the experiment that processes share: truths, searches, and scored runs."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from hybrid.environments import Reference, SpectrumAndMomentsReward
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.smarl.candidates import CANDIDATES, Candidate
from hybrid.experiments.smarl.climates import Target, climate
from hybrid.experiments.smarl.settings import TRAINED, Runs, Settings
from hybrid.experiments.smarl.truth import PARTS, SAVED, Trajectory, Truth
from hybrid.learners.inversion import invert
from hybrid.learners.learned import Learned
from hybrid.learners.rollouts import Rollouts
from hybrid.learners.search import LOST, evolve, scan
from solvers.eddy_viscosity import Viscosity

Array = NDArray[np.float64]
OnProgress = Callable[[float], None]

PAIR = "leith_biharmonic"
# Part of the budget that goes to the pair of constants, and the spread around it in `UNITS`.
_FIRST = 0.25
_AROUND = 0.3


def _nothing(_fraction: float) -> None:
    pass


@dataclass(frozen=True)
class TruthJob:
    """A trajectory of the truth."""

    regime: str
    part: str

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"truth_{self.regime}_{self.part}"


@dataclass(frozen=True)
class Training:
    """A search for a closure, or its training, with one seed."""

    candidate: str
    seed: int

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"{self.candidate}_{self.seed}"


@dataclass(frozen=True)
class ClimateJob:
    """Runs of a closure in a regime; without a seed, of one that is given."""

    candidate: str
    seed: int | None
    regime: str

    @property
    def name(self) -> str:
        """Name of the stage."""
        return f"climate_{self.candidate}_{self.seed}_{self.regime}"


Job = TruthJob | Training | ClimateJob


def do(job: Job, on_progress: OnProgress, *, checkpoint: Checkpoint, settings: Settings) -> None:
    """Do a job; what is done is not done again."""
    how = {"checkpoint": checkpoint, "settings": settings}
    if isinstance(job, TruthJob):
        truth(job, on_progress, **how)  # type: ignore[arg-type]
    elif isinstance(job, Training):
        trained(job, on_progress, **how)  # type: ignore[arg-type]
    else:
        climate_of(job, on_progress, **how)  # type: ignore[arg-type]


def truth(
    job: TruthJob,
    on_progress: OnProgress = _nothing,
    *,
    checkpoint: Checkpoint,
    settings: Settings,
) -> Trajectory:
    """Return a trajectory of the truth."""
    length = settings.truth_time[PARTS.index(job.part)]
    made = Truth(settings.regimes[job.regime], job.part, length, settings.spin_up)

    def make() -> xr.Dataset:
        trajectory = made.trajectory(checkpoint.seed, on_progress)
        return xr.Dataset(
            {
                "vorticity": (("time", "y", "x"), trajectory.states),
                "transfer": ("ring", trajectory.transfer),
            }
        )

    data = checkpoint.arrays(job.name, make)
    return Trajectory(data.vorticity.to_numpy(), data.transfer.to_numpy())


def reference(part: str, runs: Runs, *, checkpoint: Checkpoint, settings: Settings) -> Reference:
    """Return the statistics of a trajectory of the regime that closures are trained in.

    Errors are those of the mean over the runs of a policy.
    """
    states = truth(TruthJob(TRAINED, part), checkpoint=checkpoint, settings=settings).states
    grid = settings.regimes[TRAINED].coarse().grid
    n_mean = min(max(1, round(runs.time / SAVED)), len(states) // 2)
    return Reference.of(states, grid, n_mean)


def trained(
    job: Training,
    on_progress: OnProgress = _nothing,
    *,
    checkpoint: Checkpoint,
    settings: Settings,
) -> xr.Dataset:
    """Return what a search has found, and how it does in the runs of the validation.

    Returns
    -------
    Dataset
        ``weights`` over part and invariant [1]; ``rewards`` over ``steps``; ``validation``, the
        reward for spectrum and moments, whatever was searched with.
    """

    def make() -> xr.Dataset:
        candidate = CANDIDATES[job.candidate]
        found = _search(job, candidate, on_progress, checkpoint=checkpoint, settings=settings)
        job_of_truth = TruthJob(TRAINED, "validation")
        states = truth(job_of_truth, checkpoint=checkpoint, settings=settings).states
        runs = settings.validation
        rollouts = _rollouts(candidate, states, runs, settings)
        starts = np.linspace(0, len(states) - 1, runs.n_run).astype(int)
        judge = SpectrumAndMomentsReward(
            reference("validation", runs, checkpoint=checkpoint, settings=settings)
        )
        validation = rollouts.run(found.weights[np.newaxis], starts).rewards(judge, LOST)[0]
        return xr.Dataset(
            {
                "weights": (("part", "invariant"), found.weights),
                "rewards": ("steps", found.rewards),
            },
            {"steps": found.steps},
            {"validation": validation},
        )

    return checkpoint.arrays(job.name, make)


def _search(
    job: Training,
    candidate: Candidate,
    on_progress: OnProgress,
    *,
    checkpoint: Checkpoint,
    settings: Settings,
) -> Learned:
    job_of_truth = TruthJob(TRAINED, "training")
    states = truth(job_of_truth, checkpoint=checkpoint, settings=settings).states
    known = reference("training", settings.training, checkpoint=checkpoint, settings=settings)
    rollouts = _rollouts(candidate, states, settings.training, settings)
    seed = int(checkpoint.generator(job.name).integers(2**31))
    reward, free, budget = candidate.reward(known), candidate.free, settings.budget
    if candidate.on_top:
        return _on_top(candidate, rollouts, known, budget, seed, on_progress)
    if candidate.learner == "eki":
        return invert(rollouts, known, free, budget, seed, on_progress)
    learn = scan if candidate.learner == "scan" else evolve
    return learn(rollouts, reward, free, budget, seed, on_progress)


def _on_top(
    candidate: Candidate,
    rollouts: Rollouts,
    known: Reference,
    budget: int,
    seed: int,
    on_progress: OnProgress,
) -> Learned:
    """Spend a part of the budget on two constants, and the rest on all weights around them."""
    reward, pair = candidate.reward(known), CANDIDATES[PAIR].free
    first = evolve(
        rollouts,
        reward,
        pair,
        round(_FIRST * budget),
        seed,
        lambda part: on_progress(_FIRST * part),
    )
    free, rest = replace(candidate.free, start=first.weights), budget - int(first.steps[-1])

    def on_rest(part: float) -> None:
        on_progress(_FIRST + (1.0 - _FIRST) * part)

    if candidate.learner == "eki":
        then = invert(rollouts, known, free, rest, seed, on_rest, spread=_AROUND)
    else:
        then = evolve(rollouts, reward, free, rest, seed, on_rest, sigma=_AROUND)
    return Learned(
        then.weights,
        np.concatenate([first.steps, first.steps[-1] + then.steps]),
        np.concatenate([first.rewards, then.rewards]),
    )


def _rollouts(candidate: Candidate, states: Array, runs: Runs, settings: Settings) -> Rollouts:
    model = settings.regimes[TRAINED].coarse(candidate.policy)
    return Rollouts(model=model, initial=states, save_every=SAVED, **asdict(runs))


def viscosity(
    candidate: str, seed: int | None, *, checkpoint: Checkpoint, settings: Settings
) -> Viscosity | None:
    """Return the eddy viscosity of a closure, as a search with a seed has found it."""
    if seed is None:
        return CANDIDATES[candidate].given
    found = trained(Training(candidate, seed), checkpoint=checkpoint, settings=settings)
    return CANDIDATES[candidate].with_weights(found.weights.to_numpy())


def climate_of(
    job: ClimateJob,
    on_progress: OnProgress = _nothing,
    *,
    checkpoint: Checkpoint,
    settings: Settings,
) -> xr.Dataset:
    """Return the climate of a closure, see `climate`."""

    def make() -> xr.Dataset:
        regime = settings.regimes[job.regime]
        closure = viscosity(job.candidate, job.seed, checkpoint=checkpoint, settings=settings)
        model = regime.coarse(closure)
        made = climate(
            model,
            target_of(job.regime, checkpoint=checkpoint, settings=settings),
            **asdict(settings.test),
        )
        on_progress(1.0)
        return made

    return checkpoint.arrays(job.name, make)


def target_of(regime: str, *, checkpoint: Checkpoint, settings: Settings) -> Target:
    """Return what the runs of a regime are compared with."""
    trajectory = truth(TruthJob(regime, "test"), checkpoint=checkpoint, settings=settings)
    return Target(trajectory.states, trajectory.transfer, settings.regimes[regime].coarse().grid)
