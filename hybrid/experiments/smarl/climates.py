"""Long runs of coarse models, and how far their statistics are from the truth's."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from hybrid.environments.ensemble import RUNAWAY, started, visited
from hybrid.environments.reference import Shells
from hybrid.experiments.smarl.truth import SAVED, evenly_spaced
from solvers.barotropic import Barotropic
from solvers.spectral import SpectralGrid

Array = NDArray[np.float64]

# Standard deviations of the truth; 3 and 4 are edges.
EDGES = np.linspace(-10.0, 10.0, 201)
"""Of the bins of a distribution of vorticity, in standard deviations of the truth [1]."""
_MIDDLES = 0.5 * (EDGES[1:] + EDGES[:-1])

# What a closure transfers is found in one of so many states.
_SELDOM = 4

TAILS = {"t3": 3.0, "t4": 4.0}
"""Standard deviations beyond which tails are counted, by metric [1]."""


@dataclass(frozen=True)
class Target:
    """Statistics of the truth that runs are compared with.

    Parameters
    ----------
    states
        Vorticity on the coarse grid in the order of time, shape ``(n, y, x)`` [1].
    transfer
        What the subgrid term adds to the enstrophy of each ring, shape ``(ring,)`` [1].
    grid
        The grid.
    """

    states: Array
    transfer: Array
    grid: SpectralGrid

    @cached_property
    def deviation(self) -> float:
        """Standard deviation of the vorticity [1]."""
        return float(self.states.std())

    @cached_property
    def statistics(self) -> xr.Dataset:
        """What `climate` would make of it."""
        return _dataset(
            Shells(self.grid).enstrophy(self.states), distribution(self.states, self.deviation)
        )

    def floor(self) -> dict[str, float]:
        """Return the scores of one half of the truth beside the other."""
        n = len(self.states) // 2
        first, second = (
            Target(half, self.transfer, self.grid) for half in (self.states[:n], self.states[n:])
        )
        made = _dataset(
            Shells(self.grid).enstrophy(second.states),
            distribution(second.states, first.deviation),
        )
        return scores(made, first)


def climate(
    model: Barotropic,
    truth: Target,
    *,
    n_run: int,
    time: float,
    spin_up: float,
    n_thread: int = 1,
) -> xr.Dataset:
    """Run a model from states of the truth, evenly spaced.

    Returns
    -------
    Dataset
        ``enstrophy`` by run and ring [1], ``distribution`` over `EDGES` of all runs and times,
        ``lost`` by run; with a closure ``transfer``, what it adds to the enstrophy of each ring
        [1]; and of the first run at the end its vorticity ``snapshot`` and coefficients ``c2``,
        ``c4``.
    """
    starts = evenly_spaced(len(truth.states), n_run)
    integration = started(model, truth.states[starts], n_thread)
    shells = Shells(model.grid)
    n_spin_up, n = round(spin_up / SAVED), round(time / SAVED)
    enstrophy, counts = np.zeros((n_run, shells.n_ring)), np.zeros(len(_MIDDLES))
    interval, transfers = round(SAVED / model.dt), []
    states = visited(integration, interval, n_spin_up + n, RUNAWAY * truth.deviation)
    for i, (fields, lost) in enumerate(states):
        if i >= n_spin_up:
            enstrophy += shells.enstrophy(fields) / n
            counts += distribution(fields[~lost], truth.deviation)
        if model.eddy_viscosity is not None and i >= n_spin_up and i % _SELDOM == 0:
            terms = np.stack([integration.eddy_tendency(member) for member in range(n_run)])
            transfers.append(shells.transfer(fields, terms).mean(axis=0))
    data = _dataset(enstrophy, counts)
    data["lost"] = ("run", lost)
    data["snapshot"] = (("y", "x"), fields[0])
    if model.eddy_viscosity is not None:
        data["transfer"] = ("ring", np.mean(transfers, axis=0))
        for part, name in enumerate(("c2", "c4")):
            data[name] = (("y", "x"), integration.eddy.coefficients[0, part].copy())
    return data


def distribution(vorticity: Array, deviation: float) -> Array:
    """Return how many values lie in each bin of `EDGES`, those beyond in the outermost."""
    scaled = np.clip(vorticity / deviation, EDGES[0], EDGES[-1])
    return np.histogram(scaled, EDGES)[0].astype(np.float64)


def scores(made: xr.Dataset, truth: Target) -> dict[str, float]:
    r"""Return how far a climate is from the truth's.

    Returns
    -------
    dict
        ``lse``, the root mean square over rings of :math:`\log_{10} Z / Z^{truth}`; ``w1``, the
        Wasserstein distance of the vorticity over the truth's standard deviation; ``t3`` and
        ``t4``, :math:`\log_{10}` of how many times as many values lie beyond 3 and 4 standard
        deviations of the truth, NaN where the truth has none; ``blowups``, the runs that were
        lost, in which case the others are NaN.
    """
    n_lost = int(made.lost.sum()) if "lost" in made else 0
    if n_lost:
        return dict.fromkeys(("lse", "w1", *TAILS), np.nan) | {"blowups": float(n_lost)}
    own = truth.statistics
    ratio = made.enstrophy.mean("run") / own.enstrophy.mean("run")
    found = made.distribution.to_numpy(), own.distribution.to_numpy()
    w1 = wasserstein_distance(_MIDDLES, _MIDDLES, *found)
    result = {"lse": float(np.sqrt((np.log10(ratio) ** 2).mean())), "w1": float(w1)}
    for name, beyond in TAILS.items():
        a, b = (_beyond(counts, beyond) for counts in found)
        result[name] = float(np.log10(max(a, 1e-9) / b)) if b > 0.0 else np.nan
    return {**result, "blowups": 0.0}


def _beyond(counts: Array, deviations: float) -> float:
    outside = np.abs(_MIDDLES) > deviations
    return float(counts[outside].sum() / counts.sum())


def _dataset(enstrophy: Array, counts: Array) -> xr.Dataset:
    return xr.Dataset({"enstrophy": (("run", "ring"), enstrophy), "distribution": ("bin", counts)})
