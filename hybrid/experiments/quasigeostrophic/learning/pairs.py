"""Datasets of the benchmark: coarse states, and what the coarse model misses, from a fine run."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from hybrid.experiments.machine_cache import kept
from hybrid.experiments.quasigeostrophic.runs.climate import OnProgress
from hybrid.experiments.quasigeostrophic.runs.configurations import HOUR, YEAR, Configuration
from solvers.coarse_graining import OPERATORS, advection_pairs, tendency_pairs
from solvers.spectral import to_grid

TARGETS = {
    "total": "filtered tendency of the truth minus tendency of the coarse model (S_tot)",
    "advection": "advection on the coarse grid minus filtered advection of the truth (-S_q)",
}
"""Definitions of the subgrid tendency, each to be added to the tendency of the coarse model."""

_DIMS = ("time", "operator", "layer", "y", "x")


@dataclass(frozen=True)
class PairsRun:
    """A run of the truth, and the pairs that its snapshots give.

    Parameters
    ----------
    configuration
        The flow.
    seed
        Of the initial state.
    years
        Length [years of 360 days].
    every
        Time between snapshots [s].
    spin_up
        Part of the run before the first snapshot's interval [years].

    Raises
    ------
    ValueError
        If the run is shorter than both, or `every` is no multiple of the time step.
    """

    configuration: Configuration
    seed: int
    years: float = 10.0
    every: float = 1000.0 * HOUR
    spin_up: float = 0.0

    def __post_init__(self) -> None:
        n_step = self.every / self.configuration.dt
        if n_step < 1.0 or n_step != round(n_step):
            raise ValueError(
                f"every: expected a multiple of the time step, {self.configuration.dt:g} s, got "
                f"{self.every:g} s"
            )
        least = self.spin_up + self.every / YEAR
        if self.years < least:
            raise ValueError(
                f"years: expected a run of at least {least:.3g} years, {self.spin_up:g} of spin-up "
                f"and the {self.every / HOUR:g} hours between two snapshots, got {self.years:g}; "
                "lengthen the run, or give a shorter `every`"
            )

    def pairs(self, on_progress: OnProgress = lambda _fraction: None) -> xr.Dataset:
        """Return the pairs; where the cache of this machine has them, from there.

        Returns
        -------
        Dataset
            ``q`` [s-1], ``u``, ``v`` [m s-1] without the mean flow, and for each of `TARGETS` a
            ``q_tendency_NAME`` [s-2], over time, operator (its number in the benchmark), layer, y
            and x of the coarse grid, in single precision; parameters of the coarse model as
            attributes, those of the truth that differ as ``fine_*``.
        """
        made = kept("quasigeostrophic-pairs", self, lambda: self._made(on_progress))
        on_progress(1.0)
        return made

    def _made(self, on_progress: OnProgress) -> xr.Dataset:
        fine = self.configuration.truth
        run = fine.start(self.configuration.initial(fine.nx, self.seed))
        run.advance(round(self.spin_up * YEAR / fine.dt))
        n, snapshots = int((self.years - self.spin_up) * YEAR / self.every), []
        for i in range(n):
            run.advance(round(self.every / fine.dt))
            q = to_grid(run.prognostic["q"][0], fine.grid.shape)
            snapshots.append(self._of_snapshot(q).assign_coords(time=run.time))
            on_progress((i + 1) / n)
        made = xr.concat(snapshots, "time", join="exact", combine_attrs="override")
        made["time"].attrs = {"units": "s", "long_name": "model time"}
        return made.transpose(*_DIMS)

    def _of_snapshot(self, q: np.ndarray) -> xr.Dataset:
        fine, coarse = self.configuration.truth, self.configuration.coarse
        state = xr.Dataset(
            {"q": (("layer", "y", "x"), q, {"units": "s-1", "long_name": "potential vorticity"})},
            coords=fine.coordinates(),
            attrs=fine.attributes(),
        )
        each = []
        for number, operator in OPERATORS.items():
            total = tendency_pairs(state, fine, coarse, operator, coarse.nx)
            advection = advection_pairs(state, operator, coarse.nx)
            pair = total[["q", "u", "v"]].assign(
                q_tendency_total=total.q_tendency, q_tendency_advection=advection.q_tendency
            )
            # Box means lie half a cell further, which a closure does not see.
            pair = pair.assign_coords(coarse.coordinates())
            each.append(pair.astype(np.float32).assign_coords(operator=number))
        made = xr.concat(each, "operator", join="exact", combine_attrs="drop_conflicts")
        for name, definition in TARGETS.items():
            made[f"q_tendency_{name}"].attrs["definition"] = definition
        made["operator"].attrs = {"long_name": "operator of Ross et al. (2023)"}
        return made
