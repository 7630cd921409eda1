"""Trainings of a plan, several at a time, each in a process and a folder of its own."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from closures import atomic
from closures.climsim.recipes import recipe
from closures.climsim.splits import SplitName
from closures.climsim.training_data import ClimsimData, Steps, digest
from closures.columns.recipe import Recipe
from hybrid.experiments.emulators.plan import Entry
from hybrid.experiments.pool import OnProgress, run_all
from hybrid.training.climsim import climsim_data, train_climsim
from hybrid.training.run import RECORD, Run

FOLDER = "trainings"
"""Folder of the archives, below that of the experiment."""

_DONE = "asked.json"
"""What was asked of a training that has ended: asked again, it is not done again."""


@dataclass(frozen=True)
class Job:
    """One training.

    Parameters
    ----------
    entry
        What is trained.
    split
        Time steps.
    final
        Train on validation steps too, for scores on test steps.
    seed
        Seed of weights and order.
    share
        Part of the training steps that is used.
    """

    entry: Entry
    split: SplitName
    final: bool
    seed: int
    share: float = 1.0

    @property
    def name(self) -> str:
        """Name of the archive and its folder."""
        words = re.sub(r"[^a-z0-9]+", "_", self.entry.label.lower()).strip("_")
        share = "" if self.share == 1.0 else f"_{round(1000 * self.share)}_permille"
        return f"{words}{share}_seed{self.seed}"

    def folder(self, out: Path) -> Path:
        """Return the folder of the training."""
        part = self.split if self.final else f"{self.split}_validation"
        return out / FOLDER / part / self.name


@dataclass(frozen=True)
class Trained:
    """A training that has ended.

    Parameters
    ----------
    job
        What was trained.
    archive
        The compiled closure.
    n_train
        Number of training columns.
    n_parameter
        Number of trainable parameters.
    seconds
        Time that the training took, all epochs.
    """

    job: Job
    archive: Path
    n_train: int
    n_parameter: int
    seconds: float


def train_all(
    jobs: Sequence[Job],
    data: Path,
    out: Path,
    n_process: int,
    on_progress: OnProgress,
) -> list[Trained]:
    """Train all, or find them trained, and return them in the order of `jobs`.

    Each training has one thread, so its numbers do not depend on how many run at once. One that
    was interrupted goes on after its last whole epoch, and one that has ended is not repeated.

    Parameters
    ----------
    jobs
        Trainings.
    data
        Folder of ClimSim's files.
    out
        Folder of the experiment.
    n_process
        Trainings at a time.
    on_progress
        Called with the fraction done.

    Raises
    ------
    TrainError
        If trainings failed, when all others have ended.
    """
    # Shards are made before, one after the other: trainings share them.
    for job in jobs:
        _data(job, data, out)
    run_all(
        partial(_train, data=data, out=out),
        jobs,
        [job.name for job in jobs],
        n_process,
        on_progress,
    )
    return [_found(job, out) for job in jobs]


def _train(job: Job, on_progress: OnProgress, *, data: Path, out: Path) -> None:
    chosen, samples = _data(job, data, out)
    folder = job.folder(out)
    asked = {**chosen.flat(), "samples": digest(samples.train)}
    done = folder / _DONE
    if not (done.is_file() and json.loads(done.read_text(encoding="utf-8")) == asked):
        train_climsim(chosen, samples, Run(folder, job.name, on_progress=on_progress))
        atomic.write_text(done, json.dumps(asked, indent=1) + "\n")
    on_progress(1.0)


def _data(job: Job, data: Path, out: Path) -> tuple[Recipe, ClimsimData]:
    settings = (*job.entry.settings, f"training.seed={job.seed}")
    chosen = recipe(job.entry.model, settings)
    samples = climsim_data(chosen, data, out / "shards", Steps(job.split, job.final, job.share))
    return chosen, samples


def _found(job: Job, out: Path) -> Trained:
    folder = job.folder(out)
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return Trained(
        job,
        folder / f"{job.name}.pt",
        record["data"]["n_train"],
        record["n_parameter"],
        record["history"]["seconds"],
    )
