"""Archives, other physics and none beside the truth, all from the same columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from hybrid.climsim_rollout.archive_physics import ArchivePhysics
from hybrid.climsim_rollout.settings import HOUR, INTERVAL, STEPS_OF_DAY, RolloutSettings
from hybrid.errors import RolloutError
from solvers.column_physics import Columns, ColumnSettings, Grid, generated_grid
from solvers.column_physics.constants import DAY, TIMESTEP
from solvers.column_physics.replacement import NoPhysics, Physics, SchemePhysics
from solvers.column_physics.rollout import TRUTH, Rollout
from solvers.column_physics.rollout_scores import RolloutScores

NO_PHYSICS = "no physics"
"""Run whose columns know surface and flow alone."""
PERTURBED = "perturbed"
"""Run under the truth's own scheme from a slightly different temperature."""


@dataclass(frozen=True)
class RolloutRun:
    """What tables, files and figures are made of.

    Parameters
    ----------
    settings
        What was asked for.
    scores
        From `solvers.column_physics.rollout_scores.RolloutScores`.
    archives
        The archives, by name of the run.
    """

    settings: RolloutSettings
    scores: xr.Dataset
    archives: dict[str, ArchivePhysics]


def roll_out(
    archives: Sequence[Path],
    settings: RolloutSettings,
    on_progress: Callable[[float], None] | None = None,
    grid: Grid | None = None,
) -> RolloutRun:
    """Run archives in place of the columns' physics.

    Parameters
    ----------
    archives
        Compiled closures; with none, the truth and what it is compared with run alone.
    settings
        What to run.
    on_progress
        Called with the fraction done.
    grid
        Grid of the columns; by default ClimSim's low resolution.

    Raises
    ------
    RolloutError
        If an archive cannot take the place of the physics, or is named twice.
    """
    columns = Columns(
        ColumnSettings(
            settings.scheme, settings.warming, settings.seed, TIMESTEP, settings.n_thread
        ),
        generated_grid() if grid is None else grid,
    )
    paths = _named(archives)
    found = {
        name: ArchivePhysics(path, columns, settings.policy, settings.seed)
        for name, path in paths.items()
    }
    physics: dict[str, Physics] = {**found, **_references(columns, settings)}
    rollout = Rollout(columns, physics, settings.damping * HOUR, {PERTURBED: settings.perturbation})
    scores = RolloutScores(
        columns.grid, (TRUTH, *physics), TIMESTEP, settings.scheme == "high", INTERVAL
    )
    start = (settings.start_day - 1) * DAY
    steps = rollout.run(start, settings.n_step, settings.spin_up)
    for done, step in enumerate(steps, 1):
        scores.add(step)
        if on_progress is not None and done % INTERVAL == 0:
            on_progress(done / settings.n_step)
    dataset = scores.dataset().assign_attrs(
        title="Archives in place of the physics of generated columns",
        truth=f"scheme {settings.scheme}, {settings.warming:+g} K",
        seed=settings.seed,
        days=settings.days,
        steps_of_day=STEPS_OF_DAY,
        flow=settings.damping_text,
    )
    return RolloutRun(settings, dataset, found)


def other_scheme(settings: RolloutSettings) -> str:
    """Return the name of the run under the scheme that is not the truth's."""
    return f"scheme {'low' if settings.scheme == 'high' else 'high'}"


def _references(columns: Columns, settings: RolloutSettings) -> dict[str, Physics]:
    return {
        other_scheme(settings): SchemePhysics(
            columns, "low" if settings.scheme == "high" else "high"
        ),
        PERTURBED: SchemePhysics(columns, settings.scheme),
        NO_PHYSICS: NoPhysics(),
    }


def _named(archives: Sequence[Path]) -> dict[str, Path]:
    resolved = [path.resolve() for path in archives]
    for path in resolved:
        if resolved.count(path) > 1:
            raise RolloutError(f"{path}: expected each archive once, got it several times")
    stems = [path.stem for path in resolved]
    names = [
        path.stem if stems.count(path.stem) == 1 else f"{path.parent.name}/{path.stem}"
        for path in resolved
    ]
    taken = {TRUTH, NO_PHYSICS, PERTURBED, "scheme low", "scheme high"} & set(names)
    if len(set(names)) < len(names) or taken:
        names = [str(path) for path in resolved]
    return dict(zip(names, archives, strict=True))
