"""What runs side by side amount to: errors by level and time, budgets, precipitation.

All means are weighted by area, and over levels by the mass of the layers. A run is scored on the
columns that it has not lost, so its error is to be read together with `lost`.

======================  ================================================================
rmse, bias              of each profile against the truth, by level, at the end of an interval
rmse_column             the same over the mass of the columns
spread, spread_column   standard deviation over time of the truth about the mean of each column
mean                    of each profile over columns and levels
lost, flagged           share of columns
precipitation           mean over the interval
water_residual_*        change of a column's water by the physics, and what precipitated
energy_residual_*       change of a column's enthalpy by the physics, less that by the columns'
                        own scheme from the same state, in which radiation (and, in scheme high,
                        snow that leaves) alone changes it
added_water             what raised negative water to zero
tendency_r2             share of the own scheme's tendencies, from the same states, explained
rain_share              shares of area and time by intensity of precipitation
water_budget            mean sources of a column's water over the run
energy_budget           mean sources of a column's enthalpy over the run
blow_up                 time at which the first column was lost; NaN if none was
======================  ================================================================
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.column_physics.constants import (
    DAY,
    EVAPORATION_HEAT,
    FUSION_HEAT,
    HEAT_CAPACITY,
    WATER_DENSITY,
)
from solvers.column_physics.grid import Grid
from solvers.column_physics.rollout import TRUTH, JointStep, RunStep
from solvers.column_physics.step import PROFILES
from solvers.column_physics.units import UNITS

Array = NDArray[np.float64]

RAIN_EDGES = np.logspace(-1.0, 3.0, 33)
"""Edges of the bins of precipitation [mm day-1]."""
TENDENCIES = ("temperature", "vapour")
"""Profiles whose tendencies are compared."""
BUDGET_TERMS = ("physics", "surface", "flow")
"""What changes water and enthalpy of a column, in the order of a step."""
_PER_STEP = (
    "flagged",
    "precipitation",
    "water_residual_mean",
    "water_residual_rms",
    "energy_residual_mean",
    "energy_residual_rms",
    "added_water",
)
_UNITS = {
    "flagged": "1",
    "lost": "1",
    "precipitation": "mm day-1",
    "water_residual_mean": "mm day-1",
    "water_residual_rms": "mm day-1",
    "energy_residual_mean": "W m-2",
    "energy_residual_rms": "W m-2",
    "added_water": "mm day-1",
}
_BY_PROFILE = {"comment": "units differ by profile, see profile_units"}


class RolloutScores:
    """Sums over the steps of runs.

    Parameters
    ----------
    grid
        Grid of the columns.
    runs
        Names, the truth among them.
    timestep
        Length of a step [s].
    ice_heat
        Whether freezing releases heat: true for scheme high.
    n_interval
        Steps of an interval.
    """

    def __init__(
        self, grid: Grid, runs: Sequence[str], timestep: float, ice_heat: bool, n_interval: int
    ) -> None:
        self.grid = grid
        self.runs = tuple(runs)
        self.timestep = timestep
        self.n_interval = n_interval
        self._area = grid.area / grid.area.sum()
        self._fusion = FUSION_HEAT if ice_heat else 0.0
        self._n_step = 0
        self._blow_up = dict.fromkeys(self.runs, float("nan"))
        self._rain = {name: np.zeros(RAIN_EDGES.size + 1) for name in self.runs}
        self._budget = {name: np.zeros((2, 3)) for name in self.runs}
        self._kept = dict.fromkeys(self.runs, 0.0)
        self._records: dict[str, list[Array]] = {}
        self._times: list[float] = []
        self._first: Array | None = None
        self._moments = np.zeros(())
        self._mass = np.zeros(())
        self._begin()

    def add(self, step: JointStep) -> None:
        """Add one step of all runs; steps must come in the order of time."""
        mass = self.grid.layer_mass(step.surface_pressure)
        self._n_step += 1
        for index, name in enumerate(self.runs):
            self._add_run(index, name, step.runs[name], mass)
        if self._n_step % self.n_interval == 0:
            self._end_interval(step, mass)

    def dataset(self) -> xr.Dataset:
        """Return the scores of all whole intervals so far."""
        if not self._times:
            raise ValueError(
                f"rollout: expected at least {self.n_interval} steps, an interval, got "
                f"{self._n_step}"
            )
        interval = ("run", "time")
        variables: dict[str, tuple[tuple[str, ...], Array, dict[str, str]]] = {}
        for name, values in self._records.items():
            array = np.moveaxis(np.array(values), 0, 1)
            dims = (*interval, "profile", "level")[: array.ndim]
            if name == "tendency_r2":
                dims = (*interval, "tendency")
            variables[name] = (dims, array, _attributes(name, dims))
        spread = self._spread()
        variables["spread"] = (("profile", "level"), spread, _BY_PROFILE)
        weight = self._area @ self._mass
        column = np.sqrt((spread**2 * weight).sum(axis=1) / weight.sum())
        variables["spread_column"] = (("profile",), column, _BY_PROFILE)
        shares = np.array(
            [self._rain[name] / max(self._rain[name].sum(), 1e-300) for name in self.runs]
        )
        variables["rain_share"] = (("run", "intensity"), shares, {"units": "1"})
        variables["rain_edge"] = (("edge",), RAIN_EDGES, {"units": "mm day-1"})
        budgets = np.array(
            [self._budget[name] / max(self._kept[name], 1e-300) for name in self.runs]
        )
        variables["water_budget"] = (("run", "term"), budgets[:, 0] * DAY, {"units": "mm day-1"})
        variables["energy_budget"] = (("run", "term"), budgets[:, 1], {"units": "W m-2"})
        blow_up = np.array([self._blow_up[name] for name in self.runs])
        variables["blow_up"] = (("run",), blow_up, {"units": "day"})
        units = [UNITS[name] for name in PROFILES]
        coordinates = {
            "run": list(self.runs),
            "time": ("time", np.array(self._times), {"units": "day"}),
            "profile": list(PROFILES),
            "profile_units": ("profile", units),
            "tendency": list(TENDENCIES),
            "term": list(BUDGET_TERMS),
            "pressure": ("level", self.grid.reference_pressure, {"units": "Pa"}),
        }
        return xr.Dataset(variables, coords=coordinates)

    def _begin(self) -> None:
        self._sums = np.zeros((len(self.runs), len(_PER_STEP)))
        self._squares = np.zeros((len(self.runs), 2, len(TENDENCIES)))

    def _add_run(self, index: int, name: str, run: RunStep, mass: Array) -> None:
        if run.lost.any() and np.isnan(self._blow_up[name]):
            self._blow_up[name] = self._n_step * self.timestep / DAY
        weight = self._weight(run)
        if not weight.any():
            self._sums[index] = np.nan
            return
        rain = run.fluxes.get("precipitation")
        states = (run.before, run.after_physics, run.after_surface, run.after_flow)
        water = [(mass * state[:, 1:4].sum(axis=1)).sum(axis=1) for state in states]
        heat = [self._enthalpy(state, mass) for state in states]
        own = self._enthalpy(run.reference, mass)
        fine = np.isfinite(own)
        energy_error = np.where(fine, heat[1] - np.where(fine, own, 0.0), 0.0) / self.timestep
        fine_weight = _normalised(np.where(fine, weight, 0.0))
        terms = dict.fromkeys(_PER_STEP, np.nan)
        terms["flagged"] = float(weight @ run.flagged)
        terms["added_water"] = float(weight @ run.added_water) / self.timestep * DAY
        terms["energy_residual_mean"] = float(fine_weight @ energy_error)
        terms["energy_residual_rms"] = float(fine_weight @ energy_error**2)
        if rain is not None:
            fall = rain * WATER_DENSITY * DAY
            leak = (water[1] - water[0]) / self.timestep * DAY + fall
            terms["precipitation"] = float(weight @ fall)
            terms["water_residual_mean"] = float(weight @ leak)
            terms["water_residual_rms"] = float(weight @ leak**2)
            self._count_rain(name, fall, weight)
        self._sums[index] += list(terms.values())
        self._kept[name] += 1.0
        for i, parts in enumerate((water, heat)):
            rates = np.diff(np.array(parts), axis=0).T / self.timestep
            self._budget[name][i] += weight @ rates
        self._compare(index, run, mass, fine_weight)

    def _enthalpy(self, state: Array, mass: Array) -> Array:
        """Return sum m (cp T + Lv qv - Lf qi) of each column [J m-2]."""
        energy = HEAT_CAPACITY * state[:, 0] + EVAPORATION_HEAT * state[:, 1]
        total: Array = (mass * (energy - self._fusion * state[:, 3])).sum(axis=1)
        return total

    def _count_rain(self, name: str, rain: Array, weight: Array) -> None:
        place = np.searchsorted(RAIN_EDGES, rain, side="right")
        self._rain[name] += np.bincount(place, weights=weight, minlength=RAIN_EDGES.size + 1)

    def _compare(self, index: int, run: RunStep, mass: Array, weight: Array) -> None:
        for i, name in enumerate(TENDENCIES):
            j = PROFILES.index(name)
            used = weight > 0.0
            part = weight[used, None]
            made = (run.after_physics - run.before)[used, j]
            own = (run.reference - run.before)[used, j]
            middle = (part * own).sum(axis=0)
            self._squares[index, 0, i] += (part * mass[used] * (made - own) ** 2).sum()
            self._squares[index, 1, i] += (part * mass[used] * (own - middle) ** 2).sum()

    def _weight(self, run: RunStep) -> Array:
        return _normalised(np.where(run.lost, 0.0, self._area))

    def _end_interval(self, step: JointStep, mass: Array) -> None:
        self._times.append(self._n_step * self.timestep / DAY)
        self._mass = mass
        truth = step.runs[TRUTH].after_flow
        self._add_truth(truth)
        sums = self._sums / self.n_interval
        for column, name in enumerate(_PER_STEP):
            if name.endswith("rms"):
                sums[:, column] = np.sqrt(sums[:, column])
        records: dict[str, Array] = dict(zip(_PER_STEP, sums.T, strict=True))
        none = np.full(self._squares.shape[::2], np.nan)
        total = self._squares[:, 1]
        explained = 1.0 - self._squares[:, 0] / np.where(total > 0.0, total, 1.0)
        records["tendency_r2"] = np.where(total > 0.0, explained, none)
        records["lost"] = np.array([self._area @ step.runs[name].lost for name in self.runs])
        for name in ("rmse", "bias", "rmse_column", "mean"):
            records[name] = np.array(
                [self._error(name, step.runs[r], truth, mass) for r in self.runs]
            )
        for name, values in records.items():
            self._records.setdefault(name, []).append(values)
        self._begin()

    def _error(self, kind: str, run: RunStep, truth: Array, mass: Array) -> Array:
        weight = self._weight(run)
        if not weight.any():
            shape = truth.shape[1:] if kind in {"rmse", "bias"} else truth.shape[1:2]
            return np.full(shape, np.nan)
        error = run.after_flow - truth
        both = weight[:, None] * mass
        both /= both.sum()
        found: Array
        if kind == "rmse":
            found = np.sqrt(np.einsum("i,ijk->jk", weight, error**2))
        elif kind == "bias":
            found = np.einsum("i,ijk->jk", weight, error)
        elif kind == "mean":
            found = np.einsum("ik,ijk->j", both, run.after_flow)
        else:
            found = np.sqrt(np.einsum("ik,ijk->j", both, error**2))
        return found

    def _add_truth(self, truth: Array) -> None:
        if self._first is None:
            self._first = truth.copy()
            self._moments = np.zeros((2, *truth.shape))
        # About the first state, so that squares lose no digits.
        change = truth - self._first
        self._moments += np.stack([change, change**2])

    def _spread(self) -> Array:
        n = len(self._times)
        mean, square = self._moments / n
        variance = np.maximum(square - mean**2, 0.0)
        spread: Array = np.sqrt(np.einsum("i,ijk->jk", self._area, variance))
        return spread


def _attributes(name: str, dims: tuple[str, ...]) -> dict[str, str]:
    return _BY_PROFILE if "profile" in dims else {"units": _UNITS.get(name, "1")}


def _normalised(weight: Array) -> Array:
    total = weight.sum()
    normalised: Array = weight / total if total > 0.0 else weight
    return normalised
