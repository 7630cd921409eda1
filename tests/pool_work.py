"""Work that other processes can import."""

from collections.abc import Callable, Mapping
from pathlib import Path

from hybrid.errors import TrainError


class LostError(TrainError):
    """An error of the project's kind."""


class Work:
    """Leaves a file for each job; some fail instead."""

    def __init__(self, folder: Path, failing: Mapping[str, Exception]) -> None:
        self.folder, self.failing = folder, failing

    def __call__(self, job: str, on_progress: Callable[[float], None]) -> None:
        """Do a job."""
        if job in self.failing:
            raise self.failing[job]
        (self.folder / job).touch()
        on_progress(1.0)
