"""Hosts in which closures of this project are tested, and those of others by their name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from hybrid.climsim_rollout.archive_physics import ArchivePhysics
from hybrid.coupling import couple
from hybrid.reduced_precision.assessment import Run
from hybrid.reduced_precision.climates import Climate
from hybrid.reduced_precision.errors import PrecisionError
from hybrid.runtime import load
from solvers import Lorenz96
from solvers.column_physics import Columns, ColumnSettings, Grid, generated_grid
from solvers.column_physics.constants import DAY, TIMESTEP
from solvers.column_physics.rollout import JointStep, Rollout
from solvers.column_physics.step import PROFILES
from solvers.errors import SolverBlewUp

_UNITS = dict(zip(PROFILES, ("K", *["kg kg-1"] * 3, *["m s-1"] * 2), strict=True))
_ARCHIVE = "archive"


@dataclass(frozen=True)
class Lorenz96Host:
    """One-scale Lorenz-96 with the archive as its closure.

    Parameters
    ----------
    time, spin_up
        Length of a run and what of it does not count, in time units.
    n_member
        Members of a run.
    model
        The solver.
    save_every
        Interval between states that count, in time units.
    """

    time: float = 100.0
    spin_up: float = 5.0
    n_member: int = 8
    model: Lorenz96 = field(default_factory=lambda: Lorenz96(n_k=8, forcing=20.0, dt=0.005))
    save_every: float = 0.05

    @property
    def text(self) -> str:
        """What is run."""
        return (
            f"Lorenz-96, K = {self.model.n_k}, F = {self.model.forcing:g}, {self.n_member} members "
            f"over {self.time:g} time units"
        )

    def __call__(self, archive: Path, precision: str, seed: int) -> Climate:
        """Run it."""
        closure = couple(load(archive, precision=precision), seed=seed)
        try:
            run = self.model.run(
                time=self.spin_up + self.time,
                save_every=self.save_every,
                n_member=self.n_member,
                seed=seed,
                tendency=closure,
                progress=False,
            )
        except SolverBlewUp:
            return {"x [1]": np.array([np.nan])}
        return {"x [1]": run.x.to_numpy()[run.time.to_numpy() > self.spin_up]}


@dataclass(frozen=True)
class ColumnHost:
    """Generated columns whose physics is the archive: the rollout of ``hybrid climsim rollout``.

    Profiles are compared in three parts of equal numbers of levels, the upper one first; beside
    them what the archive gives to the surface, and the share of columns that are lost.

    Parameters
    ----------
    days, spin_up
        Length of a run and what of it does not count [day].
    grid
        Columns; default: ClimSim's low resolution.
    damping
        Time within which differences from the truth decay [day].
    save_every
        Steps between states that count.
    """

    days: float = 10.0
    spin_up: float = 1.0
    grid: Grid | None = None
    damping: float = 1.0
    save_every: int = 9

    @property
    def text(self) -> str:
        """What is run."""
        n_column = (self.grid or generated_grid()).n_column
        return f"{n_column} generated columns over {self.days:g} days"

    def __call__(self, archive: Path, precision: str, seed: int) -> Climate:
        """Run it."""
        grid = self.grid or generated_grid()
        columns = Columns(ColumnSettings(seed=seed), grid)
        physics = ArchivePhysics(archive, columns, seed=seed, precision=precision)
        rollout = Rollout(columns, {_ARCHIVE: physics}, self.damping * DAY)
        n_step = round((self.spin_up + self.days) * DAY / TIMESTEP)
        values: dict[str, list[Any]] = {}
        for number, step in enumerate(rollout.run(0.0, n_step, physics.n_history + 1)):
            if number * TIMESTEP < self.spin_up * DAY or number % self.save_every:
                continue
            for name, array in _sampled(step, physics.predicted):
                values.setdefault(name, []).append(array)
        return {name: np.stack(arrays) for name, arrays in values.items()}


def _sampled(step: JointStep, predicted: tuple[str, ...]) -> list[tuple[str, Any]]:
    run = step.runs[_ARCHIVE]
    sampled: list[tuple[str, Any]] = []
    for name in predicted:
        profile = run.after_flow[:, PROFILES.index(name)]
        for part, levels in zip(
            ("upper", "middle", "lower"), np.array_split(profile, 3, axis=1), strict=True
        ):
            sampled.append((f"{part} {name} [{_UNITS[name]}]", levels.copy()))
    sampled += [(name, array.copy()) for name, array in run.fluxes.items()]
    sampled.append(("lost columns [1]", np.array([run.lost.mean()])))
    return sampled


HOSTS: dict[str, Callable[..., Any]] = {"lorenz96": Lorenz96Host, "columns": ColumnHost}
"""Hosts of this project by name."""
_LENGTH = {"lorenz96": "time", "columns": "days"}


def host_named(name: str, length: float | None = None) -> tuple[Run, str]:
    """Return a host and what it runs.

    Parameters
    ----------
    name
        One of `HOSTS`, or ``"package.module:function"``.
    length
        Length of a run of one of `HOSTS`: time units, or days; default: the host's own.

    Raises
    ------
    PrecisionError
        If there is none of this name, a function is given a length, or a length is not positive.
    """
    if length is not None and not length > 0.0:
        raise PrecisionError(f"length: expected a positive one, got {length:g}")
    if name in HOSTS:
        host = HOSTS[name](**({} if length is None else {_LENGTH[name]: length}))
        return host, host.text
    module, _, function = name.partition(":")
    if length is not None and function:
        raise PrecisionError(f"length: expected none for {name}, which has its own; leave it out")
    try:
        found = getattr(import_module(module), function) if function else None
    except (ImportError, AttributeError) as error:
        raise PrecisionError(f"online: {name} cannot be imported: {error}") from error
    if not callable(found):
        raise PrecisionError(
            f"online: expected {', '.join(HOSTS)}, or a function as package.module:function, got "
            f"{name}"
        )
    return found, name
