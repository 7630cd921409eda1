"""The runs that the experiment compares, each of which may be done in a process of its own."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid.experiments.plasim.building import Host
from hybrid.experiments.plasim.errors import HostRunError
from hybrid.experiments.plasim.running import Run, run_model
from hybrid.experiments.plasim.settings import Settings

OnProgress = Callable[[float], None]

NATIVE, CLOSURE, SHADOW = "native", "closure", "shadow"

RIVALS: Mapping[str, Mapping[str, Any]] = {
    "noop": {"mode": "noop"},
    "every_2": {"every": 2},
    "every_3": {"every": 3},
}
"""What a closure competes with: nothing at all, and the host's scheme called more rarely."""

_ENDED_EARLY = "ended_early.json"


@dataclass(frozen=True)
class Job:
    """A run with a name, which is that of its folder."""

    name: str
    run: Run
    may_end_early: bool = False


@dataclass(frozen=True)
class Work:
    """Does jobs; can be handed to another process.

    Parameters
    ----------
    host
        The compiled model.
    folder
        Folder of the runs.
    """

    host: Host
    folder: Path

    def __call__(self, job: Job, on_progress: OnProgress) -> None:
        """Run the model; a run with a closure that ends early is a result, not an error."""
        folder = self.folder / job.name
        try:
            run_model(self.host, job.run, folder, on_progress)
        except HostRunError as error:
            if not job.may_end_early:
                raise
            (folder / _ENDED_EARLY).write_text(json.dumps(str(error)))

    def ended_early(self, name: str) -> str:
        """Return why a run ended early; empty if it did not."""
        path = self.folder / name / _ENDED_EARLY
        return str(json.loads(path.read_text())) if path.exists() else ""


def all_jobs(settings: Settings, restart: Path, archives: Mapping[str, Path]) -> list[Job]:
    """Return the ensembles, the shadow run, and the runs that are timed beside it.

    Parameters
    ----------
    settings
        Sizes.
    restart
        Where all of them go on from.
    archives
        Closure of each scheme.
    """
    learned = {
        name: {"mode": "closure", "archive": str(path), "engine": "native"}
        for name, path in archives.items()
    }
    shadow = {name: {**each, "mode": "shadow"} for name, each in learned.items()}
    jobs = [
        Job(f"{NATIVE}_{i}", Run(settings.n_coupled, {}, restart, member=i))
        for i in range(settings.n_native)
    ]
    jobs += [
        Job(f"{CLOSURE}_{i}", Run(settings.n_coupled, learned, restart, member=i), True)
        for i in range(settings.n_closure)
    ]
    jobs.append(Job(SHADOW, Run(settings.n_timing, shadow, restart), True))
    for name, changed in RIVALS.items():
        schemes = dict.fromkeys(settings.schemes, changed)
        jobs.append(Job(name, Run(settings.n_timing, schemes, restart), True))
    return jobs
