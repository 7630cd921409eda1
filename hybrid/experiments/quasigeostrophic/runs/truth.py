"""Climates of the model without closure on any grid, the truth among them, made once and kept."""

from dataclasses import dataclass

import xarray as xr

from hybrid.experiments.machine_cache import kept
from hybrid.experiments.quasigeostrophic.runs.climate import OnProgress, climate
from hybrid.experiments.quasigeostrophic.runs.configurations import Configuration, Duration


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
        made = kept("quasigeostrophic", self, lambda: self._made(on_progress))
        on_progress(1.0)
        return made

    def _made(self, on_progress: OnProgress) -> xr.Dataset:
        initial = self.configuration.initial(self.nx, self.seed)
        model = self.configuration.model(self.nx)
        return climate(model, initial, self.duration, on_progress=on_progress)
