"""The trainings of a test bed, side by side."""

from collections.abc import Sequence
from functools import partial

from hybrid.experiments.multifidelity.beds import Opened
from hybrid.experiments.multifidelity.candidates import by_name
from hybrid.experiments.multifidelity.job import Job, Scored, do
from hybrid.experiments.multifidelity.settings import Settings
from hybrid.experiments.multifidelity.tables import Findings
from hybrid.experiments.pool import run_jobs
from hybrid.experiments.result import Request

TRAININGS = "trainings"
"""Folder of the trainings, below that of the experiment; what is done is not done again."""


def jobs_of(bed: str, candidates: Sequence[str], n_seed: int, first_seed: int) -> list[Job]:
    """Return the trainings of some candidates on a test bed, each with so many seeds."""
    return [Job(bed, by_name(name), first_seed + i) for name in candidates for i in range(n_seed)]


def trained_findings(
    request: Request, settings: Settings, opened: Opened, jobs: Sequence[Job]
) -> Findings:
    """Do the trainings that are not done yet, and return the scores of all.

    Parameters
    ----------
    request
        The run.
    settings
        How the closures are trained.
    opened
        The test bed.
    jobs
        All trainings on it.
    """
    bed = opened.bed
    out = request.out / TRAININGS
    work = partial(do, bed=bed, data=opened.data, out=out, settings=settings)
    run_jobs(request, work, jobs, f"{bed.title}: {len(jobs)} trainings")
    candidates = list(dict.fromkeys(job.candidate for job in jobs))
    return Findings(
        bed,
        {
            each.name: [Scored.read(out / job.name) for job in jobs if job.candidate is each]
            for each in candidates
        },
        candidates,
    )
