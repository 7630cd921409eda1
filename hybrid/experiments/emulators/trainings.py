"""Trainings of a plan, several at a time, each in a process and a folder of its own."""

import json
import multiprocessing
import re
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

from closures import atomic
from closures.climsim.recipes import recipe
from closures.climsim.splits import SplitName
from closures.climsim.training_data import ClimsimData, Steps, digest
from closures.columns.recipe import Recipe
from hybrid.errors import TrainError
from hybrid.experiments.emulators.plan import Entry
from hybrid.training.climsim import climsim_data, train_climsim
from hybrid.training.run import RECORD, Run

FOLDER = "trainings"
"""Folder of the archives, below that of the experiment."""

_DONE = "asked.json"
"""What was asked of a training that has ended: asked again, it is not done again."""

_POLL = 0.5


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
    on_progress: Callable[[float], None],
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
    if n_process == 1:
        for i, job in enumerate(jobs):
            _train(job, data, out, lambda fraction, i=i: on_progress((i + fraction) / len(jobs)))  # type: ignore[misc]
        return [_found(job, out) for job in jobs]
    with multiprocessing.Manager() as manager:
        reports: Queue[tuple[int, float]] = manager.Queue()
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(n_process, mp_context=context) as pool:
            futures = [
                pool.submit(_train_and_report, i, job, data, out, reports)
                for i, job in enumerate(jobs)
            ]
            done = [0.0] * len(jobs)
            waiting = set(futures)
            try:
                while waiting:
                    _, waiting = wait(waiting, timeout=_POLL, return_when=FIRST_COMPLETED)
                    _drain(reports, done)
                    on_progress(sum(done) / len(done))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        # One that fails does not stop the others: asked again, they are done.
        failed = {job.name: future.exception() for job, future in zip(jobs, futures, strict=True)}
    errors = [f"{name}: {error}" for name, error in failed.items() if error is not None]
    if errors:
        raise TrainError("; ".join(errors))
    on_progress(1.0)
    return [_found(job, out) for job in jobs]


def _drain(reports: "Queue[tuple[int, float]]", done: list[float]) -> None:
    while True:
        try:
            number, fraction = reports.get_nowait()
        except Empty:
            return
        done[number] = fraction


def _train_and_report(
    number: int, job: Job, data: Path, out: Path, reports: "Queue[tuple[int, float]]"
) -> None:
    _train(job, data, out, lambda fraction: reports.put((number, fraction)))


def _train(job: Job, data: Path, out: Path, on_progress: Callable[[float], None]) -> None:
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
