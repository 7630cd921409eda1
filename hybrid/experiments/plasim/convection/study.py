"""Moist convection as a part of the experiment, with a build and runs of its own."""

from dataclasses import dataclass
from pathlib import Path

import hybrid
from hybrid.experiments.checkpoint import Checkpoint
from hybrid.experiments.plasim.building import CONVECTION_HOOKS, Host, ensure_host
from hybrid.experiments.plasim.convection.findings import ConvectionFindings, collect_convection
from hybrid.experiments.plasim.convection.runs import (
    CONVECTION,
    convection_jobs,
    record,
    trained_convection,
)
from hybrid.experiments.plasim.jobs import Work
from hybrid.experiments.plasim.running import RESTART
from hybrid.experiments.plasim.settings import Settings
from hybrid.experiments.pool import run_jobs
from hybrid.experiments.result import Request


@dataclass(frozen=True)
class ConvectionStudy:
    """Its stages; what is finished stays.

    Parameters
    ----------
    host
        The build with the hook of convection.
    recorded
        Folder of the run that recorded columns.
    settings
        Sizes.
    request
        The run.
    """

    host: Host
    recorded: Path
    settings: Settings
    request: Request

    @classmethod
    def begin(
        cls, spin_up: Path, folder: Path, settings: Settings, request: Request
    ) -> "ConvectionStudy":
        """Build the model, and record columns after the common restart.

        Parameters
        ----------
        spin_up
            Folder of the run up to the common restart.
        folder
            Where source, builds and runs are kept.
        settings
            Sizes.
        request
            The run.
        """
        on_progress = request.task("plasim: compiling, convection")
        host = ensure_host(folder, on_progress, hooks=CONVECTION_HOOKS)
        return cls(host, record(host, settings, spin_up, folder, request), settings, request)

    def run(self, checkpoint: Checkpoint, last: str) -> tuple[Path, ConvectionFindings] | None:
        """Train, export and couple, up to the stage `last`.

        Returns
        -------
        tuple
            The archive and the findings; None before stage ``couple``.
        """
        emulator, scores = trained_convection(
            self.recorded, self.settings, checkpoint, self.request
        )
        if last == "train":
            return None
        archive = self.request.out / f"plasim_{CONVECTION}_0.pt"
        hybrid.export(emulator, archive)
        if last == "export":
            return None
        work = Work({1: self.host}, self.request.out / "runs")
        jobs = convection_jobs(self.settings, self.recorded / RESTART, archive)
        run_jobs(self.request, work, jobs, "plasim: runs with learned convection")
        return archive, collect_convection(work, scores)
