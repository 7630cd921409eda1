"""Where the states of a run are kept."""

from collections.abc import Hashable
from typing import Protocol

import numpy as np
import xarray as xr


class Recorder(Protocol):
    """Takes one snapshot after the other, and returns them all.

    Attributes
    ----------
    n_saved : int
        How many of the moments to save it has.
    restart : Dataset or None
        What the run is to be continued from, where an earlier process has begun it.
    """

    n_saved: int
    restart: xr.Dataset | None

    def save(self, snapshot: xr.Dataset) -> None:
        """Keep the fields of one moment or more; restart variables replace those of the last."""

    def close(self) -> None:
        """End the recording; what was saved stays."""

    def dataset(self) -> xr.Dataset:
        """Return everything that was saved."""


class MemoryRecorder:
    """Keeps everything in memory."""

    def __init__(self) -> None:
        self.n_saved = 0
        self.restart: xr.Dataset | None = None
        self._last = xr.Dataset()
        self._saved: dict[Hashable, list[xr.Variable]] = {}

    def save(self, snapshot: xr.Dataset) -> None:
        """Keep the fields of one moment or more; restart variables replace those of the last."""
        for name, variable in snapshot.variables.items():
            if "time" in variable.dims:
                self._saved.setdefault(name, []).append(variable)
        self._last = snapshot
        self.n_saved += snapshot.sizes["time"]

    def close(self) -> None:
        """Do nothing."""

    def dataset(self) -> xr.Dataset:
        """Return everything that was saved."""
        variables = dict(self._last.variables)
        for name in list(self._saved):
            # One variable after the other, so that no more than one is in memory twice.
            last, pieces = variables[name], [piece.values for piece in self._saved.pop(name)]
            values = np.concatenate(pieces, axis=last.get_axis_num("time"))
            variables[name] = xr.Variable(last.dims, values, last.attrs)
        return xr.Dataset(
            {name: variables[name] for name in self._last.data_vars},
            coords={name: variables[name] for name in self._last.coords},
            attrs=self._last.attrs,
        )
