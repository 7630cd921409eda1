"""Short trajectories of the truth as the coarse grid sees them."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hybrid.experiments.machine_cache import kept
from hybrid.experiments.quasigeostrophic.runs.climate import OnProgress
from hybrid.experiments.quasigeostrophic.runs.configurations import HOUR, YEAR, Configuration
from solvers.coarse_graining import truncate_exponential
from solvers.integration import Integration
from solvers.spectral import to_grid


@dataclass(frozen=True, kw_only=True)
class TrajectoriesRun:
    """A run of the truth, and trajectories cut out of it.

    Parameters
    ----------
    configuration
        The flow.
    seed
        Of the initial state.
    spin_up
        Time before the first trajectory [years].
    n_trajectory
        Trajectories.
    apart
        From the end of one to the beginning of the next [s].
    n_saved
        States of a trajectory after its first.
    every
        Time between states [s], whole steps.

    Raises
    ------
    ValueError
        If there is no trajectory, or no state in one, or times are no whole steps.
    """

    configuration: Configuration
    seed: int
    spin_up: float = 1.0
    n_trajectory: int = 64
    apart: float = 500.0 * HOUR
    n_saved: int = 4
    every: float = 12.0 * HOUR

    def __post_init__(self) -> None:
        if min(self.n_trajectory, self.n_saved) < 1:
            raise ValueError(
                "n_trajectory, n_saved: expected at least one trajectory of one state, got "
                f"{self.n_trajectory} of {self.n_saved}"
            )
        dt = self.configuration.dt
        if self.every < dt or any(time % dt for time in (self.every, self.apart)):
            raise ValueError(
                f"every, apart: expected whole steps of {dt:g} s, and at least one between states, "
                f"got {self.every:g} s and {self.apart:g} s"
            )

    @property
    def n_step(self) -> int:
        """Time steps from one state to the next."""
        return round(self.every / self.configuration.dt)

    def trajectories(self, on_progress: OnProgress = lambda _fraction: None) -> xr.Dataset:
        """Return the trajectories; where the cache of this machine has them, from there.

        Returns
        -------
        Dataset
            ``q`` [s-1] by operator 1 on the coarse grid, over trajectory, lead, layer, y and x,
            in single precision; ``lead`` [s] begins with 0.
        """
        made = kept("quasigeostrophic-trajectories", self, lambda: self._made(on_progress))
        on_progress(1.0)
        return made

    def _made(self, on_progress: OnProgress) -> xr.Dataset:
        fine = self.configuration.truth
        run = fine.start(self.configuration.initial(fine.nx, self.seed))
        run.advance(round(self.spin_up * YEAR / fine.dt))
        each = []
        for i in range(self.n_trajectory):
            states = [self._seen(run)]
            for _ in range(self.n_saved):
                run.advance(self.n_step)
                states.append(self._seen(run))
            each.append(xr.concat(states, "lead"))
            run.advance(round(self.apart / fine.dt))
            on_progress((i + 1) / self.n_trajectory)
        q = xr.concat(each, "trajectory").transpose("trajectory", "lead", "layer", "y", "x")
        q.attrs = {"units": "s-1", "long_name": "potential vorticity of the truth, operator 1"}
        lead = np.arange(self.n_saved + 1) * self.every
        labels = {"units": "s", "long_name": "time since the beginning"}
        made = q.astype(np.float32).to_dataset(name="q")
        return made.assign_coords(lead=("lead", lead, labels))

    def _seen(self, run: Integration) -> xr.DataArray:
        """Return the state of the truth on the coarse grid."""
        fine = self.configuration.truth
        field = xr.DataArray(
            to_grid(run.prognostic["q"][0], fine.grid.shape),
            dims=("layer", "y", "x"),
            coords=fine.coordinates(),
        )
        return truncate_exponential(field, self.configuration.n_coarse)
