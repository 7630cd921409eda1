"""Climates of the model without closure on any grid, the truth among them, made once and kept."""

import os
from dataclasses import dataclass
from hashlib import sha256

import xarray as xr

from hybrid.experiments.netcdf import read_dataset, write_dataset
from hybrid.experiments.quasigeostrophic.climate import OnProgress, climate
from hybrid.experiments.quasigeostrophic.configurations import Configuration, Duration
from hybrid.versions import versions
from solvers.cache import cache_folder, exclusive


@dataclass(frozen=True)
class PlainRun:
    """A run without closure.

    Parameters
    ----------
    configuration
        The flow.
    nx
        Grid points along a side; the number of the truth makes it one.
    duration
        Length, and what is kept.
    seed
        Of the initial state.
    """

    configuration: Configuration
    nx: int
    duration: Duration
    seed: int

    def climate(self, on_progress: OnProgress = lambda _fraction: None) -> xr.Dataset:
        """Return its climate; where the cache of this machine has it, from there."""
        folder = cache_folder()
        path = None if folder is None else folder / f"quasigeostrophic-{self._key}.nc"
        with exclusive(path):
            if path is not None and path.is_file():
                on_progress(1.0)
                return read_dataset(path)
            initial = self.configuration.initial(self.nx, self.seed)
            model = self.configuration.model(self.nx)
            made = climate(model, initial, self.duration, on_progress=on_progress)
            if path is not None:
                # What was interrupted must not look like a file that is there.
                partial = path.with_name(f"{path.name}.{os.getpid()}")
                write_dataset(partial, made)
                partial.replace(path)
        return made

    @property
    def _key(self) -> str:
        everything = (repr(self), sorted(versions().items()))
        return sha256(repr(everything).encode()).hexdigest()[:16]
