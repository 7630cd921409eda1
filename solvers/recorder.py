"""Where the states of a run are kept."""

from typing import Protocol

import xarray as xr

from solvers.integration import RESTART


class Recorder(Protocol):
    """Takes one snapshot after the other, and returns them all."""

    def save(self, snapshot: xr.Dataset) -> None:
        """Keep the fields of a moment; its restart variables replace those of the last."""

    def dataset(self) -> xr.Dataset:
        """Return everything that was saved."""


class MemoryRecorder:
    """Keeps everything in memory."""

    def __init__(self) -> None:
        self._fields: list[xr.Dataset] = []
        self._restart: dict[str, xr.Variable] = {}

    def save(self, snapshot: xr.Dataset) -> None:
        """Keep the fields of a moment; its restart variables replace those of the last."""
        restart = [name for name in snapshot.data_vars if str(name).startswith(RESTART)]
        self._restart = {str(name): snapshot[name].variable for name in restart}
        self._fields.append(snapshot.drop_vars(restart))

    def dataset(self) -> xr.Dataset:
        """Return everything that was saved."""
        fields = xr.concat(self._fields, dim="time", combine_attrs="override")
        return fields.assign(self._restart)
