"""Pieces of work, several at a time, each in a process of its own."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from queue import Empty, Queue
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from hybrid.experiments.result import Request

OnProgress = Callable[[float], None]
Job = TypeVar("Job")

_POLL = 0.5


class Named(Protocol):
    """A job that knows what to call it."""

    @property
    def name(self) -> str:
        """Its name."""


NamedJob = TypeVar("NamedJob", bound=Named)


def run_jobs(
    request: "Request",
    work: Callable[[NamedJob, OnProgress], None],
    jobs: Sequence[NamedJob],
    text: str,
    *,
    alone: bool = False,
) -> None:
    """Do every job of a part of an experiment, on all cores but in preset ``test``.

    Parameters
    ----------
    request
        The run, whose progress display gets a task, unless there is no job.
    work, jobs
        As of `run_all`.
    text
        What the progress display calls the part.
    alone
        Whether jobs are done one at a time: those that use several cores by themselves.
    """
    if not jobs:
        return
    one = alone or request.preset == "test"
    n_process = 1 if one else min(os.cpu_count() or 1, len(jobs))
    run_all(work, jobs, [job.name for job in jobs], n_process, request.task(text))


def run_all(
    work: Callable[[Job, OnProgress], None],
    jobs: Sequence[Job],
    names: Sequence[str],
    n_process: int,
    on_progress: OnProgress,
) -> None:
    """Do every job.

    One that fails does not stop the others: asked again, they find what they have done.

    Parameters
    ----------
    work
        Does one job and reports the fraction done; what several processes do must be a function of
        a module, or a partial of one.
    jobs, names
        Jobs, and what to call them if they fail.
    n_process
        Jobs at a time; 1 does them in this process.
    on_progress
        Called with the fraction of everything.

    Raises
    ------
    Exception
        The first one that a job raised, when all others have ended; a note says which job that was,
        and what else failed.
    """
    if n_process == 1:
        errors = _in_turn(work, jobs, on_progress)
    else:
        errors = _at_once(work, jobs, n_process, on_progress)
    failed = [(name, error) for name, error in zip(names, errors, strict=True) if error is not None]
    if failed:
        _, first = failed[0]
        for name, error in failed:
            first.add_note(f"{name} failed" + ("" if error is first else f": {error}"))
        raise first
    on_progress(1.0)


def _in_turn(
    work: Callable[[Job, OnProgress], None], jobs: Sequence[Job], on_progress: OnProgress
) -> list[BaseException | None]:
    errors: list[BaseException | None] = []
    for i, job in enumerate(jobs):
        try:
            work(job, lambda fraction, i=i: on_progress((i + fraction) / len(jobs)))  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 -- raised when the others have ended
            errors.append(error)
        else:
            errors.append(None)
    return errors


def _at_once(
    work: Callable[[Job, OnProgress], None],
    jobs: Sequence[Job],
    n_process: int,
    on_progress: OnProgress,
) -> list[BaseException | None]:
    with multiprocessing.Manager() as manager:
        reports: Queue[tuple[int, float]] = manager.Queue()
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(n_process, mp_context=context) as pool:
            futures = [
                pool.submit(_work_and_report, work, i, job, reports) for i, job in enumerate(jobs)
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
        return [future.exception() for future in futures]


def _work_and_report(
    work: Callable[[Job, OnProgress], None],
    number: int,
    job: Job,
    reports: "Queue[tuple[int, float]]",
) -> None:
    work(job, lambda fraction: reports.put((number, fraction)))


def _drain(reports: "Queue[tuple[int, float]]", done: list[float]) -> None:
    while True:
        try:
            number, fraction = reports.get_nowait()
        except Empty:
            return
        done[number] = fraction
