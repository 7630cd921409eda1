"""The runs that the experiment compares, each of which may be done in a process of its own."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from closures.atomic import write_text
from hybrid.experiments.plasim.building import Host
from hybrid.experiments.plasim.errors import HostRunError
from hybrid.experiments.plasim.model_run import CLOSURE, NATIVE, Run
from hybrid.experiments.plasim.ranks import ranked_name, ranked_schemes
from hybrid.experiments.plasim.responses import response_name, response_runs
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.plasim.years import run_years

OnProgress = Callable[[float], None]

SHADOW, RAMP, GUARDED = "shadow", "ramp", "guarded"

STEPS_A_DAY = 48

_ENDED_EARLY = "ended_early.json"


@dataclass(frozen=True)
class Job:
    """A run with a name, which is that of its folder, and as how many processes it is."""

    name: str
    run: Run
    may_end_early: bool = False
    n_rank: int = 1


@dataclass(frozen=True)
class Work:
    """Does jobs; can be handed to another process.

    Parameters
    ----------
    hosts
        The compiled model by the number of its processes.
    folder
        Folder of the runs.
    """

    hosts: Mapping[int, Host]
    folder: Path

    def __call__(self, job: Job, on_progress: OnProgress) -> None:
        """Run the model; a run with a closure that ends early is a result, not an error."""
        folder = self.folder / job.name
        (folder / _ENDED_EARLY).unlink(missing_ok=True)
        try:
            run_years(self.hosts[job.n_rank], job.run, folder, on_progress)
        except HostRunError as error:
            if not job.may_end_early:
                raise
            write_text(folder / _ENDED_EARLY, json.dumps(str(error)))

    def ended_early(self, name: str) -> str:
        """Return why a run ended early; empty if it did not."""
        path = self.folder / name / _ENDED_EARLY
        return str(json.loads(path.read_text())) if path.exists() else ""


def all_jobs(
    settings: Settings,
    restart: Path,
    closures: Sequence[Mapping[str, Path]],
) -> list[Job]:
    """Return the ensembles, the shadow run, and what `Settings` has beside them; none is timed.

    Parameters
    ----------
    settings
        Sizes.
    restart
        Where all of them go on from.
    closures
        For each run with closures the archives, by scheme.
    """
    swapped = [learned(archives, mode="closure") for archives in closures]
    jobs = [
        Job(f"{NATIVE}_{i}", Run(settings.n_coupled, {}, restart, member=i))
        for i in range(settings.n_native)
    ]
    for i, schemes in enumerate(swapped):
        n_day = settings.n_coupled if i else settings.n_longest
        jobs.append(Job(f"{CLOSURE}_{i}", Run(n_day, schemes, restart, member=i), True))
    short = {
        SHADOW: learned(closures[0], mode="shadow"),
        # The first half of the run goes over from the host's schemes, the second is the closures'.
        RAMP: learned(closures[0], mode="ramp", last=settings.n_timing * STEPS_A_DAY // 2),
    }
    jobs += [Job(name, Run(settings.n_timing, each, restart), True) for name, each in short.items()]
    for n_rank in settings.ranks:
        for kind, schemes in ranked_schemes(swapped[0]).items():
            run = Run(settings.n_timing, schemes)
            jobs.append(Job(ranked_name(kind, n_rank), run, bool(schemes), n_rank))
    if settings.n_response:
        guarded = learned(closures[0], mode="closure", policy="host")
        jobs += [
            Job(response_name(kind, scenario), run, may_end_early=bool(schemes))
            for kind, schemes in ((NATIVE, {}), (CLOSURE, guarded))
            for scenario, run in response_runs(settings.n_response, restart, schemes).items()
        ]
    return jobs


def learned(archives: Mapping[str, Path], **settings: str | int) -> dict[str, Mapping[str, Any]]:
    """Return schemes of a run with closures, with these settings for each of them."""
    # The engine is left to the archive: the native one wherever the closure has a program.
    return {name: {"archive": str(path), **settings} for name, path in archives.items()}
