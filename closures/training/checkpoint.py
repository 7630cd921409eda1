"""A training on disk, from which it goes on as if it had never stopped."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from closures import atomic
from closures.training.errors import TrainingError


class CheckpointError(TrainingError):
    """A checkpoint belongs to another training, or cannot be read."""


@dataclass(frozen=True)
class Checkpoint:
    """A file with the state of a training, and what that training is.

    Parameters
    ----------
    path
        The file; replaced after every epoch, complete or not there.
    settings
        What the training depends on, by name; it goes on only with the same.
    """

    path: Path
    settings: Mapping[str, str]

    def write(self, state: Mapping[str, Any]) -> None:
        """Replace the file."""
        with atomic.replacing(self.path) as stream:
            torch.save({"settings": dict(self.settings), **state}, stream)

    def read(self) -> dict[str, Any] | None:
        """Return the state, on the processor; None if there is no file.

        Raises
        ------
        CheckpointError
            If the training was another one; the message names what differs.
        """
        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
            found = state.pop("settings")
        except (RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
            raise CheckpointError(
                f"{self.path}: expected a checkpoint, got {error}; delete it to begin anew"
            ) from error
        differing = [
            f"{name}={found.get(name)} (now {self.settings.get(name)})"
            for name in sorted({*found, *self.settings})
            if found.get(name) != self.settings.get(name)
        ]
        if differing:
            raise CheckpointError(
                f"{self.path}: expected a training with the same settings, got one with "
                f"{', '.join(differing)}; use those settings, another folder, or --no-resume to "
                "begin anew"
            )
        return state
