"""Columns that run: state, physics, large-scale flow, as Datasets with units."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from solvers.column_physics.constants import DAY, TIMESTEP, YEAR
from solvers.column_physics.forcing import LargeScale, add_surface_fluxes
from solvers.column_physics.grid import Grid, generated_grid
from solvers.column_physics.step import (
    FLUXES,
    HIGH,
    LOW,
    PROFILES,
    SURFACE,
    step_columns,
)
from solvers.column_physics.surface import (
    Moment,
    albedos,
    cover,
    emission,
    exchange,
    ground_temperature,
    sunshine,
)
from solvers.column_physics.units import UNITS

Array = NDArray[np.float64]
Scheme = Literal["low", "high"]

SCHEMES: dict[Scheme, int] = {"low": LOW, "high": HIGH}
"""The cheap and the rich scheme."""


class ColumnError(ValueError):
    """A setting or a state of the columns is not what it must be."""


@dataclass(frozen=True)
class ColumnSettings:
    """What to run.

    Parameters
    ----------
    scheme
        ``"low"``: gray longwave, simplified Betts-Miller, saturation adjustment; ``"high"``:
        water-vapour and carbon-dioxide bands, cloud, entraining plumes, ice.
    warming
        Warming at the ground against the present climate [K].
    seed
        Seed of the weather.
    timestep
        Length of a step [s].
    n_thread
        Threads; the numbers do not depend on it.
    """

    scheme: Scheme = "high"
    warming: float = 0.0
    seed: int = 0
    timestep: float = TIMESTEP
    n_thread: int = 1

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise ColumnError(f"scheme: expected low or high, got {self.scheme!r}")
        if not -10.0 <= self.warming <= 12.0:
            raise ColumnError(
                f"warming: expected -10 to 12 K, got {self.warming}: the saturation formula "
                "holds up to 323 K"
            )
        if self.seed < 0:
            raise ColumnError(f"seed: expected 0 or more, got {self.seed}")
        if not 0.0 < self.timestep <= 3600.0:
            raise ColumnError(f"timestep: expected up to 3600 s, got {self.timestep}")
        if self.n_thread < 1:
            raise ColumnError(f"n_thread: expected 1 or more, got {self.n_thread}")


@dataclass(frozen=True)
class Step:
    """One step of the physics.

    Parameters
    ----------
    time
        Time since the start of the year of the run [s].
    before
        State, surface, sun and gases before the physics.
    after
        State after it, and what the surface gets.
    """

    time: float
    before: xr.Dataset
    after: xr.Dataset


@dataclass(frozen=True)
class Surroundings:
    """What the columns are given at one moment, whatever their state is.

    Parameters
    ----------
    fields
        Surface pressure, pressure, sun, cover, albedos, gases; as in `Step.before`.
    ground
        Temperature of the ground ``(n_column,)`` [K].
    target
        State to which the flow draws the columns ``(n_column, 6, n_level)``.
    omega
        Pressure velocity ``(n_column, n_level)`` [Pa s-1].
    lowest_thickness
        Pressure thickness of the lowest layer ``(n_column,)`` [Pa].
    """

    fields: dict[str, Array]
    ground: Array
    target: Array
    omega: Array
    lowest_thickness: Array


@dataclass
class Columns:
    """Columns of moist physics under a prescribed large-scale flow.

    Parameters
    ----------
    settings
        What to run.
    grid
        Columns and levels; by default ClimSim's low resolution.

    Examples
    --------
    >>> columns = Columns(ColumnSettings(scheme="low"))
    >>> first, second = columns.run(time=100 * 86400.0, n_step=2, n_spin_up=1)
    >>> first.after["precipitation"].attrs["units"], second.time - first.time
    ('m s-1', 1200.0)
    """

    settings: ColumnSettings = field(default_factory=ColumnSettings)
    grid: Grid = field(default_factory=generated_grid)

    def __post_init__(self) -> None:
        self.large_scale = LargeScale(self.grid, self.settings.seed, self.settings.warming)
        self._gases = {
            name: self.large_scale.climate.gas(name)
            for name in ("ozone", "methane", "nitrous_oxide")
        }

    def run(self, time: float, n_step: int, n_spin_up: int = 0) -> Iterator[Step]:
        """Advance from the weather of a time and yield the steps after the spin-up.

        Parameters
        ----------
        time
            Time of the first step that is yielded, since the start of the year [s].
        n_step
            Number of consecutive steps to yield.
        n_spin_up
            Steps before them, in which clouds form.

        Yields
        ------
        Step
            In the order of time.
        """
        timestep = self.settings.timestep
        now = time - n_spin_up * timestep
        state: Array | None = None
        for index in range(n_spin_up + n_step):
            around = self.surroundings(now)
            state = around.target.copy() if state is None else state
            before = self.before(around, state)
            after = self.applied(self.settings.scheme, before, state)
            if index >= n_spin_up:
                yield Step(now, self._dataset(before), self._dataset(after))
            add_surface_fluxes(state, before, around.lowest_thickness, timestep)
            self.large_scale.advance(
                state, around.target, around.omega, before["pressure"], timestep
            )
            self._check(state, now)
            now += timestep

    def surroundings(self, time: float) -> Surroundings:
        """Return what the columns are given at a time [s] since the start of the year."""
        moment = Moment(int(time // DAY) % YEAR + 1, time % DAY)
        at = {"surface_pressure": self.large_scale.surface_pressure(time)}
        pressure = self.grid.midpoint_pressure(at["surface_pressure"])
        target = self.large_scale.target(moment, time, pressure)
        at |= sunshine(self.grid, moment)
        at["land_fraction"] = self.large_scale.land
        ground = ground_temperature(target[:, 0, -1], at)
        at |= cover(ground, self.large_scale.land)
        at |= albedos(at)
        at["surface_emission"] = emission(ground)
        at["sine_latitude"] = np.sin(np.radians(self.grid.lat))
        at |= {"pressure": pressure, **self._gases}
        interface = self.grid.interface_pressure(at["surface_pressure"])
        return Surroundings(
            at,
            ground,
            target,
            self.large_scale.pressure_velocity(time, pressure),
            interface[:, -1] - interface[:, -2],
        )

    def before(self, around: Surroundings, state: Array) -> dict[str, Array]:
        """Return everything a physics may know of columns: as `Step.before`, as arrays.

        Parameters
        ----------
        around
            From `surroundings`.
        state
            Profiles in the order of `PROFILES`, ``(n_column, 6, n_level)``.
        """
        at = dict(around.fields)
        at |= exchange(state, at["pressure"][:, -1], around.ground, at)
        return at | {name: state[:, i].copy() for i, name in enumerate(PROFILES)}

    def applied(self, scheme: Scheme, before: dict[str, Array], state: Array) -> dict[str, Array]:
        """Advance a state by a scheme, in place.

        Parameters
        ----------
        scheme
            Scheme to apply.
        before
            From `before`.
        state
            Profiles ``(n_column, 6, n_level)``, contiguous.

        Returns
        -------
        dict
            State after the scheme and what the surface gets, as `Step.after`.
        """
        surface = np.stack([before[name] for name in SURFACE], axis=1)
        fluxes = self._physics(scheme, state, surface, before["ozone"])
        return self._named(state, fluxes)

    def physics(self, before: xr.Dataset, scheme: Scheme) -> xr.Dataset:
        """Return what either scheme makes of given columns.

        Parameters
        ----------
        before
            As in `Step.before`, for any number of columns.
        scheme
            Scheme to apply, whatever the settings say.
        """
        names = (*PROFILES, *SURFACE, "ozone")
        missing = [name for name in names if name not in before]
        if missing:
            raise ColumnError(f"columns: expected variables {list(names)}, missing {missing}")
        fields = {name: np.asarray(before[name], dtype=np.float64) for name in names}
        if fields["temperature"].shape[1:] != (self.grid.n_level,):
            raise ColumnError(
                f"columns: expected {self.grid.n_level} levels last, got shape "
                f"{fields['temperature'].shape}; make a grid of these levels"
            )
        state = np.stack([fields[name] for name in PROFILES], axis=1)
        surface = np.stack([fields[name] for name in SURFACE], axis=1)
        fluxes = self._physics(scheme, state, surface, fields["ozone"])
        return self._dataset(self._named(state, fluxes))

    def _physics(self, scheme: Scheme, state: Array, surface: Array, ozone: Array) -> Array:
        fluxes = np.empty((state.shape[0], len(FLUXES)))
        arguments = (
            SCHEMES[scheme],
            self.grid.hyai,
            self.grid.hybi,
            self.grid.n_inert,
            self.settings.timestep,
            surface,
            ozone,
            state,
            fluxes,
        )
        step_columns(self.settings.n_thread, state.shape[0], *arguments)
        return fluxes

    @staticmethod
    def _named(state: Array, fluxes: Array) -> dict[str, Array]:
        named = {name: state[:, i].copy() for i, name in enumerate(PROFILES)}
        return named | {name: fluxes[:, i].copy() for i, name in enumerate(FLUXES)}

    def _dataset(self, fields: dict[str, Array]) -> xr.Dataset:
        variables = {
            name: (("column", "level")[: values.ndim], values, {"units": UNITS[name]})
            for name, values in fields.items()
        }
        return xr.Dataset(variables, attrs={"title": "Generated columns"})

    def _check(self, state: Array, now: float) -> None:
        if not np.isfinite(state).all():
            column = int(np.argwhere(~np.isfinite(state))[0, 0])
            raise ColumnError(
                f"column {column} at {now:.0f} s: expected finite values, got NaN or infinity; "
                "shorten the time step"
            )
